package commands

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"clawfs/cmd/campaign-bare/exceptions"
)

const semantics = "../../../docs/SEMANTICS.md"

// CI runs sequences from these seeds on, on as many mounts.
const (
	firstSeed = 1
	seeds     = 60
	mounts    = 2
)

// TestMain gives all tests a directory for temporary files, and removes it with them.
func TestMain(m *testing.M) {
	root, err := os.MkdirTemp("", "clawfs-commands-test-")
	if err == nil {
		err = os.Setenv("TMPDIR", root)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// build returns the program under test, which the first caller builds.
var build = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("CLAWFS_BINARY"); given != "" {
		return filepath.Abs(given)
	}
	path := filepath.Join(os.TempDir(), "clawfs")
	if out, err := exec.Command("go", "build", "-o", path, "../../clawfs").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// options are those of a run in a test.
func options(t *testing.T, mounted bool) Options {
	t.Helper()
	table, err := exceptions.Open(semantics, exceptions.Commands, Predicates())
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Count: seeds, Seed: firstSeed, Dir: t.TempDir(), Parallel: mounts, Shrink: 20, Out: io.Discard, Exceptions: table}
	if !mounted {
		return o
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skip("no /dev/fuse:", err)
	}
	if o.Clawfs, err = build(); err != nil {
		t.Fatal(err)
	}
	return o
}

// Bare beside bare: a difference there is the tester's own fault.
func TestBareDiffersFromBareNowhere(t *testing.T) {
	t.Parallel()
	o := options(t, false)
	o.Count = 50
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		t.Errorf("differs:\n%s", f)
	}
	if report.Sequences != o.Count || report.Steps < o.Count*length {
		t.Errorf("%d sequences, %d steps", report.Sequences, report.Steps)
	}
}

// The kinds that the fixed seeds show are listed as open. Each listed kind shows, or has an
// open case, for TestCases to try: a kind that depends on time may not show on a slow
// machine.
func TestOpenKinds(t *testing.T) {
	t.Parallel()
	o := options(t, true)
	listed, cases := openKinds(t), readCases(t)
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		if listed[f.Kind] == 0 && !showsAsListed(t, o, f.Seed, listed) {
			t.Errorf("not listed as open:\n%s", f)
		}
	}
	seen := report.Kinds()
	for kind := range listed {
		if seen[kind] == 0 && !slices.ContainsFunc(cases, func(c Case) bool { return c.Kind == kind && c.State == stateOpen }) {
			t.Errorf("%s shows no more: take it off the list", kind)
		}
	}
	if err := o.Exceptions.Report(t.Output()); err != nil {
		t.Error(err)
	}
}

// showsAsListed reports whether a seed that showed another kind shows a listed one when
// it is tried again. A kind that depends on time can become another one when it is
// shrunk. Where nothing is open nothing may differ even once.
func showsAsListed(t *testing.T, o Options, seed int64, listed map[string]int) bool {
	t.Helper()
	if len(listed) == 0 {
		return false
	}
	o.Seed, o.Count = seed, 1
	again, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return !slices.ContainsFunc(again.Findings, func(f Finding) bool { return listed[f.Kind] == 0 })
}

// readCases returns the sequences that have differed once.
func readCases(t *testing.T) []Case {
	t.Helper()
	text, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := ParseCases(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.Kind == "" || c.State == "" {
			t.Errorf("a case without a kind or a state:\n%s", c)
		}
	}
	return cases
}

// openKinds reads the list, and holds its form: a kind, a count, a sentence.
func openKinds(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile("open.txt")
	if err != nil {
		t.Fatal(err)
	}
	kinds := make(map[string]int)
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) < 4 {
			t.Fatalf("want a kind, a count and a sentence: %q", line)
		}
		count, err := strconv.Atoi(fields[1])
		if err != nil || count < 1 || kinds[fields[0]] != 0 {
			t.Fatalf("want each kind once, with a count: %q", line)
		}
		kinds[fields[0]] = count
	}
	return kinds
}

