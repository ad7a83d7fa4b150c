package fs

import "testing"

// A process that has removed a registry makes something else of that name, or moves a
// registry there that holds the same: that is there when the removal is done.
func TestWhatTakesARemovedName(t *testing.T) {
	for name, c := range map[string]struct{ make, look, want string }{
		"registry moved":  {"os.rename('b.json', 'a.json')", "open('a.json').read()", `"{\"v\":1}"`},
		"registry saved":  {"open('a.json', 'w').write('{\"v\":1}')", "open('a.json').read()", `"{\"v\":1}"`},
		"file renamed":    {"(open('t', 'w').write('{\"v\":1}'), os.rename('t', 'a.json'))", "open('a.json').read()", `"{\"v\":1}"`},
		"link":            {"os.link('b.json', 'a.json')", "[open('a.json').read(), os.stat('a.json').st_nlink]", `["{\"v\":1}",2]`},
		"directory":       {"os.mkdir('a.json')", "os.path.isdir('a.json')", "true"},
		"symbolic link":   {"os.symlink('b.json', 'a.json')", "os.path.islink('a.json')", "true"},
		"fifo":            {"os.mkfifo('a.json')", "__import__('stat').S_ISFIFO(os.stat('a.json').st_mode)", "true"},
		"directory moved": {"(os.mkdir('d'), os.rename('d', 'a.json'))", "os.path.isdir('a.json')", "true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := aside(t, func(c *serveConfig) { c.NoSync = true })
			remover, other := m.newClient(), m.newClient()
			remover.write("a.json", `{"v":1}`)
			remover.write("b.json", `{"v":1}`)
			remover.do("(os.remove('a.json'), %s, None)[2]", c.make)
			other.want(c.want, "%s", c.look)
		})
	}
}
