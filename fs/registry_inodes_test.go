package fs

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"golang.org/x/sys/unix"

	"clawfs/fs/process/processtest"
)

// Each descriptor is told the size of the version that it shows, in one process too, while it
// is in the middle of it, else that of the newest version; and all of a registry are one file.
func TestEachDescriptorHasItsSize(t *testing.T) {
	m := aside(t)
	reader, writer := m.newClient(), m.newClient()
	writer.write("a.json", `{"v":1,"much":"longer"}`)
	reader.do("(long := os.open('a.json', os.O_RDONLY), os.read(long, 1)) and None")
	writer.write("a.json", `{}`)
	reader.do("(short := os.open('a.json', os.O_RDONLY), os.read(short, 1)) and None")
	writer.write("a.json", `{"v":3}`)
	reader.want(`[23,2,7]`, "[os.fstat(long).st_size, os.fstat(short).st_size, os.stat('a.json').st_size]")
	reader.want(`1`, "len({os.fstat(long).st_ino, os.fstat(short).st_ino, os.stat('a.json').st_ino, *[e.inode() for e in os.scandir('.')]})")
	const withBirth = "__import__('subprocess').check_output(['stat', '-L', '-c', '%%i %%W', '/proc/self/fd/0'], stdin=fd).split()[0].decode()"
	reader.want(`1`, "len({str(os.fstat(long).st_ino), *["+withBirth+" for fd in (long, short)]})")
	reader.want(`[22,1]`, "[len(os.read(long, 100)), len(os.read(short, 100))]")
	reader.want(`[7,7,7]`, "[os.fstat(long).st_size, os.fstat(short).st_size, os.stat('a.json').st_size]")
	reader.want(`[7,7]`, "[len(os.pread(long, 100, 0)), len(os.pread(short, 100, 0))]")
	reader.want(`[7,7]`, "[os.lseek(long, 0, os.SEEK_END), os.lseek(short, 0, os.SEEK_END)]")
}

// A descriptor shows the time of its version: a program that keeps the content read by that
// time looks again when the registry has changed.
func TestEachDescriptorHasItsTime(t *testing.T) {
	m := aside(t)
	reader, writer := m.newClient(), m.newClient()
	writer.write("a.json", `{"v":1}`)
	reader.do("(r := os.open('a.json', os.O_RDONLY), t := os.stat('a.json').st_mtime_ns, os.read(r, 1)) and None")
	writer.write("a.json", `{"v":2}`)
	reader.want(`true`, "os.fstat(r).st_mtime_ns == t < os.stat('a.json').st_mtime_ns")
	reader.want(`"\"v\":1}"`, "os.read(r, 100)")
	reader.want(`true`, "t < os.fstat(r).st_mtime_ns == os.stat('a.json').st_mtime_ns")
	reader.want(`"{\"v\":2}"`, "os.pread(r, 100, 0)")
}

// An attribute that is set by one inode of a registry shows at once on the others, if they
// stand for the same version.
func TestMetadataIsTheSameOnAllDescriptors(t *testing.T) {
	m := aside(t, func(c *serveConfig) { c.NoSync = true })
	c := m.newClient()
	c.write("a.json", `{"v":1}`)
	c.do("(r := os.open('a.json', os.O_RDONLY), w := os.open('a.json', os.O_WRONLY))")
	for i := range 50 {
		mode, time := 0o600+i%2*0o044, 1_000_000_000*(i+1)
		c.do("(p := os.open('a.json', os.O_PATH), os.fchmod(w, %d), os.utime(w, ns=(1, %d)), s := [os.fstat(p), os.fstat(r), os.fstat(w), os.stat('a.json')], os.close(p)) and None", mode, time)
		c.want(jsonOf(t, []int{mode, time}), "sum(sorted({(x.st_mode & 0o777, x.st_mtime_ns) for x in s}), ())")
	}
	c.do("os.utime(r, ns=(1, 77))")
	c.want(`77`, "os.fstat(r).st_mtime_ns")
}

