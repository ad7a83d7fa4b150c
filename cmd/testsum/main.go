// Command testsum reads the output of `go test -json`, shows it as it comes, and
// ends with a count that adds up.
//
//	go test -json ./... | go run ./cmd/testsum
//
// For every package it prints one line with its time, and the whole output of
// a test that failed. At the end it lists the slowest tests and prints, alone
// on the last line, "N passed, N failed". A test with subtests is not counted
// beside them, unless it failed and none of them did. A package that failed
// without a failing test (it doesn't build, it panicked, it ran out of time)
// is one failure.
//
// A test that failed may run once more: an event {"Action":"again","Package":P,"Test":T} says
// that the events behind it count for the test T, and its subtests, in place of the earlier
// ones. A test that passes then is listed as unsteady: it has found something that happens
// seldom. The failure of a test that ran into a data race, or of a package that died, stays.
//
// The exit code is 0 if nothing failed, else 1; it is also 1 where nothing ran
// at all.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// slowest is how many tests the list of the slowest names.
const slowest = 12

func main() {
	s, err := summarize(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(1)
	}
	s.print(os.Stdout)
	if s.failed > 0 || s.passed == 0 {
		os.Exit(1)
	}
}

// event is one line of `go test -json`, see `go doc test2json`.
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build-output
	Test        string
	Output      string
	Elapsed     float64 // seconds
	FailedBuild string
}

// id names a test; the empty test is the package itself.
type id struct{ pkg, test string }

// run is the record of a test, or of a package.
type run struct {
	id      id
	outcome string // pass, fail, skip; empty while it runs
	elapsed float64
	output  strings.Builder
	subs    int // subtests, all levels
	badSubs int // of those, failed
}

type summary struct {
	tally
	tests    map[id]*tally // of the tests that are no subtests
	died     map[string]bool
	slow     []*run
	skips    []string
	unsteady []id // that ran again
}

// tally is the number of tests for each outcome.
type tally struct {
	passed, failed, skipped int
	stays                   bool // running again does not mend it
}

// summarize reads events from r until its end and shows progress on w. A line
// that is no event is shown as it is.
func summarize(r io.Reader, w io.Writer) (*summary, error) {
	runs := make(map[id]*run)
	builds := make(map[string]*strings.Builder)
	s := &summary{tests: make(map[id]*tally), died: make(map[string]bool)}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				fmt.Fprintf(w, "%s", line)
			} else {
				s.take(e, runs, builds, w)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	s.finish(runs, w)
	return s, nil
}

// take digests one event.
func (s *summary) take(e event, runs map[id]*run, builds map[string]*strings.Builder, w io.Writer) {
	if e.Action == "build-output" {
		b := builds[e.ImportPath]
		if b == nil {
			b = new(strings.Builder)
			builds[e.ImportPath] = b
		}
		b.WriteString(e.Output)
		return
	}
	if e.Package == "" {
		return
	}
	if e.Action == "again" {
		s.forget(id{e.Package, e.Test}, w)
		return
	}
	key := id{e.Package, e.Test}
	t := runs[key]
	if t == nil {
		t = &run{id: key}
		runs[key] = t
	}
	switch e.Action {
	case "output":
		t.output.WriteString(e.Output)
	case "pass", "fail", "skip":
		t.outcome, t.elapsed = e.Action, e.Elapsed
		if e.Test != "" {
			countUp(runs, t)
			return
		}
		if b := builds[e.FailedBuild]; b != nil {
			t.output.WriteString(b.String())
		}
		s.closePackage(t, runs, w)
	}
}

// countUp tells the parents of a test that has ended.
func countUp(runs map[id]*run, t *run) {
	for name := t.id.test; ; {
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			return
		}
		name = name[:i]
		parent := runs[id{t.id.pkg, name}]
		if parent == nil {
			continue // a slash in a subtest's own name
		}
		parent.subs++
		if t.outcome == "fail" {
			parent.badSubs++
		}
	}
}

// closePackage counts the tests of a package that has ended, prints its line and the output of
// its failures, and forgets it.
func (s *summary) closePackage(p *run, runs map[id]*run, w io.Writer) {
	before := s.failed
	n := 0
	for key, t := range runs {
		if key.pkg != p.id.pkg || key.test == "" {
			continue
		}
		delete(runs, key)
		if t.outcome == "" { // still running when the package died
			t.outcome = "fail"
			s.died[p.id.pkg] = true
		}
		s.count(t, w)
		n++
	}
	delete(runs, p.id)
	state := "ok  "
	switch {
	case p.outcome == "fail":
		state = "FAIL"
		if s.failed == before {
			s.failed++
			fmt.Fprint(w, p.output.String())
		}
	case n == 0:
		state = "none"
	}
	fmt.Fprintf(w, "%s %6.1fs  %s\n", state, p.elapsed, p.id.pkg)
}

// count adds one test to the figures.
func (s *summary) count(t *run, w io.Writer) {
	name := t.id.pkg + " " + t.id.test
	top, _, _ := strings.Cut(t.id.test, "/")
	of := s.tests[id{t.id.pkg, top}]
	if of == nil {
		of = new(tally)
		s.tests[id{t.id.pkg, top}] = of
	}
	switch {
	case t.outcome == "fail":
		out := t.output.String()
		fmt.Fprint(w, out)
		of.stays = of.stays || strings.Contains(out, "DATA RACE") || strings.Contains(out, "race detected")
		if t.badSubs == 0 {
			of.failed++
			s.failed++
		}
	case t.subs > 0:
	case t.outcome == "skip":
		of.skipped++
		s.skipped++
		s.skips = append(s.skips, name)
	default:
		of.passed++
		s.passed++
	}
	if t.subs == 0 {
		t.output.Reset()
		s.slow = append(s.slow, t)
	}
}

// forget takes a test that failed out of the figures, since it runs again.
func (s *summary) forget(test id, w io.Writer) {
	of := s.tests[test]
	if of == nil || of.failed == 0 || of.stays || s.died[test.pkg] {
		return
	}
	name := test.pkg + " " + test.test
	fmt.Fprintln(w, "again:", name)
	s.passed -= of.passed
	s.failed -= of.failed
	s.skipped -= of.skipped
	s.skips = slices.DeleteFunc(s.skips, func(skip string) bool { return skip == name || strings.HasPrefix(skip, name+"/") })
	s.unsteady = append(s.unsteady, test)
	delete(s.tests, test)
}

// finish counts a package without an end as a failure.
func (s *summary) finish(runs map[id]*run, w io.Writer) {
	var open []*run
	for key, p := range runs {
		if key.test == "" {
			open = append(open, p)
		}
	}
	for _, p := range open {
		p.outcome = "fail"
		s.closePackage(p, runs, w)
	}
}

// print writes the slow tests, the skipped ones, and the last line.
func (s *summary) print(w io.Writer) {
	slices.SortFunc(s.slow, func(a, b *run) int { return cmp.Compare(b.elapsed, a.elapsed) })
	for i, t := range s.slow {
		if i == slowest || t.elapsed < 1 {
			break
		}
		fmt.Fprintf(w, "slow: %6.1fs  %s %s\n", t.elapsed, t.id.pkg, t.id.test)
	}
	slices.Sort(s.skips)
	for _, name := range s.skips {
		fmt.Fprintln(w, "skipped:", name)
	}
	for _, test := range s.unsteady {
		if of := s.tests[test]; of != nil && of.failed == 0 {
			fmt.Fprintln(w, "unsteady, failed at first:", test.pkg, test.test)
		}
	}
	fmt.Fprintf(w, "\n%d passed, %d failed\n", s.passed, s.failed)
}
