package fs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// numbersProgram prints the facts about files that programs find by comparing inode
// numbers. It prints the same in a bare directory and on a mount.
const numbersProgram = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def number(name): return os.lstat(name).st_ino
def say(what, *facts): print(what, *facts, flush=True)
def put(name, text, flags=0):
    fd = os.open(name, os.O_WRONLY|os.O_CREAT|os.O_TRUNC|flags, 0o644); os.write(fd, text.encode()); return fd
def same(*numbers): return len(set(numbers)) == 1
def listed():
    bad = [e.name for e in os.scandir('.') if e.inode() != number(e.name)]
    names = [e.name for e in os.scandir('.')]
    say('listed', sorted(bad), len(names) == len({number(n) for n in names}))
small = lambda *n: all(x < 2**53 for x in n)

# temporary file and rename, onto a name that is free, one that is not, and the same content again
for i, text in enumerate(['1', '2', '3', '3', '3']):
    fd = put('t.tmp', text, os.O_EXCL)
    before, named, old = os.fstat(fd).st_ino, number('t.tmp'), i and number('a.json')
    os.rename('t.tmp', 'a.json')
    say('rename', i, same(before, named, os.fstat(fd).st_ino, number('a.json')), old == number('a.json'), small(before))
    os.close(fd)
    listed()

# in place, by each way to open
n = number('a.json')
for how in ('w', 'r+', 'a'):
    with open('a.json', how) as f:
        inside = os.fstat(f.fileno()).st_ino
        if how == 'w': f.write('{"v":1}')
        if how == 'r+': f.write('{"v":2}')
        if how == 'a': f.write(' ')
    with open('a.json') as f: say('in place', how, same(n, inside, number('a.json'), os.fstat(f.fileno()).st_ino))
os.truncate('a.json', 7)
say('truncate', n == number('a.json'))
os.utime('a.json', (1, 1)); os.chmod('a.json', 0o600)
say('metadata', n == number('a.json'))

# a descriptor of what was replaced is of another file than the name, and stays so
kept = os.open('a.json', os.O_RDONLY); writer = os.open('a.json', os.O_RDWR)
seen = [n]
for i in range(20):
    os.close(put('t.tmp', str(i))); os.rename('t.tmp', 'a.json')
    seen.append(number('a.json'))
    say('kept open', same(n, os.fstat(kept).st_ino, os.fstat(writer).st_ino), n in seen[1:], seen[-1] == seen[-2])
    with open('a.json') as r, open('a.json', 'r+') as w:
        say('opened after', same(number('a.json'), os.fstat(r.fileno()).st_ino, os.fstat(w.fileno()).st_ino))
os.close(kept); os.close(writer)

# to other names and back
for to in ('b.json', 'plain', 'a.json', 'plain.bak', 'c.json', 'a.json'):
    n = number(name) if 'name' in dir() else number('a.json')
    os.rename(name if 'name' in dir() else 'a.json', to)
    name = to
    fd = os.open(name, os.O_RDONLY)
    say('moved to', to, same(n, number(to), os.fstat(fd).st_ino))
    os.close(fd)
    listed()
os.close(put('b.json', '5'))
a, b = number('a.json'), number('b.json')
os.rename('b.json', 'a.json')
say('registry onto registry', number('a.json') == b, a == b)
os.close(put('b.json', '6'))
say('made anew', number('b.json') == number('a.json'))
listed()
a, b = number('a.json'), number('b.json')
libc.renameat2(-100, b'a.json', -100, b'b.json', 2)
say('exchanged', number('a.json') == b, number('b.json') == a)
os.mkdir('d'); os.rename('a.json', 'd/a.json'); os.rename('d', 'e')
say('below a directory that was renamed', number('e/a.json') == b)
os.rename('e/a.json', 'a.json'); os.rmdir('e')

