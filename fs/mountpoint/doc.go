// Package mountpoint lists the mounts of clawfs, each with its directory, and takes them
// away. It asks the mount table rather than the mounts: a daemon that is dead, or stuck,
// holds nobody up. It serves no mount and knows no node.
package mountpoint
