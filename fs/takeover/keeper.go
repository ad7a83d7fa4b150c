package takeover

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// Keeper is a daemon's side: it holds the things left with the supervisor.
type Keeper struct {
	begin start // its first message
	log   *zap.Logger
	alive func()
	leave func()
	goes  chan error // that a daemon which waits is to go on, or why not

	mu       sync.Mutex // guards the fields below
	conn     *net.UnixConn
	kept     *Connection // with descriptors of the keeper's own; nil: nothing is kept
	serves   bool
	waits    bool
	left     bool
	released bool
	deaths   deaths // of supervisors
}

// Join hears a daemon's task by a socket, and answers from then on that it lives. alive is
// called for each answer: it returns as soon as the locks that all requests need can be had, and
// never waits for a disk. leave is called when another daemon is about to take over: it returns once
// all requests that were begun are answered, and begins no other one (Server.Leave).
func Join(fd int, log *zap.Logger, alive, leave func()) (*Keeper, error) {
	conn, err := socket(fd)
	if err != nil {
		return nil, err
	}
	m, fds, err := receive(conn)
	if err != nil {
		return nil, fmt.Errorf("the supervisor can't be heard: %w", err)
	}
	if m.Start == nil {
		closeAll(fds)
		return nil, errors.New("wanted: what to take over")
	}
	k := &Keeper{begin: *m.Start, log: log, alive: alive, leave: leave, goes: make(chan error, 1), conn: conn, waits: m.Start.Waits}
	if k.kept, err = m.Start.Connection.withDescriptors(fds); err != nil {
		return nil, err
	}
	go k.listen(conn)
	return k, nil
}

// Connection returns the connection that another daemon has left, nil where this
// one is the first. Descriptors stay the keeper's.
func (k *Keeper) Connection() *Connection {
	if k.begin.Connection == nil {
		return nil
	}
	return k.kept
}

// Past returns the facts from before this daemon.
func (k *Keeper) Past() Past { return k.begin.Past }

// Keep leaves a connection with the supervisor. Its descriptors are duplicated.
func (k *Keeper) Keep(c Connection) error {
	kept := c
	for _, fd := range []*int{&kept.Device, &kept.Root, &kept.Memory} {
		var err error
		if *fd, err = unix.FcntlInt(uintptr(*fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			return os.NewSyscallError("dup", err)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = &kept
	return send(k.conn, message{Keep: &kept}, kept.descriptors()...)
}

// Serves tells the supervisor that the mount serves.
func (k *Keeper) Serves() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.serves = true
	return send(k.conn, message{Serves: true})
}

// Failed tells the supervisor why the daemon is about to end, if it has not mounted. The text
// is JSON. Where there is a mount the next daemon tries.
func (k *Keeper) Failed(report json.RawMessage) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept != nil {
		return nil
	}
	return send(k.conn, message{Failed: report})
}

// Release tells the supervisor that there is nothing to take over any more: the mount was
// taken away, or is given up. The supervisor ends with the daemon then.
func (k *Keeper) Release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.released {
		return
	}
	k.released = true
	_ = send(k.conn, message{Released: true}) // a supervisor that has died holds nothing
	k.kept.close()
	k.kept = nil
}

// listen answers the supervisor, and has another one started when it has died.
func (k *Keeper) listen(conn *net.UnixConn) {
	for {
		m, fds, err := receive(conn)
		if err != nil {
			break
		}
		closeAll(fds)
		switch {
		case m.Ask:
			k.alive()
			k.say(message{Answer: true})
		case m.Leave:
			go k.leaves()
		case m.Go:
			k.goesOn(nil)
		}
	}
	if k.goesOn(errors.New("the supervisor wants this daemon no more")) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.released {
		return
	}
	if _, again := k.deaths.add(time.Now(), DefaultPolicy()); !again {
		k.log.Error("supervisors die again and again: no daemon will take over when this one dies")
		return
	}
	k.log.Warn("the supervisor has died, another one is started")
	if err := k.another(); err != nil {
		k.log.Error("no other supervisor can be started", zap.Error(err))
		return
	}
	if k.left {
		_ = unix.Kill(os.Getpid(), unix.SIGKILL) // the other one has the next daemon started
	}
	go k.listen(k.conn)
}

// say sends a message. A supervisor that has died hears none.
func (k *Keeper) say(m message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	_ = send(k.conn, m)
}

// another starts another supervisor. The caller holds mu.
func (k *Keeper) another() error {
	conn, other, err := pair()
	if err != nil {
		return err
	}
	defer other.Close()
	cmd := newCommand(SelfName, k.begin.Supervisor, os.Stderr, other)
	if err := cmd.Start(); err != nil {
		conn.Close()
		return err
	}
	go func() { _ = cmd.Wait() }() // its socket tells of its end
	self, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		conn.Close()
		return os.NewSyscallError("pidfd_open", err)
	}
	defer unix.Close(self)
	m, fds := &adopt{start: k.begin, Serves: k.serves}, []int{self}
	if m.Connection = k.kept; k.kept != nil {
		fds = append(fds, k.kept.descriptors()...)
	}
	k.conn.Close()
	k.conn = conn
	return send(conn, message{Adopt: m}, fds...)
}

// parsePid finds the process in the kernel's text on a descriptor of one.
func parsePid(info string) (pid int, err error) {
	for line := range strings.Lines(info) {
		if _, err := fmt.Sscanf(line, "Pid: %d", &pid); err == nil && pid > 0 {
			return pid, nil
		}
	}
	return 0, errors.New("the kernel does not say which process a descriptor stands for")
}
