package backing

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"clawfs/txn/txntest"
)

// bench is a directory under test.
type bench struct {
	*testing.T
	path string
	d    *Dir
	o    Options
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	o.Without = without()
	b := &bench{T: t, path: t.TempDir(), o: o}
	b.open()
	t.Cleanup(func() {
		if b.d != nil {
			b.close()
		}
	})
	return b
}

// without lists the optimizations that the tests are to do without.
func without() []string {
	return slices.DeleteFunc(Optimizations(), func(name string) bool { return !txntest.DoesWithout(name) })
}

func (b *bench) open() {
	b.Helper()
	d, err := Open(b.path, b.o)
	if err != nil {
		b.Fatal(err)
	}
	b.d = d
}

func (b *bench) close() {
	b.Helper()
	if err := b.d.Close(); err != nil {
		b.Error(err)
	}
	b.d = nil
}

// crash releases the directory as a kill does: nothing is tidied up.
func (b *bench) crash() {
	b.Helper()
	b.d.closed = true
	if err := b.d.release(); err != nil {
		b.Error(err)
	}
	b.d = nil
}

// reopen opens the directory as it is found after a crash.
func (b *bench) reopen() {
	b.Helper()
	b.crash()
	b.open()
}

func moment(n uint64) time.Time { return time.Unix(1_700_000_000+int64(n), 987_654_321) }

func (b *bench) try(name, stamp string, seq, oldSeq uint64, content string) (string, bool, error) {
	return b.d.Commit(name, stamp, seq, oldSeq, []byte(content), sha256.Sum256([]byte(content)), moment(seq), nil)
}

func (b *bench) commit(name, stamp string, seq, oldSeq uint64, content string) string {
	b.Helper()
	stamp, ok, err := b.try(name, stamp, seq, oldSeq, content)
	if !ok || err != nil {
		b.Fatalf("Commit(%q, version %d): ok=%v, %v", name, seq, ok, err)
	}
	return stamp
}

func (b *bench) commits(name string, n uint64) string {
	b.Helper()
	stamp := ""
	for i := uint64(1); i <= n; i++ {
		stamp = b.commit(name, stamp, i, i-1, fmt.Sprintf("v%d", i))
	}
	return stamp
}

func (b *bench) stamp(name string) string {
	b.Helper()
	stamp, err := b.d.Stamp(name)
	if err != nil {
		b.Fatal(err)
	}
	return stamp
}

func (b *bench) live(name string) string {
	b.Helper()
	content, err := os.ReadFile(filepath.Join(b.path, name))
	if errors.Is(err, fs.ErrNotExist) {
		return "(none)"
	}
	if err != nil {
		b.Fatal(err)
	}
	return string(content)
}

func (b *bench) wantLive(name, want string) {
	b.Helper()
	if got := b.live(name); got != want {
		b.Errorf("%s holds %q, want %q", name, got, want)
	}
}

func (b *bench) write(name, content string) {
	b.Helper()
	if err := os.WriteFile(filepath.Join(b.path, name), []byte(content), 0o600); err != nil {
		b.Fatal(err)
	}
}

// replace puts a new file in place of a live one, as other programs do.
func (b *bench) replace(name, content string) {
	b.Helper()
	b.write(name+".foreign", content)
	if err := os.Rename(filepath.Join(b.path, name+".foreign"), filepath.Join(b.path, name)); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// kept lists the history of a registry.
func (b *bench) kept(name string) []string {
	b.Helper()
	seqs, err := b.d.Versions(name)
	b.must(err)
	var out []string
	for _, seq := range seqs {
		content, err := b.d.Version(name, seq)
		b.must(err)
		out = append(out, fmt.Sprintf("%d:%s", seq, content))
	}
	return out
}

func (b *bench) wantKept(name string, want ...string) {
	b.Helper()
	if diff := cmp.Diff(want, b.kept(name)); diff != "" {
		b.Errorf("versions of %s (-want +got):\n%s", name, diff)
	}
}

// quarantined lists the contents in quarantine.
func (b *bench) quarantined() []string {
	b.Helper()
	list, err := b.d.ListQuarantine()
	b.must(err)
	var out []string
	for _, q := range list {
		content, _, err := b.d.ReadQuarantine(q.ID)
		b.must(err)
		out = append(out, string(content))
	}
	return out
}

func (b *bench) wantQuarantined(want ...string) {
	b.Helper()
	if diff := cmp.Diff(want, b.quarantined()); diff != "" {
		b.Errorf("quarantine (-want +got):\n%s", diff)
	}
}

// tree lists everything in .clawfs except the entries that are always there and the
// marks of histories in use.
func (b *bench) tree() []string {
	b.Helper()
	var out []string
	root := filepath.Join(b.path, Name)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if rel == "." || slices.Contains(ignoreNames[:], rel) || slices.Contains([]string{lockName, formatName, historyName, stageName, quarantineName, reserveName, numbersName}, rel) {
			return nil
		}
		if e.Type()&fs.ModeSymlink != 0 && filepath.Dir(rel) == stageName {
			return nil
		}
		out = append(out, rel)
		return nil
	})
	b.must(err)
	return out
}

// wantTidy fails if a change has left something behind.
func (b *bench) wantTidy() {
	b.Helper()
	for _, path := range b.tree() {
		if leftover(filepath.Base(path)) || strings.HasPrefix(path, stageName) {
			b.Errorf("left behind: %s", path)
		}
	}
	entries, err := os.ReadDir(b.path)
	b.must(err)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "@") {
			b.Errorf("left behind: %s", e.Name())
		}
	}
}

// descriptors counts the open descriptors of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// asRoot skips the test for others.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}
