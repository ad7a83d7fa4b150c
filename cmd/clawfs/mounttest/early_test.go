package mounttest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// §3: a program that renames a temporary file onto a registry and goes on to write it sees,
// and leaves, the same as in a bare directory: also if the file was empty then, or half a
// document, with a registry there or without.
func TestRenamedWhileOpen(t *testing.T) {
	t.Parallel()
	need(t, "node")
	early := func(args ...string) func(name string) []string {
		return func(name string) []string { return program(t, "programs/early.py", append([]string{name}, args...)...) }
	}
	shell := func(script string) func(name string) []string {
		return func(name string) []string { return append(bash(script), "bash", name) }
	}
	programs := map[string]func(name string) []string{
		"empty":    early("", "mv", `{"a":4}`),
		"half":     early("", `{"a":`, "mv", "stat", `4}`, "stat"),
		"longer":   early("", `{"a":12345678901234567890`, "mv", "stat", `4}`),
		"more":     early("", `{"a":4}`, "mv", "stat", "\n", "stat"),
		"pieces":   early("", "[", "mv", "1", ",2", "]"),
		"anew":     early("", `{"a":4,"b":5}`, "mv", "cut", `{"c":1}`),
		"synced":   early("", "mv", `{"a":4}`, "sync", "\n", "sync"),
		"appended": early("a", `{"a":4}`, "mv", " ", "\n"),
		"read":     early("r", `{"a":4}`, "mv", "read", "\n", "read"),
		"written":  early("", `{"a":4}`, "mv"),
		"node":     func(name string) []string { return program(t, "programs/early.mjs", name, ".tmp", `{"a":4}`, "\n") },
		"shell":    shell(`exec 3> "$1.tmp"; printf '{"a":' >&3; mv "$1.tmp" "$1"; echo '4}' >&3; exec 3>&-; cat "$1"`),
		"another":  shell(`(sleep 0.2; echo '{"a":4}') > "$1.tmp" & sleep 0.05; mv "$1.tmp" "$1"; wait; cat "$1"`),
		"unnamed": shell(`python3 -c 'if 1:
			import ctypes, os, sys
			fd = os.open(".", os.O_TMPFILE | os.O_WRONLY, 0o640)
			os.write(fd, b"[4")
			os.write(fd, b"]")
			if os.path.exists(sys.argv[1]): os.unlink(sys.argv[1])
			assert not ctypes.CDLL(None).linkat(-100, b"/proc/self/fd/%d" % fd, -100, sys.argv[1].encode(), 0x400)
			os.write(fd, b"\n")
			print(os.fstat(fd).st_nlink, os.fstat(fd).st_ino == os.stat(sys.argv[1]).st_ino)' "$1"`),
		"told of what was moved away": shell(`[ -e "$1" ] || echo '{"a":3}' > "$1"; python3 -c 'if 1:
			import os, sys
			name = sys.argv[1]
			def told(): print([(os.fstat(fd).st_nlink, oct(os.fstat(fd).st_mode)) for fd in fds])
			fds = [os.open(name, os.O_RDONLY)]
			os.rename(name, name + ".away")
			told()
			open(name, "w").write("{}")
			os.chmod(name, 0o600)
			fds.append(os.open(name, os.O_RDONLY))
			os.link(name, "linked-" + name)
			os.rename(name + ".away", name)
			told()
			os.unlink("linked-" + name)
			told()
			os.unlink(name)
			told()
			open(name, "w").write("{}")' "$1"`),
	}
	for name, steps := range map[string][]string{
		"empty": {"gone", "mv", "gone", `{"a":4}`, "gone"}, "half": {`{"a":`, "mv", "stat", `4}`, "stat"},
		"longer": {`{"a":12345678901234567890`, "mv", "stat", `4}`}, "more": {`{"a":4}`, "mv", "stat", "\n", "stat"},
		"pieces": {"[", "mv", "1", ",2", "]"}, "anew": {`{"a":4,"b":5}`, "mv", "cut", `{"c":1}`},
		"synced": {"mv", `{"a":4}`, "sync", "\n", "sync"}, "synced before": {`{"a":4}`, "sync", "mv", "stat", "\n", "stat"},
		"written": {`{"a":4}`, "mv"}, "chain": {`{"a":`, "aside", "4", "gone", "mv", "stat", `}`, "gone"},
		"chain of whole": {`{"a":4}`, "aside", "\n", "sync", "mv", "stat", "\n", "gone"}, "twice": {"over", `{"a":`, "mv", "4}"},
	} {
		programs["json "+name] = early(append([]string{"j"}, steps...)...)
		programs["json appended "+name] = early(append([]string{"ja"}, steps...)...)
		programs["json read "+name] = early(append(append([]string{"jr"}, steps...), "read")...)
	}
	programs["json shell"] = shell(`exec 3> "$1.tmp.json"; printf '{"a":' >&3; mv "$1.tmp.json" "$1"; echo '4}' >&3; exec 3>&-; cat "$1"; ls "$1"*`)
	programs["removed"] = early("", `{"a":`, "mv", "rm", "stat", `4}`, "gone")
	programs["json removed"] = early("j", `{"a":`, "mv", "rm", "stat", `4}`, "gone")
	programs["json removed and synced"] = early("j", `{"a":4}`, "mv", "rm", "sync", "\n", "sync", "gone")
	programs["json linked"] = early("j", `{"a":4}`, "link", "stat", "\n", "sync", "gone")
	programs["json node"] = func(name string) []string { return program(t, "programs/early.mjs", name, ".json", `{"a":4}`, "\n") }
	m, bare := newMount(t), t.TempDir()
	for name, line := range programs {
		for _, before := range []string{"", "{\"a\":3}\n"} {
			file := name + ".json"
			if before == "" {
				file = "new-" + file
			} else {
				write(t, m.dir, file, before)
				write(t, bare, file, before)
			}
			got, want := run(t, m.dir, line(file)), run(t, bare, line(file))
			if got.stdout != want.stdout || got.code != want.code {
				t.Errorf("%s: %v, in a bare directory %v", file, got, want)
			}
			if got, want := content(m.dir, file), content(bare, file); got != want {
				t.Errorf("%s holds %q, in a bare directory %q", file, got, want)
			}
			if _, err := os.Lstat(filepath.Join(m.dir, file+".tmp")); err == nil {
				t.Errorf("%s.tmp is still there", file)
			}
		}
	}
	for line := range strings.Lines(m.logText()) {
		if strings.Contains(line, "rejected") && !strings.Contains(line, "json shell.json.tmp.json") { // by a redirection: it closes a descriptor
			t.Error(line)
		}
	}
	m.unmount()
	if got, want := names(t, m.dir), names(t, bare); !slices.Equal(got, want) {
		t.Errorf("P8: unmounted there are %q, in a bare directory %q", got, want)
	}
}

