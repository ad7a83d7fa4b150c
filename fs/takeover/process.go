package takeover

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// process is a daemon as its supervisor sees it.
type process struct {
	pid        int
	fd         int // pidfd
	conn       *net.UnixConn
	messages   chan received // closed when no more come
	ended      chan struct{} // closed when the process has ended
	how        string        // it ended; set before ended is closed
	silent     bool          // messages is closed
	unanswered int           // rounds of questions
}

type received struct {
	message
	fds []int
}

// startDaemon starts a daemon of a program. It is in a session of its own: a signal that a terminal sends to
// all reaches it once.
func startDaemon(program string, command []string, output *os.File) (*process, error) {
	conn, other, err := pair()
	if err != nil {
		return nil, err
	}
	defer other.Close()
	cmd, fd := newCommand(program, command, output, other), -1
	cmd.SysProcAttr.PidFD = &fd
	if err := cmd.Start(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("cannot start the daemon: %w", err)
	}
	p := &process{pid: cmd.Process.Pid, fd: fd}
	p.follow(conn, func() string {
		_ = cmd.Wait() // its result is in ProcessState
		return cmd.ProcessState.String()
	})
	return p, nil
}

// newCommand is a command of a program that has a socket as SocketFD.
func newCommand(program string, command []string, output, socket *os.File) *exec.Cmd {
	cmd := exec.Command(program)
	cmd.Args = command
	cmd.Stdout, cmd.Stderr = output, output
	cmd.ExtraFiles = []*os.File{socket} // becomes SocketFD
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// adopted is a daemon that another supervisor has started, by a descriptor of its process.
func adopted(fd int, conn *net.UnixConn) (*process, error) {
	pid, err := pidOf(fd)
	if err != nil {
		return nil, err
	}
	p := &process{pid: pid, fd: fd}
	p.follow(conn, func() string {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			if n, err := unix.Poll(fds, -1); n > 0 || err != nil && err != unix.EINTR {
				return "it was no child"
			}
		}
	})
	return p, nil
}

func pidOf(fd int) (pid int, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	if err != nil {
		return 0, err
	}
	return parsePid(string(text))
}

// follow receives the process's messages and waits for its end.
func (p *process) follow(conn *net.UnixConn, wait func() string) {
	p.conn, p.messages, p.ended = conn, make(chan received), make(chan struct{})
	messages := p.messages
	go func() {
		defer close(messages)
		for {
			m, fds, err := receive(conn)
			if err != nil {
				return
			}
			messages <- received{m, fds}
		}
	}()
	go func() {
		p.how = wait()
		close(p.ended)
	}()
}

// incoming returns the channel of messages, nil once no more come.
func (p *process) incoming() <-chan received {
	if p.silent {
		return nil
	}
	return p.messages
}

func (p *process) signal(s unix.Signal) error {
	return unix.PidfdSendSignal(p.fd, s, nil, 0)
}

func (p *process) close() {
	_ = p.conn.Close()
	_ = unix.Close(p.fd)
}
