package merge_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"clawfs/txn/jsondoc"
)

// tree is a document as the tests make and edit it, before it is spelled.
type tree struct {
	kind jsondoc.Kind
	text string // a string's content, a number's spelling, true or false
	keys []string
	kids []*tree
	tag  tag
	// remark is a comment that stands with the value: before it, or behind it where
	// it begins with a slash.
	remark string
	uid    int // tells a thing in a list from the others; it is not written
}

// tag names the kind that a container is meant to be, so that edits fit it.
type tag uint8

const (
	tagNone     tag = iota
	tagKeyed        // a list of objects with an identity
	tagSet          // a list of distinct strings
	tagMessages     // a list of objects without identity
	tagNumbers      // a list of numbers
	tagTokens       // an object that is a token group
	tagArgs         // a command line
	tagMixed        // a list of anything
)

func str(s string) *tree { return &tree{kind: jsondoc.String, text: s} }
func num(s string) *tree { return &tree{kind: jsondoc.Number, text: s} }

func (n *tree) clone() *tree {
	c := *n
	c.keys = append([]string(nil), n.keys...)
	c.kids = make([]*tree, len(n.kids))
	for i, k := range n.kids {
		c.kids[i] = k.clone()
	}
	return &c
}

func (n *tree) container() bool { return n.kind >= jsondoc.Array }

func (n *tree) member(key string) *tree {
	for i, k := range n.keys {
		if k == key {
			return n.kids[i]
		}
	}
	return nil
}

// set adds a member or replaces its value.
func (n *tree) set(key string, v *tree) {
	for i, k := range n.keys {
		if k == key {
			n.kids[i] = v
			return
		}
	}
	n.keys = append(n.keys, key)
	n.kids = append(n.kids, v)
}

func (n *tree) remove(i int) {
	if n.kind == jsondoc.Object {
		n.keys = append(n.keys[:i:i], n.keys[i+1:]...)
	}
	n.kids = append(n.kids[:i:i], n.kids[i+1:]...)
}

func (n *tree) insert(i int, v *tree) {
	n.kids = append(n.kids[:i:i], append([]*tree{v}, n.kids[i:]...)...)
}

// spelling is how a tree is written.
type spelling struct {
	indent  string // "" for all on one line
	newline string
	space   bool // blanks on one line
	js      bool // as JavaScript prints it
	escapes bool // non-ASCII letters as escapes
	five    bool // JSON5: comments, bare keys, trailing commas
	final   bool // a line break at the end
	remarks bool // with the remarks of the tree, in JSON5 with an indentation
}

func (s *spelling) print(n *tree) string {
	var b strings.Builder
	s.value(&b, n, 0)
	if s.final {
		b.WriteString(s.newline)
	}
	return b.String()
}

func (s *spelling) value(b *strings.Builder, n *tree, depth int) {
	switch n.kind {
	case jsondoc.String:
		b.WriteString(s.quote(n.text))
	case jsondoc.Array, jsondoc.Object:
		s.container(b, n, depth)
	case jsondoc.Number:
		b.WriteString(s.number(n.text))
	default:
		b.WriteString(n.text)
	}
}

func (s *spelling) container(b *strings.Builder, n *tree, depth int) {
	brackets := "[]"
	if n.kind == jsondoc.Object {
		brackets = "{}"
	}
	b.WriteByte(brackets[0])
	for i, k := range n.kids {
		s.lineBreak(b, depth+1)
		name := "element"
		if n.kind == jsondoc.Object {
			name = n.keys[i]
		}
		if name == "version" || name == "updatedAt" || name == "lastUsedAt" {
			name = "no" // a comment that comes or goes with one would be a change
		}
		if s.five && !s.remarks && len(name)%3 == 1 {
			fmt.Fprintf(b, "/* the %s */ ", name)
		}
		s.before(b, k, depth+1)
		if n.kind == jsondoc.Object {
			s.key(b, n.keys[i])
		}
		s.value(b, k, depth+1)
		s.behind(b, i == len(n.kids)-1, name)
		if s.remarks && strings.HasPrefix(k.remark, "/") {
			fmt.Fprintf(b, " // %s", k.remark[1:])
		}
	}
	if len(n.kids) > 0 {
		s.lineBreak(b, depth)
	}
	b.WriteByte(brackets[1])
}

// before writes the remark before a value, on a line of its own.
func (s *spelling) before(b *strings.Builder, n *tree, depth int) {
	if s.remarks && n.remark != "" && n.remark[0] != '/' {
		fmt.Fprintf(b, "// %s", n.remark)
		s.lineBreak(b, depth)
	}
}

// behind writes the text behind a member or element: the comma, in JSON5 behind the
// last one too, and a comment where there is one.
func (s *spelling) behind(b *strings.Builder, last bool, name string) {
	switch {
	case !last, s.five && s.indent != "":
		b.WriteByte(',')
	}
	switch {
	case s.five && !s.remarks && s.indent != "" && len(name)%4 == 0:
		fmt.Fprintf(b, " // %s", name)
	case s.indent == "" && s.space && !last:
		b.WriteByte(' ')
	}
}

func (s *spelling) lineBreak(b *strings.Builder, depth int) {
	if s.indent != "" {
		b.WriteString(s.newline)
		b.WriteString(strings.Repeat(s.indent, depth))
	}
}

func (s *spelling) key(b *strings.Builder, key string) {
	if s.five && key != "" && !strings.ContainsAny(key, "-:/~ _é") && len(key)%2 == 0 {
		b.WriteString(key)
	} else {
		b.WriteString(s.quote(key))
	}
	b.WriteByte(':')
	if s.indent != "" || s.space {
		b.WriteByte(' ')
	}
}

func (s *spelling) quote(text string) string {
	q, _ := json.Marshal(text)
	if s.escapes && !s.js {
		return strings.ReplaceAll(string(q), "é", `\u00e9`)
	}
	return string(q)
}

// number writes a number as it was spelled, or as JavaScript prints it.
func (s *spelling) number(text string) string {
	if !s.js {
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return "null"
	}
	if f == 0 {
		return "0"
	}
	if a := math.Abs(f); a >= 1e-6 && a < 1e21 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'e', -1, 64)
}
