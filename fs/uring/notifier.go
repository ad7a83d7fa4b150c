package uring

import (
	"encoding/binary"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Notifier tells the kernel by the device that facts in its caches are no longer true. It has
// the methods of fs.ServerCallbacks and fuse.Server.PruneNotify. Before the mount, and after
// it, they return ENODEV.
type Notifier struct {
	device atomic.Pointer[os.File]
	minor  atomic.Uint32 // of the kernel's protocol
}

// Connect has notifications go to a device, given with the minor number of the kernel's
// protocol; nil ends that.
func (n *Notifier) Connect(device *os.File, minor uint32) {
	n.minor.Store(minor)
	n.device.Store(device)
}

// send sends a notification: a struct fuse_out_header without a number, with a code in the
// place of the error, then the fields that belong to the code.
func (n *Notifier) send(code int32, body []byte) fuse.Status {
	device := n.device.Load()
	if device == nil {
		return fuse.ENODEV
	}
	message := make([]byte, outHeaderSize, outHeaderSize+len(body))
	binary.NativeEndian.PutUint32(message[lenField:], uint32(outHeaderSize+len(body)))
	binary.NativeEndian.PutUint32(message[errorField:], uint32(-code))
	err := write(device, append(message, body...))
	if err == unix.EINVAL { // the kernel does not know the code
		err = unix.ENOSYS
	}
	return fuse.ToStatus(err)
}

// body returns numbers as the kernel reads them.
func body(numbers ...uint64) []byte {
	var b []byte
	for _, v := range numbers {
		b = binary.NativeEndian.AppendUint64(b, v)
	}
	return b
}

// halves is a number of 32 bits and one that is 0, in the order in which the kernel has them.
func halves(v uint32) uint64 {
	pair := [2]uint32{v, 0}
	return *(*uint64)(unsafe.Pointer(&pair))
}

// InodeNotify has the kernel drop its caches of a file: attributes and, from an offset
// on, so many bytes; a negative offset leaves the content.
func (n *Notifier) InodeNotify(node uint64, off, length int64) fuse.Status {
	return n.send(fuse.NOTIFY_INVAL_INODE, body(node, uint64(off), uint64(length)))
}

// EntryNotify has the kernel drop a name.
func (n *Notifier) EntryNotify(parent uint64, name string) fuse.Status {
	return n.send(fuse.NOTIFY_INVAL_ENTRY, append(body(parent, halves(uint32(len(name)))), name+"\x00"...))
}

// DeleteNotify has the kernel drop a name whose file is gone.
func (n *Notifier) DeleteNotify(parent, child uint64, name string) fuse.Status {
	return n.send(fuse.NOTIFY_DELETE, append(body(parent, child, halves(uint32(len(name)))), name+"\x00"...))
}

// PruneNotify has the kernel forget files that nobody uses.
func (n *Notifier) PruneNotify(nodes []uint64) fuse.Status {
	settings := fuse.InitIn{Major: 7, Minor: n.minor.Load()}
	switch {
	case !settings.SupportsNotify(fuse.NOTIFY_PRUNE):
		return fuse.ENOSYS
	case len(nodes) == 0:
		return fuse.OK
	}
	return n.send(fuse.NOTIFY_PRUNE, append(body(halves(uint32(len(nodes))), 0), body(nodes...)...))
}

// InodeNotifyStoreCache puts content into the kernel's page cache.
func (n *Notifier) InodeNotifyStoreCache(node uint64, off int64, data []byte) fuse.Status {
	const most = 1 << 30
	for len(data) > 0 {
		part := data[:min(len(data), most)]
		if status := n.send(fuse.NOTIFY_STORE_CACHE, append(body(node, uint64(off), halves(uint32(len(part)))), part...)); !status.Ok() {
			return status
		}
		data, off = data[len(part):], off+int64(len(part))
	}
	return fuse.OK
}

// InodeRetrieveCache is not supported: the kernel answers it with a request of its own.
func (n *Notifier) InodeRetrieveCache(uint64, int64, []byte) (int, fuse.Status) {
	return 0, fuse.ENOSYS
}