// Nobody is told of the version before, once a commit is acknowledged: after any answer
// that the kernel got shortly before, for a commit by any inode, and for every way to find
// the file.
func TestNothingStaleIsTold(t *testing.T) {
	m := aside(t, func(c *serveConfig) { c.NoSync = true })
	c := m.newClient()
	c.write("a.json", `{"v":0}`)
	c.do("(path := __import__('pathlib').Path('a.json'), temporary := path.with_name('t')) and None")
	commits := []string{
		"path.write_text(%[1]s)",
		"(temporary.write_text(%[1]s), p := os.open('a.json', os.O_PATH), os.replace(temporary, path))",
		"(os.pwrite(w, %[1]s.encode(), 0), os.ftruncate(w, %[2]d), p := os.open('a.json', os.O_PATH), os.fsync(w))",
	}
	for i := range 300 {
		c.do("(w := os.open('a.json', os.O_WRONLY))")
		content := jsonOf(t, map[string]any{"v": i + 1, "more": fmt.Sprint(i) + strings.Repeat("x", i%5)})
		c.do("(p := os.open('a.json', os.O_PATH), before := os.stat('a.json'), "+commits[i%3]+", s := [os.fstat(p), os.stat('a.json')]) and None", jsonOf(t, content), len(content))
		c.do("os.close(w)")
		c.want(jsonOf(t, []int{len(content), len(content)}), "[x.st_size for x in s]")
		c.want(`[1,true]`, "[len({x.st_mtime_ns for x in s}), s[0].st_mtime_ns > before.st_mtime_ns]")
		c.want(jsonOf(t, content), "[r := os.open(f'/proc/self/fd/{p}', os.O_RDONLY), os.pread(r, os.fstat(r).st_size, 0), os.close(r), os.close(p)][1]")
	}
}

// The kernel cuts copy_file_range to the size that it has of an inode.
func TestCopyOfAnOlderVersionIsWhole(t *testing.T) {
	m := aside(t)
	reader, writer := m.newClient(), m.newClient()
	for _, next := range []string{`{}`, `{"v":1,"even":"much longer than that"}`, `{"v":2,"much":"larger"}`} {
		writer.write("a.json", `{"v":1,"much":"longer"}`)
		reader.do("(r := os.open('a.json', os.O_RDONLY), c := os.open('copy', os.O_RDWR|os.O_CREAT|os.O_TRUNC))")
		writer.write("a.json", next)
		writer.do("os.stat('a.json').st_size")
		reader.do("os.stat('a.json').st_size")
		reader.want(`[23,0]`, "[os.copy_file_range(r, c, 1000), os.copy_file_range(r, c, 1000)]")
		reader.want(`"{\"v\":1,\"much\":\"longer\"}"`, "os.pread(c, 1000, 0)")
		reader.do("[os.close(r), os.close(c)]")
	}
}

// The pages of a mapping belong to the inode: no two versions may share one.
func TestMappingShowsItsVersion(t *testing.T) {
	m := aside(t)
	first, second, writer := m.newClient(), m.newClient(), m.newClient()
	const mapped = "(f := open('a.json'), m := __import__('mmap').mmap(f.fileno(), 0, prot=1))"
	writer.write("a.json", `{"v":1}`)
	first.do(mapped + " and None")
	writer.write("a.json", `{"v":2}`)
	second.do(mapped + " and None")
	second.want(`"{\"v\":2}"`, "m[:]")
	first.want(`"{\"v\":1}"`, "m[:]")
}

// A descriptor that is opened anew by way of /proc is not looked up.
func TestOpenedAnewByDescriptor(t *testing.T) {
	m := aside(t)
	reader, writer := m.newClient(), m.newClient()
	writer.write("a.json", `{"v":1}`)
	reader.do("(r := os.open('a.json', os.O_RDONLY))")
	writer.write("a.json", `{"v":2,"more":2}`)
	reader.want(`"{\"v\":2,\"more\":2}"`, "os.pread(os.open(f'/proc/self/fd/{r}', os.O_RDONLY), 100, 0)")
	reader.do("(w := os.open(f'/proc/self/fd/{r}', os.O_WRONLY|os.O_TRUNC), os.write(w, b'{}'), os.close(w))")
	wantFile(t, m.behind("a.json"), `{}`)
	reader.want(`"{}"`, "os.pread(r, 100, 0)")
}

// A file counts no longer for the size that its process is told, once the process has closed its last
// descriptor, though the kernel tells the end of the file later: here as it is mapped.
func TestClosedFileIsToldNoMore(t *testing.T) {
	m := aside(t)
	c := m.newClient()
	c.write("a.json", `{"v":1}`)
	c.do("(libc := __import__('ctypes').CDLL(None), r := os.open('a.json', os.O_RDWR), os.write(r, b'{\"v\":11}'), d := os.dup(r)) and None")
	c.do("(libc.mmap(None, 4096, 1, 2, r, 0), os.close(r)) and None")
	c.do("(w := os.open('a.json', os.O_WRONLY|os.O_TRUNC))")
	c.want("8", "os.fstat(w).st_size") // it may be about d
	c.do("os.close(d)")
	c.want("0", "os.fstat(w).st_size")
	c.do("(os.write(w, b'{}'), os.close(w))")
	wantFile(t, m.behind("a.json"), `{}`)
}

