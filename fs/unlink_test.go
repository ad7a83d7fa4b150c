package fs

import "testing"

// A file that was removed is gone for everybody; an open descriptor has it still.
func TestUnlinkIsForAll(t *testing.T) {
	m := aside(t)
	remover, other := m.newClient(), m.newClient()
	remover.write("a.json", `{"v":1}`)
	other.do("(r := os.open('a.json', os.O_RDONLY))")
	remover.do("os.unlink('a.json')")
	for _, c := range []*client{remover, other} {
		c.want(`[]`, "os.listdir('.')")
		c.want(`false`, "os.path.exists('a.json')")
		c.want(`"ENOENT"`, "os.open('a.json', os.O_RDONLY)")
		c.want(`"ENOENT"`, "os.unlink('a.json')")
		c.want(`"ENOENT"`, "os.rename('a.json', 'b.json')")
	}
	other.want(`"{\"v\":1}"`, "os.pread(r, 100, 0)")
	other.want(`7`, "os.fstat(r).st_size")
	if !holds(t, m.behind(".clawfs/history/a.json/@[0-9]*"), `{"v":1}`) {
		t.Error("what was removed is not in the history")
	}
}

// A registry removed and created anew by one process is replaced, and merged with
// the additions of others; in between there is nothing.
func TestReplacementInTwoSteps(t *testing.T) {
	m := aside(t)
	git, other := m.newClient(), m.newClient()
	git.write("a.json", `["a"]`)
	git.want(`"[\"a\"]"`, "open('a.json').read()")
	other.want(`"[\"a\"]"`, "open('a.json').read()")
	other.write("a.json", `["a","other"]`)
	git.do("os.unlink('a.json')")
	other.want(`"ENOENT"`, "open('a.json').read()")
	git.do("(w := os.open('a.json', os.O_WRONLY|os.O_CREAT|os.O_EXCL, 0o600))")
	other.want(`"ENOENT"`, "open('a.json').read()")
	git.do("os.write(w, b'[\"a\",\"git\"]')")
	git.want(`11`, "os.fstat(w).st_size")
	git.do("os.close(w)")
	other.want(`["a","git","other"]`, "sorted(json.load(open('a.json')))")
	other.want(`384`, "os.stat('a.json').st_mode & 0o777") // 0600, as it was created
}

func TestDirectoryOfRemovedRegistriesIsEmpty(t *testing.T) {
	m := aside(t)
	c := m.newClient()
	c.do("os.mkdir('d')")
	c.write("d/a.json", `1`)
	c.do("os.unlink('d/a.json')")
	c.do("os.rmdir('d')")
	c.want(`[]`, "os.listdir('.')")
}