# created: the number is the same before and after it is there for all
fd = os.open('new.json', os.O_WRONLY|os.O_CREAT|os.O_EXCL, 0o600)
n = os.fstat(fd).st_ino
os.write(fd, b'{}'); os.fsync(fd)
say('created', same(n, number('new.json'), os.fstat(fd).st_ino))
os.write(fd, b' '); os.close(fd)
say('created', n == number('new.json'))
listed()

# empty files have numbers, too, and keep them when they are filled
os.close(put('e.tmp', '')); n = number('e.tmp'); os.rename('e.tmp', 'e.json')
say('empty', n == number('e.json'))
old = os.open('e.json', os.O_RDONLY); os.close(put('e.tmp', '')); m = number('e.tmp'); os.rename('e.tmp', 'e.json')
say('empty onto empty', m == number('e.json'), n == os.fstat(old).st_ino, m == n); os.close(old)
r, w, x = (os.open('e.json', how | os.O_CREAT) for how in (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY))
say('open', same(m, *[os.fstat(f).st_ino for f in (r, w, x)])); os.write(w, b'{}'); os.close(w)
say('filled', same(m, number('e.json'), *[os.fstat(f).st_ino for f in (r, x)])); os.close(x)
os.close(put('e.tmp', '[]')); m = number('e.tmp'); os.close(os.open('f.json', os.O_WRONLY|os.O_CREAT)); n = number('f.json')
kept = os.open('f.json', os.O_RDONLY); os.rename('e.tmp', 'f.json')
say('onto empty', m == number('f.json'), n == os.fstat(kept).st_ino, m == n); os.close(kept)
os.close(os.open('g.json', os.O_WRONLY|os.O_CREAT)); n = number('g.json'); os.rename('g.json', 'h.json')
say('empty to another name', n == number('h.json')); os.close(os.open('j.json', os.O_WRONLY|os.O_CREAT)); os.rename('h.json', 'j.json')
say('empty onto another one', n == number('j.json'), os.path.exists('h.json'))
fd = os.open('.', os.O_TMPFILE|os.O_WRONLY, 0o600); n = os.fstat(fd).st_ino
libc.linkat(-100, b'/proc/self/fd/%d' % fd, -100, b'i.json', 0x400)
say('empty by link', same(n, number('i.json'), os.fstat(fd).st_ino)); os.close(fd); os.close(r)
listed()

# a first name by link, and a second one that goes again
fd = os.open('.', os.O_TMPFILE|os.O_WRONLY, 0o600); os.write(fd, b'[]')
n = os.fstat(fd).st_ino
libc.linkat(-100, b'/proc/self/fd/%d' % fd, -100, b'linked.json', 0x400)
say('first name', same(n, number('linked.json'), os.fstat(fd).st_ino)); os.close(fd)
fd = put('t.tmp', '[1]'); n = os.fstat(fd).st_ino
os.link('t.tmp', 'second.json')
say('link', same(n, number('second.json'), number('t.tmp'), os.fstat(fd).st_ino))
os.unlink('t.tmp')
say('unlink', same(n, number('second.json'), os.fstat(fd).st_ino)); os.close(fd)
listed()

# hundreds of temporary files
live = {}
for i in range(300):
    name = 'r%d.json' % (i % 7)
    t = '.%s.%d.tmp' % (name, i)
    fd = put(t, '{"i":%d}' % i); os.close(fd)
    n = number(t)
    if n in live.values(): say('the number of', [k for k in live if live[k] == n], 'for', t)
    os.rename(t, name)
    live[name] = number(name)
    if n != number(name): say('lost its number', name)
    if i % 3 == 0:
        with open(name, 'w') as f: f.write('{"j":%d}' % i)
        if n != number(name): say('lost its number in place', name)
    if i % 11 == 0:
        os.unlink(name); del live[name]
    for k in live:
        if number(k) != live[k]: say('changed', k)
    if len(set(live.values())) != len(live): say('twice', live)
