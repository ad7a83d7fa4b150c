package fs

import "testing"

// Two registries that have changed places are open by the other names: what is written by
// descriptors, before and after, is written there, as in a bare directory.
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
