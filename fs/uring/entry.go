package uring

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// handler handles requests of FUSE, as fuse.ProtocolServer does: in is a request, in
// several pieces, and its answer goes into out. It returns the answer's size, 0 if there is
// to be none, or why the request can't be handled.
type handler interface {
	handle(in, out [][]byte) (size int, ok bool)
}

// entry is the memory in which the kernel and a thread pass requests to each other.
type entry struct {
	memory  []byte         // mapped: a page for the fields below without the payload, then the payload
	headers []byte         // struct fuse_uring_req_header
	payload []byte         //
	iovecs  *[2]unix.Iovec // for the kernel, of headers and payload
	scratch []byte         // a copy of a request's payload, which its answer would overwrite
	in, out [3][]byte      // room for a handler's arguments
	header  [inHeaderSize]byte

	index  int           // among its thread's
	commit uint64        // commit_id of the request that came last
	now    atomic.Uint64 // number of the request that is being handled, or 0
}

// newEntry maps the memory of an entry. Pages that nothing was written to take none.
func newEntry(payload int) (*entry, error) {
	page := unix.Getpagesize()
	const prot, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_NORESERVE
	memory, err := unix.Mmap(-1, 0, page+payload, prot, flags)
	if err != nil {
		return nil, err
	}
	_ = unix.Madvise(memory, unix.MADV_DONTFORK)
	_ = unix.Madvise(memory, unix.MADV_NOHUGEPAGE) // a large page would be taken whole; some kernels have none
	const iovecs = 512
	e := &entry{memory: memory, headers: memory[:headersSize], payload: memory[page:]}
	e.iovecs = (*[2]unix.Iovec)(unsafe.Pointer(&memory[iovecs]))
	e.iovecs[0].Base, e.iovecs[1].Base = &e.headers[0], &e.payload[0]
	e.iovecs[0].SetLen(len(e.headers))
	e.iovecs[1].SetLen(len(e.payload))
	return e, nil
}

func (e *entry) close() { _ = unix.Munmap(e.memory) }

func (e *entry) opcode() uint32   { return binary.NativeEndian.Uint32(e.headers[opcodeField:]) }
func (e *entry) unique() uint64   { return binary.NativeEndian.Uint64(e.headers[uniqueField:]) }
func (e *entry) commitID() uint64 { return binary.NativeEndian.Uint64(e.headers[commitIDOffset:]) }

// Request is the facts that can be told of a request without handling it.
type Request struct {
	Opcode uint32
	Node   uint64
	Flags  uint32 // of open(2), for OpOpen and OpRelease
}

// Operations that Request.Opcode may be, of those that some file systems answer at once.
const (
	OpLookup   = 1
	OpGetattr  = 3
	OpOpen     = 14
	OpRead     = 15
	OpWrite    = 16
	OpRelease  = 18
	OpGetxattr = 22
)

// peek tells of the request in the entry.
func (e *entry) peek() Request {
	r := Request{Opcode: e.opcode(), Node: binary.NativeEndian.Uint64(e.headers[nodeField:])}
	switch r.Opcode {
	case OpOpen:
		r.Flags = binary.NativeEndian.Uint32(e.headers[opInOffset+openFlags:])
	case OpRelease:
		r.Flags = binary.NativeEndian.Uint32(e.headers[opInOffset+releaseFlags:])
	}
	return r
}

// request returns the request in the entry as a handler takes it, and whether its sizes
// make sense. The pieces are valid until the answer is written.
func (e *entry) request() (in [][]byte, ok bool) {
	length := int64(binary.NativeEndian.Uint32(e.headers[lenField:]))
	payload := int64(binary.NativeEndian.Uint32(e.headers[payloadSzField:]))
	arg := length - inHeaderSize - payload
	if payload > int64(len(e.payload)) || arg < 0 || arg > opInSize {
		return nil, false
	}
	copy(e.header[:], e.headers)
	in = append(e.in[:0], e.header[:])
	if arg > 0 {
		in = append(in, e.headers[opInOffset:opInOffset+arg])
	}
	if payload > 0 {
		p := e.payload[:payload]
		if e.opcode() != OpWrite { // whose answer is written when the data has been used
			e.scratch = append(e.scratch[:0], p...)
			p = e.scratch
		}
		in = append(in, p)
	}
	return in, true
}

// serve has the request in the entry handled, and leaves the answer there. It reports
// whether that was possible; if not, the answer is EIO.
func (e *entry) serve(h handler) bool {
	unique := e.unique()
	in, ok := e.request()
	size := 0
	if ok {
		size, ok = h.handle(in, append(e.out[:0], e.headers[:outHeaderSize], e.payload))
	}
	switch {
	case !ok || size != 0 && (size < outHeaderSize || size > outHeaderSize+len(e.payload)):
		e.answer(unique, unix.EIO)
		return false
	case size == 0: // the kernel wants an answer to each request that is in an entry
		e.answer(unique, 0)
		return true
	}
	binary.NativeEndian.PutUint32(e.headers[payloadSzField:], uint32(size-outHeaderSize))
	return true
}

// answer leaves an answer that is an error number alone.
func (e *entry) answer(unique uint64, errno unix.Errno) {
	putAnswer(e.headers, unique, errno)
	binary.NativeEndian.PutUint32(e.headers[payloadSzField:], 0)
}

// putAnswer writes the header of an answer that is an error number alone.
func putAnswer(header []byte, unique uint64, errno unix.Errno) {
	binary.NativeEndian.PutUint32(header[lenField:], outHeaderSize)
	binary.NativeEndian.PutUint32(header[errorField:], uint32(-int32(errno)))
	binary.NativeEndian.PutUint64(header[uniqueField:], unique)
}
