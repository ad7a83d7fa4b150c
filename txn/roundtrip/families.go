package roundtrip

import (
	"bytes"
	"math"
	"strconv"

	"clawfs/txn/jsondoc"
)

// numberFamily is a round trip that numbers make. It is tried for whole numbers of 64
// bits and for all others apart, since many languages keep the former exactly.
type numberFamily struct {
	name string
	// of returns the number that the writer prints for one that it reads as this one; x holds the
	// numbers that were written, for a writer that is no function of its input.
	of func(n number, x *writtenNumbers) decimal
	// isPrinted reports whether a number may have been printed so, where that is not
	// whether of returns it as it is.
	isPrinted func(n number) bool
	// The writer prints so many digits at most; so many at least of some number, if it prints
	// more than there were; so many decimals at most.
	most, least, decimals int
	// may replaces these: it reports from the figures of the numbers that were read and
	// written whether the writer may have made this round trip.
	may func(b, x *figures) bool
	// shown is how many values have to show it; 0 is 1.
	shown int
	// exact says that the printed text reads as the same double, or as its neighbour.
	exact bool
	// native says that a comparison of numbers knows it by itself.
	native bool
}

// numberFamilies are the round trips of numbers by real writers. The first one of
// those that explain most is taken.
var numberFamilies = []numberFamily{
	{name: "shortest decimal of a double (JavaScript, jq)", exact: true, most: 17, native: true,
		of: func(n number, _ *writtenNumbers) decimal { return printed(n.double, 'e', -1, 64) }},
	{name: "17 digits (jansson, jsoncpp, json-glib, PHP)", exact: true, most: 17, least: 17, of: digits(17)},
	{name: "exact double (RapidJSON's and Go's integers made of doubles)", exact: true, most: wholeDigits, least: 17,
		of: func(n number, _ *writtenNumbers) decimal { return printed(n.double, 'f', 0, 64).orElse(n, wholes) }},
	{name: "a double in 18 digits at most (Java before 19)", exact: true, most: 18, least: 17,
		isPrinted: func(n number) bool { return n.len() <= 18 },
		of:        func(n number, x *writtenNumbers) decimal { return x.sameDouble(n, 0) }},
	{name: "neighbouring double (RapidJSON)", exact: true, most: 17,
		isPrinted: func(n number) bool { return n.len() <= 17 },
		of:        func(n number, x *writtenNumbers) decimal { return x.sameDouble(n, 1) }},
	{name: "16 digits", most: 16, of: digits(16)},
	{name: "15 digits, 17 where that is not close (cJSON)", most: 17, of: ofCJSON},
	{name: "15 digits (Perl, R)", most: 15, of: digits(15)},
	{name: "14 digits (Lua)", most: 14, of: digits(14)},
	{name: "float32 (Go's and C++'s floats)", most: 9, shown: 2,
		of: func(n number, _ *writtenNumbers) decimal { return printed(float64(float32(n.double)), 'e', -1, 32) }},
	{name: "float32 as a double", most: 17, least: 12, shown: 2,
		of: func(n number, _ *writtenNumbers) decimal { return printed(float64(float32(n.double)), 'e', -1, 64) }},
	{name: "15 digits of those that have no more than 16 (Oj)", most: 400, shown: 2, of: ofOj,
		may: func(b, x *figures) bool { return b.digits > 15 && x.digits > 15 }},
	{name: "6 decimals", decimals: 6, shown: 2, of: decimals(6)},
	{name: "6 decimals unless it is large (jsoniter)", shown: 2, of: ofJSONIter,
		may: func(b, x *figures) bool { return b.decimals > 6 }},
	{name: "6 decimals unless it is large or small (Vim)", most: 17, shown: 2, of: ofVim},
	{name: "4 decimals unless it is large or small (jsonlite)", shown: 2, of: ofJSONLite,
		may: func(b, x *figures) bool { return b.decimals > 4 && x.digits <= 15 }},
	{name: "6 digits (C++ streams)", most: 6, shown: 2, of: digits(6)},
}

func digits(n int) func(number, *writtenNumbers) decimal {
	return func(x number, _ *writtenNumbers) decimal { return printed(x.double, 'e', n-1, 64) }
}

func decimals(n int) func(number, *writtenNumbers) decimal {
	return func(x number, _ *writtenNumbers) decimal { return printed(x.double, 'f', n, 64) }
}

// orElse returns a number that was printed of n, or n itself where that is of
// another kind.
func (d decimal) orElse(n number, only axis) decimal {
	if n.axis() != only {
		return n.decimal
	}
	return d
}

// ofCJSON prints 15 digits unless they read as another double, one unit in its last
// place aside.
func ofCJSON(n number, _ *writtenNumbers) decimal {
	text := strconv.FormatFloat(n.double, 'e', 14, 64)
	short, _ := strconv.ParseFloat(text, 64)
	const epsilon = 1.0 / (1 << 52)
	if math.Abs(short-n.double) <= math.Max(math.Abs(short), math.Abs(n.double))*epsilon {
		return printed(n.double, 'e', 14, 64)
	}
	return printed(n.double, 'e', 16, 64)
}

