package uring

import (
	"bytes"
	"encoding/binary"
	"log"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// handlerFunc is a handler for tests.
type handlerFunc func(in, out [][]byte) (int, bool)

func (f handlerFunc) handle(in, out [][]byte) (int, bool) { return f(in, out) }

const testPayload = 8192

func newTestEntry(t *testing.T) *entry {
	t.Helper()
	e, err := newEntry(testPayload)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	return e
}

// fill puts a request into an entry, as the kernel does.
func (e *entry) fill(opcode uint32, unique uint64, length, payload uint32) {
	clear(e.headers)
	binary.NativeEndian.PutUint32(e.headers[lenField:], length)
	binary.NativeEndian.PutUint32(e.headers[opcodeField:], opcode)
	binary.NativeEndian.PutUint64(e.headers[uniqueField:], unique)
	binary.NativeEndian.PutUint64(e.headers[commitIDOffset:], unique)
	binary.NativeEndian.PutUint32(e.headers[payloadSzField:], payload)
}

// errno returns the error of the answer in an entry, after a look at the rest of it.
func (e *entry) errno(t *testing.T, unique uint64) unix.Errno {
	t.Helper()
	length := binary.NativeEndian.Uint32(e.headers[lenField:])
	payload := binary.NativeEndian.Uint32(e.headers[payloadSzField:])
	if got := e.unique(); got != unique {
		t.Errorf("the answer is to %d, want %d", got, unique)
	}
	if length != outHeaderSize+payload || int(payload) > len(e.payload) {
		t.Errorf("the answer has %d bytes, of which %d are payload", length, payload)
	}
	return unix.Errno(-int32(binary.NativeEndian.Uint32(e.headers[errorField:])))
}

func TestSizesThatMakeNoSenseAreRefused(t *testing.T) {
	e := newTestEntry(t)
	h := handlerFunc(func([][]byte, [][]byte) (int, bool) {
		t.Error("a handler was called")
		return 0, true
	})
	for _, c := range []struct{ length, payload uint32 }{
		{0, 0}, {39, 0}, {40, 1}, {40, 1 << 31}, {40 + 129, 0}, {1 << 31, 0}, {^uint32(0), ^uint32(0)},
		{testPayload + 41, testPayload + 1}, {100, 61},
	} {
		e.fill(3, 42, c.length, c.payload)
		if e.serve(h) {
			t.Errorf("%d bytes, %d of payload: served", c.length, c.payload)
		}
		if errno := e.errno(t, 42); errno != unix.EIO {
			t.Errorf("%d bytes, %d of payload: %v", c.length, c.payload, errno)
		}
	}
}

func TestAnswersThatMakeNoSenseBecomeErrors(t *testing.T) {
	e := newTestEntry(t)
	for size, want := range map[int]unix.Errno{1: unix.EIO, 15: unix.EIO, -1: unix.EIO, outHeaderSize + testPayload + 1: unix.EIO, 0: 0} {
		e.fill(3, 7, inHeaderSize, 0)
		e.serve(handlerFunc(func([][]byte, [][]byte) (int, bool) { return size, true }))
		if errno := e.errno(t, 7); errno != want {
			t.Errorf("an answer of %d bytes: %v, want %v", size, errno, want)
		}
	}
	e.fill(3, 8, inHeaderSize, 0)
	if e.serve(handlerFunc(func([][]byte, [][]byte) (int, bool) { return 16, false })) {
		t.Error("a request that can't be handled was")
	}
	if errno := e.errno(t, 8); errno != unix.EIO {
		t.Error(errno)
	}
}

// The pieces of a request are those that the kernel has put in, also while the answer is
// written over them.
func TestRequestIsReadBeforeItsAnswer(t *testing.T) {
	e := newTestEntry(t)
	for _, opcode := range []uint32{21, OpWrite} {
		e.fill(opcode, 9, inHeaderSize+16+100, 100)
		copy(e.headers[opInOffset:], "operation of 16b")
		copy(e.payload, bytes.Repeat([]byte("p"), 100))
		var got []byte
		ok := e.serve(handlerFunc(func(in, out [][]byte) (int, bool) {
			if opcode != OpWrite {
				copy(out[1], bytes.Repeat([]byte("answer"), 100))
			}
			got = bytes.Join(in[1:], nil)
			copy(out[0], make([]byte, outHeaderSize))
			binary.NativeEndian.PutUint32(out[0], outHeaderSize+600)
			binary.NativeEndian.PutUint64(out[0][uniqueField:], 9)
			return outHeaderSize + 600, true
		}))
		if want := "operation of 16b" + strings.Repeat("p", 100); !ok || string(got) != want {
			t.Errorf("operation %d: %t, %q", opcode, ok, got)
		}
		if errno := e.errno(t, 9); errno != 0 {
			t.Error(errno)
		}
	}
}

// go-fuse's side refuses a request that it can't read, whatever its bytes.
func TestNoRequestPanics(t *testing.T) {
	e := newTestEntry(t)
	var logged bytes.Buffer
	server := fuse.NewProtocolServer(fuse.NewDefaultRawFileSystem(), &fuse.MountOptions{Logger: log.New(&logged, "", 0)})
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 20000 {
		payload := random.Uint32N(300)
		e.fill(random.Uint32N(60), uint64(i+1), inHeaderSize+random.Uint32N(opInSize+1)+payload, payload)
		for _, b := range [][]byte{e.headers[24:inHeaderSize], e.headers[opInOffset:ringEntOffset], e.payload[:300]} {
			for j := range b {
				b[j] = byte(random.Uint32())
			}
		}
		e.serve(protocol{server})
		e.errno(t, uint64(i+1))
	}
}

// initMessage is INIT of a kernel that offers flags.
func initMessage(flags uint64) []byte {
	b := make([]byte, inHeaderSize+initInSize)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint32(b[opcodeField:], opInit)
	binary.NativeEndian.PutUint64(b[uniqueField:], 2)
	in := b[inHeaderSize:]
	binary.NativeEndian.PutUint32(in, 7)
	binary.NativeEndian.PutUint32(in[initMinorField:], 44)
	binary.NativeEndian.PutUint32(in[initFlagsField:], uint32(flags))
	binary.NativeEndian.PutUint32(in[initInFlags2Field:], uint32(flags>>32))
	return b
}

// fakeDevice returns both ends of a device that the test is the kernel of.
func fakeDevice(t *testing.T) (kernel, daemon int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(pair[0]) })
	return pair[0], pair[1]
}

