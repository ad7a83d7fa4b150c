package merge_test

import (
	"math"
	"strconv"
	"strings"

	"clawfs/txn/jsondoc"
)

// printer is a program of some language, as far as it shows in its output: the
// spelling that it makes of each value that it reads. These are written from the
// output of the programs, and know nothing of the table in txn/roundtrip.
type printer struct {
	name  string
	shown int // how many values have to show it
	// of returns the print of a value whose inside is printed already; nil for a
	// member that is left out.
	of func(n *tree) *tree
	// mixed says that a head of several writers does not show it.
	mixed bool
}

// fraction returns a printer's format for the numbers that are no whole ones.
func fraction(format byte, precision, bits int) func(n *tree) *tree {
	return func(n *tree) *tree {
		if n.kind != jsondoc.Number || isWhole(n.text) {
			return n
		}
		return num(cleaned(strconv.FormatFloat(read(n.text, bits), format, precision, bits)))
	}
}

func isWhole(text string) bool { return !strings.ContainsAny(text, ".eE") }

func read(text string, bits int) float64 {
	f, _ := strconv.ParseFloat(text, bits)
	return f
}

// cleaned drops the zeros that C's %g does not print.
func cleaned(text string) string {
	mantissa, exponent, has := strings.Cut(text, "e")
	if strings.Contains(mantissa, ".") {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	if has {
		return mantissa + "e" + exponent
	}
	return mantissa
}

// both prints in one way the print of another.
func both(first, second func(*tree) *tree) func(*tree) *tree {
	return func(n *tree) *tree {
		if n = first(n); n != nil {
			n = second(n)
		}
		return n
	}
}

func empties(kind jsondoc.Kind, as func() *tree) func(*tree) *tree {
	return func(n *tree) *tree {
		if n.kind != kind || len(n.kids) > 0 {
			return n
		}
		return as()
	}
}

func anArray() *tree  { return &tree{kind: jsondoc.Array} }
func anObject() *tree { return &tree{kind: jsondoc.Object} }

var printers = []printer{
	{name: "jansson", of: fraction('g', 17, 64)},
	{name: "Perl", of: fraction('g', 15, 64)},
	{name: "Lua", of: both(lua, empties(jsondoc.Array, anObject))},
	{name: "PHP", of: both(both(fraction('g', 17, 64), empties(jsondoc.Object, anArray)), listed)},
	{name: "a double of 18 digits", of: fraction('g', 18, 64)},
	{name: "neighbours", of: neighbour},
	{name: "6 decimals", shown: 2, of: fraction('f', 6, 64)},
	{name: "float32", shown: 2, of: fraction('g', -1, 32)},
	{name: "C++ streams", shown: 2, of: fraction('g', 6, 64)},
	{name: "ids of doubles", of: exactDouble},
	{name: "JavaScript", of: javaScript},
	{name: "U+FFFD", of: replaced},
	{name: "instants", of: instants},
	{name: "a property tree", shown: 2, of: both(both(wordsAsText, empties(jsondoc.Array, func() *tree { return str("") })), empties(jsondoc.Object, func() *tree { return str("") }))},
	{name: "without null", shown: 3, mixed: true, of: func(n *tree) *tree {
		for i := len(n.kids) - 1; n.kind == jsondoc.Object && i >= 0; i-- {
			if n.kids[i].kind == jsondoc.Null {
				n.remove(i)
			}
		}
		return n
	}},
}

func lua(n *tree) *tree {
	if n.kind != jsondoc.Number {
		return n
	}
	return num(cleaned(strconv.FormatFloat(read(n.text, 64), 'g', 14, 64)))
}

// listed makes a list of an object with the keys 0, 1, …
func listed(n *tree) *tree {
	if n.kind != jsondoc.Object || len(n.kids) == 0 {
		return n
	}
	for i, k := range n.keys {
		if k != strconv.Itoa(i) {
			return n
		}
	}
	return &tree{kind: jsondoc.Array, kids: n.kids}
}

func neighbour(n *tree) *tree {
	if n.kind != jsondoc.Number || isWhole(n.text) || len(strings.TrimLeft(strings.Replace(n.text, ".", "", 1), "-0")) < 16 {
		return n
	}
	return num(strconv.FormatFloat(math.Nextafter(read(n.text, 64), 1e300), 'g', -1, 64))
}

func exactDouble(n *tree) *tree {
	if n.kind != jsondoc.Number || !isWhole(n.text) {
		return n
	}
	return num(strconv.FormatFloat(read(n.text, 64), 'f', 0, 64))
}

func javaScript(n *tree) *tree {
	if n.kind != jsondoc.Number {
		return n
	}
	return num(new(spelling{js: true}).number(n.text))
}

func replaced(n *tree) *tree {
	if n.kind == jsondoc.String {
		return str(strings.ReplaceAll(n.text, lone, "\ufffd"))
	}
	return n
}

// lone is a lone surrogate, as jsondoc decodes it.
const lone = "\xed\xa0\x80"

func instants(n *tree) *tree {
	if n.kind == jsondoc.String && strings.HasSuffix(n.text, "+00:00") {
		return str(strings.TrimRight(strings.TrimSuffix(n.text, "+00:00"), "0") + "Z")
	}
	return n
}

func wordsAsText(n *tree) *tree {
	if n.container() || n.kind == jsondoc.String {
		return n
	}
	return str(n.text)
}

// written returns a printer's print of a document.
func (p *printer) written(n *tree) *tree {
	c := *n
	c.kids, c.keys = nil, nil
	for i, k := range n.kids {
		c.kids = append(c.kids, p.written(k))
		if n.kind == jsondoc.Object {
			c.keys = append(c.keys, n.keys[i])
		}
	}
	return p.of(&c)
}
