package roundtrip

import (
	"bytes"
	"strconv"

	"clawfs/txn/jsondoc"
)

// census counts the values of a document, or of a part of it, that some family
// changes.
type census struct {
	jsondoc.Counts
	axes       [len(axes)]figures
	exponents  int // numbers that YAML 1.1 does not take for one
	indexed    int // objects whose keys are 0, 1, …
	huge       int // numbers that are no doubles
	lone       int // strings with a lone surrogate
	timeStyles timeStyle
}

// figures are those of the numbers of a kind.
type figures struct {
	digits   int // the most that one has
	decimals int // the most that one has behind the point
	// those that some family may change or print, in their order
	odd []jsondoc.Value
}

// add takes some of a document into account.
func (c *census) add(nodes jsondoc.Nodes) {
	nodes.Survey(&c.Counts, shortestTime+2, longestTime+2, c.look)
}

func (c *census) look(v jsondoc.Value) {
	switch v.Kind() {
	case jsondoc.Number:
		c.number(v)
	case jsondoc.String:
		c.string(v)
	case jsondoc.Object:
		if isIndexed(v) {
			c.indexed++
		}
	}
}

// isIndex reports whether a key is a number, written as a list counts its elements.
func isIndex(key jsondoc.Value, n int) bool {
	raw := key.Raw()
	if len(raw) < 3 || raw[1] < '0' || raw[1] > '9' || n == 0 && len(raw) > 3 {
		return false
	}
	return key.Text() == strconv.Itoa(n)
}

func (c *census) string(v jsondoc.Value) {
	if raw := v.Raw(); mayBeTime(raw) {
		c.timeStyles |= styleOf(raw[1 : len(raw)-1])
	}
	if hasLone(v) {
		c.lone++
	}
}

// hasLone reports whether a string holds a lone surrogate, which only an escape can be.
func hasLone(v jsondoc.Value) bool {
	if !v.IsEscaped() {
		return false
	}
	s := v.Text()
	for i := 0; i+2 < len(s); i++ {
		if isLone(s[i:]) {
			return true
		}
	}
	return false
}

// isLone reports whether text begins with a lone surrogate, as jsondoc decodes it.
func isLone(s string) bool { return len(s) >= 3 && s[0] == 0xed && s[1] >= 0xa0 }

func (c *census) number(v jsondoc.Value) {
	raw := v.Raw()
	digits, point, ok := measure(raw)
	if bytes.IndexByte(raw, 'e') >= 0 && isNoYAML(raw) || bytes.IndexByte(raw, 'E') >= 0 && isNoYAML(raw) {
		c.exponents++
	}
	switch {
	case !ok:
	case point > farthestDouble:
		c.huge++
	default:
		at := fractions
		if point >= digits && point <= wholeDigits {
			at = wholes
		}
		f := &c.axes[at]
		f.digits = max(f.digits, digits)
		f.decimals = max(f.decimals, digits-point)
		f.odd = append(f.odd, v)
	}
}

// farthestDouble is the point of the largest double.
const farthestDouble = 309

// measure returns how many digits a number has and where its point is.
func measure(raw []byte) (digits, point int, ok bool) {
	first, last, seen, dot := -1, -1, 0, -1
	for i, b := range raw {
		switch {
		case b >= '0' && b <= '9':
			if b != '0' {
				if first < 0 {
					first = seen
				}
				last = seen
			}
			seen++
		case b == '.':
			dot = seen
		case b == 'e', b == 'E':
			exponent, err := strconv.Atoi(string(raw[i+1:]))
			if err != nil {
				return 0, 0, false
			}
			if dot < 0 {
				dot = seen
			}
			return last - first + 1, dot - first + exponent, first >= 0
		case b == '-' && i == 0:
		default:
			return 0, 0, false // only JSON5 has such numbers
		}
	}
	if dot < 0 {
		dot = seen
	}
	if first < 0 {
		return 0, 0, true
	}
	return last - first + 1, dot - first, true
}

// isHuge reports whether a number is too large for a double.
func isHuge(raw []byte) bool {
	_, point, ok := measure(raw)
	return ok && point > farthestDouble
}
