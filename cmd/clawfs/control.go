package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"clawfs/backing"
	"clawfs/fs/mountpoint"
)

// Commands ask the daemon of a mount by a socket in .clawfs. Through the mount a
// socket can't be reached, so they go by way of the daemon's own descriptor of
// the directory, which /proc shows to root and to the daemon's user. The command
// sends one line, a question and perhaps an argument, the daemon answers with JSON objects, one a line.

// controlName is the socket's name in .clawfs.
const controlName = "control"

// A command can ask for these.
const (
	askStatus = "status" // one object
	askForget = "forget" // with a forgetRequest; one object
	askPast   = "past"   // one array: the figures of the last hour, by the minute
	askSync   = "sync"   // with a registry's name: it has caught up with all hosts; one syncAnswer
	askGC     = "gc"     // of a cluster's chunks; one gcAnswer
	askWatch  = "watch"  // an object for each transaction that ends from now on

	askUpgrade = "upgrade" // with a takeover.Upgrade; one takeover.Upgraded, of the supervisor
)

// askPatience is how long either side may take to send its part.
const askPatience = 5 * time.Second

// control is the daemon's side.
type control struct {
	listener *net.UnixListener
	answers  map[string]func(c *conversation)
	open     sync.WaitGroup
}

// conversation is one command that asks.
type conversation struct {
	conn     net.Conn
	argument string        // that came with the question
	gone     chan struct{} // closed when the command has ended
}

// openControl begins to answer commands, for the directory with a descriptor.
func openControl(root int, answers map[string]func(c *conversation)) (*control, error) {
	path := fmt.Sprintf("/proc/self/fd/%d/%s/%s", root, backing.Name, controlName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err // a daemon that was killed has left it
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	c := &control{listener: listener, answers: answers}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	c.open.Go(c.serve)
	return c, nil
}

// close ends all conversations. It must come before the descriptor is closed.
func (c *control) close() {
	if c == nil {
		return
	}
	_ = c.listener.Close()
	c.open.Wait()
}

func (c *control) serve() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		go c.answer(conn)
	}
}

func (c *control) answer(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(askPatience))
	lines := bufio.NewReader(conn)
	request, err := lines.ReadString('\n')
	question, argument, _ := strings.Cut(strings.TrimSpace(request), " ")
	answer := c.answers[question]
	if err != nil || answer == nil {
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	talk := &conversation{conn: conn, argument: argument, gone: make(chan struct{})}
	go func() {
		_, _ = lines.ReadByte() // nothing more comes, so this is the end
		close(talk.gone)
	}()
	answer(talk)
}

// send sends an object. A command that does not take it in time is gone.
func (c *conversation) send(v any) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(askPatience)); err != nil {
		return err
	}
	return json.NewEncoder(c.conn).Encode(v)
}

// ask asks the daemon behind a living mount. The error is a *silentError where
// it can't be reached.
func ask(m mountpoint.Point, request string) (conn net.Conn, err error) {
	err = openedBy(m, func(dir string) bool {
		conn, err = net.Dial("unix", filepath.Join(dir, backing.Name, controlName))
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintln(conn, request); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// bareOf returns where the daemon of a living mount has the directory open that the mount
// covers. The error is a *silentError where it can't be seen.
func bareOf(m mountpoint.Point) (path string, err error) {
	err = openedBy(m, func(dir string) bool {
		path = dir + "/."
		return hasControl(dir)
	})
	return path, err
}

// isBareOf reports whether a path, which bareOf has returned once, still is the one that it would
// return: the daemon of the mount may be another one by now, and its id another process's.
func isBareOf(path string, m mountpoint.Point) bool {
	var pid, fd int
	if _, err := fmt.Sscanf(path, "/proc/%d/fd/%d/.", &pid, &fd); err != nil {
		return false
	}
	return m.Mount != nil && pid == mountpoint.Server(m.Mount) && hasControl(path)
}

// hasControl reports whether a daemon answers in a directory.
func hasControl(dir string) bool {
	info, err := os.Lstat(filepath.Join(dir, backing.Name, controlName))
	return err == nil && info.Mode().Type() == os.ModeSocket
}

// openedBy calls f with the files that the daemon of a living mount has open, as paths, until f
// is content. The error is a *silentError where that does not happen, or nothing is mounted.
func openedBy(m mountpoint.Point, f func(path string) bool) error {
	if m.Mount == nil {
		return &silentError{Dir: m.Dir}
	}
	d := findDaemon(m.Mount)
	if d == nil {
		return &silentError{Dir: m.Dir}
	}
	defer d.close()
	dir := fmt.Sprintf("/proc/%d/fd", d.pid)
	fds, err := os.ReadDir(dir)
	if err != nil {
		return &silentError{Dir: m.Dir, PID: d.pid}
	}
	for _, fd := range fds {
		if f(filepath.Join(dir, fd.Name())) {
			return nil
		}
	}
	return &silentError{Dir: m.Dir, PID: d.pid}
}
