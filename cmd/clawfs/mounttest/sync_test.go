package mounttest

import (
	"fmt"
	"testing"
)

// fsync (§3): a program that keeps its file open and saves a shorter document by write, fsync
// and ftruncate has saved it then, even if it is killed.
func TestShorterDocumentIsSavedByTruncate(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	script := `echo '{"a":"to be revoked","b":1}' > a.json; python3 - <<'END'
import os, signal
f = open('a.json', 'r+')
f.read()
for text in '{"a":"","b":1}', '{"a":""}', '{"a":"longer again"}', '{}':
    f.seek(0)
    f.write(text)
    f.flush()
    os.fsync(f.fileno())
    f.truncate()
    print(open('a.json').read(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
END
cat a.json`
	want := succeed(t, newDir(t), bash(script))
	m := newMount(t)
	if got := succeed(t, m.dir, bash(script)); got != want {
		t.Errorf("on the mount:\n%s\nin a bare directory:\n%s", got, want)
	}
	if q := m.quarantined(); len(q) > 0 {
		t.Errorf("in quarantine: %d copies", len(q))
	}
}

// Content that is no document is refused by fsync and fdatasync already, as programs look at
// their results more often than at that of close.
func TestInvalidDocumentIsRefusedBySync(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	m := newMount(t)
	for call, text := range map[string]string{"fsync": `{"a":1} {"b":2}`, "fdatasync": `{"a":`} {
		write(t, m.dir, "a.json", `{"a":0}`)
		got := succeed(t, m.dir, bash(fmt.Sprintf(`python3 - <<'END'
import os
f = os.open('a.json', os.O_WRONLY | os.O_TRUNC)
os.write(f, b'%s')
try:
    os.%s(f)
except OSError as e:
    print(e.strerror)
END
cat a.json`, text, call)))
		if want := "Invalid argument\n{\"a\":0}"; got != want {
			t.Errorf("%s: %q, want %q", call, got, want)
		}
		m.wantQuarantined(text)
	}
}
