// Package etcdtest runs a real etcd of several members on this machine, for tests. Each is a
// process of its own, which can be killed, stopped, and started again over its data.
//
// What always holds: nothing of it outlives the test.
package etcdtest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Members are the members of one etcd.
type Members struct {
	t     *testing.T
	dir   string
	ports []string // of each member two: for clients, and for the other members
	env   []string

	mu  sync.Mutex // guards all
	all []*member
}

type member struct {
	cmd *exec.Cmd
	in  io.Closer // it ends with it
}

// binary builds the program of a member once, where later tests find it.
var binary = sync.OnceValues(func() (string, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("cannot tell where the sources are")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, "clawfs-test", "members")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = filepath.Join(filepath.Dir(here), "..", "members")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build a member of an etcd: %w\n%s", err, out)
	}
	return path, nil
})

// Start starts an etcd of n members, with further variables for their environment, and
// returns when it answers. It ends with the test.
func Start(t *testing.T, n int, env ...string) *Members {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes an etcd")
	}
	m := &Members{t: t, all: make([]*member, n), env: env}
	t.Cleanup(m.killAll)
	const attempts = 5 // one fails if somebody else takes a port that was free
	var err error
	for range attempts {
		if err = m.startAll(); err == nil {
			return m
		}
		m.killAll()
	}
	t.Fatal(err)
	return nil
}

func (m *Members) killAll() {
	for i := range m.all {
		m.Kill(i)
	}
}

// startAll starts all members, which have kept nothing.
func (m *Members) startAll() error {
	m.dir, m.ports = m.t.TempDir(), nil
	for range 2 * len(m.all) {
		m.ports = append(m.ports, freePort(m.t))
	}
	failed := make([]error, len(m.all))
	var ready sync.WaitGroup
	for i := range m.all {
		wait := m.start(i)
		ready.Go(func() { failed[i] = wait() })
	}
	ready.Wait()
	return errors.Join(failed...)
}

// freePort returns a port that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// Endpoints returns where clients reach the members, HOST:PORT each.
func (m *Members) Endpoints() (list []string) {
	for i := 0; i < len(m.ports); i += 2 {
		list = append(list, "127.0.0.1:"+m.ports[i])
	}
	return list
}

// Port returns the port by which clients reach a member on 127.0.0.1.
func (m *Members) Port(i int) string { return m.ports[2*i] }

// Address returns the value for mount --cluster, for a cluster of that name.
func (m *Members) Address(name string) string {
	return "etcd://" + strings.Join(m.Endpoints(), ",") + "/" + name
}

// Run starts a member again, and returns when it is ready: a majority must run.
func (m *Members) Run(i int) {
	if err := m.start(i)(); err != nil {
		m.t.Error(err)
	}
}

// start starts a member. The function that it returns waits until it is ready.
func (m *Members) start(i int) (wait func() error) {
	fail := func(err error) func() error { return func() error { return err } }
	path, err := binary()
	if err != nil {
		return fail(err)
	}
	cmd := exec.Command(path, append([]string{m.dir, strconv.Itoa(i)}, m.ports...)...)
	cmd.Env = append(os.Environ(), m.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		return fail(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fail(err)
	}
	m.mu.Lock()
	m.all[i] = &member{cmd, in}
	m.mu.Unlock()
	return func() error {
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
			return fmt.Errorf("member %d: %q, %w", i, line, err)
		}
		return nil
	}
}

// Kill ends a member as a crash does.
func (m *Members) Kill(i int) {
	m.mu.Lock()
	one := m.all[i]
	m.all[i] = nil
	m.mu.Unlock()
	if one != nil {
		_ = one.cmd.Process.Kill()
		_ = one.cmd.Wait() // it was killed
		_ = one.in.Close()
	}
}

// Signal sends a member a signal: SIGSTOP, SIGCONT.
func (m *Members) Signal(i int, s syscall.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.all[i].cmd.Process.Signal(s); err != nil {
		m.t.Error(err)
	}
}

// Leader returns the member that leads, -1 while none is known to.
func (m *Members) Leader() int {
	for i := 0; i < len(m.ports); i += 2 {
		var status struct {
			Header struct {
				Member string `json:"member_id"`
			} `json:"header"`
			Leader string `json:"leader"`
		}
		client := http.Client{Timeout: time.Second}
		answer, err := client.Post("http://127.0.0.1:"+m.ports[i]+"/v3/maintenance/status", "application/json", strings.NewReader("{}"))
		if err != nil {
			continue
		}
		err = json.NewDecoder(answer.Body).Decode(&status)
		_ = answer.Body.Close() // it was read
		if err == nil && status.Leader != "" && status.Leader == status.Header.Member {
			return i / 2
		}
	}
	return -1
}
