package uring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// overIOUring is FUSE_OVER_IO_URING among the flags of INIT.
const overIOUring = 1 << 41

// write writes a message to the device. It is safe beside the device's Close.
func write(device *os.File, message []byte) error {
	conn, err := device.SyscallConn()
	if err != nil {
		return unix.ENODEV
	}
	if conn.Control(func(fd uintptr) { err = writeOnce(int(fd), message) }) != nil {
		return unix.ENODEV
	}
	return err
}

func writeOnce(fd int, message []byte) error {
	for {
		if _, err := unix.Write(fd, message); err != unix.EINTR {
			return err
		}
	}
}

// agreed is the result of INIT.
type agreed struct {
	minor   uint32 // of the kernel's protocol
	payload int    // that an entry must take
}

// errNotOffered says that the kernel does not offer io_uring.
var errNotOffered = errors.New("the kernel does not offer FUSE over io_uring")

// initialize reads INIT from the device, has it handled, and writes the answer.
func initialize(fd int, h handler) (a agreed, err error) {
	in := make([]byte, minPayload)
	n, err := readRequest(fd, in)
	if err != nil {
		return a, os.NewSyscallError("read", err)
	}
	in = in[:n]
	if n < inHeaderSize+initInSizeOld || binary.NativeEndian.Uint32(in[opcodeField:]) != opInit {
		return a, errors.New("the kernel's first request is not INIT")
	}
	a.minor = binary.NativeEndian.Uint32(in[inHeaderSize+initMinorField:])
	if n < inHeaderSize+initInSize || flagsOf(in[inHeaderSize:], initInFlags2Field)&overIOUring == 0 {
		return a, errNotOffered
	}
	out := make([]byte, outHeaderSize+initOutSize)
	size, ok := h.handle([][]byte{in}, [][]byte{out})
	if !ok || size < len(out) {
		return a, errors.New("INIT can't be answered")
	}
	answer := out[outHeaderSize:]
	if flagsOf(answer, initFlags2Field)&overIOUring == 0 {
		return a, errors.New("the answer to INIT does not ask for io_uring")
	}
	a.payload = max(minPayload, int(binary.NativeEndian.Uint32(answer[initMaxWriteField:])),
		int(binary.NativeEndian.Uint16(answer[initMaxPagesField:]))*os.Getpagesize())
	if err := writeOnce(fd, out); err != nil {
		return a, fmt.Errorf("the answer to INIT: %w", err)
	}
	return a, nil
}

// flagsOf returns the flags of INIT or of its answer, without its header. The second half
// is at an offset that differs.
func flagsOf(message []byte, second int) uint64 {
	return uint64(binary.NativeEndian.Uint32(message[initFlagsField:])) | uint64(binary.NativeEndian.Uint32(message[second:]))<<32
}

// readRequest reads the next request from the device. ENODEV means the end of the connection.
func readRequest(fd int, into []byte) (int, error) {
	for {
		n, err := unix.Read(fd, into)
		switch err {
		case unix.EINTR, unix.ENOENT, unix.EAGAIN: // ENOENT: the request was taken back
			continue
		case nil:
			if n == 0 { // the kernel's device has no end; a socket has
				return 0, unix.ENODEV
			}
		}
		return n, err
	}
}

// serveDevice handles the requests that come by the device, until the connection ends.
func (s *Server) serveDevice() {
	buffer := make([]byte, s.plan.payload()+os.Getpagesize())
	for {
		n, err := readRequest(s.fd, buffer)
		if err != nil {
			if err != unix.ENODEV {
				s.log("the device of FUSE can't be read: %v", err)
			}
			return
		}
		s.fromDevice(buffer[:n])
	}
}

// fromDevice handles one request. All but those that the kernel sends by the device alone
// are handled on the side: they may wait.
func (s *Server) fromDevice(in []byte) {
	if len(in) < inHeaderSize {
		s.log("the device of FUSE gave %d bytes, which are no request", len(in))
		return
	}
	switch binary.NativeEndian.Uint32(in[opcodeField:]) {
	case opForget, opBatchForget:
		s.handler.handle([][]byte{in}, nil)
	case opInterrupt:
		if len(in) >= inHeaderSize+8 {
			s.interrupts.interrupt(binary.NativeEndian.Uint64(in[inHeaderSize:]))
		}
	default:
		in = append([]byte(nil), in...)
		s.running.Add(1)
		go func() {
			defer s.running.Done()
			out := make([]byte, outHeaderSize+s.plan.payload())
			size, ok := s.handler.handle([][]byte{in}, [][]byte{out})
			if !ok {
				size = outHeaderSize
				putAnswer(out, binary.NativeEndian.Uint64(in[uniqueField:]), unix.EIO)
			}
			if size > 0 {
				_ = write(s.device, out[:size]) // ENOENT, ENODEV: nobody waits any more
			}
		}()
	}
}
