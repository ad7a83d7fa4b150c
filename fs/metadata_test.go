package fs

import (
	"os/exec"
	"testing"
)

// writer has a shell commit a registry over and over, and ends it with the test.
func (m *mount) writer(name string) {
	m.t.Helper()
	cmd := exec.Command("bash", "-c", `for ((i = 0; ; i++)); do echo "{\"i\":$i}" > "$1" || exit; read -rt 0 && exit; done`, "writer", name)
	cmd.Dir = m.dir
	stop, err := cmd.StdinPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		_ = stop.Close() // the writer sees that between two commits
		if err := cmd.Wait(); err != nil {
			m.t.Errorf("the writer ended with %v", err)
		}
	})
}

// A commit replaces the file, and takes mode and attributes over: none that are
// set meanwhile are lost.
func TestMetadataOutlivesCommits(t *testing.T) {
	m := aside(t)
	c := m.newClient()
	c.write("a.json", `{}`)
	m.writer("a.json")
	m.writer("a.json")
	if c.eval("os.setxattr('a.json', 'user.n', b'0')") == `"EOPNOTSUPP"` {
		t.Skip("no extended attributes here")
	}
	for i := range 100 {
		mode := 0o600 | i%2<<5 | i%3<<2
		c.do("(os.chmod('a.json', %d), os.setxattr('a.json', 'user.n', b'%d'))", mode, i)
		c.want(jsonOf(t, []any{mode, jsonOf(t, i)}), "[os.stat('a.json').st_mode & 0o777, os.getxattr('a.json', 'user.n')]")
	}
	run(t, exec.Command("test", "-s", m.behind("a.json")))
}
