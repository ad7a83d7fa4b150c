package fs

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"clawfs/fs/mountpoint"
	"clawfs/fs/uring"
)

// The ways by which the kernel's requests may come, for Options.Transport.
const (
	AutoTransport   = "auto"     // the ring if it can be had, else the device
	DeviceTransport = "device"   // read and write on /dev/fuse
	RingTransport   = "io_uring" // see package uring
)

// Transports returns the values that Options.Transport may have.
func Transports() []string { return []string{AutoTransport, DeviceTransport, RingTransport} }

// TransportError says why requests can't come by io_uring, which was asked for.
type TransportError struct{ Reason string }

// Error has the reason.
func (e *TransportError) Error() string { return "io_uring can't be had: " + e.Reason }

// Transport says by which way requests come.
type Transport struct {
	Name   string // DeviceTransport or RingTransport
	Reason string // why it is the device, where AutoTransport was asked for; empty otherwise

	// Of the ring alone.
	Entries int   // requests that the daemon can have at once
	Largest int   // that one request reads or writes, in bytes
	Memory  int64 // that the entries take at most, in bytes
}

// transport carries requests until the mount is taken away.
type transport interface {
	Serve()
	transport() Transport
}

// Transport says by which way requests come, and how much memory that takes.
func (s *Server) Transport() Transport { return s.way.transport() }

// deviceTransport is go-fuse's own.
type deviceTransport struct {
	*fuse.Server
	reason string
}

func (d *deviceTransport) transport() Transport {
	return Transport{Name: DeviceTransport, Reason: d.reason}
}

type ringTransport struct {
	*uring.Server
	plan uring.Plan
}

func (r *ringTransport) transport() Transport {
	return Transport{Name: RingTransport, Memory: r.Memory(), Entries: r.Entries(), Largest: r.plan.MaxWrite}
}

// connect mounts the file system, and answers the kernel's first request. Errors are those
// of Mount.
func (fsys *fileSystem) connect(dir string, o *fusefs.Options, wanted string) (transport, error) {
	notifier := &uring.Notifier{}
	o.ServerCallbacks = notifier // the device's server takes its place
	raw := &requests{RawFileSystem: fusefs.NewNodeFS(fsys.root, o), fsys: fsys}
	reason := ""
	switch wanted {
	case AutoTransport, RingTransport:
		ring, err := connectRing(raw, dir, o.MountOptions, notifier)
		var unavailable *TransportError
		switch {
		case err == nil:
			fsys.pruner.notify = pruneBy(notifier)
			return ring, nil
		case wanted == RingTransport || !errors.As(err, &unavailable):
			return nil, err
		}
		reason = unavailable.Reason
	case DeviceTransport, "":
	default:
		return nil, fmt.Errorf("there is no transport %q", wanted)
	}
	server, err := newDeviceServer(raw, dir, &o.MountOptions)
	if err != nil {
		return nil, err
	}
	return &deviceTransport{server, reason}, nil
}

// pruneBy has a ring's notifier prune: go-fuse knows how to by its own server only.
func pruneBy(notifier *uring.Notifier) func(nodes []*fusefs.Inode) unix.Errno {
	return func(nodes []*fusefs.Inode) unix.Errno {
		ids := make([]uint64, len(nodes))
		for i, n := range nodes {
			ids[i] = n.StableAttr().Ino // ExternalNodeID
		}
		return unix.Errno(notifier.PruneNotify(ids))
	}
}

// connectRing mounts with io_uring as the transport. A *TransportError leaves nothing
// mounted. All that can be found out, and made, without a mount is before it.
func connectRing(raw fuse.RawFileSystem, dir string, o fuse.MountOptions, notifier *uring.Notifier) (*ringTransport, error) {
	if err := uring.Check(); err != nil {
		return nil, &TransportError{err.Error()}
	}
	processors, err := uring.PossibleProcessors()
	if err != nil {
		return nil, &TransportError{err.Error()}
	}
	plan, err := uring.NewPlan(processors, min(o.MaxWrite, largestRequest()))
	if err != nil {
		return nil, &TransportError{err.Error()}
	}
	o.MaxWrite, o.MaxReadAhead = plan.MaxWrite, min(o.MaxReadAhead, plan.MaxWrite)
	server, err := uring.NewServer(raw, &o, plan, notifier, quick)
	if err != nil {
		return nil, &TransportError{err.Error()}
	}
	device, err := mountDevice(dir, &o)
	if err != nil {
		server.Close()
		return nil, err
	}
	if err := server.Start(device); err != nil {
		detached := mountpoint.Detach(dir, true)
		if detached != nil {
			return nil, errors.Join(err, detached)
		}
		server.Close()
		return nil, &TransportError{err.Error()}
	}
	return &ringTransport{server, plan}, nil
}

