package fs

import (
	"bytes"
	"encoding/binary"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// epoch has the kernel look up every name anew that it remembers. A temporary file
// that was renamed onto a registry would else stand for the registry until its
// name times out, and a watch that is set in that time would be on the wrong
// object. It is the one such notification that waits for nothing, so that a
// handler may send it (FUSE_NOTIFY_INC_EPOCH, since 6.16).
//
// Without it, names of files that were written lately are given no time.
type epoch struct {
	device int // a descriptor of the connection; -1: the kernel does not know of epochs
}

// incEpoch is the message: a struct fuse_out_header without a request.
const incEpoch = 8

// openEpoch finds the descriptor by which this process serves a connection, which
// newer kernels tell, and tries whether the kernel takes the message.
func openEpoch(connection int) epoch {
	e := epoch{device: -1}
	device, ok := findDevice(connection)
	if !ok {
		return e
	}
	fd, err := unix.FcntlInt(uintptr(device), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return e
	}
	e.device = fd
	if e.next() != nil {
		e.close()
	}
	return e
}

// findDevice returns the descriptor of this process that serves a connection.
func findDevice(connection int) (fd int, ok bool) {
	const dir = "/proc/self/fdinfo/"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return -1, false
	}
	want := []byte("\nfuse_connection:\t" + strconv.Itoa(connection) + "\n")
	for _, entry := range entries {
		info, err := os.ReadFile(dir + entry.Name())
		if err != nil || !bytes.Contains(info, want) {
			continue
		}
		if fd, err := strconv.Atoi(entry.Name()); err == nil {
			return fd, true
		}
	}
	return -1, false
}

func (e *epoch) known() bool { return e.device >= 0 }

// next begins another epoch.
func (e *epoch) next() error {
	var message [16]byte
	binary.NativeEndian.PutUint32(message[0:], uint32(len(message)))
	binary.NativeEndian.PutUint32(message[4:], incEpoch)
	return retry(func() error {
		_, err := unix.Write(e.device, message[:])
		return err
	})
}

func (e *epoch) close() {
	if e.device >= 0 {
		closeFD(e.device)
		e.device = -1
	}
}

// youth is how long a file that was written counts as one that may be renamed onto
// a registry next.
const youth = time.Minute

// nameTimeout returns how long the kernel may keep the node's name, for a role.
func (n *node) nameTimeout(r role) time.Duration {
	if r == rolePlain && !n.fsys.epoch.known() && n.fsys.lineages.find(n.id).youngerThan(youth) {
		return 0
	}
	return r.timeout()
}