// ofJSONIter prints large numbers as they are.
func ofJSONIter(n number, _ *writtenNumbers) decimal {
	if math.Abs(n.double) > 0x4ffffff {
		return printed(n.double, 'e', -1, 64)
	}
	return printed(math.Trunc(n.double*1e6+math.Copysign(0.5, n.double))/1e6, 'f', 6, 64)
}

func ofJSONLite(n number, _ *writtenNumbers) decimal {
	switch size := math.Abs(n.double); {
	case size < 1e-5:
		return printed(n.double, 'e', 4, 64)
	case size < 1e10:
		return printed(n.double, 'f', 4, 64)
	}
	return printed(n.double, 'e', 14, 64)
}

// ofOj keeps a number that has more digits as a BigDecimal.
func ofOj(n number, _ *writtenNumbers) decimal {
	if n.len() > 16 {
		return n.decimal
	}
	return printed(n.double, 'e', 14, 64)
}

func ofVim(n number, _ *writtenNumbers) decimal {
	if size := math.Abs(n.double); size >= 0.001 && size < 1e7 {
		return printed(n.double, 'f', 6, 64)
	}
	return printed(n.double, 'e', 6, 64)
}

// valueFamily is a round trip that values other than numbers make, or numbers that
// become something else.
type valueFamily struct {
	name string
	// may reports whether the writer of x may have made this round trip: the values that are gone
	// speak for it, and x holds nothing that speaks against it.
	may func(gone, x *census) bool
	// made reports whether x holds the values that the writer would have made; nil for yes.
	made func(x *census) bool
	// of appends a value as the writer prints it; ok is false for a value that it leaves alone. It
	// is nil where the fields below say the result.
	of func(dst []byte, v jsondoc.Value, x *writtenTimes) (text []byte, ok bool)
	// emptied is the kind of containers that are written as this text where they are
	// empty.
	emptied jsondoc.Kind
	as      string
	// drops says that members that are null are left out, unkeys that an object with
	// the keys 0, 1, … becomes a list.
	drops, unkeys bool
	shown         int // how many values have to show it; 0 is 1
}

// valueFamilies are the round trips of other values. Any number of them may be at
// work at once; of two that change one value the first does. Those that change the
// shape of an object come before all others.
var valueFamilies = []valueFamily{
	{name: "members that are null are dropped", drops: true, shown: 3,
		may: func(gone, x *census) bool { return gone.NullMembers > 2 && x.NullMembers == 0 }},
	{name: "an object with the keys 0, 1, … becomes a list (PHP)", unkeys: true,
		may: func(gone, x *census) bool { return gone.indexed > 0 && x.indexed == 0 }},
	{name: "an empty object becomes a list (PHP)",
		made:    func(x *census) bool { return x.EmptyArrays > 0 },
		may:     func(gone, x *census) bool { return gone.EmptyObjects > 0 && x.EmptyObjects == 0 },
		emptied: jsondoc.Object, as: "[]"},
	{name: "an empty list becomes an object (Lua)",
		made:    func(x *census) bool { return x.EmptyObjects > 0 },
		may:     func(gone, x *census) bool { return gone.EmptyArrays > 0 && x.EmptyArrays == 0 },
		emptied: jsondoc.Array, as: "{}"},
	{name: "an empty object becomes an empty string (property trees)",
		made: func(x *census) bool { return x.Strings > 0 },
		may: func(gone, x *census) bool {
			return gone.EmptyObjects > 0 && x.EmptyObjects == 0 && x.Numbers == 0
		},
		emptied: jsondoc.Object, as: `""`},
	{name: "an empty list becomes an empty string (property trees)",
		made: func(x *census) bool { return x.Strings > 0 },
		may: func(gone, x *census) bool {
			return gone.EmptyArrays > 0 && x.EmptyArrays == 0 && x.Numbers == 0
		},
		emptied: jsondoc.Array, as: `""`},
	{name: "an empty list becomes null (Go, R)", shown: 2,
		made:    func(x *census) bool { return x.Nulls > 1 },
		may:     func(gone, x *census) bool { return gone.EmptyArrays > 1 && x.EmptyArrays == 0 },
		emptied: jsondoc.Array, as: "null"},
	{name: "numbers become strings (Tcl, property trees)", shown: 2,
		made: func(x *census) bool { return x.Strings > 1 },
		may:  func(gone, x *census) bool { return gone.Numbers > 1 && x.Numbers == 0 },
		of:   numberAsString},
	{name: "booleans and null become strings (property trees)", shown: 2,
		made: func(x *census) bool { return x.Strings > 1 },
		may: func(gone, x *census) bool {
			return gone.Bools+gone.Nulls > 1 && x.Bools+x.Nulls == 0
		},
		of: wordAsString},
	{name: "numbers with an exponent become strings (YAML 1.1)",
		made: func(x *census) bool { return x.Strings > 0 },
		may:  func(gone, x *census) bool { return gone.exponents > 0 && x.exponents == 0 },
		of:   exponentAsString},
	{name: "numbers of many digits become strings (Oj)",
		made: func(x *census) bool { return x.Strings > 0 },
		may: func(gone, x *census) bool {
			return gone.axes[fractions].digits > 16 && x.axes[fractions].digits <= 16
		},
		of: bigDecimalAsString},
	{name: "numbers beyond doubles become null (JavaScript)",
		made: func(x *census) bool { return x.Nulls > 0 },
		may:  func(gone, x *census) bool { return gone.huge > 0 && x.huge == 0 },
		of:   hugeAsNull},
	{name: "lone surrogates become U+FFFD (Go, Python, Rust)",
		may: func(gone, x *census) bool { return gone.lone > 0 && x.lone == 0 }, of: loneAs("\ufffd")},
	{name: "lone surrogates become question marks (Java)",
		may: func(gone, x *census) bool { return gone.lone > 0 && x.lone == 0 }, of: loneAs("?")},
	{name: "the same instant in another spelling (C#, Go)",
		made: func(x *census) bool { return x.timeStyles != 0 },
		may:  func(gone, x *census) bool { return gone.timeStyles&^x.timeStyles != 0 }, of: instantAs},
}

