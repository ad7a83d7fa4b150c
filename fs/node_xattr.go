package fs

import (
	"bytes"
	"context"
	"strings"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

const aclDefault = "system.posix_acl_default"

// Getxattr reads an extended attribute.
func (n *node) Getxattr(ctx context.Context, attr string, dest []byte) (uint32, syscall.Errno) {
	size, err := n.getxattr(ctx, attr, dest)
	if err != nil {
		return 0, plainErrno(err)
	}
	return uint32(size), 0
}

// getxattr asks for a registry's attribute by name: before each truncation the kernel
// does, and one call takes less than three.
func (n *node) getxattr(ctx context.Context, attr string, dest []byte) (size int, err error) {
	if dir, base, _, ok := n.registry(); ok && n.remains(ctx) == nil {
		err = retry(func() error {
			size, err = unix.Lgetxattr(procPath(dir.fd)+"/"+base, attr, dest)
			return err
		})
		return size, err
	}
	err = n.withObject(ctx, func(fd int) error {
		size, err = getxattr(fd, attr, dest)
		return err
	})
	return size, err
}

func getxattr(fd int, attr string, dest []byte) (size int, err error) {
	err = retry(func() error {
		size, err = unix.Getxattr(procPath(fd), attr, dest)
		return err
	})
	return size, err
}

func (n *node) hasDefaultACL() bool {
	_, err := getxattr(n.fd, aclDefault, nil)
	return err == nil
}

// Setxattr sets an extended attribute.
func (n *node) Setxattr(ctx context.Context, attr string, data []byte, flags uint32) syscall.Errno {
	if errno := n.changeable(); errno != 0 {
		return errno
	}
	return plainErrno(n.changeObject(ctx, newsAttrib, func(fd int) error {
		return retry(func() error { return unix.Setxattr(procPath(fd), attr, data, int(flags)) })
	}))
}

// Removexattr removes an extended attribute.
func (n *node) Removexattr(ctx context.Context, attr string) syscall.Errno {
	if errno := n.changeable(); errno != 0 {
		return errno
	}
	return plainErrno(n.changeObject(ctx, newsAttrib, func(fd int) error {
		return retry(func() error { return unix.Removexattr(procPath(fd), attr) })
	}))
}

// Listxattr lists the extended attributes. Those that only root may see are shown to
// root only, even if the daemon is root's.
func (n *node) Listxattr(ctx context.Context, dest []byte) (uint32, syscall.Errno) {
	var list []byte
	err := n.withObject(ctx, func(fd int) (err error) {
		list, err = listxattr(fd)
		return err
	})
	if err != nil {
		return 0, plainErrno(err)
	}
	if caller, ok := fuse.FromContext(ctx); ok && caller.Uid != 0 {
		list = withoutTrusted(list)
	}
	if len(list) > len(dest) {
		return uint32(len(list)), syscall.ERANGE
	}
	return uint32(copy(dest, list)), 0
}

func listxattr(fd int) ([]byte, error) {
	for size := 1024; ; size *= 4 {
		list := make([]byte, size)
		var filled int
		err := retry(func() (err error) {
			filled, err = unix.Listxattr(procPath(fd), list)
			return err
		})
		if err == unix.ERANGE && size <= 1<<20 {
			continue
		}
		if err != nil {
			return nil, err
		}
		return list[:filled], nil
	}
}

func withoutTrusted(list []byte) []byte {
	var kept []byte
	for name := range bytes.SplitAfterSeq(list, []byte{0}) {
		if !strings.HasPrefix(string(name), "trusted.") {
			kept = append(kept, name...)
		}
	}
	return kept
}
