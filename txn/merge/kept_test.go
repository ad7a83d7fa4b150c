package merge_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// Kept counts the things that the result has of the head and theirs lacks, once each.
func TestMergeCountsWhatItKeeps(t *testing.T) {
	many := func(from, to int) string {
		var ids []string
		for i := from; i < to; i++ {
			ids = append(ids, fmt.Sprintf(`{"id":"%d","n":{"x":1}}`, i))
		}
		return "[" + strings.Join(ids, ",") + "]"
	}
	for name, c := range map[string]struct {
		base, head, theirs string
		want               int
	}{
		"member":                  {`{"a":1}`, `{"a":1,"h":1}`, `{"a":2}`, 1},
		"a container counts once": {`{"a":1}`, `{"a":1,"h":{"x":[1,2],"y":1}}`, `{"a":2}`, 1},
		"nothing was seen":        {``, `{"a":1,"h":1,"i":1}`, `{"a":2,"t":1}`, 2},
		"both have added it":      {`{}`, `{"k":1,"h":1}`, `{"k":1,"t":1}`, 1},
		"changed only":            {`{"a":1,"b":1}`, `{"a":2,"b":1}`, `{"a":1,"b":2}`, 0},
		"removed by theirs":       {`{"a":1,"b":1,"c":1}`, `{"a":1,"b":1,"c":2}`, `{"a":1,"c":1}`, 0},
		"removed and changed":     {`{"a":{"x":1},"b":1}`, `{"a":{"x":2},"b":1}`, `{"b":2}`, 1},

		"where theirs is the base's: members":  {`{"o":{"a":1},"n":1}`, `{"o":{"g":1,"a":1,"h":1},"n":1}`, `{"o":{"a":1},"n":2}`, 2},
		"where theirs is the base's: deep":     {`{"o":{"a":{"b":{}}},"n":1}`, `{"o":{"a":{"b":{"h":1}}},"n":1}`, `{"o":{"a":{"b":{}}},"n":2}`, 1},
		"where theirs is the base's: appended": {`{"l":` + many(0, 9) + `,"n":1}`, `{"l":` + many(0, 11) + `,"n":1}`, `{"l":` + many(0, 9) + `,"n":2}`, 2},
		"where theirs is the base's: in front": {`{"l":` + many(2, 9) + `,"n":1}`, `{"l":` + many(0, 9) + `,"n":1}`, `{"l":` + many(2, 9) + `,"n":2}`, 2},
		"where theirs is the base's: exchange": {`{"l":` + many(0, 5) + `,"n":1}`, `{"l":` + many(2, 8) + `,"n":1}`, `{"l":` + many(0, 5) + `,"n":2}`, 3},
		"where theirs is the base's: messages": {`{"l":[{"t":"a"},{"t":"b"}],"n":1}`, `{"l":[{"t":"a","u":1},{"t":"x"},{"t":"b"},{"t":"y"}],"n":1}`, `{"l":[{"t":"a"},{"t":"b"}],"n":2}`, 3},
		"where theirs is the base's: a point":  {`{"p":[1,2],"n":1}`, `{"p":[3,4],"n":1}`, `{"p":[1,2],"n":2}`, 0},
		"where theirs is the base's: a box":    {`{"p":[1,2],"n":1}`, `{"p":[3,4,5],"n":1}`, `{"p":[1,2],"n":2}`, 0},
		"where theirs is the base's: element":  {`{"l":[{"id":"a","o":{}},{"id":"b"}],"n":1}`, `{"l":[{"id":"a","o":{"h":1}},{"id":"b","i":1}],"n":1}`, `{"l":[{"id":"a","o":{}},{"id":"b"}],"n":2}`, 2},
		"where theirs is the base's: a type":   {`{"p":null,"n":1}`, `{"p":{"x":1},"n":1}`, `{"p":null,"n":2}`, 0},
		"where theirs is the base's: a line":   {`{"args":["a"],"n":1}`, `{"args":["a","b"],"n":1}`, `{"args":["a"],"n":2}`, 0},
		"where theirs is the base's: a log":    {`{"log":[1,2,3],"n":1}`, `{"log":[2,3,4],"n":1}`, `{"log":[1,2,3],"n":2}`, 1},
		"within a list that theirs left":       {`[{"id":"a"},{"id":"b","l":[{"id":"c"}]}]`, `[{"id":"a"},{"id":"b","l":[{"id":"c","h":1}]}]`, `[{"id":"t"},{"id":"a"},{"id":"b","l":[{"id":"c"}]}]`, 1},
		"within an element that theirs left":   {`[{"id":"a","o":{}},{"id":"b"}]`, `[{"id":"a","o":{"h":1}},{"id":"b"}]`, `[{"id":"a","o":{}},{"id":"b","t":1}]`, 1},

		"elements":                 {`[{"id":"a"}]`, `[{"id":"a"},{"id":"h"}]`, `[{"id":"a"},{"id":"t"}]`, 1},
		"a set":                    {`["a","b"]`, `["a","b","h","i"]`, `["a","t"]`, 2},
		"messages":                 {`[{"t":"a"}]`, `[{"t":"a"},{"t":"h"}]`, `[{"t":"a"},{"t":"t"}]`, 1},
		"edited twice: both":       {`[{"r":"u","t":"hi"},{"r":"b"}]`, `[{"r":"u","t":"hi!"},{"r":"b"}]`, `[{"r":"u","t":"hi?"},{"r":"b"}]`, 1},
		"edited twice: both, once": {`[{"r":"u","q":"v","t":"hi"},{"r":"b"}]`, `[{"r":"u","q":"v","t":"hi!","h":1},{"r":"b"}]`, `[{"r":"u","q":"v","t":"hi?"},{"r":"b"}]`, 1},
		"one number in a log":      {`{"log":[{"id":1}]}`, `{"log":[{"id":1},{"id":2,"a":1}]}`, `{"log":[{"id":1},{"id":2,"b":1}]}`, 1},

		"theirs is all there is": {`{"a":1,"b":1}`, `{"a":1}`, `{"a":2}`, 0},
		"nothing is merged":      {`{"a":1}`, `{"a":1,"h":1}`, `{"a":1}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var base *jsondoc.Doc
			if c.base != "" {
				base = parse(c.base)
			}
			res, err := merge.Merge(base, parse(c.head), parse(c.theirs), nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.Kept != c.want {
				t.Errorf("%d are counted, want %d: %s", res.Kept, c.want, res.Text)
			}
		})
	}
}

// In objects, lists with identities and sets, the kept values are those that the
// result has and theirs lacks, at any place.
func TestKeptIsWhatTheirsLacks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := genKept(t, 3)
		head, theirs := editKept(t, base, "h"), editKept(t, base, "t")
		text := func(v any) string {
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		res, err := merge.Merge(parse(text(base)), parse(text(head)), parse(text(theirs)), nil)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if err := json.Unmarshal(res.Text, &got); err != nil {
			t.Fatal(err)
		}
		want := lacking(got, theirs)
		if res.Outcome != merge.Merged {
			want = 0
		}
		if res.Kept != want {
			t.Fatalf("%d are counted, want %d\nbase   %s\nhead   %s\ntheirs %s\nresult %s", res.Kept, want, text(base), text(head), text(theirs), res.Text)
		}
	})
}

// genKept makes an object whose members x are objects, l lists with identities, s sets
// and n numbers.
func genKept(t *rapid.T, depth int) map[string]any {
	out := make(map[string]any)
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		name := rapid.SampledFrom([]string{"n1", "n2", "s1", "l1", "x1", "x2"}).Draw(t, "name")
		out[name] = genKeptMember(t, name, depth)
	}
	return out
}

func genKeptMember(t *rapid.T, name string, depth int) any {
	switch {
	case name[0] == 's':
		return []any{"a", "b", "c"}[:rapid.IntRange(0, 3).Draw(t, "strings")]
	case name[0] == 'n' || depth == 0:
		return float64(rapid.IntRange(0, 3).Draw(t, "number"))
	case name[0] == 'x':
		return genKept(t, depth-1)
	}
	list := []any{}
	for i := range rapid.IntRange(0, 4).Draw(t, "elements") {
		e := genKept(t, depth-1)
		e["id"] = fmt.Sprint("e", i)
		list = append(list, e)
	}
	return list
}

// editKept returns a copy of a value that one side has changed.
func editKept(t *rapid.T, v any, side string) any {
	do := func(percent int) bool { return rapid.IntRange(0, 99).Draw(t, "edit") < percent }
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any)
		for _, name := range []string{"id", "n1", "n2", "s1", "l1", "x1", "x2"} {
			if old, ok := v[name]; ok && name == "id" {
				out[name] = old
			} else if ok && !do(10) {
				out[name] = editKept(t, old, side)
			}
		}
		if do(30) {
			name := rapid.SampledFrom([]string{"x", "n"}).Draw(t, "new") + side
			out[name] = genKeptMember(t, name, 1)
		}
		return out
	case []any:
		out := []any{}
		for _, e := range v {
			if !do(10) {
				out = append(out, editKept(t, e, side))
			}
		}
		if do(30) {
			var e any = side
			if len(v) > 0 {
				if _, ok := v[0].(map[string]any); ok {
					e = map[string]any{"id": side}
				}
				at := rapid.IntRange(0, len(out)).Draw(t, "at")
				out = append(out[:at:at], append([]any{e}, out[at:]...)...)
			}
		}
		return out
	case float64:
		if do(20) {
			return v + 10
		}
	}
	return v
}

// lacking counts the members and elements of one value that another one lacks.
func lacking(of, in any) int {
	n := 0
	switch of := of.(type) {
	case map[string]any:
		in, ok := in.(map[string]any)
		if !ok {
			return 0
		}
		for name, v := range of {
			if other, ok := in[name]; ok {
				n += lacking(v, other)
			} else {
				n++
			}
		}
	case []any:
		in, ok := in.([]any)
		if !ok {
			return 0
		}
		at := make(map[any]any)
		for _, e := range in {
			at[identityOf(e)] = e
		}
		for _, e := range of {
			if other, ok := at[identityOf(e)]; ok {
				n += lacking(e, other)
			} else {
				n++
			}
		}
	}
	return n
}

func identityOf(e any) any {
	if o, ok := e.(map[string]any); ok {
		return o["id"]
	}
	return e
}