listed()
say('small', small(*[e.inode() for e in os.scandir('.')]))
`

// Programs that compare inode numbers find the same facts on a mount as in a bare
// directory.
func TestNumbersAsInABareDirectory(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	find := func(dir string) string {
		cmd := exec.Command(python, "-c", numbersProgram)
		cmd.Dir = dir
		return run(t, cmd)
	}
	// A bare directory may use a number again at once.
	bare := strings.ReplaceAll(find(scratch(t)), "kept open True False True", "kept open True False False")
	m := aside(t, func(c *serveConfig) { c.NoSync = true })
	if got := find(m.dir); got != bare {
		t.Errorf("on a mount:\n%s", difference(bare, got))
	}
}

// difference returns the lines that differ.
func difference(want, got string) string {
	var b strings.Builder
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		line := func(s []string) string {
			if i < len(s) {
				return s[i]
			}
			return "(none)"
		}
		if line(w) != line(g) {
			fmt.Fprintf(&b, "%d: %s\n    bare: %s\n", i+1, line(g), line(w))
		}
	}
	return b.String()
}

// A registry that was removed and is made anew is another file.
func TestMadeAnewHasAnotherNumber(t *testing.T) {
	m := aside(t, func(c *serveConfig) { c.NoSync = true })
	c := m.newClient()
	c.write("a.json", "1")
	c.do("(seen := {os.stat('a.json').st_ino}) and None")
	for range 20 {
		c.do("(os.unlink('a.json'), w := os.open('a.json', os.O_WRONLY|os.O_CREAT|os.O_EXCL), n := os.fstat(w).st_ino, os.write(w, b'2'), os.close(w)) and None")
		c.want("[false,true]", "[n in seen, n == os.stat('a.json').st_ino]")
		c.do("seen.add(n)")
	}
}

// Node tells the same numbers, and can: it knows none above 2^53.
func TestNumbersInNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip(err)
	}
	const program = `
