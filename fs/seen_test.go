package fs

import "testing"

// Each change of a registry, by any process and name, is seen by all others as soon as it is
// done, though they have looked at the registry a moment before.
func TestAllSeeWhatIsDone(t *testing.T) {
	const sizes = "[os.stat(n).st_size for n in ('a.json','b.json')]"
	for name, c := range map[string]struct{ change, look, want string }{
		"written":      {"open('a.json','w').write('{\"v\":2,\"more\":1}')", sizes, "[16,7]"},
		"replaced":     {"(open('t','w').write('{\"v\":2,\"more\":1}'), os.rename('t','a.json'))", sizes, "[16,7]"},
		"truncated":    {"(f := os.open('a.json', os.O_RDWR), os.ftruncate(f, 0), os.pwrite(f, b'{}', 0), os.close(f))", sizes, "[2,7]"},
		"removed":      {"os.remove('a.json')", "next((False for _ in range(200) if not os.path.exists('a.json') or __import__('time').sleep(0.05)), True)", "false"},
		"moved aside":  {"os.rename('a.json', 'a.bak')", "[os.path.exists('a.json'), open('a.bak').read()]", `[false,"{\"v\":1}"]`},
		"moved":        {"os.rename('a.json', 'c.json')", "[os.path.exists('a.json'), open('c.json').read()]", `[false,"{\"v\":1}"]`},
		"moved over":   {"os.rename('b.json', 'a.json')", "[os.path.exists('b.json'), open('a.json').read()]", `[false,"{\"w\":1}"]`},
		"moved, anew":  {"(os.rename('a.json', 'a.bak'), open('a.json','w').write('{\"new\":1}'))", "[open('a.bak').read(), open('a.json').read()]", `["{\"v\":1}","{\"new\":1}"]`},
		"linked":       {"os.link('a.json', 'a.lnk')", "[os.stat('a.json').st_nlink, os.stat('a.lnk').st_nlink]", "[2,2]"},
		"made private": {"os.chmod('a.json', 0o600)", "os.stat('a.json').st_mode & 0o777", "384"},
		"given a time": {"os.utime('a.json', (5, 5))", "os.stat('a.json').st_mtime", "5.0"},
		"directory":    {"os.rename('d', 'e')", "[os.path.exists('d/c.json'), open('e/c.json').read()]", `[false,"{\"c\":1}"]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := aside(t, func(c *serveConfig) { c.NoSync = true })
			writer, reader := m.newClient(), m.newClient()
			for range 10 {
				writer.do("[os.remove(n) for n in os.listdir('.') if not os.path.isdir(n)] and None")
				writer.do("[__import__('shutil').rmtree(n) for n in os.listdir('.')] and None")
				writer.do("os.mkdir('d')")
				writer.write("a.json", `{"v":1}`)
				writer.write("b.json", `{"w":1}`)
				writer.write("d/c.json", `{"c":1}`)
				writer.do("os.chmod('a.json', 0o644)")
				reader.do("[(os.stat(n), open(n).read()) for n in ('a.json', 'b.json', 'd/c.json')] and None")
				writer.do("(%s, None)[1]", c.change)
				reader.want(c.want, "%s", c.look)
			}
		})
	}
}

// A process that creates a registry sees its own content; others find it when it is
// closed.
func TestAProcessSeesWhatItMakes(t *testing.T) {
	m := aside(t, func(c *serveConfig) { c.NoSync = true })
	writer, reader := m.newClient(), m.newClient()
	for i := range 30 {
		head, next := jsonOf(t, map[string]int{"v": i}), jsonOf(t, map[string]int{"v": i, "next": i})
		writer.write("a.json", head)
		reader.want(jsonOf(t, len(head)), "os.stat('a.json').st_size")
		writer.do("(os.remove('a.json'), w := os.open('a.json', os.O_RDWR|os.O_CREAT), os.write(w, %s.encode())) and None", jsonOf(t, next))
		for range 2 {
			reader.want(`"ENOENT"`, "os.stat('a.json').st_size")
			reader.want(`[]`, "os.listdir('.')")
			writer.want(`["a.json"]`, "os.listdir('.')")
			writer.want(jsonOf(t, len(next)), "os.stat('a.json').st_size")
		}
		writer.do("os.close(w)")
		reader.want(jsonOf(t, len(next)), "os.stat('a.json').st_size")
	}
}
