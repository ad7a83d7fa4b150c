package cluster_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mutant is this package without one of the things that a cluster rests on.
type mutant struct {
	file     string
	from, to string // text that is in the file once, and the text that replaces it
	caught   string // tests, as a pattern; one must fail then
}

var mutants = map[string]mutant{
	"a commit does not know itself again": { // as without a nonce
		"commit.go", "if rec.Nonce == a.record.Nonce {", "a.record = &record{Nonce: newNonce()}\n\tif rec.Nonce == a.record.Nonce {",
		"TestALostAnswer.*",
	},
	"who is beaten does not merge": {
		"commit.go", "ok, err = a.beaten(head)\n\t\treturn true, ok, err", "a.registry.at.rev = head.Rev\n\t\treturn false, false, nil",
		"TestABeatenCommitIsMerged",
	},
	"a removal deletes the key": {
		"commit.go", "ok, err = s.swap(name, r, &record{State: gone, Time: time.Now()})",
		"s.engine.(interface{ Delete(string) }).Delete(s.keys.head(name))\n\t\tr.made = &version{&record{State: gone, Time: time.Now()}, 0}",
		"TestAHostThatWasAwayFollows",
	},
	"a version has no ancestors": {
		"record.go", "return a[max(0, len(a)-manyAncestors):]", "_ = a\n\treturn nil",
		"TestAHostThatHasLostItsNotes",
	},
	"nothing is noted": {
		"note.go", "err = s.Local.Note(name, line, durably)", "_ = line",
		"TestAHostThatWasAwayLong",
	},
	"nothing is noted of what is done alone": {
		"note.go", "	return s.keepNote(name, note{at.Root,", "	return nil\n\treturn s.keepNote(name, note{at.Root,",
		"TestAnEndWhileAlone/removed,_kill,_begins_with_the_cluster",
	},
	"a commit that may have been made is forgotten": {
		"aside.go", "		s.mayHaveMade(r, tried)\n\tcase", "\tcase",
		"TestAnUnknownOutcomeAlone",
	},
	"what the cluster has lost is an old version": {
		"note.go", "case n.Seq > of.Seq:", "case n.Seq > of.Seq+1<<20:",
		"TestAClusterThatWasRestored",
	},
}

// Without the things that it rests on a cluster loses, or does twice: the tests notice that.
func TestMutantsAreCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles the tests anew for each")
	}
	for name, m := range mutants {
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command("go", "test", "-count=1", "-vet=off", "-failfast", "-ldflags=-s -w", "-run", "^"+m.caught+"$", "-overlay", m.overlay(t), ".").CombinedOutput()
			if err == nil || !regexp.MustCompile("--- FAIL: "+m.caught).Match(out) {
				t.Errorf("%s does not notice: %v\n%s", m.caught, err, out)
			}
		})
	}
}

// overlay returns a file that has the go command take the mutant for the real one.
func (m mutant) overlay(t *testing.T) string {
	t.Helper()
	real, err := filepath.Abs(m.file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(real)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), m.from); n != 1 {
		t.Fatalf("%q is there %d times", m.from, n)
	}
	dir := t.TempDir()
	mutated, list := filepath.Join(dir, m.file), filepath.Join(dir, "overlay.json")
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {real: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string]string{mutated: strings.Replace(string(text), m.from, m.to, 1), list: string(overlay)} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return list
}
