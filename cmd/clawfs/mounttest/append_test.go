package mounttest

import "testing"

// A document that is put together by appending (§3) is there as a whole, as in a bare
// directory; or, where the program stops at the first error, every piece is refused.
func TestDocumentBuiltByAppending(t *testing.T) {
	t.Parallel()
	need(t, "node", "python3", "jq")
	const list = `echo '[' > a.json; for i in 1 2; do echo "{\"host\":$i}," >> a.json; done; `
	for name, script := range map[string]string{
		"echo":            list + `echo '{"host":3}' >> a.json; echo ']' >> a.json`,
		"begun by append": `rm -f a.json; echo '{' >> a.json; echo '"a":1' >> a.json; echo '}' >> a.json`,
		"programs":        list + `jq -n '{"host":3}' >> a.json; sh -c 'echo "]"' >> a.json`,
		"tee":             `echo '[1,' | tee a.json > /dev/null; echo 2 | tee -a a.json > /dev/null; echo ']' | tee -a a.json > /dev/null; true`,
		"touch first":     `touch a.json; echo '{}' >> a.json`,
		"begun anew":      `echo '{' > a.json; echo '[1]' > a.json`,
		"removed":         `echo '{' > a.json; rm a.json; echo '[1]' >> a.json`,
		"python, errors ignored": `python3 - <<'END'
for piece in '[', '1', ',', '2', ']':
    try:
        with open('a.json', 'a') as f:
            f.write(piece)
    except OSError:
        pass
END`,
		"in a subdirectory": `mkdir d; echo '{"a":' > d/b.json; echo '{"b":1}' >> d/b.json; echo '}' >> d/b.json; cp d/b.json a.json`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bare := newDir(t)
			_ = run(t, bare, bash(script))
			m := newMount(t)
			_ = run(t, m.dir, bash(script)) // some commands report the errors of the pieces
			if got, want := read(t, m.dir, "a.json"), read(t, bare, "a.json"); got != want {
				t.Errorf("on the mount %q, in a bare directory %q", got, want)
			}
			if left := len(m.quarantined()); name != "begun anew" && name != "removed" && left > 0 {
				t.Errorf("%d copies in quarantine of what was committed in the end", left)
			}
		})
	}
	t.Run("node stops", func(t *testing.T) {
		t.Parallel()
		m := newMount(t)
		r := run(t, m.dir, []string{"node", "-e", `for (const p of ['[', '1', ']']) require('fs').appendFileSync('a.json', p)`})
		if r.code == 0 || read(t, m.dir, "a.json") != "" {
			t.Errorf("%v\n%q", r, read(t, m.dir, "a.json"))
		}
		write(t, m.dir, "a.json", "{}")
	})
}

// lowdb and others try a rename that fails ten times: their content is in quarantine once.
func TestRefusedRetriesAreOneCopy(t *testing.T) {
	t.Parallel()
	need(t, "node")
	m := newMount(t)
	succeed(t, m.dir, []string{"node", "-e", `
const fs = require('fs');
let refused = 0;
for (let i = 0; i < 10; i++) {
  fs.writeFileSync('.a.json.tmp', '{"a":');
  try { fs.renameSync('.a.json.tmp', 'a.json') } catch (e) { refused++ }
}
fs.unlinkSync('.a.json.tmp');
if (refused != 10) throw new Error(refused + ' of 10 were refused')`})
	if q := m.quarantined(); len(q) != 2 {
		t.Errorf("%d files in quarantine, want a copy and what is known of it", len(q))
	}
}
