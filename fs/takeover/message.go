package takeover

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Connection outlives a daemon: a mounted FUSE connection and the things that belong to it.
type Connection struct {
	Dir    string `json:"dir"`    // the mountpoint, absolute
	Init   []byte `json:"init"`   // the kernel's INIT request, as it came
	Answer []byte `json:"answer"` // the one that it was given
	Device int    `json:"-"`      // descriptor of /dev/fuse
	Root   int    `json:"-"`      // descriptor of the directory below the mount
	Memory int    `json:"-"`      // descriptor of the memory that a daemon leaves for the next one
}

// descriptors are those of a connection, in the order in which they are sent.
func (c *Connection) descriptors() []int { return []int{c.Device, c.Root, c.Memory} }

// withDescriptors returns the connection with those that were received.
func (c *Connection) withDescriptors(fds []int) (*Connection, error) {
	if c == nil {
		return nil, nil
	}
	if len(fds) != len(c.descriptors()) {
		closeAll(fds)
		return nil, fmt.Errorf("wanted %d descriptors, got %d", len(c.descriptors()), len(fds))
	}
	c.Device, c.Root, c.Memory = fds[0], fds[1], fds[2]
	return c, nil
}

func (c *Connection) close() {
	if c != nil {
		closeAll(c.descriptors())
	}
}

// Past is the facts from before a daemon.
type Past struct {
	Generation int       `json:"generation"`    // of the daemon: 1 for the first one
	Last       time.Time `json:"last,omitzero"` // when it was started, if it has taken over
}

// next returns the past of the next daemon.
func (p Past) next() Past {
	p.Generation++
	if p.Generation > 1 {
		p.Last = time.Now()
	}
	return p
}

// protocol is the number of the format of messages. A daemon refuses a supervisor of another one.
const protocol = 1

// message is one datagram between supervisor and daemon. One of its parts is set.
type message struct {
	Start *start `json:"start,omitempty"` // to the daemon: the first message
	Adopt *adopt `json:"adopt,omitempty"` // to another supervisor: the first message
	Ask   bool   `json:"ask,omitempty"`   // to the daemon
	Leave bool   `json:"leave,omitempty"` // to the daemon: another one is about to take over
	Go    bool   `json:"go,omitempty"`    // to a daemon that waits: it is to take over

	Keep     *Connection     `json:"keep,omitempty"` // all else is from it
	Serves   bool            `json:"serves,omitempty"`
	Failed   json.RawMessage `json:"failed,omitempty"` // before it has mounted
	Answer   bool            `json:"answer,omitempty"`
	Released bool            `json:"released,omitempty"`
	Left     bool            `json:"left,omitempty"`    // all that it has begun is done
	Able     bool            `json:"able,omitempty"`    // it waits, and can take over
	Unable   *unable         `json:"unable,omitempty"`  // it waited, and can't
	Upgrade  *Upgrade        `json:"upgrade,omitempty"` // the socket of who asks comes with it
}

// unable says why a daemon can't take over.
type unable struct {
	Why  json.RawMessage `json:"why"`
	Anew bool            `json:"anew"` // it could mount anew
}

// start is the first message to a daemon. The descriptors of the connection come with it.
type start struct {
	Protocol   int         `json:"protocol"`
	Waits      bool        `json:"waits,omitempty"` // for Go, before it touches anything
	Past       Past        `json:"past"`
	Supervisor []string    `json:"supervisor"`           // the command that starts another one
	Daemon     []string    `json:"daemon"`               // … and the daemon's own
	Connection *Connection `json:"connection,omitempty"` // nil: it is to mount
}

// adopt is the first message to another supervisor. A descriptor of the daemon's process
// comes with it, and those of the connection.
type adopt struct {
	start
	Serves bool `json:"serves"`
}

// most bounds a datagram: the command lines are the largest part.
const most = 128 << 10

// pair returns the two ends of a socket that keeps datagrams apart. The second one is for
// another process.
func pair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	other := os.NewFile(uintptr(fds[1]), "takeover")
	ours, err := socket(fds[0])
	if err != nil {
		other.Close()
		return nil, nil, err
	}
	return ours, other, nil
}

// socket makes a connection of a descriptor, which it takes over.
func socket(fd int) (*net.UnixConn, error) {
	unix.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), "takeover")
	defer f.Close() // FileConn has a duplicate
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, fmt.Errorf("descriptor %d is no socket of a supervisor", fd)
	}
	return u, nil
}

// send sends a message with descriptors.
func send(to *net.UnixConn, m message, fds ...int) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	_, _, err = to.WriteMsgUnix(text, rights, nil)
	return err
}

// receive returns the next message and the descriptors that came with it.
func receive(from *net.UnixConn) (m message, fds []int, err error) {
	text, rights := make([]byte, most), make([]byte, unix.CmsgSpace(4*8))
	n, r, _, _, err := from.ReadMsgUnix(text, rights)
	if err != nil {
		return m, nil, err
	}
	parts, err := unix.ParseSocketControlMessage(rights[:r])
	if err != nil {
		return m, nil, os.NewSyscallError("recvmsg", err)
	}
	for i := range parts {
		got, err := unix.ParseUnixRights(&parts[i])
		if err != nil {
			return m, nil, os.NewSyscallError("recvmsg", err)
		}
		fds = append(fds, got...)
	}
	if err = json.Unmarshal(text[:n], &m); err != nil {
		closeAll(fds)
		return m, nil, err
	}
	return m, fds, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}
