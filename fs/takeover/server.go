package takeover

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"os"
	"sync"
	"sync/atomic"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Server answers the requests of a connection, which it begins or takes over.
//
// It reads into pages that are there before (buffers). A thread that is being killed can't be
// given a page any more: if it has just taken a request, the kernel answers that with EIO.
type Server struct {
	raw      fuse.RawFileSystem
	ready    func()
	answered func(unique uint64)
	protocol *fuse.ProtocolServer
	log      *log.Logger
	device   *os.File
	fd       int // of device
	minor    uint32
	payload  int // that a request or an answer holds at most, without its headers
	buffers  buffers

	readers  atomic.Int32 // workers that wait for a request
	running  sync.WaitGroup
	handling sync.RWMutex // held for reading while a request is handled, for writing once the server has left
}

// mostReaders is how many workers wait for a request at most. One is always there.
const mostReaders = 3

// headers is room for the headers of any request or answer, in a page of its own.
const headers = 4096

// NewServer returns a server for a file system. raw.Init is not called, as there is no
// fuse.Server: notifications go by the device. ready is called before each answer. answered is told of each request when the
// kernel has the answer, by its number (Number); it must not wait.
func NewServer(raw fuse.RawFileSystem, o *fuse.MountOptions, ready func(), answered func(unique uint64)) *Server {
	s := &Server{raw: raw, ready: ready, answered: answered, protocol: fuse.NewProtocolServer(raw, o), log: o.Logger}
	if s.log == nil {
		s.log = log.Default()
	}
	s.payload = max(o.MaxWrite, minPayload)
	s.buffers.size = s.payload + headers
	return s
}

// minPayload is the room that the kernel wants a reader to have, whatever size was
// negotiated.
const minPayload = 128 << 10

// Begin answers the kernel's first request on a new connection, whose descriptor becomes the
// server's. It returns the request and its answer, for Connection.
func (s *Server) Begin(device int) (init, answer []byte, err error) {
	s.connect(device)
	in, err := s.buffers.get()
	if err != nil {
		return nil, nil, err
	}
	defer s.buffers.put(in)
	n, err := s.read(in)
	if err != nil {
		return nil, nil, os.NewSyscallError("read", err)
	}
	init = append([]byte(nil), in[:n]...)
	if answer, err = s.initialize(init); err != nil {
		return nil, nil, err
	}
	return init, answer, os.NewSyscallError("write", s.write(answer))
}

// Resume takes a connection over that another daemon has served, with the same options. The
// descriptors stay the caller's. The kernel sends again the requests that the former daemon
// had not answered. The error is a *NegotiationError where that one has agreed on something else, or
// the system's.
func (s *Server) Resume(c *Connection) error {
	device, err := unix.FcntlInt(uintptr(c.Device), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("dup", err)
	}
	s.connect(device)
	answer, err := s.initialize(c.Init)
	if err == nil {
		err = sameAnswer(c, answer)
	}
	if err != nil {
		return err
	}
	return s.resend()
}

func (s *Server) connect(device int) {
	unix.CloseOnExec(device)
	s.device, s.fd = os.NewFile(uintptr(device), "/dev/fuse"), device
}

// initialize has INIT handled, and returns the answer.
func (s *Server) initialize(init []byte) ([]byte, error) {
	const opInit = 26
	if len(init) < inHeaderSize+8 || binary.NativeEndian.Uint32(init[opcodeField:]) != opInit {
		return nil, errors.New("the kernel's first request is not INIT")
	}
	s.minor = binary.NativeEndian.Uint32(init[inHeaderSize+4:])
	out := make([]byte, headers)
	size, status := s.protocol.HandleRequest([][]byte{init}, [][]byte{out})
	if !status.Ok() || size < outHeaderSize || binary.NativeEndian.Uint32(out[errorField:]) != 0 {
		return nil, fmt.Errorf("the kernel's first request can't be answered: %v", status)
	}
	return out[:size], nil
}

// Device returns the descriptor by which notifications go, and the minor number of the
// kernel's protocol.
func (s *Server) Device() (device *os.File, minor uint32) { return s.device, s.minor }

// Serve serves until the mount is gone and the last request was handled.
func (s *Server) Serve() {
	s.readers.Add(1)
	s.running.Add(1)
	s.work()
	s.running.Wait()
	_ = s.device.Close()
	s.buffers.close()
	s.raw.OnUnmount()
}

// work reads requests and handles them, as long as not too many others do nothing but wait.
func (s *Server) work() {
	defer s.running.Done()
	out, err := newBuffer(s.buffers.size)
	if err != nil {
		s.log.Printf("there is no memory for answers: %v", err)
		out = make([]byte, s.buffers.size)
	} else {
		defer freeBuffer(out)
	}
	for {
		in, give, err := s.next()
		if err != nil {
			if err != unix.ENODEV {
				s.log.Printf("the device of FUSE can't be read: %v", err)
			}
			return
		}
		if s.readers.Add(-1) == 0 {
			s.readers.Add(1)
			s.running.Add(1)
			go s.work()
		}
		s.handle(in, out)
		give()
		if s.readers.Add(1) > mostReaders {
			s.readers.Add(-1)
			return
		}
	}
}

// smallRequest is the size up to which a request is copied, so that its buffer can be read
// into by another worker meanwhile.
const smallRequest = 16 << 10

