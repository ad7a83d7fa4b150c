package seen

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// No content is a candidate that neither the author nor a process of its family has read or
// written, whatever processes did before: those of one shell are a family, x, y and callers that
// can't be told are not of it.
func TestNoCandidateIsAStrangers(t *testing.T) {
	family := func(process string) string {
		if strings.Contains("sh a b c d f", process) {
			return "sh"
		}
		return process
	}
	names := rapid.SampledFrom([]string{"a", "b", "c", "d", "f", "x", "y", "nobody"})
	deeds := rapid.SampledFrom([]string{"reads", "reads", "writes", "merges", "redirects", "removes", "asks", "finds", "dies", "wait"})
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(nil)
		h.tell("some x writes first")
		knows := map[string]bool{"x first": true}
		var story []string
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			name, deed := names.Draw(t, "process"), deeds.Draw(t, "deed")
			step := name + " " + deed + " -"
			switch deed {
			case "wait":
				step = fmt.Sprintf("wait %d", rapid.IntRange(1, 40).Draw(t, "seconds"))
			case "asks", "finds":
				step = name + " " + deed + " 1"
			case "reads", "writes", "merges", "redirects":
				content := fmt.Sprintf("of-%s-%d", family(name), i)
				knows[family(name)+" "+content] = true
				step = name + " " + deed + " " + content
			}
			h.do(step)
			story = append(story, step)
			author := names.Draw(t, "author")
			o := Origin{Caller: process(author), Event: h.tick, At: h.now}
			s := h.v.Of(o)
			contents := append([]*Content{s.Last}, s.Earlier...)
			for _, c := range s.Candidates {
				contents = append(contents, c.Content)
			}
			for _, c := range contents {
				if c != nil && !knows[family(author)+" "+h.text[c]] {
					t.Fatalf("after %q %s may have made its content from %s", story, author, h.text[c])
				}
			}
		}
	})
}