func numberAsString(dst []byte, v jsondoc.Value, _ *writtenTimes) ([]byte, bool) {
	if v.Kind() != jsondoc.Number {
		return dst, false
	}
	return append(append(append(dst, '"'), v.Raw()...), '"'), true
}

func wordAsString(dst []byte, v jsondoc.Value, _ *writtenTimes) ([]byte, bool) {
	if v.Kind() != jsondoc.Bool && v.Kind() != jsondoc.Null {
		return dst, false
	}
	return append(append(append(dst, '"'), v.Raw()...), '"'), true
}

// exponentAsString takes a number without a point, or without a sign in its exponent,
// for a string.
func exponentAsString(dst []byte, v jsondoc.Value, _ *writtenTimes) ([]byte, bool) {
	if v.Kind() != jsondoc.Number || !isNoYAML(v.Raw()) {
		return dst, false
	}
	return append(append(append(dst, '"'), v.Raw()...), '"'), true
}

// isNoYAML reports whether a number is none in YAML 1.1.
func isNoYAML(raw []byte) bool {
	i := bytes.IndexAny(raw, "eE")
	return i >= 0 && (bytes.IndexByte(raw[:i], '.') < 0 || raw[i+1] >= '0' && raw[i+1] <= '9')
}

// bigDecimalAsString spells a number as Ruby's BigDecimal does.
func bigDecimalAsString(dst []byte, v jsondoc.Value, _ *writtenTimes) ([]byte, bool) {
	if v.Kind() != jsondoc.Number {
		return dst, false
	}
	d, ok := parseDecimal(v.Raw())
	if !ok || d.len() <= 16 || d.axis() == wholes {
		return dst, false
	}
	dst = append(dst, '"')
	if d.negative {
		dst = append(dst, '-')
	}
	dst = append(d.appendDigits(append(dst, "0."...)), 'e')
	return append(strconv.AppendInt(dst, int64(d.point), 10), '"'), true
}

func hugeAsNull(dst []byte, v jsondoc.Value, _ *writtenTimes) ([]byte, bool) {
	if v.Kind() != jsondoc.Number || !isHuge(v.Raw()) {
		return dst, false
	}
	return append(dst, "null"...), true
}

// loneAs puts something in the place of each lone surrogate.
func loneAs(instead string) func([]byte, jsondoc.Value, *writtenTimes) ([]byte, bool) {
	return func(dst []byte, v jsondoc.Value, _ *writtenTimes) ([]byte, bool) {
		if v.Kind() != jsondoc.String || !hasLone(v) {
			return dst, false
		}
		var text []byte
		s := v.Text()
		for i := 0; i < len(s); i++ {
			if isLone(s[i:]) {
				text = append(text, instead...)
				i += 2
			} else {
				text = append(text, s[i])
			}
		}
		return jsondoc.AppendQuoted(dst, text), true
	}
}

// instantAs spells an instant as the writer has it somewhere, if the writer never
// spells one as this one is spelled.
func instantAs(dst []byte, v jsondoc.Value, x *writtenTimes) ([]byte, bool) {
	if v.Kind() != jsondoc.String || !mayBeTime(v.Raw()) {
		return dst, false
	}
	at, style, ok := timeOf(v.Text())
	if !ok || style&x.styles != 0 {
		return dst, false
	}
	text, ok := x.spelled[at.UnixNano()]
	return append(dst, text...), ok
}
