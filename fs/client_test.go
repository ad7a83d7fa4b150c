package fs

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// client is a Python process that works below a mount, one expression at a time.
type client struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string
}

const clientProgram = `
import errno, json, os, sys
for line in sys.stdin:
    try:
        value = eval(line)
    except OSError as e:
        value = errno.errorcode[e.errno]
    print(json.dumps(value, default=bytes.decode, separators=(',', ':')), flush=True)
`

// answerPatience is how long a client may take for one expression.
const answerPatience = time.Minute

// newClient starts a client whose working directory is the mount.
func (m *mount) newClient() *client {
	m.t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		m.t.Skip(err)
	}
	c := &client{t: m.t, cmd: exec.Command(python, "-c", clientProgram), lines: make(chan string, 1)}
	c.cmd.Dir = m.dir
	c.cmd.Stderr = m.stderr
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		m.t.Fatal(err)
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	go func() {
		defer close(c.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			c.lines <- s.Text()
		}
	}()
	m.t.Cleanup(c.end)
	return c
}

// end has the client end, by force if need be.
func (c *client) end() {
	if c.cmd == nil {
		return
	}
	_ = c.stdin.Close()
	force := time.AfterFunc(answerPatience, func() { _ = c.cmd.Process.Kill() })
	for range c.lines { // until it has closed its output
	}
	_ = c.cmd.Wait()
	force.Stop()
	c.cmd = nil
}

// eval has the client evaluate an expression and returns its value as JSON; that
// of a failed call is the name of its errno.
func (c *client) eval(format string, args ...any) string {
	c.t.Helper()
	expression := fmt.Sprintf(format, args...)
	if _, err := io.WriteString(c.stdin, expression+"\n"); err != nil {
		c.t.Fatalf("%s: %v", expression, err)
	}
	select {
	case line, ok := <-c.lines:
		if ok {
			return line
		}
		c.t.Fatalf("%s: the client has ended", expression)
	case <-time.After(answerPatience):
		_ = c.cmd.Process.Kill()
		c.t.Fatalf("%s: no answer", expression)
	}
	return ""
}

// want evaluates an expression and compares its value, as JSON.
func (c *client) want(want, format string, args ...any) {
	c.t.Helper()
	if got := c.eval(format, args...); got != want {
		c.t.Errorf("%s = %s, want %s", fmt.Sprintf(format, args...), got, want)
	}
}

// do evaluates an expression that must not fail.
func (c *client) do(format string, args ...any) {
	c.t.Helper()
	got := c.eval(format, args...)
	var errno string
	if json.Unmarshal([]byte(got), &errno) == nil && strings.HasPrefix(errno, "E") {
		c.t.Fatalf("%s: %s", fmt.Sprintf(format, args...), errno)
	}
}

// write writes a whole file in place.
func (c *client) write(name, content string) {
	c.t.Helper()
	c.do("(w := os.open(%q, os.O_WRONLY|os.O_CREAT|os.O_TRUNC, 0o644), os.write(w, b'%s'), os.close(w))", name, content)
}
