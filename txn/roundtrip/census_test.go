package roundtrip

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"clawfs/txn/jsondoc"
)

// measure gives the figures of the number that parseDecimal reads, without reading it.
func TestMeasure(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	texts := []string{"0", "-0", "0.0", "-0.00e5", "1", "-1", "10", "0.1", "-0.010", "1e5", "1E5", "1.5e+3", "-120.0e-2", "00.5", ".5", "5.", "1e400", "123456789012345678901234567890"}
	for range 5_000 {
		var b strings.Builder
		for range 1 + rnd.IntN(12) {
			b.WriteByte("00123456789.eE-"[rnd.IntN(15)])
		}
		texts = append(texts, b.String())
	}
	for _, text := range texts {
		d, isNumber := parseDecimal([]byte(text))
		digits, point, ok := measure([]byte(text))
		if strings.Count(text, ".") > 1 || !isNumber {
			continue // no grammar has it, or only JSON5
		}
		if d.isZero() {
			if ok && digits != 0 {
				t.Fatalf("%s, which is zero, has %d digits", text, digits)
			}
			continue
		}
		if !ok || digits != d.len() || point != d.point {
			t.Fatalf("%s has %d digits and the point %d (%v), want %d and %d", text, digits, point, ok, d.len(), d.point)
		}
	}
	for _, text := range []string{"+1", "0x1F", "Infinity", "NaN", "-Infinity", "1-2", "1e", "1e5x", "1e99999999999999999999"} {
		if _, _, ok := measure([]byte(text)); ok {
			t.Errorf("%s is measured", text)
		}
	}
}

// The number of a text is the double that programs read it as; a text that is none is
// not told from anything.
func TestNumberOf(t *testing.T) {
	for text, want := range map[string]bool{"1.5": true, "-0": true, "1e308": true, "1e309": false, "1e-400": true, "Infinity": false, "NaN": false, "0x10": false} {
		n, ok := numberOf([]byte(text))
		if ok != want {
			t.Errorf("whether %s is a number is %v", text, ok)
		}
		if d, err := strconv.ParseFloat(text, 64); ok && (err != nil || d != n.double) {
			t.Errorf("%s is read as %v", text, n.double)
		}
	}
}

// A number that only stands elsewhere was not changed. A number that one row has more than the
// other was.
func TestChangedNumbers(t *testing.T) {
	texts := func(of []jsondoc.Value) []string {
		var out []string
		for _, v := range of {
			out = append(out, string(v.Raw()))
		}
		return out
	}
	row := func(from, to int) []string {
		var out []string
		for i := from; i < to; i++ {
			out = append(out, fmt.Sprintf("%d.5", i))
		}
		return out
	}
	join := func(rows ...[]string) []string { return slices.Concat(rows...) }
	for name, c := range map[string]struct{ b, x, was, is []string }{
		"the same":               {row(0, 50), row(0, 50), nil, nil},
		"nothing before":         {nil, row(0, 3), nil, row(0, 3)},
		"nothing after":          {row(0, 3), nil, row(0, 3), nil},
		"one edited":             {row(0, 9), join(row(0, 4), row(70, 71), row(5, 9)), row(4, 5), row(70, 71)},
		"the last edited":        {row(0, 9), join(row(0, 8), row(70, 71)), row(8, 9), row(70, 71)},
		"some inserted":          {row(0, 9), join(row(0, 4), row(70, 90), row(4, 9)), nil, row(70, 90)},
		"some removed":           {row(0, 40), join(row(0, 4), row(20, 40)), row(4, 20), nil},
		"as many as a window":    {row(0, 99), join(row(0, 4), row(4+window-1, 99)), row(4, 4+window-1), nil},
		"all edited":             {row(0, 2*window+5), row(100, 100+2*window+5), row(0, 2*window+5), row(100, 100+2*window+5)},
		"all edited, and longer": {row(0, 3), row(100, 100+window+5), row(0, 3), row(100, 100+window+5)},
	} {
		was, is := changed(values(t, c.b), values(t, c.x))
		if !slices.Equal(texts(was), c.was) || !slices.Equal(texts(is), c.is) {
			t.Errorf("%s: changed are %q to %q, want %q to %q", name, texts(was), texts(is), c.was, c.is)
		}
	}
}

func values(t *testing.T, numbers []string) []jsondoc.Value {
	t.Helper()
	var out []jsondoc.Value
	for _, v := range parse(t, "["+strings.Join(numbers, ",")+"]").Root().Elements() {
		out = append(out, v)
	}
	return out
}

// An instant is known in each spelling, and the spellings are told apart.
func TestStylesOfTimes(t *testing.T) {
	at := time.Date(2024, 11, 29, 20, 30, 0, 500_000_000, time.UTC)
	whole := at.Truncate(time.Second)
	spellings := []struct {
		text string
		at   time.Time
	}{
		{"2024-11-29T20:30:00Z", whole},
		{"2024-11-29T20:30:00+00:00", whole},
		{"2024-11-29T21:30:00+01:00", whole},
		{"2024-11-29T20:30:00.5Z", at},
		{"2024-11-29T20:30:00.5+00:00", at},
		{"2024-11-29T15:30:00.5-05:00", at},
		{"2024-11-29T20:30:00.500Z", at},
		{"2024-11-29T20:30:00.500+00:00", at},
		{"2024-11-29T21:30:00.500+01:00", at},
	}
	styles := make(map[timeStyle]string)
	for _, s := range spellings {
		for _, text := range []string{s.text, strings.Replace(s.text, "T", " ", 1)} {
			is, style, ok := timeOf(text)
			if !ok || !is.Equal(s.at) || !mayBeTime([]byte(`"`+text+`"`)) || style != styleOf([]byte(text)) {
				t.Errorf("%s is read as %v (%v)", text, is, ok)
			}
			if first, ok := styles[style]; ok || style == 0 || style&(style-1) != 0 {
				t.Errorf("%s is spelled as %s is, %b", text, first, style)
			}
			styles[style] = text
		}
	}
	for _, text := range []string{
		"", "2024", "2024-11-29", "2024-11-29T20:30:0Z", "2024-11-29_20:30:00Z", "2024-11-29T20:30:00 00:00", "2024-11-29T20:30:00.5",
		"2024-13-29T20:30:00Z", "2024-11-29T20:30:00X", "2024-11-29T20:30:00.123456789+000:00",
		"2024/11-29T20:30:00Z", "2024-11/29T20:30:00Z", "2024-11-29T20.30:00Z", "2024-11-29T20:30.00Z",
	} {
		if _, _, ok := timeOf(text); ok {
			t.Errorf("%q is an instant", text)
		}
	}
	for _, text := range []string{"", "2024", "2024-11-29_20:30:00Z", "2024-11-29T20:30:00 00:00", "2024-11-29T20:30:00.5"} {
		if style := styleOf([]byte(text)); style != 0 {
			t.Errorf("%q is spelled as an instant is, %b", text, style)
		}
	}
	for _, text := range []string{"2024-11-29T20:30:0Z", "2024-11-29T20:30:00.1234567891+00:00", "2024/11-29T20:30:00Z", "2024-11/29T20:30:00Z", "2024-11-29T20.30:00Z", "2024-11-29T20:30.00Z", ""} {
		if mayBeTime([]byte(`"` + text + `"`)) {
			t.Errorf("%q may be an instant", text)
		}
	}
}
