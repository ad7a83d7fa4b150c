package fs

import (
	"testing"
	"time"
)

// slowDeletion has a deletion wait for its process longer than a test takes.
func slowDeletion(c *serveConfig) { c.DeletionWindow = time.Hour }

// A process that removes a registry may be about to write it anew: others see
// it until the process ends.
func TestUnlinkHidesFromItsProcessOnly(t *testing.T) {
	m := aside(t, slowDeletion)
	remover, other := m.newClient(), m.newClient()
	remover.write("a.json", `{"v":1}`)
	other.do("(r := os.open('a.json', os.O_RDONLY))")
	remover.do("os.unlink('a.json')")
	remover.want(`[]`, "os.listdir('.')")
	remover.want(`false`, "os.path.exists('a.json')")
	remover.want(`"ENOENT"`, "os.open('a.json', os.O_RDONLY)")
	remover.want(`"ENOENT"`, "os.unlink('a.json')")
	other.want(`["a.json"]`, "os.listdir('.')")
	other.want(`"{\"v\":1}"`, "open('a.json').read()")
	wantFile(t, m.behind("a.json"), `{"v":1}`)
	remover.end()
	other.want(`[]`, "os.listdir('.')")
	other.want(`"ENOENT"`, "os.stat('a.json').st_size")
	other.want(`"{\"v\":1}"`, "os.pread(r, 100, 0)")
	other.want(`7`, "os.fstat(r).st_size")
	if !holds(t, m.behind(".clawfs/history/a.json/@[0-9]*"), `{"v":1}`) {
		t.Error("what was removed is not in the history")
	}
}

// Removed and created anew by one process is replaced: others never miss it.
func TestReplacementInTwoSteps(t *testing.T) {
	m := aside(t, slowDeletion)
	writer, other := m.newClient(), m.newClient()
	writer.write("a.json", `{"v":1}`)
	writer.do("os.unlink('a.json')")
	writer.do("(w := os.open('a.json', os.O_WRONLY|os.O_CREAT|os.O_EXCL, 0o600))")
	writer.do("os.write(w, b'{\"v\":2}')")
	writer.want(`7`, "os.fstat(w).st_size")
	other.want(`"{\"v\":1}"`, "open('a.json').read()")
	writer.do("os.close(w)")
	other.want(`"{\"v\":2}"`, "open('a.json').read()")
	other.want(`384`, "os.stat('a.json').st_mode & 0o777") // 0600, as it was created
}

// Without anybody who writes it anew, the window ends the deletion.
func TestDeletionWindowEnds(t *testing.T) {
	m := aside(t)
	remover, other := m.newClient(), m.newClient()
	remover.write("a.json", `{"v":1}`)
	remover.do("os.unlink('a.json')")
	await(t, "others see the deletion", func() bool { return other.eval("os.listdir('.')") == `[]` })
}

func TestDirectoryOfRemovedRegistriesIsEmpty(t *testing.T) {
	m := aside(t, slowDeletion)
	c := m.newClient()
	c.do("os.mkdir('d')")
	c.write("d/a.json", `1`)
	c.do("os.unlink('d/a.json')")
	c.do("os.rmdir('d')")
	c.want(`[]`, "os.listdir('.')")
}

// A program that writes anew too late what it has removed has replaced it all the
// same, provided that it does so soon.
func TestLateReplacement(t *testing.T) {
	m := aside(t, func(c *serveConfig) { c.DeletionWindow = 400 * time.Millisecond })
	git, other := m.newClient(), m.newClient()
	git.write("a.json", `["a"]`)
	git.want(`"[\"a\"]"`, "open('a.json').read()")
	other.want(`"[\"a\"]"`, "open('a.json').read()")
	other.write("a.json", `["a","other"]`)
	git.do("os.unlink('a.json')")
	await(t, "others see the deletion", func() bool { return other.eval("os.listdir('.')") == `[]` })
	git.do("(w := os.open('a.json', os.O_WRONLY|os.O_CREAT|os.O_EXCL, 0o600))")
	git.do("os.write(w, b'[\"a\",\"git\"]')")
	git.do("os.close(w)")
	other.want(`["a","git","other"]`, "sorted(json.load(open('a.json')))")
}
