package main

import (
	"io"
	"strings"
	"testing"
)

func TestSummarize(t *testing.T) {
	cases := []struct {
		name                    string
		events                  string
		passed, failed, skipped int
		shows, hides            string
	}{
		{name: "passed", events: `
{"Action":"run","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"A","Output":"quiet\n"}
{"Action":"pass","Package":"p","Test":"A","Elapsed":2}
{"Action":"pass","Package":"p","Elapsed":3}`, passed: 1, shows: "ok      3.0s  p", hides: "quiet"},
		{name: "failed with output", events: `
{"Action":"output","Package":"p","Test":"A","Output":"want 1\n"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}`, failed: 1, shows: "want 1"},
		{name: "subtests are counted, their parent is not", events: `
{"Action":"run","Package":"p","Test":"A"}
{"Action":"run","Package":"p","Test":"A/x"}
{"Action":"pass","Package":"p","Test":"A/x"}
{"Action":"run","Package":"p","Test":"A/y/z"}
{"Action":"fail","Package":"p","Test":"A/y/z"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}`, passed: 1, failed: 1},
		{name: "a parent that fails by itself", events: `
{"Action":"run","Package":"p","Test":"A"}
{"Action":"pass","Package":"p","Test":"A/x"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}`, passed: 1, failed: 1},
		{name: "does not build", events: `
{"ImportPath":"p","Action":"build-output","Output":"undefined: x\n"}
{"Action":"fail","Package":"p","FailedBuild":"p"}`, failed: 1, shows: "undefined: x"},
		{name: "panicked in the middle of a test", events: `
{"Action":"run","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"A","Output":"panic: boom\n"}
{"Action":"fail","Package":"p"}`, failed: 1, shows: "panic: boom"},
		{name: "fails although every test passed", events: `
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Output":"left a mount behind\n"}
{"Action":"fail","Package":"p"}`, passed: 1, failed: 1, shows: "left a mount behind"},
		{name: "never came to its end", events: `
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"start","Package":"p"}`, passed: 1, failed: 1, shows: "FAIL"},
		{name: "skipped", events: `
{"Action":"skip","Package":"p","Test":"A"}
{"Action":"pass","Package":"p"}`, skipped: 1},
		{name: "no tests", events: `
{"Action":"skip","Package":"p"}`, shows: "none"},
		{name: "passes when it runs again", events: `
{"Action":"run","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"A/x","Output":"want 1\n"}
{"Action":"fail","Package":"p","Test":"A/x"}
{"Action":"pass","Package":"p","Test":"A/y"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"pass","Package":"p","Test":"B"}
{"Action":"fail","Package":"p"}
{"Action":"again","Package":"p","Test":"A"}
{"Action":"run","Package":"p","Test":"A"}
{"Action":"pass","Package":"p","Test":"A/x"}
{"Action":"pass","Package":"p","Test":"A/y"}
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"pass","Package":"p"}`, passed: 3, shows: "want 1"},
		{name: "fails when it runs again", events: `
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}
{"Action":"again","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"A","Output":"still 2\n"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}`, failed: 1, shows: "still 2"},
		{name: "never comes back from running again", events: `
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}
{"Action":"again","Package":"p","Test":"A"}
{"Action":"start","Package":"p"}`, failed: 1},
		{name: "a data race stays", events: `
{"Action":"output","Package":"p","Test":"A","Output":"testing.go:1: race detected during execution of test\n"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}
{"Action":"again","Package":"p","Test":"A"}
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"pass","Package":"p"}`, passed: 1, failed: 1},
		{name: "a package that died stays", events: `
{"Action":"run","Package":"p","Test":"B"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}
{"Action":"again","Package":"p","Test":"A"}
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"pass","Package":"p"}`, passed: 1, failed: 2},
		{name: "what passed does not run again", events: `
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"pass","Package":"p"}
{"Action":"again","Package":"p","Test":"A"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}`, passed: 1, failed: 1},
		{name: "not an event", events: "go: downloading x\n", shows: "go: downloading x"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			s, err := summarize(strings.NewReader(strings.TrimPrefix(c.events, "\n")), &out)
			if err != nil {
				t.Fatal(err)
			}
			if s.passed != c.passed || s.failed != c.failed || s.skipped != c.skipped {
				t.Errorf("counted %d passed, %d failed, %d skipped; want %d, %d, %d",
					s.passed, s.failed, s.skipped, c.passed, c.failed, c.skipped)
			}
			if !strings.Contains(out.String(), c.shows) {
				t.Errorf("output lacks %q:\n%s", c.shows, out.String())
			}
			if c.hides != "" && strings.Contains(out.String(), c.hides) {
				t.Errorf("output has %q:\n%s", c.hides, out.String())
			}
		})
	}
}

func TestLastLine(t *testing.T) {
	s := &summary{tally: tally{passed: 3, failed: 1}, skips: []string{"p B"}}
	var out strings.Builder
	s.print(&out)
	if !strings.HasSuffix(out.String(), "\n3 passed, 1 failed\n") {
		t.Errorf("does not end with the count:\n%s", out.String())
	}
}

func TestUnsteadyIsNamed(t *testing.T) {
	for outcome, named := range map[string]bool{"pass": true, "fail": false} {
		s, err := summarize(strings.NewReader(`{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}
{"Action":"again","Package":"p","Test":"A"}
{"Action":"`+outcome+`","Package":"p","Test":"A"}
{"Action":"`+outcome+`","Package":"p"}`), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		s.print(&out)
		if got := strings.Contains(out.String(), "unsteady, failed at first: p A\n"); got != named {
			t.Errorf("%s the second time: named %v, want %v:\n%s", outcome, got, named, out.String())
		}
	}
}