// next returns the next request, and a function that gives back its buffer.
func (s *Server) next() (in []byte, give func(), err error) {
	buffer, err := s.buffers.get()
	if err != nil {
		return nil, nil, err
	}
	n, err := s.read(buffer)
	if err != nil {
		s.buffers.put(buffer)
		return nil, nil, err
	}
	if n <= smallRequest {
		in = append([]byte(nil), buffer[:n]...)
		s.buffers.put(buffer)
		return in, func() {}, nil
	}
	return buffer[:n], func() { s.buffers.put(buffer) }, nil
}

// read reads a request. ENODEV is the end of the connection.
func (s *Server) read(into []byte) (int, error) {
	for {
		n, err := unix.Read(s.fd, into)
		switch err {
		case unix.EINTR, unix.ENOENT, unix.EAGAIN: // ENOENT: the request was taken back
			continue
		case nil:
			if n >= inHeaderSize {
				return n, nil
			}
			return 0, unix.ENODEV
		}
		return 0, err
	}
}

// Leave returns once all requests that were begun are answered. No other one is begun: those that come are read and
// not answered, so that the kernel sends them to the next daemon.
func (s *Server) Leave() { s.handling.Lock() }

// handle handles a request, unless the server has left. What the kernel gives back it does not give twice.
func (s *Server) handle(in, out []byte) {
	const opForget, opBatchForget = 2, 42
	switch binary.NativeEndian.Uint32(in[opcodeField:]) {
	case opForget, opBatchForget:
	default:
		s.handling.RLock()
		defer s.handling.RUnlock()
	}
	s.answer(in, out)
}

// answer handles a request, and answers it.
func (s *Server) answer(in, out []byte) {
	size, status := s.protocol.HandleRequest([][]byte{in}, [][]byte{out})
	if !status.Ok() {
		s.log.Printf("a request makes no sense, or its answer does not: operation %d", binary.NativeEndian.Uint32(in[opcodeField:]))
		size = outHeaderSize
		binary.NativeEndian.PutUint32(out, outHeaderSize)
		binary.NativeEndian.PutUint32(out[errorField:], ^uint32(unix.EIO)+1)
		binary.NativeEndian.PutUint64(out[uniqueField:], binary.NativeEndian.Uint64(in[uniqueField:]))
	}
	s.ready()
	if size == 0 {
		return
	}
	defer s.answered(Number(binary.NativeEndian.Uint64(in[uniqueField:])))
	switch err := s.write(out[:size]); err {
	case nil, unix.ENOENT, unix.ENODEV: // nobody waits any more
	default:
		s.log.Printf("a request can't be answered: operation %d: %v", binary.NativeEndian.Uint32(in[opcodeField:]), err)
	}
}

func (s *Server) write(message []byte) error {
	for {
		if _, err := unix.Write(s.fd, message); err != unix.EINTR {
			return err
		}
	}
}

// The kernel's headers: struct fuse_in_header and struct fuse_out_header.
const (
	inHeaderSize  = 40
	outHeaderSize = 16
	opcodeField   = 4
	errorField    = 4
	uniqueField   = 8
)

// resentBit marks the number of a request that the kernel sends again (FUSE_UNIQUE_RESEND).
const resentBit = 1 << 63

// IsResent reports whether a request, by its number, was read by a daemon that is dead. It
// may have done it.
func IsResent(unique uint64) bool { return unique&resentBit != 0 }

// Number returns the number of a request as it was when it came first.
func Number(unique uint64) uint64 { return unique &^ resentBit }

// CanResend reports whether the kernel that sent an INIT request can send requests again
// (FUSE_HAS_RESEND, Linux 6.9).
func CanResend(init []byte) bool {
	const flags2 = inHeaderSize + 16
	const hasResend = 1 << (39 - 32)
	return len(init) >= flags2+4 && binary.NativeEndian.Uint32(init[flags2:])&hasResend != 0
}

// resend has the kernel send again the requests that were read and not answered: an
// answer without a number, with the code of the notification in the place of the
// error.
func (s *Server) resend() error {
	const notifyResend = 7
	var message [outHeaderSize]byte
	binary.NativeEndian.PutUint32(message[:], outHeaderSize)
	binary.NativeEndian.PutUint32(message[errorField:], notifyResend)
	if err := s.write(message[:]); err != unix.ENODEV { // else it was unmounted: Serve finds out
		return os.NewSyscallError("write", err)
	}
	return nil
}

// buffers hold the requests that are read. All of their pages are there.
type buffers struct {
	size int
	mu   sync.Mutex // guards free
	free [][]byte
}

func (b *buffers) get() ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := len(b.free) - 1; last >= 0 {
		buffer := b.free[last]
		b.free = b.free[:last]
		return buffer, nil
	}
	return unix.Mmap(-1, 0, b.size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
}

func (b *buffers) put(buffer []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.free) < mostReaders {
		b.free = append(b.free, buffer)
		return
	}
	freeBuffer(buffer)
}

func (b *buffers) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, buffer := range b.free {
		freeBuffer(buffer)
	}
	b.free = nil
}

// newBuffer is memory whose pages come as they are used.
func newBuffer(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
}

func freeBuffer(buffer []byte) { _ = unix.Munmap(buffer) }
