package calls

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"clawfs/cmd/campaign-bare/exceptions"
)

// table is that of the exceptions.
func table(t *testing.T) *exceptions.Table {
	t.Helper()
	table, err := exceptions.Open("../../../docs/SEMANTICS.md", exceptions.Calls, Predicates())
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestPredicatesAndRowsBelongTogether(t *testing.T) { table(t) }

// shortRun returns the options of the run that the counts of the open list are from.
func shortRun(t *testing.T) Options {
	return Options{Clawfs: program(t), Count: 4000, Seed: 1, Avoid: 3, Dir: t.TempDir(), Corpus: "testdata", Exceptions: table(t)}
}

// needCompiler passes over a test where there is no C compiler.
func needCompiler(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("no C compiler:", err)
	}
}

// The tester itself is worth nothing if two bare directories differ.
func TestTwoBareDirectoriesAreTheSame(t *testing.T) {
	needCompiler(t)
	res, err := Measure(t.Context(), Options{Count: 6000, Seed: 1, Dir: t.TempDir(), Corpus: "testdata", Exceptions: table(t)})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Kinds) > 0 || len(res.Excused) > 0 {
		t.Errorf("differences %v, excused %v", res.Kinds, res.Excused)
	}
	if res.Calls < 6000 || res.Programs < 40 {
		t.Errorf("%d calls in %d programs", res.Calls, res.Programs)
	}
}

// program returns the program under test, for a machine on which it can mount:
// CLAWFS_BINARY if it is set, else a build of cmd/clawfs.
func program(t *testing.T) string {
	t.Helper()
	needCompiler(t)
	if os.Geteuid() != 0 {
		t.Skip("the tester changes owners, and mounts: root only")
	}
	if err := unix.Access("/dev/fuse", unix.R_OK|unix.W_OK); err != nil {
		t.Skip("no /dev/fuse:", err)
	}
	if given := os.Getenv("CLAWFS_BINARY"); given != "" {
		return given
	}
	path := filepath.Join(t.TempDir(), "clawfs")
	if out, err := exec.Command("go", "build", "-o", path, "clawfs/cmd/clawfs").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// Where no name is a registry a mount is the same as a bare directory.
func TestPlainNamesAreTheSame(t *testing.T) {
	o := Options{
		Clawfs: program(t), Count: 2000, Seed: 1, Dir: t.TempDir(), Flags: []string{"--registry", "*.none"}, Plain: true, Exceptions: table(t),
	}
	res, err := Measure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range res.Examples {
		t.Errorf("%s\nseed %d\n%s", e.Difference, e.Seed, Format(e.Program))
	}
	if len(res.Excused) > 0 {
		t.Errorf("excused: %v", res.Excused)
	}
}

func TestOnlyOpenKindsDiffer(t *testing.T) {
	o := shortRun(t)
	res, err := Measure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	want, got := OpenKinds(OpenList), res.Kinds
	for _, kind := range slices.Sorted(maps.Keys(got)) {
		if _, listed := want[kind]; !listed {
			e := res.Examples[kind]
			t.Errorf("not on the open list: %s\nseed %d\n%s", e.Difference, e.Seed, Format(e.Program))
		}
	}
	for _, kind := range notShown(t, want, got) {
		t.Errorf("on the open list, but did not occur: %s", kind)
	}
	t.Logf("%d calls in %d programs, %d of them differ", res.Calls, res.Programs, res.Failing)
	if err := o.Exceptions.Report(t.Output()); err != nil {
		t.Error(err)
	}
}

// notShown returns the kinds that are wanted, and show in no further run of the
// corpus either: a kind that depends on time may not show on a busy machine.
func notShown(t *testing.T, want map[string]string, got map[string]int) []string {
	t.Helper()
	missing := slices.Sorted(maps.Keys(want))
	for again := 0; ; again++ {
		missing = slices.DeleteFunc(missing, func(kind string) bool { return got[kind] > 0 })
		if len(missing) == 0 || again == 2 {
			return missing
		}
		o := shortRun(t)
		o.Count = 0
		res, err := Measure(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		got = res.Kinds
	}
}

func TestEachOpenKindHasCountAndReason(t *testing.T) {
	for kind, line := range OpenKinds(OpenList) {
		if fields := strings.Fields(line); len(fields) < 5 || strings.Trim(fields[1], "0123456789") != "" {
			t.Errorf("%s: no count and sentence: %q", kind, line)
		}
	}
}

func TestProgramsAreReadAsWritten(t *testing.T) {
	program := []Call{
		{By: 1, Op: "open", H: 1, Path: "a.json", Flags: "O_RDWR|O_CREAT", Mode: 0o644},
		{By: 1, Op: "pwrite", H: 1, Off: 3, Data: "{\"a\":\n1}"},
		{By: 2, Op: "rename", Path: "a.json", Path2: "b.json", Flags: "RENAME_EXCHANGE"},
	}
	got, err := Parse("# a comment\n\n" + Format(program))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(program, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []string{`{"by":1,"op":"reboot"}`, `{"by":0,"op":"read"}`, `{"by":1,"op":"open","flags":"O_SOMETHING"}`, `open`} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) finds nothing wrong", bad)
		}
	}
}

// Cut down, a program still shows its difference, and nothing can be left out.
// The difference is one that bare directories have, too, here: it is between a
// program that is strict and one that is not.
func TestShrinkKeepsTheDifference(t *testing.T) {
	needCompiler(t)
	c := &campaign{Options: Options{Dir: t.TempDir()}, avoid: map[string]int{}}
	t.Cleanup(func() {
		if err := c.down(); err != nil {
			t.Error(err)
		}
	})
	var err error
	if c.actor, err = buildActor(context.Background(), c.Dir); err != nil {
		t.Fatal(err)
	}
	if err := c.up(); err != nil {
		t.Fatal(err)
	}
	c.ring.strict = true // a bare directory syncs content that is no document
	program := []Call{
		{By: 2, Op: "mkdir", Path: "sub", Mode: 0o755},
		{By: 1, Op: "open", H: 1, Path: "a.json", Flags: "O_RDWR|O_CREAT", Mode: 0o644},
		{By: 3, Op: "stat", Path: "a.json"},
		{By: 1, Op: "write", H: 1, Data: "{"},
		{By: 2, Op: "readdir", Path: "."},
		{By: 1, Op: "fsync", H: 1},
		{By: 1, Op: "close", H: 1},
	}
	kind := "fsync-takes-invalid-created"
	small, err := c.shrink(Example{Difference: Difference{Kind: kind}, Program: program})
	if err != nil {
		t.Fatal(err)
	}
	if want := []Call{program[1], program[3], program[5]}; !cmp.Equal(want, small.Program) {
		t.Errorf("shrunk to\n%swant\n%s", Format(small.Program), Format(want))
	}
}