// quick reports whether a request's handler waits for nothing, as a rule: it looks at memory
// only, commits nothing, and reads no plain file. A write to a registry is staged in memory.
func quick(r uring.Request) bool {
	registry := r.Node&registryID != 0
	switch r.Opcode {
	case uring.OpLookup, uring.OpGetattr:
		return true
	case uring.OpOpen:
		return registry || r.Flags&(unix.O_ACCMODE|unix.O_TRUNC) == unix.O_RDONLY
	case uring.OpRelease: // of a registry after its close, which has committed
		return registry || r.Flags&unix.O_ACCMODE == unix.O_RDONLY
	case uring.OpRead, uring.OpWrite, uring.OpGetxattr:
		return registry
	}
	return false
}

// largestRequest is the most that a request of the kernel's may read or write, in bytes.
func largestRequest() int {
	const usual = 256
	pages := usual
	if text, err := os.ReadFile("/proc/sys/fs/fuse/max_pages_limit"); err == nil {
		if _, err := fmt.Sscan(string(text), &pages); err != nil {
			pages = usual
		}
	}
	return pages * os.Getpagesize()
}

// log tells by which way requests come.
func (t Transport) log(log *zap.Logger) {
	fields := []zap.Field{zap.String("transport", t.Name)}
	switch {
	case t.Name == RingTransport:
		fields = append(fields, zap.Int("entries", t.Entries), zap.Int("largest", t.Largest), zap.Int64("memory", t.Memory))
	case t.Reason != "":
		fields = append(fields, zap.String("reason", t.Reason))
	}
	log.Info("requests come", fields...)
}

// newDeviceServer mounts and answers the kernel's first request. Root mounts by itself, on
// the very directory that the path stands for now; others have fusermount3 do it.
func newDeviceServer(raw fuse.RawFileSystem, path string, o *fuse.MountOptions) (*fuse.Server, error) {
	if os.Geteuid() != 0 {
		if err := mountpoint.NeedFusermount(); err != nil {
			return nil, err
		}
		return fuse.NewServer(raw, path, o)
	}
	device, err := mountDirectly(path, o)
	if err != nil {
		return nil, err
	}
	server, err := fuse.NewServer(raw, fmt.Sprintf("/dev/fd/%d", device), o)
	if err != nil {
		return nil, errors.Join(err, mountpoint.Detach(path, true))
	}
	return server, nil
}

// mountDevice mounts a new FUSE connection and returns its descriptor.
func mountDevice(path string, o *fuse.MountOptions) (int, error) {
	if os.Geteuid() == 0 {
		return mountDirectly(path, o)
	}
	options := append(slices.Clone(o.Options), "fsname="+o.FsName, "subtype="+o.Name, fmt.Sprintf("max_read=%d", o.MaxWrite))
	if o.AllowOther {
		options = append(options, "allow_other")
	}
	return mountpoint.Mount(path, options)
}

// mountDirectly mounts a new FUSE connection and returns its descriptor.
func mountDirectly(path string, o *fuse.MountOptions) (int, error) {
	device, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &mountpoint.NoFUSEError{Problem: "cannot open /dev/fuse: " + err.Error()}
	}
	dir, err := mountpoint.Open(path)
	if err != nil {
		closeFD(device)
		return -1, err
	}
	defer closeFD(dir)
	data := fmt.Sprintf("fd=%d,rootmode=%o,user_id=%d,group_id=%d,max_read=%d,%s",
		device, unix.S_IFDIR, os.Geteuid(), os.Getegid(), o.MaxWrite, strings.Join(o.Options, ","))
	if o.AllowOther {
		data += ",allow_other"
	}
	err = unix.Mount(o.FsName, procPath(dir), mountpoint.FSType, unix.MS_NOSUID|unix.MS_NODEV, data)
	switch err {
	case nil:
		return device, nil
	case unix.EPERM, unix.ENODEV:
		closeFD(device)
		return -1, &mountpoint.NoFUSEError{
			Problem: "this system does not let the process mount: " + err.Error(),
			Cure:    "in a container: docker run --device /dev/fuse --cap-add SYS_ADMIN",
		}
	}
	closeFD(device)
	return -1, os.NewSyscallError("mount", err)
}
