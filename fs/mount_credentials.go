package fs

import (
	"context"
	"os"
	"runtime"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// credentials let the daemon create objects in the caller's name, so that owner, group,
// quota and the group of a setgid directory come out as if there were no daemon. Nobody
// sees them with another owner meanwhile.
type credentials struct {
	impersonate  bool // the process may take on any identity
	uid, gid     uint32
	capabilities [2]unix.CapUserData
}

func newCredentials() credentials {
	c := credentials{uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if unix.Capget(&header, &c.capabilities[0]) != nil {
		return c
	}
	c.impersonate = c.has(unix.CAP_SETUID) && c.has(unix.CAP_SETGID) && c.uid == 0
	return c
}

func (c *credentials) has(capability uint) bool {
	return c.capabilities[capability/32].Effective&(1<<(capability%32)) != 0
}

// as calls do in the name of the request's caller, if the process may; else the files that
// it creates are the process's. The capabilities stay: the kernel has checked
// the rights of the caller, with all its groups, which are not known here.
//
// The identity is one thread's. While it is taken on, the scheduler neither runs
// anything else on that thread nor makes new threads from it.
func (c *credentials) as(ctx context.Context, do func() error) error {
	caller, ok := fuse.FromContext(ctx)
	if !c.impersonate || !ok || caller.Uid == c.uid && caller.Gid == c.gid {
		return do()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer c.resume()
	setFSIDs(caller.Uid, caller.Gid)
	if err := c.setCapabilities(); err != nil { // a change of identity took some
		return err
	}
	return do()
}

// resume takes on the process's own identity again. That can't be refused, as
// it is the process's effective one.
func (c *credentials) resume() { setFSIDs(c.uid, c.gid) }

func setFSIDs(uid, gid uint32) {
	unix.RawSyscall(unix.SYS_SETFSGID, uintptr(gid), 0, 0)
	unix.RawSyscall(unix.SYS_SETFSUID, uintptr(uid), 0, 0)
}

// setCapabilities gives the calling thread those that the process started with.
func (c *credentials) setCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := c.capabilities
	return unix.Capset(&header, &data[0])
}
