package fs

import "testing"

// Others find a file when it is closed, synced or locked, and not before; its creator
// finds it at once.
func TestWhoFindsAFileThatIsBeingCreated(t *testing.T) {
	for name, c := range map[string]struct{ do, want string }{
		"closed":           {"os.close(f)", ``},
		"closed and open":  {"(g := os.dup(f), os.close(f)) and None", "-"},
		"written":          {"os.write(f, b'{\"v\":1}')", "-"},
		"written, closed":  {"(os.write(f, b'{\"v\":1}'), os.close(f)) and None", `{"v":1}`},
		"synced":           {"os.fsync(f)", ``},
		"written, synced":  {"(os.write(f, b'{\"v\":1}'), os.fsync(f)) and None", `{"v":1}`},
		"flock":            {"__import__('fcntl').flock(f, 2)", ``},
		"fcntl":            {"__import__('fcntl').lockf(f, 2)", ``},
		"locked, a pid":    {"(__import__('fcntl').flock(f, 2), os.write(f, b'123\\n')) and None", "123\n"},
		"locked, a part":   {"(__import__('fcntl').flock(f, 2), os.write(f, b'{\"v\":')) and None", ""},
		"locked, a number": {"(__import__('fcntl').flock(f, 2), os.write(f, b'12')) and None", ""},
		"locked, a list":   {"(__import__('fcntl').lockf(f, 2), os.write(f, b'[1]')) and None", "[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := aside(t, func(c *serveConfig) { c.NoSync = true })
			creator, other := m.newClient(), m.newClient()
			creator.do("(f := os.open('a.json', os.O_RDWR|os.O_CREAT|os.O_EXCL, 0o640))")
			other.want(`[]`, "os.listdir('.')")
			other.want(`"ENOENT"`, "os.stat('a.json').st_size")
			other.want(`"EEXIST"`, "os.open('a.json', os.O_RDWR|os.O_CREAT|os.O_EXCL)")
			creator.want(`["a.json"]`, "os.listdir('.')")
			creator.want(`0`, "os.stat('a.json').st_size")
			creator.do("%s", c.do)
			if c.want == "-" {
				other.want(`[]`, "os.listdir('.')")
				other.want(`"ENOENT"`, "open('a.json').read()")
				return
			}
			other.want(`["a.json"]`, "os.listdir('.')")
			other.want(jsonOf(t, c.want), "open('a.json').read()")
			other.want(`416`, "os.stat('a.json').st_mode & 0o777")
		})
	}
}

// An object that is no file is created by the kernel: its maker is told that the name is taken.
func TestNamesOfFilesThatAreBeingCreatedAreTaken(t *testing.T) {
	m := aside(t, func(c *serveConfig) { c.NoSync = true })
	creator, other := m.newClient(), m.newClient()
	other.write("b.json", `1`)
	other.write("plain", `1`)
	other.do("os.mkdir('d')")
	creator.do("(f := os.open('a.json', os.O_RDWR|os.O_CREAT))")
	for _, how := range []string{
		"os.mkdir('a.json')", "os.symlink('x', 'a.json')", "os.mkfifo('a.json')", "os.mknod('a.json')",
		"os.link('b.json', 'a.json')", "os.link('plain', 'a.json')",
	} {
		other.want(`"EEXIST"`, "%s", how)
	}
	other.want(`"ENOTDIR"`, "os.rename('d', 'a.json')")
	other.want(`"ENOENT"`, "os.unlink('a.json')")
	other.want(`["b.json","d","plain"]`, "sorted(os.listdir('.'))")
	creator.do("os.write(f, b'[]')")
	creator.do("os.close(f)")
	other.want(`"[]"`, "open('a.json').read()")
}
