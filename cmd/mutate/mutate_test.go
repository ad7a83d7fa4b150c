package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const code = `package p

func Sign(n int) (sign string, same bool) {
	switch n {
	case 0:
		sign = "zero"
	default:
		if n < 0 || n == -1 {
			sign = "minus"
		}
	}
	return sign, n == 0
}

func Untested(n int) int {
	for n > 1 {
		n--
	}
	return n
}
`

const tests = `package p

import "testing"

func TestSign(t *testing.T) {
	for n, want := range map[int]string{0: "zero", -1: "minus", -2: "minus", 1: ""} {
		if got, zero := Sign(n); got != want || zero != (n == 0) {
			t.Error(n, got)
		}
	}
}

func TestUnchecked(t *testing.T) { Untested(3) }
`

func TestRewrite(t *testing.T) {
	m := newMutator()
	got, err := m.rewrite("p.go", []byte(code))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"switch mutantTag := n;  {\n\tcase mutantFalse(1, mutantTag == (0)):\n\t\tif !mutantHere(2) { sign = \"zero\" }",
		"if mutantIf(3, mutantFalse(6, n < 0) || mutantFalse(7, n == -1)) {\n\t\t\tif !mutantHere(5) { sign = \"minus\" }",
		"return sign, mutantNot(8, n == 0)",
		"for mutantFalse(9, n > 1) {\n\t\tif !mutantHere(10) { n-- }",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("lacks\n%s\n", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", got)
	}
}

// Faults that a test notices are caught, those that none notices or reaches are named.
func TestSurvivors(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module p\n\ngo 1.26\n", "p.go": code, "p_test.go": tests,
		"known": "p.go Untested: never: n > 1\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	var out strings.Builder
	unknown, err := run(t.Context(), options{pkg: ".", one: 1, workers: 2, known: "known"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	slices.Sort(lines)
	want := []string{
		".: 10 of 10 mutants are tried",
		".: 8 of 10 caught (80.0 %), 2 survive, 1 of these are not known",
		"p.go Sign: without: n == -1",
		"p.go Untested: never: n > 1",
	}
	if diff := cmp.Diff(want, lines); diff != "" || unknown != 1 {
		t.Errorf("%d are not known, (-want +got):\n%s", unknown, diff)
	}
}

func TestSampleIsAlwaysTheSame(t *testing.T) {
	n := 0
	for i := range 1000 {
		name := fmt.Sprintf("txn/queue.go Registry.lead: dropped: x = %d", i)
		first, again := drawn(name, 4), drawn(name, 4)
		if first != again || !drawn(name, 1) {
			t.Error(name)
		}
		if first {
			n++
		}
	}
	if n < 150 || n > 350 {
		t.Errorf("one of four is %d of 1000", n)
	}
}
