package fs

import "testing"

// All programs that create a registry at once have one file, and so have programs that find it
// before anything is in it: one number, and one node, to which a lock belongs.
func TestCreatorsHaveOneFile(t *testing.T) {
	m := aside(t, func(c *serveConfig) { c.NoSync = true })
	a, b, late := m.newClient(), m.newClient(), m.newClient()
	const lock = "__import__('fcntl').flock(%s, 6)"
	for range 20 {
		a.do("(w := os.open('a.json', os.O_WRONLY|os.O_CREAT), n := os.fstat(w).st_ino) and None")
		number := a.eval("n")
		b.do("(w := os.open('a.json', os.O_RDWR|os.O_CREAT)) and None")
		b.want(number, "os.fstat(w).st_ino")
		a.do(lock, "w")
		b.want(`"EAGAIN"`, lock, "w")
		late.do("(r := os.open('a.json', os.O_RDONLY)) and None")
		late.want(number, "os.fstat(r).st_ino")
		late.want(`"EAGAIN"`, lock, "r")
		a.do("(os.write(w, b'[\"a\"]'), os.close(w)) and None")
		late.want("[true,"+number+","+number+"]", "[0 < os.fstat(r).st_size == os.stat('a.json').st_size, os.fstat(r).st_ino, os.stat('a.json').st_ino]")
		b.do("(os.write(w, b'[\"b\"]'), os.close(w)) and None")
		late.want("["+number+",[\"a\",\"b\"]]", "[os.stat('a.json').st_ino, sorted(json.load(open('a.json')))]")
		late.do("(os.close(r), os.unlink('a.json')) and None")
	}
}

// A program that has the file open that had the name before does not find the file that others
// are creating.
func TestWhoHasTheOldFileDoesNotFindTheNewOne(t *testing.T) {
	m := aside(t, func(c *serveConfig) { c.NoSync = true })
	creator, other := m.newClient(), m.newClient()
	creator.write("a.json", `{"v":1}`)
	other.do("(r := os.open('a.json', os.O_RDONLY))")
	creator.do("(os.unlink('a.json'), w := os.open('a.json', os.O_WRONLY|os.O_CREAT|os.O_EXCL)) and None")
	other.want(`"ENOENT"`, "os.stat('a.json').st_size")
	other.want(`[]`, "os.listdir('.')")
	creator.want(`0`, "os.stat('a.json').st_size")
	creator.do("os.close(w)")
	other.want(`[0,true]`, "[os.stat('a.json').st_size, os.stat('a.json').st_ino != os.fstat(r).st_ino]")
}

// A file of another file system may have the number of the registry that is being created: it
// lets nobody find that registry.
func TestAFileElsewhereIsAnother(t *testing.T) {
	m := aside(t, func(c *serveConfig) { c.NoSync = true })
	creator, other := m.newClient(), m.newClient()
	creator.do("(w := os.open('a.json', os.O_WRONLY|os.O_CREAT|os.O_EXCL))")
	other.do("(r := os.open(%q, os.O_RDONLY))", m.behind("a.json"))
	creator.want(other.eval("os.fstat(r).st_ino"), "os.fstat(w).st_ino")
	other.want(`"ENOENT"`, "os.stat('a.json').st_size")
	other.want(`[]`, "os.listdir('.')")
	creator.do("(os.write(w, b'[]'), os.close(w)) and None")
	other.want(`2`, "os.stat('a.json').st_size")
}
