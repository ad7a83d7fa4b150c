package merge_test

import (
	"errors"
	"strings"
	"testing"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

func TestPolicyValidate(t *testing.T) {
	if err := (*merge.Policy)(nil).Validate(); err != nil {
		t.Errorf("no policy: %v", err)
	}
	if err := (&merge.Policy{Rules: []merge.Rule{{}, {Path: "/a~1b/~0/*/**", Identity: []string{"id"}}, {Path: "/x", As: merge.AsLog}}}).Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		policy merge.Policy
		rule   int
		says   string
	}{
		{merge.Policy{OnConflict: 9}, -1, "unknown resolution"},
		{merge.Policy{Rules: []merge.Rule{{Path: "a"}}}, 0, "rule 1: a path starts with a slash"},
		{merge.Policy{Rules: []merge.Rule{{}, {Path: "/~"}}}, 1, "rule 2: a ~ in a path is followed by 0 or 1"},
		{merge.Policy{Rules: []merge.Rule{{Path: "/~0~2"}}}, 0, "rule 1: a ~ in a path is followed by 0 or 1"},
		{merge.Policy{Rules: []merge.Rule{{OnConflict: 9}}}, 0, "rule 1: unknown resolution"},
		{merge.Policy{Rules: []merge.Rule{{As: 99}}}, 0, "rule 1: unknown treatment"},
		{merge.Policy{Rules: []merge.Rule{{Identity: []string{"id"}, As: merge.AsSet}}}, 0, "rule 1: a list with an identity takes no other treatment"},
		{merge.Policy{Rules: []merge.Rule{{Identity: []string{"id", ""}}}}, 0, "rule 1: an identity is the name of a member"},
	} {
		err := c.policy.Validate()
		var bad *merge.PolicyError
		if !errors.As(err, &bad) || bad.Rule != c.rule || bad.Error() != c.says {
			t.Errorf("got %v, wanted %q", err, c.says)
		}
	}
}

// A rule decides for the paths that its pattern matches and for no other.
func TestPolicyPaths(t *testing.T) {
	write := func(x string) string {
		return strings.ReplaceAll(`{"top":X,"a":{"b":X,"c":{"b":X}},"l":[{"id":1,"b":X}],"s/~":X}`, "X", x)
	}
	const top, ab, acb, lb, s = "/top", "/a/b", "/a/c/b", "/l/0/b", "/s~1~0"
	for _, c := range []struct {
		path string
		ours []string
	}{
		{"", []string{top, ab, acb, lb, s}},
		{"/top", []string{top}},
		{"/b", nil},
		{"/a", []string{ab, acb}},
		{"/a/b", []string{ab}},
		{"/a/*", []string{ab, acb}},
		{"/*/b", []string{ab}},
		{"/*/*/b", []string{acb, lb}},
		{"/**/b", []string{ab, acb, lb}},
		{"/a/**/b", []string{ab, acb}},
		{"/**", []string{top, ab, acb, lb, s}},
		{"/**/**/c/**", []string{acb}},
		{"/l/0/b", nil}, // a position is no name
		{"/l/*/b", []string{lb}},
		{"/s~1~0", []string{s}},
		{"/S~1~0", nil},
	} {
		p := &merge.Policy{Rules: []merge.Rule{{Path: c.path, OnConflict: merge.TakeOurs}}}
		res, err := merge.Merge(parse(write("1")), parse(write("2")), parse(write("3")), p)
		if err != nil {
			t.Fatal(err)
		}
		ours := make(map[string]bool)
		for _, path := range c.ours {
			ours[path] = true
		}
		for _, k := range res.Conflicts {
			if (k.Won == merge.Head) != ours[k.Path] {
				t.Errorf("%q: %s", c.path, k)
			}
		}
		if len(res.Conflicts) != 5 {
			t.Errorf("%q: %v", c.path, res.Conflicts)
		}
	}
}

// Of several rules that match the later one decides, each field for itself.
func TestPolicyLaterRule(t *testing.T) {
	p := &merge.Policy{OnConflict: merge.Reject, Rules: []merge.Rule{
		{Path: "/**", OnConflict: merge.TakeOurs},
		{Path: "/n", As: merge.AsCounter, OnConflict: merge.Reject},
		{Path: "/*", OnConflict: merge.TakeTheirs},
		{Path: "/m", OnConflict: merge.TakeOurs},
	}}
	res, err := merge.Merge(parse(`{"n":1,"m":1,"x":1}`), parse(`{"n":2,"m":2,"x":2}`), parse(`{"n":3,"m":3,"x":3}`), p)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(res.Text), `{"n":4,"m":2,"x":3}`; got != want {
		t.Errorf("got %s, wanted %s", got, want)
	}
}

// A conflict's error counts the conflicts that it does not name, and holds no value.
func TestConflictError(t *testing.T) {
	_, err := merge.Merge(parse(`{"a":"s1","b":1}`), parse(`{"a":"s2","b":2}`), parse(`{"a":"s3","b":3}`), &merge.Policy{OnConflict: merge.Reject})
	var refused *merge.ConflictError
	if !errors.As(err, &refused) || err.Error() != "conflict at /a (changed) and 1 more" {
		t.Fatalf("got %v", err)
	}
	for _, o := range []merge.Outcome{merge.KeptHead, merge.TookTheirs, merge.Merged} {
		if o.String() == "" {
			t.Errorf("outcome %d has no name", o)
		}
	}
}