// content returns the content of a file, or that it is not there.
func content(dir, name string) string {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return "nothing"
	}
	return string(text)
}

// names lists a directory, without clawfs's own.
func names(t *testing.T, dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		if e.Name() != ".clawfs" {
			list = append(list, e.Name())
		}
	}
	return list
}

// P1, P6, P9: the program leaves no document after the rename, or it is killed. The registry
// keeps its content, and quarantine holds the content that was written.
func TestRenamedWhileOpenAndRefused(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	m.leavesEmpty = true
	for name, steps := range map[string][]string{
		"empty": {"mv"}, "half": {`["half"`, "mv"}, "later": {"mv", `["later"`}, "cut": {`["cut"]`, "mv", "cut", `["cut`},
		"killed": {"mv", `["killed"]`, "kill"},
	} {
		for i, before := range []string{"", "{\"a\":3}\n", "", "{\"a\":3}\n"} {
			file, flags := fmt.Sprint(name, i, ".json"), []string{"", "j"}[i/2]
			if before != "" {
				write(t, m.dir, file, before)
			}
			r := run(t, m.dir, program(t, "programs/early.py", append([]string{file, flags}, steps...)...))
			want := before
			switch {
			case name == "cut":
				want = `["cut"]`
			case name == "empty" && before == "":
				if r.code != 0 {
					t.Errorf("%s: %v", file, r)
				}
				continue
			}
			if r.code == 0 || name != "killed" && !strings.Contains(r.stderr, "Errno 22") {
				t.Errorf("P9: %s: %v", file, r)
			}
			if got := read(t, m.dir, file); got != want {
				t.Errorf("%s holds %q, want %q", file, got, want)
			}
		}
		if name != "empty" {
			m.wantQuarantined(map[string]string{"half": `["half"`, "later": `["later"`, "cut": `["cut`, "killed": `["killed"]`}[name])
		}
	}
}

// byAStranger adds a member to f.json, in a shell that is no relative of the program that does it.
const byAStranger = `setsid -w setsid -f sh -c 'sleep 0.05; jq -c ".o = 1" f.json > u; mv u f.json; : > done' < /dev/null > /dev/null 2>&1 3>&-
			until [ -e done ]; do sleep 0.02; done; rm done`

// P4: commits of others between the rename and the close are merged, from the version that the
// writer had seen.
func TestRenamedWhileOpenBesideOthers(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	for _, temporary := range []string{"t", "t.json"} {
		for _, first := range []string{"", `{"a":4`, `{"a":4,"b":2}`} {
			write(t, m.dir, "f.json", `{"a":3,"b":2}`)
			succeed(t, m.dir, append(bash(`exec 3> "$3"; cat f.json > /dev/null; printf %s "$1" >&3; mv "$3" f.json
				`+byAStranger+`
				printf %s "$2" >&3; exec 3>&-`), "bash", first, `{"a":4,"b":2}`[len(first):]+"\n", temporary))
			if got := read(t, m.dir, "f.json"); got != `{"a":4,"b":2,"o":1}`+"\n" {
				t.Errorf("%s, %q first: %q", temporary, first, got)
			}
		}
	}
}