const fs = require('fs')
for (let i = 0; i < 5; i++) {
  const fd = fs.openSync('t.tmp', 'wx'), before = fs.fstatSync(fd).ino
  fs.writeSync(fd, '{"i":' + i + '}'); fs.fsyncSync(fd)
  fs.renameSync('t.tmp', 'a.json')
  const s = fs.statSync('a.json'), after = fs.fstatSync(fd)
  console.log(before === s.ino, after.ino === s.ino, after.dev === s.dev, Number.isSafeInteger(s.ino), BigInt(s.ino) === fs.statSync('a.json', {bigint: true}).ino)
  fs.closeSync(fd)
  fs.writeFileSync('a.json', '{"i":"in place"}')
  console.log(fs.statSync('a.json').ino === s.ino, fs.lstatSync('a.json').ino === s.ino)
}`
	m := aside(t)
	for _, dir := range []string{scratch(t), m.dir} {
		cmd := exec.Command(node, "-e", program)
		cmd.Dir = dir
		want := strings.Repeat("true true true true true\ntrue true\n", 5)
		if got := run(t, cmd); got != want {
			t.Errorf("%s:\n%s", dir, got)
		}
	}
}

// mv refuses to move a file onto itself, which it tells by the number.
func TestMoveNeverFindsTheSameFile(t *testing.T) {
	m := aside(t, func(c *serveConfig) { c.NoSync = true })
	m.shell(`for i in $(seq 60); do
		for name in a b c; do echo "{\"$name\":$i}" > $name.tmp.$i; mv $name.tmp.$i $name.json; done
		cp a.json x.tmp; mv x.tmp b.json; cp c.json y.json; mv y.json a.json; mv b.json z.bak; mv z.bak b.json
		cmp -s a.json c.json
	done`)
}

// tail finds out by the number that the file of its name is another one.
func TestTailFollowsTheName(t *testing.T) {
	for where, dir := range map[string]string{"bare": scratch(t), "mount": aside(t).dir} {
		cmd := exec.Command("bash", "-euc", `
			echo '{"n":0}' > state.json
			tail -n +1 -s 0.05 --max-unchanged-stats=1 -F state.json > tail.out 2> /dev/null & follower=$!
			trap 'kill $follower' EXIT
			for i in 1 2 3; do
				for _ in $(seq 200); do grep -q "\"n\":$((i-1))" tail.out 2> /dev/null && break; sleep 0.05; done
				echo "{\"n\":$i}" > t.tmp; mv t.tmp state.json
			done
			for _ in $(seq 200); do grep -q '"n":3' tail.out 2> /dev/null && break; sleep 0.05; done
			cat tail.out`)
		cmd.Dir = dir
		if got := run(t, cmd); got != "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n" {
			t.Errorf("%s: %q", where, got)
		}
	}
}

// A registry has its number after a crash of the daemon and after a new mount; a plain
// file, if it was not given one, has that of the backing file all the time.
func TestNumbersOutliveADaemon(t *testing.T) {
	m := inPlace(t)
	m.shell(`
		touch plain; mkdir d # while no number is anybody else's
		for i in 1 2 3; do echo "$i" > t.tmp; mv t.tmp a.json; echo "{\"v\":$i}" > a.json; done
		echo 1 > b.json; mv a.json moved.bak; echo 4 > t.tmp; mv t.tmp a.json; echo 1 > d/c.json; echo 2 > d/c.json
		echo x > young.tmp`)
	const list = `stat -c '%n %i' a.json b.json moved.bak d d/c.json plain young.tmp; ls -i | sort -k 2`
	before := m.shell(list)
	m.kill()
	m = mountOn(t, m.dir, m.dir)
	if after := m.shell(list); after != before {
		t.Errorf("after a crash:\n%s\nbefore:\n%s", after, before)
	}
	m.stop()
	unmounted := run(t, exec.Command("bash", "-c", "cd "+m.dir+" && stat -c %i plain d"))
	m = mountOn(t, m.dir, m.dir)
	if after := m.shell(list); after != before {
		t.Errorf("after a new mount:\n%s\nbefore:\n%s", after, before)
	}
	if mounted := m.shell("stat -c %i plain d"); mounted != unmounted {
		t.Errorf("plain: %s, unmounted %s", mounted, unmounted)
	}
	m.shell(`echo 5 > b.json; echo 6 > moved.bak; mv moved.bak b.json`)
}

// The daemon is killed while a program renames one temporary file after the other onto a
// registry, and writes it in place in between: the registry then has the number of the
// last one, or of the one that was on its way. That one, if it is still there, has
// another number.
func TestNumbersAfterKills(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	const program = `
import os
i, last = 0, os.stat('a.json').st_ino
try:
    while True:
        i += 1
        fd = os.open('t.tmp', os.O_WRONLY|os.O_CREAT|os.O_EXCL, 0o600)
        n = os.fstat(fd).st_ino
        os.write(fd, b'{"renamed":%d}' % i); os.close(fd)
        print(last, n, flush=True)
        os.rename('t.tmp', 'a.json')
        last = n
        if i % 3 == 0:
            with open('a.json', 'w') as f: f.write('{"in place":%d}' % i)
            print(last, last, flush=True)
