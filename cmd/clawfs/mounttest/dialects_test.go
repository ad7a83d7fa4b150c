package mounttest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// dialectPrograms keep files by the name *.json that are no strict document, each in its
// own way. They print the contents that they find.
var dialectPrograms = map[string][]string{
	// Whole files of lines, renamed into place, the last one without an end; then fewer.
	"a memory of lines": {"node", "-e", `
		const fs = require('fs');
		const save = all => { fs.writeFileSync('m.json.tmp', all.map(x => JSON.stringify(x)).join('\n')); fs.renameSync('m.json.tmp', 'm.json'); };
		const load = () => fs.readFileSync('m.json', 'utf8').split('\n').filter(l => l).map(l => JSON.parse(l));
		save([{name: 'A'}]);
		for (const name of ['B', 'C']) save([...load(), {name}]);
		save(load().filter(x => x.name === 'B'));
		save([]);
		for (const name of ['D', 'E']) save([...load(), {name}]);
		console.log(JSON.stringify(load()));`},
	// A log that is open as long as its program runs, and read by others meanwhile.
	"an open log": {"python3", "-c", `
import json, subprocess
with open('log.json', 'a', buffering=1) as f:
    for i in range(5):
        f.write(json.dumps({'i': i}) + '\n')
        if i > 0: print(subprocess.run(['tail', '-n1', 'log.json'], capture_output=True, text=True).stdout, end='')
print(open('log.json').read())`},
	"a journal that is compacted": {"bash", "-c", `
		for i in 1 2 3; do echo "{\"_id\":\"$i\"}" >> db.json; done
		head -n2 db.json > db.json~ && mv db.json~ db.json
		: > db.json; echo '{"_id":"4"}' >> db.json; echo '{"_id":"5"}' >> db.json; cat db.json`},
	"comments": {"bash", "-c", `
		printf '{\n  // why\n  "a": 1,\n}\n' > conf.json
		sed -i 's/1/2/; s/why/how/' conf.json; cat conf.json
		echo '{"a":3}' > conf.json; echo '{"a":4,/* again */}' > conf.json; cat conf.json`},
	"a broken file that is emptied and made anew": {"python3", "-c", `
import json, os
try: json.load(open('broken.json'))
except ValueError: open('broken.json', 'w').close()
with open('broken.json.new', 'w') as f: json.dump({'a': 1}, f)
os.rename('broken.json.new', 'broken.json')
print(open('broken.json').read())`},
	"ciphertext": {"python3", "-c", `
import os
was = open('cipher.json', 'rb').read()
with open('cipher.json', 'wb') as f: f.write(bytes(255 - b for b in was))
with open('c.tmp', 'wb') as f: f.write(open('cipher.json', 'rb').read()[::-1])
os.rename('c.tmp', 'cipher.json')
print(open('cipher.json', 'rb').read())`},
}

// A file that is no strict document by design works as in a bare directory, and so does one
// that was none before clawfs came, until it is one.
func TestDialectsAsInABareDirectory(t *testing.T) {
	t.Parallel()
	need(t, "node")
	dirs := map[string]string{"bare": newDir(t), "mount": newDir(t)}
	for _, dir := range dirs {
		write(t, dir, "broken.json", `{"optOut":false,`)
		write(t, dir, "cipher.json", "\x01\xff\x80{")
	}
	m := mountOn(t, dirs["mount"])
	m.leavesDialects = true
	for name, line := range dialectPrograms {
		t.Run(name, func(t *testing.T) {
			want, got := succeed(t, dirs["bare"], line), succeed(t, dirs["mount"], line)
			if got != want {
				t.Errorf("on the mount\n%s\nin a bare directory\n%s", got, want)
			}
		})
	}
	if !strings.Contains(m.logText(), "add /cipher.json to what --ignore names") {
		t.Error("the log does not say how ciphertext is left alone")
	}
}

// Two programs append lines at once, from the file's first line on: nothing is lost,
// equal lines neither, and each program's are in order.
func TestLinesAppendedAtOnce(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	m.leavesDialects = true
	const appender = `
import json, sys
for i in range(30):
    with open('opened.json', 'a') as f: f.write(json.dumps({'who': sys.argv[1], 'i': i}) + '\n')
with open('kept.json', 'a', buffering=1) as f:
    for i in range(30): f.write(json.dumps({'who': sys.argv[1], 'i': i}) + '\n')
with open('same.json', 'a') as f:
    for i in range(300): f.write(json.dumps({'same': i}) + '\n')`
	done := make(chan struct{})
	for _, who := range []string{"a", "b"} {
		go func() {
			defer func() { done <- struct{}{} }()
			run(t, m.dir, []string{"python3", "-c", appender, who})
		}()
	}
	<-done
	<-done
	for name, want := range map[string]int{"opened.json": 60, "kept.json": 60, "same.json": 600} {
		lines := slices.Collect(strings.Lines(read(t, m.dir, name)))
		if len(lines) != want {
			t.Errorf("P4: %s has %d lines, want %d", name, len(lines), want)
		}
		for _, who := range []string{"a", "b"} {
			own := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.Contains(l, `"who": "`+who) })
			if unique := slices.Compact(slices.Clone(own)); want == 60 && len(unique) != 30 {
				t.Errorf("P4: %s has %d lines of %s", name, len(unique), who)
			}
		}
	}
}

// Content that would change a dialect is refused, with the flag that settles it; Python's NaN
// makes no JSON5. A dialect is told by status and check, outlives the daemon, and ends with the
// file.
func TestDialectsAreKept(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	m.leavesDialects = true
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	write(t, m.dir, "strict.json", "{}\n")
	write(t, m.dir, "five.json", "{// c\n}")
	write(t, m.dir, "five.json", "{}")
	write(t, m.dir, "lines.json", "1\n2\n")
	write(t, m.dir, "tsconfig.json", "{}")
	told := func() {
		t.Helper()
		for _, command := range []string{"status", "check"} {
			out := succeed(t, "/", []string{clawfs, command, m.dir})
			for _, want := range []string{"five.json: JSON5\n", "lines.json: JSON lines\n", "tsconfig.json: JSON5\n"} {
				if !strings.Contains(out, want) || strings.Contains(out, "strict.json") {
					t.Errorf("%s says\n%s", command, out)
				}
			}
		}
	}
	refused := func(name, content, cure string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(m.dir, name), []byte(content), 0o600); err == nil {
			t.Errorf("%s takes %q", name, content)
		}
		if !eventually(time.Second, func() bool { return strings.Contains(m.logText(), cure) }) {
			t.Errorf("the log does not say %q", cure)
		}
	}
	told()
	m.unmount()
	m.start()
	write(t, m.dir, "five.json", "{// again\n}")
	write(t, m.dir, "lines.json", "3\n")
	told()
	refused("strict.json", "{// c\n}", "add /strict.json to what --json5 names")
	refused("nan.json", `{"a": NaN}`, "add /nan.json to what --json5 names")
	refused("new.json", "\x00\xff", "add /new.json to what --ignore names")
	refused("lines.json", "{\n}\n", "it is kept in JSON lines until it is removed")
	succeed(t, m.dir, bash("rm five.json lines.json; echo '{}' > five.json; echo '{}' > lines.json"))
	refused("five.json", "{// c\n}", "add /five.json to what --json5 names")
	refused("lines.json", "1\n2\n", "add /lines.json to what --lines names")
}
