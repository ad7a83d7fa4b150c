package mounttest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Times (§3): the ways of programs to keep a file's modification time, or to give it another
// one, have the same effect on a mount as in a bare directory. Each script prints the state
// that it sees in the end.
func TestTimesAsInABareDirectory(t *testing.T) {
	t.Parallel()
	need(t, "rsync", "python3", "node")
	const old = `mkdir -p ../src; echo '{"a":1}' > ../src/a.json; touch -d '2020-01-02 03:04:05.678' ../src/a.json; `
	const differs = `stat -c %%Y.%%y a.json > ../before; sleep 0.03; %s; [ "$(stat -c %%Y.%%y a.json)" != "$(cat ../before)" ] && echo another`
	for name, script := range map[string]string{
		"cp -p":                     old + `cp -p ../src/a.json a.json; stat -c %y a.json`,
		"cp -p over another":        old + `echo '[2]' > a.json; cp -p ../src/a.json a.json; stat -c %y a.json; cat a.json`,
		"cp -p over the same":       old + `cp ../src/a.json a.json; cp -p ../src/a.json a.json; stat -c %y a.json`,
		"cp -a":                     old + `cp -a ../src d; stat -c %y d/a.json`,
		"tar":                       old + `tar cf - -C ../src a.json | tar xf -; stat -c %y a.json`,
		"install -p":                old + `install -p ../src/a.json a.json; stat -c %y a.json`,
		"rsync -a":                  old + `rsync -a ../src/ d/; stat -c %y d/a.json; rsync -ain ../src/ d/`,
		"rsync -a --inplace":        old + `rsync -a --inplace ../src/ d/; stat -c %y d/a.json; rsync -ain ../src/ d/`,
		"mv from elsewhere":         old + `cp -p ../src/a.json "${ELSEWHERE:?}/$$.json"; mv "${ELSEWHERE:?}/$$.json" a.json; stat -c %y a.json`,
		"mv":                        old + `cp -p ../src/a.json t; mv t a.json; stat -c %y a.json; mv a.json b.json; stat -c %y b.json`,
		"mv of the same":            old + `cp ../src/a.json a.json; cp -p ../src/a.json t; mv t a.json; stat -c %y a.json`,
		"touch -d":                  old + `cp ../src/a.json a.json; touch -d 2021-01-01 a.json; stat -c %y a.json`,
		"touch -d, of a descriptor": `exec 3> a.json; echo '{}' >&3; touch -d 2021-01-01 a.json; exec 3>&-; stat -c %y a.json`,
		"touch -d, the day after tomorrow, and a write": `echo 1 > a.json; touch -d '2 days' a.json; echo 2 > a.json; touch ../now; [ a.json -nt ../now ] || echo before`,
		"written again as it was":                       `echo 1 > a.json; ` + fmt.Sprintf(differs, `echo 1 > a.json`),
		"truncated to its length":                       `echo 1 > a.json; ` + fmt.Sprintf(differs, `truncate -s 2 a.json`),
		"emptied twice":                                 `: > a.json; ` + fmt.Sprintf(differs, `: > a.json`) + `; echo 1 > a.json`,
		"touched":                                       `echo 1 > a.json; ` + fmt.Sprintf(differs, `touch a.json`),
		"renamed onto":                                  `echo 1 > a.json; echo 2 > t; stat -c %y t > ../t; mv t a.json; stat -c %y a.json | cmp - ../t && echo same`,
		"set before it is written": pythonScript(`
f = os.open('a.json', os.O_RDWR | os.O_CREAT, 0o600)
os.utime(f, (5, 5))
os.write(f, b'[1]')
os.close(f)
print(os.stat('a.json').st_mtime > 1000)`),
		"set by the handle, then told by it": pythonScript(`
f = os.open('a.json', os.O_RDWR | os.O_CREAT, 0o600)
os.write(f, b'[1]')
os.utime(f, (5, 7))
print(os.fstat(f).st_mtime)
os.fsync(f)
print(os.fstat(f).st_mtime, os.stat('a.json').st_mtime)
os.close(f)
print(os.stat('a.json').st_mtime)`),
		"empty, and renamed while it is open": pythonScript(`
def times(name):
    s = os.stat(name)
    return s.st_mtime_ns, s.st_ctime_ns
for name in 'a.json', 't':
    open(name, 'x').close()
    f = os.open(name, os.O_RDWR)
    os.rename(name, 'b.json')
    before = times('b.json')
    os.close(f)
    print(times('b.json') == before)
    os.unlink('b.json')`),
		"empty, and renamed onto an empty one": `for f in t b.json; do touch -d 2021-01-01 a.json; touch -d 2022-02-02 $f; mv $f a.json; stat -c %y a.json; done; ls; rm a.json`,
		"set by the handle of what was emptied again": pythonScript(`
f = os.open('a.json', os.O_RDWR | os.O_CREAT, 0o600)
os.write(f, b'[1]')
os.ftruncate(f, 0)
os.utime(f, (5, 7))
os.close(f)
print(os.stat('a.json').st_mtime)
open('a.json', 'w').write('[1]')`),
		"told by the handle while it is written": pythonScript(`
open('a.json', 'w').write('[1]')
os.utime('a.json', (5, 5))
f = os.open('a.json', os.O_RDWR | os.O_TRUNC)
print(os.fstat(f).st_mtime > 1000)
os.write(f, b'[2]')
print(os.fstat(f).st_mtime > 1000)
os.close(f)
print(os.stat('a.json').st_mtime > 1000)`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bare := newDir(t)
			want := succeed(t, bare, bash(script))
			m := newMount(t)
			if got := succeed(t, m.dir, bash(script)); got != want || want == "" {
				t.Errorf("on the mount:\n%s\nin a bare directory:\n%s", got, want)
			}
		})
	}
}

// pythonScript is a shell's command that runs a Python program.
func pythonScript(text string) string { return "python3 - <<'END'\nimport os\n" + text + "\nEND\n" }

// A time that was set counts for the bytes that it was set for: a merge with the content of
// others has a new one.
func TestMergedVersionHasTimeOfItsCommit(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	write(t, m.dir, "a.json", `{"a":1,"b":1}`)
	script := pythonScript(`
import subprocess
f = os.open('a.json', os.O_RDWR)
os.read(f, 100)
subprocess.run(['python3', '-c', "import re; s = open('a.json').read(); open('a.json', 'w').write(s.replace('\"b\":1', '\"b\":2'))"], check=True)
os.pwrite(f, b'{"a":2,"b":1}', 0)
os.utime(f, (5, 5))
os.close(f)
print(open('a.json').read(), os.stat('a.json').st_mtime > 1000)`)
	if got := succeed(t, m.dir, bash(script)); got != "{\"a\":2,\"b\":2} True\n" {
		t.Error(got)
	}
}

// The times that were set are those of the files underneath, too.
func TestTimesOutliveTheMount(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	succeed(t, m.dir, bash(`echo '{"a":1}' > ../s; touch -d @1600000000 ../s; cp -p ../s a.json; cp -p ../s t; mv t b.json`))
	m.unmount()
	for _, name := range []string{"a.json", "b.json"} {
		info, err := os.Stat(filepath.Join(m.dir, name))
		if err != nil || info.ModTime().Unix() != 1600000000 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}