// Each sequence that has differed once is tried again: an open one still differs, in its own
// way; a fixed one does not.
func TestCases(t *testing.T) {
	t.Parallel()
	o := options(t, true)
	cases := readCases(t)
	b := makeBed(t, o.Clawfs)
	for _, c := range cases {
		tries := 1
		if c.State == stateOpen {
			tries = 3 // a case that depends on time may need more than one
		}
		found, err := b.replay(context.Background(), c.Sequence, tries)
		switch {
		case err != nil:
			t.Fatal(err, c)
		case c.State == stateOpen && found == nil:
			t.Errorf("differs no more: it is fixed\n%s", c)
		case c.State == stateFixed && found != nil:
			t.Errorf("differs again: %s\n%s", found.What, c)
		}
	}
}

// makeBed makes a bed that goes when the test ends, however it ends.
func makeBed(t *testing.T, clawfs string) *bed {
	t.Helper()
	b, err := newBed(context.Background(), t.TempDir(), Options{Clawfs: clawfs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestPredicatesAndRowsBelongTogether(t *testing.T) {
	if _, err := exceptions.Open(semantics, exceptions.Commands, Predicates()); err != nil {
		t.Error(err)
	}
}

// A seed makes the same sequence always, and its text form says all of it.
func TestSequencesCanBeTyped(t *testing.T) {
	for seed := range int64(500) {
		q := Generate(seed, "")
		c, err := Parse(q.String())
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, q)
		}
		if diff := cmp.Diff(q, c.Sequence); diff != "" {
			t.Fatalf("seed %d (-made +read):\n%s", seed, diff)
		}
		if again := Generate(seed, ""); again.String() != q.String() || len(q.Steps) != length {
			t.Fatalf("seed %d makes %s, then %s", seed, q, again)
		}
	}
}

// The tester itself must notice each way in which the two sides can differ. $D is
// the directory of a side, so that a command can do a fault on one side only.
func TestDifferencesAreNoticed(t *testing.T) {
	b := makeBed(t, "")
	for text, want := range map[string]string{
		`case $D in *mount*) echo '[1]';; *) echo '[2]';; esac > a.json`:                          isMixed,
		`case $D in *mount*) echo '{"a":1}';; *) echo '{}';; esac > a.json`:                       comesBack,
		`case $D in *mount*) echo '{}';; *) echo '{"a":1}';; esac > a.json`:                       isLost,
		`case $D in *mount*) echo '[ ]';; *) echo '[]';; esac > a.json`:                           respelled,
		`case $D in *mount*) echo x;; *) echo y;; esac > a.txt`:                                   otherText,
		`echo 1 > a.json; cat a.json > b.json; case $D in *mount*) :;; *) echo 2 > b.json;; esac`: isMixed,
		`echo 1 > a.json; case $D in *mount*) rm a.json;; esac`:                                   missing,
		`echo 1 > a.json; case $D in *bare*) rm a.json;; esac`:                                    remains,
		`echo 1 > a.json; case $D in *mount*) chmod 600 a.json;; esac`:                            otherMode,
		`case $D in *mount*) false;; esac`:                                                        otherExit,
		`case $D in *mount*) echo so;; esac`:                                                      otherWord,
		`case $D in *mount*) echo 'a: Invalid argument';; *) echo 'b: File exists';; esac >&2`:    otherWord,
	} {
		for _, who := range []string{byShell, byOwn, byStranger} {
			q := Sequence{Sort: sortShell, AtEnd: who == byOwn, Steps: []Step{{who, classPut, text}}}
			found, err := b.replay(context.Background(), q, 1)
			if err != nil {
				t.Fatal(err)
			}
			if found == nil || !strings.HasSuffix(found.Kind, ":"+want) {
				t.Errorf("%s %s: found %v, want %s", who, text, found, want)
			}
		}
	}
}

func TestShrinkKeepsWhatMatters(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		var q Sequence
		for i := range length {
			q.Steps = append(q.Steps, Step{byOwn, classLook, fmt.Sprint(i)})
		}
		last := 2 + rng.IntN(length-2)
		first := rng.IntN(last)
		differs := func(q Sequence) *difference {
			had := false
			for i, s := range q.Steps {
				had = had || s.Text == fmt.Sprint(first)
				if had && s.Text == fmt.Sprint(last) {
					return &difference{Step: i, Effect: isLost}
				}
			}
			return nil
		}
		small, d := shrink(q, *differs(q), 100, differs)
		want := fmt.Sprintf("sort \nshell look: %d\nshell look: %d\n", first, last)
		if small.String() != want || d.Step != 1 {
			t.Fatalf("shrunk to %s, want %s", small, want)
		}
	}
}