// A descriptor that stands for the name, and shows no content, tells of the head, as
// does a single file that is mounted into a container.
func TestSizeByAName(t *testing.T) {
	m := aside(t)
	looker, writer := m.newClient(), m.newClient()
	writer.write("a.json", `{"v":1}`)
	write := func(content string) { writer.write("a.json", content) }
	replace := func(content string) {
		writer.write("a.tmp", content)
		writer.do("os.rename('a.tmp', 'a.json')")
	}
	for i, commit := range []func(string){write, replace} {
		looker.do("(p := os.open('a.json', os.O_PATH))")
		for _, more := range []string{"", "more"} {
			next := jsonOf(t, map[string]any{"by": i, "text": more})
			commit(next)
			looker.want(jsonOf(t, len(next)), "os.fstat(p).st_size")
			looker.want(jsonOf(t, next), "[r := os.open(f'/proc/self/fd/{p}', os.O_RDONLY), os.pread(r, 100, 0), os.close(r)][1]")
		}
	}
}

// A lock belongs to the inode. There must be one inode as long as somebody has the
// lock, and one for all that have opened it in order to write; however many locks
// there are elsewhere.
func TestLockIsOnTheName(t *testing.T) {
	others := filepath.Join(t.TempDir(), "others")
	const flock, tryFlock = "__import__('fcntl').flock(%s, 2)", "__import__('fcntl').flock(%s, 2|4)"
	for name, how := range map[string]string{"to read": "os.O_RDONLY", "to write": "os.O_RDWR", "to append": "os.O_WRONLY|os.O_APPEND"} {
		t.Run(name, func(t *testing.T) {
			m := aside(t)
			holder, other, writer := m.newClient(), m.newClient(), m.newClient()
			writer.write("a.json", `{"v":1}`)
			holder.do("(h := os.open('a.json', %s))", how)
			holder.do(flock+" and None", "h")
			processtest.HoldLocksBefore(t, others, 130)
			for _, content := range []string{`{"v":1,"more":1}`, `{}`} {
				writer.write("a.json", content)
				other.do("(o := os.open('a.json', %s))", how)
				other.want(`"EAGAIN"`, tryFlock, "o")
				other.do("os.close(o)")
			}
			holder.do("os.close(h)")
			other.do("(o := os.open('a.json', %s))", how)
			other.want(`null`, tryFlock, "o")
		})
	}
}

// A lock keeps out all programs that open the registry then, though somebody has it open for
// reading and so has another inode than its writers.
func TestLockBesideAReader(t *testing.T) {
	const flock, tryFlock = "__import__('fcntl').flock(%s, 2)", "__import__('fcntl').flock(%s, 2|4)"
	const inherited = "__import__('subprocess').run(['flock', str(h)], pass_fds=[h]).returncode"
	m := aside(t)
	holder, other, reader, writer := m.newClient(), m.newClient(), m.newClient(), m.newClient()
	for _, held := range []string{"RDWR", "RDONLY", "WRONLY|os.O_APPEND"} {
		for _, wanted := range []string{"RDWR", "RDONLY", "WRONLY"} {
			for _, lock := range []string{fmt.Sprintf(flock, "h"), inherited} {
				writer.write("a.json", `{"v":1}`)
				reader.do("(r := os.open('a.json', os.O_RDONLY)) and os.read(r, 100) and None")
				holder.do("(h := os.open('a.json', os.O_%s))", held)
				holder.do("%s and None", lock)
				for range 2 {
					other.do("(o := os.open('a.json', os.O_%s))", wanted)
					if got := other.eval(tryFlock, "o"); got != `"EAGAIN"` {
						t.Errorf("held by a descriptor open %s, wanted by one open %s: %s", held, wanted, got)
					}
					other.do("os.close(o)")
				}
				reader.want(`"{\"v\":1}"`, "os.pread(r, 100, 0)")
				holder.do("os.close(h)")
				other.do("(o := os.open('a.json', os.O_%s))", wanted)
				other.want(`null`, tryFlock, "o")
				other.do("os.close(o)")
				reader.do("os.close(r)")
			}
		}
	}
}

// A lock keeps out every later opener of the registry. It does so with any version that its
// holder has open, and though others have opened the registry in between.
func TestLockOnAnOlderVersion(t *testing.T) {
	m := aside(t)
	holder, other, writer := m.newClient(), m.newClient(), m.newClient()
	writer.write("a.json", `{"v":1}`)
	holder.do("(h := os.open('a.json', os.O_RDONLY)) and os.read(h, 100) and None")
	writer.write("a.json", `{"v":2}`)
	other.do("(n := os.open('a.json', os.O_RDONLY)) and os.read(n, 100) and None")
	holder.do("__import__('fcntl').flock(h, 2)")
	for _, wanted := range []string{"RDONLY", "RDWR"} {
		other.do("(o := os.open('a.json', os.O_%s))", wanted)
		other.want(`"EAGAIN"`, "__import__('fcntl').flock(o, 2|4)")
		other.want(`"{\"v\":2}"`, "os.pread(o, 100, 0)")
		other.do("os.close(o)")
	}
	holder.do("os.close(h)")
	other.do("(o := os.open('a.json', os.O_RDWR))")
	other.want(`null`, "__import__('fcntl').flock(o, 2|4)")
}

