package quick

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A value is a part of a document: nil, bool, json.Number, string, *list or *object. The
// members of an object stay in their order, as they do in python, node and jq.
type value any

type list struct{ elements []value }

type object struct {
	names   []string
	members map[string]value
}

func newObject() *object { return &object{members: make(map[string]value)} }

func (o *object) set(name string, v value) {
	if _, ok := o.members[name]; !ok {
		o.names = append(o.names, name)
	}
	o.members[name] = v
}

func (o *object) remove(name string) {
	delete(o.members, name)
	o.names = slices.DeleteFunc(o.names, func(n string) bool { return n == name })
}

// parse reads one document.
func parse(text string) (value, error) {
	all, err := parseAll(text)
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("%d documents", len(all))
	}
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// parseAll reads documents, one behind the other.
func parseAll(text string) ([]value, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var all []value
	for {
		v, err := next(d)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, v)
	}
}

func next(d *json.Decoder) (value, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	return rest(d, token)
}

// rest reads the rest of a value that begins with a token.
func rest(d *json.Decoder, token json.Token) (value, error) {
	switch token {
	case json.Delim('['):
		l := &list{}
		for d.More() {
			v, err := within(d)
			if err != nil {
				return nil, err
			}
			l.elements = append(l.elements, v)
		}
		_, err := withinToken(d)
		return l, err
	case json.Delim('{'):
		o := newObject()
		for d.More() {
			name, err := withinToken(d)
			if err != nil {
				return nil, err
			}
			v, err := within(d)
			if err != nil {
				return nil, err
			}
			o.set(name.(string), v)
		}
		_, err := withinToken(d)
		return o, err
	}
	return token, nil
}

func within(d *json.Decoder) (value, error) {
	token, err := withinToken(d)
	if err != nil {
		return nil, err
	}
	return rest(d, token)
}

// withinToken is the next token of a document that has begun: its end is an error.
func withinToken(d *json.Decoder) (json.Token, error) {
	token, err := d.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return token, err
}

// A spelling is the text that a language puts between the parts of a document.
type spelling struct {
	comma, colon string
	indent       string // of each level, on lines of their own; "" for one line
}

var (
	pythonText = spelling{comma: ", ", colon: ": "}
	nodeText   = spelling{comma: ",", colon: ":"}
	jqText     = spelling{comma: ",", colon: ": ", indent: "  "}
)

func (s spelling) text(v value) string {
	var b bytes.Buffer
	s.write(&b, v, "")
	return b.String()
}

func (s spelling) write(b *bytes.Buffer, v value, line string) {
	switch v := v.(type) {
	case *list:
		s.group(b, '[', ']', len(v.elements), line, func(i int, line string) { s.write(b, v.elements[i], line) })
	case *object:
		s.group(b, '{', '}', len(v.names), line, func(i int, line string) {
			b.WriteString(quoted(v.names[i]))
			b.WriteString(s.colon)
			s.write(b, v.members[v.names[i]], line)
		})
	case string:
		b.WriteString(quoted(v))
	case nil:
		b.WriteString("null")
	default:
		fmt.Fprint(b, v)
	}
}

func (s spelling) group(b *bytes.Buffer, open, end byte, n int, line string, each func(i int, line string)) {
	inner := line + s.indent
	b.WriteByte(open)
	for i := range n {
		if i > 0 {
			b.WriteString(s.comma)
		}
		if s.indent != "" {
			b.WriteString("\n" + inner)
		}
		each(i, inner)
	}
	if s.indent != "" && n > 0 {
		b.WriteString("\n" + line)
	}
	b.WriteByte(end)
}

func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return `""` // a string is always a document
	}
	return string(b)
}
