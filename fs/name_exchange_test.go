package fs

import "testing"

// Two registries that have changed places are open by the other names: writes by descriptors,
// before and after, go there, as in a bare directory.
func TestDescriptorsOfExchangedRegistries(t *testing.T) {
	const exchange = "__import__('ctypes').CDLL(None).renameat2(-100, b'a.json', -100, b'b.json', 2)"
	mount, bare := aside(t).newClient(), (&mount{t: t, dir: t.TempDir(), stderr: &lockedBuffer{}}).newClient()
	for _, how := range []string{"RDONLY", "RDWR"} {
		for name, steps := range map[string][2]string{
			"written before":       {"os.pwrite(fd, b'{\"a\":2}', 0)", "None"},
			"written after":        {"None", "os.pwrite(fd, b'{\"a\":2}', 0)"},
			"half before":          {"os.pwrite(fd, b'{\"a\": ', 0)", "os.pwrite(fd, b'2}', 5)"},
			"synced":               {"os.pwrite(fd, b'{\"a\":2}', 0)", "os.fsync(fd)"},
			"written by name":      {"None", "[w := open('b.json', 'w'), w.write('{\"a\":33}'), w.close()] and None"},
			"exchanged twice":      {"os.pwrite(fd, b'{\"a\":2}', 0)", exchange},
			"exchanged and moved":  {"os.pwrite(fd, b'{\"a\":2}', 0)", "os.rename('b.json', 'c.json')"},
			"exchanged, then gone": {"os.read(fd, 100)", "[os.unlink('b.json'), os.fchmod(fd, 0o600)] and None"},
		} {
			if how == "RDONLY" && name != "written by name" && name != "exchanged, then gone" {
				continue
			}
			var got [2]string
			for i, c := range []*client{mount, bare} {
				c.do("[os.unlink(n) for n in os.listdir('.')] and None")
				c.write("a.json", `{"a":1}`)
				c.write("b.json", `{"b":1}`)
				c.do("(fd := os.open('a.json', os.O_%s))", how)
				c.do("(other := os.open('b.json', os.O_RDWR))")
				c.do("%s and None", steps[0])
				c.want("0", exchange)
				c.do("%s and None", steps[1])
				got[i] = c.eval("[[s.st_size, s.st_nlink] for s in (os.fstat(fd), os.fstat(other))] + [os.pread(fd, 100, 0), os.pread(other, 100, 0), os.pwrite(other, b'{\"b\":3}', 0)]")
				c.do("[os.close(other), os.close(fd)]")
				got[i] += c.eval(state)
			}
			if got[0] != got[1] {
				t.Errorf("opened %s, %s:\n%s, in a bare directory\n%s", how, name, got[0], got[1])
			}
		}
	}
}

// Directories that have changed places have their registries by the other names, for
// descriptors that are open and for later opens, as in a bare directory.
func TestExchangedDirectories(t *testing.T) {
	const exchange = "__import__('ctypes').CDLL(None).renameat2(-100, b'one', -100, b'two', 2)"
	const holds = "[open(n + '/a.json').read() if os.path.exists(n + '/a.json') else None for n in ('one', 'two')]"
	mount, bare := aside(t).newClient(), (&mount{t: t, dir: t.TempDir(), stderr: &lockedBuffer{}}).newClient()
	for name, steps := range map[string][]string{
		"written by name":        {"[w := open('one/a.json', 'w'), w.write('{\"one\":1,\"more\":2}'), w.close()] and None"},
		"replaced":               {"[w := open('one/new', 'w'), w.write('{\"one\":1,\"more\":2}'), w.close(), os.rename('one/new', 'one/a.json')] and None"},
		"written by descriptor":  {"os.pwrite(fd, b'{\"one\":7}', 0)", "os.fsync(fd)"},
		"both":                   {"os.pwrite(fd, b'{\"one\":7}', 0)", "[w := open('one/a.json', 'w'), w.write('{\"two\":8}'), w.close()] and None"},
		"exchanged twice":        {exchange, "[w := open('one/a.json', 'w'), w.write('{\"one\":5}'), w.close()] and None"},
		"removed":                {"os.unlink('one/a.json')", "[w := open('one/a.json', 'w'), w.write('{\"one\":1}'), w.close()] and None"},
		"exchanged with nothing": {"[os.rename('two', 'three'), os.mkdir('two')] and None", exchange, "[w := open('two/a.json', 'w'), w.write('{\"one\":1}'), w.close()] and None"},
	} {
		var got [2]string
		for i, c := range []*client{mount, bare} {
			c.do("[__import__('shutil').rmtree(n) for n in os.listdir('.')] and None")
			c.do("[os.mkdir(n) for n in ('one', 'two')] and None")
			c.write("one/a.json", `{"one":1}`)
			c.write("two/a.json", `{"two":1}`)
			c.do("[(open(n + '/a.json').read()) for n in ('one', 'two')]")
			c.do("(fd := os.open('one/a.json', os.O_RDWR))")
			c.want("0", exchange)
			for _, step := range steps {
				c.do("%s and None", step)
			}
			got[i] = c.eval("os.pread(fd, 100, 0)")
			c.do("os.close(fd)")
			got[i] += c.eval(holds)
		}
		if got[0] != got[1] {
			t.Errorf("%s: %s, in a bare directory %s", name, got[0], got[1])
		}
	}
}