// Where the holder of a lock can't be found, since it has the descriptor from others that have
// ended or closed it, the lock counts as a lock of the writers. Otherwise two would have it.
func TestLockOfAnUnknownHolder(t *testing.T) {
	m := aside(t)
	holder, other, reader := m.newClient(), m.newClient(), m.newClient()
	holder.write("a.json", `{"v":1}`)
	reader.do("(r := os.open('a.json', os.O_RDONLY)) and os.read(r, 100) and None")
	holder.do("(h := os.open('a.json', os.O_RDWR))")
	holder.do("(child := __import__('subprocess').Popen(['bash', '-c', 'flock 9; { echo; read; } <&0 & exit'," +
		" '9'], stdin=-1, stdout=-1, preexec_fn=lambda: os.dup2(h, 9), pass_fds=[9])) and child.stdout.readline() and child.wait()")
	holder.do("os.close(h)")
	other.do("(o := os.open('a.json', os.O_RDWR))")
	other.want(`"EAGAIN"`, "__import__('fcntl').flock(o, 2|4)")
	holder.do("child.stdin.close()")
	other.want(`null`, "__import__('fcntl').flock(o, 2)")
}

// The kernel may have told a size from a look-up until it is told that it may not any more. The
// daemon hears nothing of that. A size that it told long ago is none to read by.
func TestWhatTheKernelMayHaveTold(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		given       bool
		used, since time.Time
		want        bool
	}{
		{true, time.Time{}, now, true},
		{false, now, now.Add(-time.Millisecond), true},
		{false, now, now.Add(time.Millisecond), false},
		{false, now.Add(-2 * sizedReading), now.Add(-3 * sizedReading), false},
		{false, time.Time{}, now, false},
	} {
		n := &node{}
		n.as.granted, n.as.used = c.given, c.used
		if got := new(registryTable).mayHaveTold(n, c.since); got != c.want {
			t.Errorf("given %t, used until %v, since %v: %t", c.given, c.used.Sub(now), c.since.Sub(now), got)
		}
	}
}

// The kernel is told of a change however long ago it was told that it may use the facts it
// has: a program that has looked up may have been kept from going on.
func TestKernelIsToldOfAChangeLater(t *testing.T) {
	in := &registryNode{granted: true}
	time.Sleep(100 * time.Millisecond)
	if since := time.Now(); !in.revokeCache() || in.revokeCache() || in.used.Before(since) {
		t.Errorf("given: %t, used until %v before the change", in.granted, since.Sub(in.used))
	}
}

// A look at a registry's name may be overtaken by a replacement and by a look at the new
// file. The former number that it has found is not taken for the present one: the nodes
// of the file that has the name would be taken for those of a file that is gone.
func TestOvertakenLookTurnsNothingBack(t *testing.T) {
	const former, present = 7, 8
	fsys := &fileSystem{}
	dir := &node{fsys: fsys, id: fusefs.StableAttr{Ino: 1}}
	table := &fsys.registries
	table.init()
	r := table.make(dir, "a.json", former)
	late := &named{dir: dir, base: "a.json", number: former, turns: table.turns.Load()}
	table.turn(r, present)
	n := &node{fsys: fsys}
	n.all.Store(r)
	n.number.Store(present)
	r.nodes, r.current = []*node{n}, n
	r.last.Store(&unix.Statx_t{Ino: present, Nlink: 1})
	if got, err := table.lookUp(t.Context(), late, func() bool { return false }); got != nil || err != errOvertaken {
		t.Errorf("found %v, %v", got, err)
	}
	if r.number != present || r.current != n || n.left.Load() != nil {
		t.Errorf("the number is %d, the node left with %+v", r.number, n.left.Load())
	}
	looks := 0
	_, err := table.lookUpNow(t.Context(), func() (*named, error) {
		if looks++; looks == 1 {
			return late, nil
		}
		return nil, unix.ENOENT
	}, func() bool { return false })
	if looks != 2 || err != unix.ENOENT {
		t.Errorf("after a look that was overtaken %d looks were made: %v", looks, err)
	}
	for what, at := range map[string]*named{
		"one that has found the present number":           {dir: dir, base: "a.json", number: present, turns: late.turns},
		"one that has begun after that and finds another": {dir: dir, base: "a.json", number: former, turns: table.turns.Load()},
		"one of another registry":                         {dir: dir, base: "b.json", number: former, turns: late.turns},
	} {
		if table.isOvertaken(at) {
			t.Errorf("a look is overtaken: %s", what)
		}
	}
}