// Where the policy takes the head's side, a number that both have drawn is the head's thing.
func TestTheHeadsThingKeepsItsNumber(t *testing.T) {
	base, head, theirs := document(t, `[{"id":1,"t":"a"}]`), document(t, `[{"id":1,"t":"a"},{"id":2,"t":"h"}]`), document(t, `[{"id":1,"t":"a"},{"id":2,"t":"t"}]`)
	for resolution, want := range map[merge.Resolution]*jsondoc.Doc{merge.TakeOurs: head, merge.TakeTheirs: theirs} {
		res, err := merge.Merge(base, head, theirs, &merge.Policy{OnConflict: resolution})
		if err != nil || string(res.Text) != string(want.Source()) || len(res.Conflicts) != 1 {
			t.Errorf("%v: %s, %v, %v", resolution, res.Text, res.Conflicts, err)
		}
	}
}

// Two lines that are begun are two objects of the same members; nothing else is.
func TestTwoLinesAreTwoObjects(t *testing.T) {
	for _, c := range []struct {
		head, theirs string
		two          bool
	}{
		{`{"type":"a","name":"b"}`, `{"type":"a","name":"c"}`, true},
		{`{"type":"a","name":"b"}`, `["a","b"]`, false},
		{`["a","b"]`, `{"type":"a","name":"c"}`, false},
		{`{"type":"a","name":"b"}`, `{"type":"a"}`, false},
	} {
		res, err := merge.Merge(nil, document(t, c.head), document(t, c.theirs), nil)
		if err != nil || res.TwoLines != c.two {
			t.Errorf("%s, %s: two lines: %v, %v", c.head, c.theirs, res.TwoLines, err)
		}
	}
}

// A treatment decides where a name or a shape would say otherwise.
func TestTreatments(t *testing.T) {
	for _, c := range []struct {
		rule                     merge.Rule
		base, head, theirs, want string
	}{
		{merge.Rule{As: merge.AsAtomic}, `1`, `{}`, `[]`, " whole, type-changed theirs"},
		{merge.Rule{As: merge.AsSequence}, `["q"]`, `["r"]`, `[]`, " sequence, deleted head"},
		{merge.Rule{Identity: []string{"t"}}, `[]`, `["p"]`, `["q"]`, " sequence"},
		{merge.Rule{As: merge.AsSet}, `[]`, `[{"name":"p"}]`, `[{"name":"q"}]`, " sequence"},
		{merge.Rule{Path: "/text", As: merge.AsSet}, `{"text":["a"]}`, `{"text":["a","b"]}`, `{"text":["a","c"]}`, "/text set"},
		{merge.Rule{Path: "/p", As: merge.AsValue}, `{"p":[1,2]}`, `{"p":[1,3]}`, `{"p":[1,4]}`, "/p tuple, changed theirs"},
		{merge.Rule{Path: "/p", As: merge.AsSequence}, `{"p":[1,2]}`, `{"p":[1,3]}`, `{"p":[1,4]}`, "/p positions, changed theirs"},
		{merge.Rule{Path: "/rev", As: merge.AsValue}, `{"rev":1}`, `{"rev":2}`, `{"rev":3}`, "changed theirs"},
		{merge.Rule{Path: "/at", As: merge.AsStamp}, `{"at":1}`, `{"at":3}`, `{"at":2}`, "/at later"},
		{merge.Rule{Path: "/at", As: merge.AsStamp}, `{"at":1}`, `{"at":[3]}`, `{"at":[2]}`, "/at sequence"},
		{merge.Rule{Path: "/updatedAt", As: merge.AsCounter}, `{"updatedAt":1}`, `{"updatedAt":3}`, `{"updatedAt":2}`, "/updatedAt sum"},
		{merge.Rule{Path: "/**/at", As: merge.AsStamp}, `{"l":[{"id":"a","at":1}]}`, `{"l":[{"id":"a","at":3}]}`, `{"l":[{"id":"a","at":2}]}`, "/l/0/at later, /l identity id"},
		{merge.Rule{Path: "/l/at", As: merge.AsStamp}, `{"l":[{"id":"a","at":1}]}`, `{"l":[{"id":"a","at":3}]}`, `{"l":[{"id":"a","at":2}]}`, "/l identity id, changed theirs"},
	} {
		if got := rulesOf(t, c.base, c.head, c.theirs, &merge.Policy{Rules: []merge.Rule{c.rule}}); got != c.want {
			t.Errorf("%q as %v: %q, want %q", c.rule.Path, c.rule.As, got, c.want)
		}
	}
}

// Where the policy rejects, a comment that would be lost refuses the merge, too.
func TestLostCommentsAreRejected(t *testing.T) {
	docs, err := parseAlike(`{l: "x"}`, `{}`, `{/*t*/ l: "x"}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := merge.Merge(docs[0], docs[1], docs[2], &merge.Policy{OnConflict: merge.Reject}); err == nil || err.Error() != "conflict at /l (comment)" {
		t.Errorf("got %v", err)
	}
}

// The words of resolutions and treatments are those of the configuration.
func TestWords(t *testing.T) {
	for r, want := range []string{"inherit", "theirs", "ours", "reject"} {
		if got := merge.Resolution(r).String(); got != want {
			t.Errorf("resolution %d is %s, want %s", r, got, want)
		}
	}
	for a, want := range []string{"shape", "value", "counter", "stamp", "atomic", "set", "sequence", "log"} {
		if got := merge.Treatment(a).String(); got != want {
			t.Errorf("treatment %d is %s, want %s", a, got, want)
		}
	}
}
