package fs

import (
	"testing"

	"golang.org/x/sys/unix"

	"clawfs/fs/uring"
)

// A request that commits, or reads and changes a plain file, may have to wait.
func TestQuickRequests(t *testing.T) {
	const registry, plain, flush = registryID + 5, 77, 25
	for _, c := range []struct {
		r    uring.Request
		want bool
	}{
		{uring.Request{Opcode: uring.OpLookup, Node: rootID}, true},
		{uring.Request{Opcode: uring.OpGetattr, Node: plain}, true},
		{uring.Request{Opcode: uring.OpOpen, Node: registry, Flags: unix.O_WRONLY | unix.O_TRUNC}, true},
		{uring.Request{Opcode: uring.OpOpen, Node: plain, Flags: unix.O_RDONLY}, true},
		{uring.Request{Opcode: uring.OpOpen, Node: plain, Flags: unix.O_RDWR | unix.O_TRUNC}, false},
		{uring.Request{Opcode: uring.OpRead, Node: registry}, true},
		{uring.Request{Opcode: uring.OpRead, Node: plain}, false},
		{uring.Request{Opcode: uring.OpWrite, Node: registry}, true},
		{uring.Request{Opcode: uring.OpWrite, Node: plain}, false},
		{uring.Request{Opcode: uring.OpRelease, Node: registry, Flags: unix.O_RDONLY}, true},
		{uring.Request{Opcode: uring.OpRelease, Node: registry, Flags: unix.O_WRONLY}, true},
		{uring.Request{Opcode: uring.OpRelease, Node: plain, Flags: unix.O_WRONLY}, false},
		{uring.Request{Opcode: flush, Node: registry}, false},
	} {
		if got := quick(c.r); got != c.want {
			t.Errorf("%+v: %t", c.r, got)
		}
	}
}

func TestUnknownTransportIsRefused(t *testing.T) {
	m, err := startMount(t, scratch(t), scratch(t), func(c *serveConfig) { c.Options.Transport = "pigeon" })
	if err == nil {
		m.stop()
		t.Error("mounted")
	}
}
