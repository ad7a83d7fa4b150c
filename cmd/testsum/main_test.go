package main

import (
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
	s := &summary{passed: 3, failed: 1, skips: []string{"p B"}}
	var out strings.Builder
	s.print(&out)
	if !strings.HasSuffix(out.String(), "\n3 passed, 1 failed\n") {
		t.Errorf("does not end with the count:\n%s", out.String())
	}
}