except OSError: pass
`
	m := inPlace(t, func(c *serveConfig) { c.NoSync = true })
	m.shell(`echo 0 > a.json`)
	for round := range 8 {
		cmd := exec.Command(python, "-c", program)
		cmd.Dir = m.dir
		var out lockedBuffer
		cmd.Stdout, cmd.Stderr = &out, m.stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		await(t, "it renames", func() bool { return strings.Count(out.String(), "\n") > 10 })
		time.Sleep(time.Duration(round) * 17 * time.Millisecond)
		m.kill()
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, m.stderr)
		}
		lines := strings.Fields(out.String())
		m = mountOn(t, m.dir, m.dir)
		got := strings.TrimSpace(m.shell(`stat -c %i a.json`))
		if may := lines[len(lines)-2:]; got != may[0] && got != may[1] {
			t.Errorf("%d: it has the number %s, want one of %s", round, got, may)
		}
		if m.shell(`stat -c %i a.json t.tmp 2> /dev/null | sort | uniq -d; rm -f t.tmp`) != "" {
			t.Errorf("%d: a temporary file has the number of the registry", round)
		}
	}
}

// A change of a file behind the mount keeps or replaces its number as it does there.
func TestNumbersOfForeignChanges(t *testing.T) {
	m := aside(t)
	c := m.newClient()
	for range 3 {
		c.write("t.tmp", `{"v":1}`)
		c.do("os.rename('t.tmp', 'a.json')")
	}
	c.do("(n := os.stat('a.json').st_ino) and None")
	if err := os.WriteFile(m.behind("a.json"), []byte(`{"v":2}`), 0o644); err != nil {
		t.Fatal(err)
	}
	c.want(`[true,7]`, "[n == os.stat('a.json').st_ino, len(open('a.json').read())]")
	for i := range 30 {
		replacement := m.behind(fmt.Sprint("foreign", i))
		if err := os.WriteFile(replacement, fmt.Appendf(nil, `{"v":%d}`, i+3), 0o644); err != nil {
			t.Fatal(err)
		}
		c.do("(t := os.stat('foreign%d').st_ino) and None", i)
		if err := os.Rename(replacement, m.behind("a.json")); err != nil {
			t.Fatal(err)
		}
		c.want(`[true,false]`, "[t == os.stat('a.json').st_ino, n == os.stat('a.json').st_ino]")
		c.do("(n := os.stat('a.json').st_ino) and None")
	}
	c.end()
	copied := scratch(t)
	m.shell(`echo 1 > b.json; echo 2 > t.tmp; mv t.tmp b.json`)
	m.stop()
	run(t, exec.Command("cp", "-a", m.backing+"/.", copied))
	again := mountOn(t, copied, scratch(t))
	again.shell(`test $(ls -i a.json b.json | awk '{print $1}' | sort -u | wc -l) = 2; echo 3 > t.tmp; mv t.tmp a.json`)
}

// Names of one file: after a commit by one of them they are still names of one file.
func TestNumbersOfLinks(t *testing.T) {
	m := aside(t)
	got := m.shell(`
		echo 1 > a.json; ln a.json b.json; ln a.json c.bak
		same() { test $(stat -c %i "$@" | sort -u | wc -l) = 1 && echo same || echo differ; }
		same a.json b.json c.bak; stat -c %h a.json
		n=$(stat -c %i a.json); echo 2 > a.json
		same a.json b.json; same b.json c.bak; test $n = $(stat -c %i a.json) && echo kept
		test "$(ls -i a.json b.json c.bak)" = "$(stat -c '%i %n' a.json b.json c.bak)" && echo listed`)
	if want := "same\n3\nsame\nsame\nkept\nlisted\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A whole tree below is told by its number: another device, the tree below .clawfs,
// the root.
func TestNumbersElsewhere(t *testing.T) {
	needRoot(t)
	m := inPlace(t)
	m.shell(`mkdir other; echo 1 > a.json; echo 2 > a.json; ls -ai > /dev/null; echo x > .clawfs/x 2> /dev/null || true`)
	m.stop()
	if err := unix.Mount("none", filepath.Join(m.dir, "other"), "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(filepath.Join(m.dir, "other"), unix.MNT_DETACH) })
	m = mountOn(t, m.dir, m.dir)
	got := m.shell(`
		for i in $(seq 50); do touch other/f$i other.$i; done
		find . .clawfs -printf '%i\n' | sort | uniq -d | wc -l
		find . .clawfs -printf '%i\n' | awk '$1 >= 2^53' | wc -l
		cd other; ls -i | awk '{print $1, $2}' > ../listed; stat -c '%i %n' * | cmp - ../listed && echo agree`)
	if got != "0\n0\nagree\n" {
		t.Errorf("%q", got)
	}
}
