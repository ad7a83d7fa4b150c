package viewtest

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// let returns a client that is let in, and the id by which addresses have the directory.
func (s *server) let(t testing.TB) (client *http.Client, in string) {
	t.Helper()
	client = newClient(t)
	s.ask(t, client, "GET", s.another(t))
	_, rest, _ := strings.Cut(s.ask(t, client, "GET", s.base+"/").body, `id="dir-`)
	in, _, _ = strings.Cut(rest, `"`)
	return client, in
}

// page returns an address on a registry.
func (s *server) page(path, in, of string, query ...string) string {
	v := url.Values{"in": {in}, "of": {of}}
	for i := 0; i+1 < len(query); i += 2 {
		v.Set(query[i], query[i+1])
	}
	return s.base + path + "?" + v.Encode()
}

// A directory is the mount that is there now, though it was another mount, with the same number
// perhaps, when it was looked at before.
func TestMountThatComesAnew(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, "echo '[1]' > r.json")
	s := serve(t, dir)
	mine, in := s.let(t)
	for range 3 {
		if got := s.ask(t, mine, "GET", s.page("/history", in, "r.json")); got.code != 200 || !strings.Contains(got.body, "Version 1") {
			t.Fatalf("%d, %s", got.code, got.body)
		}
		clawfs(t, "unmount", dir)
		clawfs(t, "mount", "--log-file", filepath.Join(filepath.Dir(dir), "log"), dir)
	}
}

// Nothing waits for a daemon that is stopped: the content of a page is read beside it.
func TestStoppedDaemonHoldsNoPageUp(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, `echo '{"a":1}' > r.json; echo '{"a":2}' > r.json
! echo '{"a":' | cp /dev/stdin r.json 2>/dev/null`)
	id := copyID(t, dir)
	clawfs(t, "unmount", dir)
	s := serve(t, dir)
	mine, in := s.let(t) // and looks at it while it is not mounted
	clawfs(t, "mount", "--log-file", filepath.Join(filepath.Dir(dir), "log"), dir)
	daemon := daemonOf(t, dir)
	if err := syscall.Kill(daemon, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(daemon, syscall.SIGCONT) }()
	for _, page := range []string{s.base + "/", s.page("/history", in, "r.json"), s.page("/version", in, "r.json"), s.page("/diff", in, "r.json", "a", "1", "b", "2"),
		s.page("/refused", in, ""), s.page("/copy", in, "", "id", id), s.page("/repair", in, "", "id", id), s.page("/plan", in, "r.json", "do", "undo", "v", "2"), s.page("/registries", in, "")} {
		done := make(chan answer, 1)
		go func() { done <- s.ask(t, mine, "GET", page) }()
		select {
		case got := <-done:
			if got.code != 200 {
				t.Errorf("%s: %d, %s", page, got.code, got.body)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s is not answered", page)
			_ = syscall.Kill(daemon, syscall.SIGCONT)
			<-done
			_ = syscall.Kill(daemon, syscall.SIGSTOP)
		}
	}
}

// daemonOf returns the process that serves a mount.
func daemonOf(t testing.TB, dir string) int {
	t.Helper()
	var pid int
	if _, err := fmt.Sscan(sh(t, dir, "cat .clawfs/lock"), &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

// Another user of the machine is not let in. This user holds no more than so many connections,
// and none by a body that never ends.
func TestConnectionsAreBounded(t *testing.T) {
	dir := newMount(t)
	s := serve(t, dir)
	base, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	var all []net.Conn
	defer func() {
		for _, c := range all {
			c.Close()
		}
	}()
	held := 0
	for range 400 {
		c, err := net.Dial("tcp", "127.0.0.1:"+base.Port())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 100000\r\n\r\n", base.Host)
	}
	for _, c := range all {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := bufio.NewReader(c).ReadString('\n'); err == nil {
			held++
		}
	}
	if held == 0 || held > 256 {
		t.Errorf("%d connections were answered", held)
	}
	mine := newClient(t)
	await(t, func() bool { // they are ended
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
		return err == nil && len(entries) < 50
	})
	if got := s.ask(t, mine, "GET", s.entrance); got.code != 200 {
		t.Errorf("the user is told %d", got.code)
	}
}

// A registry can be looked at and changed under any name.
func TestFormsHaveNamesAsTheyAre(t *testing.T) {
	dir := newMount(t)
	for _, name := range []string{"a\nb.json", "\xff.json", `"><script>&amp;.json`, "a+b %41.json", strings.Repeat("n", 250) + ".json"} {
		path := filepath.Join(dir, name)
		for _, content := range []string{`{"a":1}`, `{"a":2}`} {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatalf("%q: %v", name, err)
			}
		}
		b := serve(t, dir).enter(t)
		b.open(b.at("/history", name))
		b.click("Compare the two")
		b.says("/a")
		b.click("Undo all of it")
		b.click("Undo it")
		b.says("undid version 2")
		if got := read(t, path); got != `{"a":1}` {
			t.Errorf("%q holds %s", name, got)
		}
		b.fine()
	}
}

// An undo undoes the change of the row, not another one with the same path.
func TestRowOfARemovalUndoesTheRemoval(t *testing.T) {
	dir := newMount(t)
	path := filepath.Join(dir, "r.json")
	sh(t, dir, `echo '[{"id":"a"},{"id":"b"},{"id":"c","v":1}]' > r.json; echo '[{"id":"a"},{"id":"c","v":2}]' > r.json`)
	b := serve(t, dir).enter(t)
	b.open(b.at("/diff", "r.json", "a", "1", "b", "2"))
	b.do(clickRow("removed"))
	b.click("Undo it")
	b.says("It is undone")
	if got := jq(t, ".", path); got != `[{"id":"a"},{"id":"b"},{"id":"c","v":2}]` {
		t.Errorf("the registry holds %s", got)
	}
}

// The version that was shown is brought back, not one that came and went meanwhile.
func TestWhatIsBroughtBackIsWhatWasShown(t *testing.T) {
	dir := newMount(t)
	path := filepath.Join(dir, "r.json")
	sh(t, dir, `echo '{"a":1}' > r.json`)
	clawfs(t, "undo", "--yes", path)
	b := serve(t, dir).enter(t)
	b.open(b.at("/plan", "r.json", "do", "undo"))
	b.says("Undo the newest change")
	sh(t, dir, `echo '{"a":2}' > r.json`)
	clawfs(t, "undo", "--yes", "--on-conflict", "undo", path)
	b.click("Undo it")
	b.says("Nothing was done")
	if _, err := os.Lstat(path); err == nil {
		t.Errorf("it holds %s", read(t, path))
	}
}

// A file that is brought back has its directory again, too.
func TestRegistryOfARemovedDirectoryIsBroughtBack(t *testing.T) {
	for _, mounted := range []bool{true, false} {
		dir := newMount(t)
		path := filepath.Join(dir, "sub", "r.json")
		sh(t, dir, `mkdir sub; echo '{"a":1}' > sub/r.json`)
		clawfs(t, "undo", "--yes", path) // a registry that rm removes within a minute leaves no history
		sh(t, dir, "rmdir sub")
		if !mounted {
			clawfs(t, "unmount", dir)
		}
		clawfs(t, "undo", "--yes", path)
		if got := read(t, path); got != "{\"a\":1}\n" {
			t.Errorf("it holds %q", got)
		}
	}
}