func TestInitThatIsNoneIsRefused(t *testing.T) {
	o := &fuse.MountOptions{MaxWrite: testPayload, ExtraCapabilities: overIOUring}
	const offered = overIOUring | 1<<30 // FUSE_INIT_EXT
	none, wrong, old := make([]byte, 3), initMessage(offered), initMessage(offered)
	binary.NativeEndian.PutUint32(wrong[opcodeField:], 1)
	binary.NativeEndian.PutUint32(old[inHeaderSize:], 6)
	for name, c := range map[string]struct {
		message []byte
		want    string
	}{
		"too short":       {none, "not INIT"},
		"another request": {wrong, "not INIT"},
		"another major":   {old, "INIT can't be answered"},
		"not offered":     {initMessage(1 << 30), errNotOffered.Error()},
		"an old kernel":   {initMessage(offered)[:inHeaderSize+initInSizeOld], errNotOffered.Error()},
		"the end":         {nil, "no such device"},
		"all is well":     {initMessage(offered), ""},
	} {
		kernel, daemon := fakeDevice(t)
		if c.message == nil {
			_ = unix.Shutdown(kernel, unix.SHUT_WR)
		} else if _, err := unix.Write(kernel, c.message); err != nil {
			t.Fatal(err)
		}
		a, err := initialize(daemon, protocol{fuse.NewProtocolServer(fuse.NewDefaultRawFileSystem(), o)})
		unix.Close(daemon)
		switch {
		case c.want == "":
			if err != nil || a.payload != testPayload || a.minor != 44 {
				t.Errorf("%s: %+v, %v", name, a, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestDeviceSurvivesNonsense(t *testing.T) {
	kernel, daemon := fakeDevice(t)
	var seen, logged atomic.Int32
	h := handlerFunc(func(in, out [][]byte) (int, bool) {
		seen.Add(1)
		return 0, false
	})
	s := newServer(h, Plan{Queues: 1, Entries: 1, MaxWrite: testPayload}, &Notifier{}, log.New(writerFunc(func([]byte) { logged.Add(1) }), "", 0), nil)
	s.fd, s.device = daemon, os.NewFile(uintptr(daemon), "device")
	message := func(opcode uint32, size int) []byte {
		b := make([]byte, size)
		binary.NativeEndian.PutUint32(b[opcodeField:], opcode)
		binary.NativeEndian.PutUint64(b[uniqueField:], 77)
		return b
	}
	for _, b := range [][]byte{message(opForget, 12+4), message(opInterrupt, inHeaderSize), message(opForget, inHeaderSize), message(3, inHeaderSize)} {
		if _, err := unix.Write(kernel, b); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.serve()
	}()
	answer := make([]byte, 100)
	n, err := unix.Read(kernel, answer)
	if err != nil || n != outHeaderSize || int32(binary.NativeEndian.Uint32(answer[errorField:])) != -int32(unix.EIO) || answer[uniqueField] != 77 {
		t.Errorf("the answer: %v, %v", answer[:max(n, 0)], err)
	}
	_ = unix.Shutdown(kernel, unix.SHUT_WR)
	<-ended
	if seen.Load() != 2 || logged.Load() != 1 {
		t.Errorf("%d requests handled, %d lines logged", seen.Load(), logged.Load())
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

// An INTERRUPT that comes before its request reaches it all the same.
func TestInterruptMayComeFirst(t *testing.T) {
	var mu sync.Mutex
	handled := map[uint64]bool{} // by the handler, now
	var interrupted []uint64
	h := handlerFunc(func(in, out [][]byte) (int, bool) {
		unique := binary.NativeEndian.Uint64(in[0][inHeaderSize:])
		mu.Lock()
		defer mu.Unlock()
		if !handled[unique] {
			return outHeaderSize, true // EAGAIN
		}
		interrupted = append(interrupted, unique)
		return 0, true
	})
	i := &interrupts{handler: h}
	var now atomic.Uint64
	i.watch(&now)
	i.interrupt(10) // before the request is seen
	i.begin(&now, 10)
	time.Sleep(5 * time.Millisecond) // the thread is on its way to the handler
	mu.Lock()
	handled[10] = true
	mu.Unlock()
	waitFor(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(interrupted) == 1 && interrupted[0] == 10
	})
	now.Store(0)
	for n := range uint64(3 * maxEarly) {
		i.interrupt(100 + n) // of requests that are over
	}
	if len(i.early) != maxEarly {
		t.Errorf("%d are kept", len(i.early))
	}
	i.unwatch(&now)
	if len(i.requests()) != 0 || len(i.now) != 0 {
		t.Error("a thread that has ended is watched")
	}
}

func TestNotifierIsSilentWithoutMount(t *testing.T) {
	n := &Notifier{}
	for _, status := range []fuse.Status{n.InodeNotify(1, 0, 0), n.EntryNotify(1, "a"), n.DeleteNotify(1, 2, "a"), n.InodeNotifyStoreCache(1, 0, []byte("a"))} {
		if status != fuse.ENODEV {
			t.Error(status)
		}
	}
	if status := n.PruneNotify([]uint64{1}); status != fuse.ENOSYS {
		t.Error(status)
	}
}

func TestNotificationsAreTheKernels(t *testing.T) {
	kernel, daemon := fakeDevice(t)
	n := &Notifier{}
	f := os.NewFile(uintptr(daemon), "device")
	defer f.Close()
	n.Connect(f, 45)
	for name, c := range map[string]struct {
		send func() fuse.Status
		code int32
		size int
	}{
		"inode":  {func() fuse.Status { return n.InodeNotify(5, 6, 7) }, 2, 16 + 24},
		"entry":  {func() fuse.Status { return n.EntryNotify(5, "name") }, 3, 16 + 16 + 5},
		"delete": {func() fuse.Status { return n.DeleteNotify(5, 6, "name") }, 6, 16 + 24 + 5},
		"store":  {func() fuse.Status { return n.InodeNotifyStoreCache(5, 6, []byte("abc")) }, 4, 16 + 24 + 3},
		"prune":  {func() fuse.Status { return n.PruneNotify([]uint64{5, 6, 7}) }, 9, 16 + 16 + 24},
	} {
		if status := c.send(); !status.Ok() {
			t.Errorf("%s: %v", name, status)
		}
		b := make([]byte, 200)
		size, err := unix.Read(kernel, b)
		if err != nil || size != c.size || int(binary.NativeEndian.Uint32(b)) != c.size || int32(binary.NativeEndian.Uint32(b[errorField:])) != c.code {
			t.Errorf("%s: %d bytes %v, %v", name, size, b[:max(size, 0)], err)
		}
	}
}
