package calls

import (
	"bytes"
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// channels is the number of channels of a stage: one for the process that makes
// the actors, and one for each actor that may ever be.
const channels = 12

// patience is the time in seconds that a call may take. One that takes longer
// hangs.
const patience = 30

// errHangs is a call without an answer, errEnded an actor that is no more.
var (
	errHangs = errors.New("the call does not return")
	errEnded = errors.New("an actor has ended")
)

// request, attrs and reply are laid out as in actor.c.
type request struct {
	Op, H, H2, Flags, Mode, Flags2 int32
	Off, Len                       int64
	N1, N2, Nd, _                  uint32
}

type attrs struct {
	Ino                   uint64
	Size                  int64
	Mtime, MtimeNs        int64
	Ctime, CtimeNs        int64
	Atime, AtimeNs        int64
	Mode, Nlink, UID, GID uint32
}

type reply struct {
	Ret      int64
	Err      int32
	HasAttrs uint32
	Nd, _    uint32
	St       attrs
}

// answer is the result of a call.
type answer struct {
	ret   int64
	err   unix.Errno
	attrs *attrs
	data  []byte
}

// channel is this process's end of a socket pair; an actor has the other end.
type channel struct {
	fd     int
	buffer []byte
}

// send asks an actor for a call.
func (ch *channel) send(c *Call, data []byte) error {
	flags, flags2, err := c.flagBits()
	if err != nil {
		return err
	}
	if data == nil {
		data = []byte(c.Data)
	}
	r := request{
		Op: ops[c.Op], H: int32(c.H), H2: int32(c.H2), Flags: flags, Flags2: flags2, Mode: int32(c.Mode),
		Off: c.Off, Len: c.Len, N1: uint32(len(c.Path) + 1), N2: uint32(len(c.Path2) + 1), Nd: uint32(len(data)),
	}
	buf := make([]byte, 0, 128+len(c.Path)+len(c.Path2)+len(data))
	buf = append(buf, unsafe.Slice((*byte)(unsafe.Pointer(&r)), unsafe.Sizeof(r))...)
	buf = append(append(append(append(buf, c.Path...), 0), c.Path2...), 0)
	_, err = unix.Write(ch.fd, append(buf, data...))
	return err
}

// receive awaits the answer.
func (ch *channel) receive() (answer, error) {
	if ch.buffer == nil {
		ch.buffer = make([]byte, 192<<10)
	}
	for {
		n, err := unix.Read(ch.fd, ch.buffer)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return answer{}, errHangs
		case err != nil:
			return answer{}, err
		}
		r, data, ok := cut[reply](ch.buffer[:n])
		if !ok {
			return answer{}, errEnded
		}
		a := answer{ret: r.Ret, err: unix.Errno(r.Err), data: bytes.Clone(data)}
		if r.HasAttrs != 0 {
			a.attrs = &r.St
		}
		return a, nil
	}
}

// cut takes a value of a C struct off the front of a message.
func cut[T any](data []byte) (value T, rest []byte, ok bool) {
	size := int(unsafe.Sizeof(value))
	if len(data) < size {
		return value, data, false
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&value)), size), data)
	return value, data[size:], true
}

// ask does a call and awaits its answer.
func (ch *channel) ask(c *Call, data []byte) (answer, error) {
	if err := ch.send(c, data); err != nil {
		return answer{}, err
	}
	return ch.receive()
}

// sight is the observer's sight of a path.
type sight struct {
	err, contentErr unix.Errno
	attrs           attrs
	content         string
}

// sightHead is laid out as in actor.c.
type sightHead struct {
	Err, ContentErr int32
	Nd, _           uint32
	St              attrs
}

// sights takes the answer to a look apart.
func sights(a answer, paths []string) (map[string]sight, error) {
	seen := make(map[string]sight, len(paths))
	data := a.data
	for _, p := range paths {
		h, rest, ok := cut[sightHead](data)
		if !ok || int(h.Nd) > len(rest) {
			return nil, errEnded
		}
		seen[p] = sight{err: unix.Errno(h.Err), contentErr: unix.Errno(h.ContentErr), attrs: h.St, content: string(rest[:h.Nd])}
		data = rest[h.Nd:]
	}
	return seen, nil
}
