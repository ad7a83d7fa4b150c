// Package fs mounts a directory in place and serves it to the kernel.
package fs
