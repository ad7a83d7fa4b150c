// Package mountpoint tells which mounts of clawfs there are, and on which directory, and
// takes them away. It asks the mount table rather than the mounts: a daemon that is dead, or
// stuck, holds nobody up. It serves no mount and knows no node.
package mountpoint
