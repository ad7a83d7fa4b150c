package roundtrip

import (
	"slices"
	"strconv"
)

// decimal is an exact number: 0.digits × 10^point, digits without zeros at either
// end; no digits are zero. Two are equal if they are the same number.
type decimal struct {
	negative bool
	short    uint8           // how many digits are in few
	few      [fewDigits]byte // the digits, if they are few; zeros behind them
	many     string          // the digits, if they are not
	point    int
}

// fewDigits is how many digits take no memory of their own: more than a double has.
const fewDigits = 20

func (d *decimal) len() int { return int(d.short) + len(d.many) }

func (d *decimal) isZero() bool { return d.len() == 0 }

func (d *decimal) appendDigits(dst []byte) []byte {
	return append(append(dst, d.few[:d.short]...), d.many...)
}

// farPoint is where the point of a number may be at most that is looked at.
const farPoint = 1 << 20

// parseDecimal reads a number; ok is false for a number that strict JSON does not
// have, and for one that no program reads as a number.
func parseDecimal(raw []byte) (d decimal, ok bool) {
	if len(raw) > 0 && raw[0] == '-' {
		d.negative = true
		raw = raw[1:]
	}
	mantissa, exponent, ok := parts(raw)
	if !ok || len(mantissa) == 0 {
		return decimal{}, false
	}
	first, last, before, whole := -1, 0, 0, 0 // before: zeros in front; whole: digits before the point
	dot := false
	for i, c := range mantissa {
		switch {
		case c == '.':
			dot = true
		case c != '0':
			if first < 0 {
				first = i
			}
			last = i
		case first < 0:
			before++
		}
		if !dot {
			whole++
		}
	}
	if first < 0 {
		return decimal{}, true
	}
	d.point = whole - before + exponent
	d.take(mantissa[first : last+1])
	return d, true
}

// parts parts a number without its sign.
func parts(raw []byte) (mantissa []byte, exponent int, ok bool) {
	for i, c := range raw {
		switch {
		case c >= '0' && c <= '9' || c == '.':
		case c == 'e' || c == 'E':
			exponent, err := strconv.Atoi(string(raw[i+1:]))
			return raw[:i], exponent, err == nil && exponent <= farPoint && exponent >= -farPoint
		default:
			return nil, 0, false
		}
	}
	return raw, 0, true
}

// take takes the digits of a text, in which a point may be.
func (d *decimal) take(text []byte) {
	for i, c := range text {
		switch {
		case c == '.':
		case d.short < fewDigits:
			d.few[d.short] = c
			d.short++
		default:
			many := append(make([]byte, 0, len(text)), d.few[:]...)
			for _, c := range text[i:] {
				if c != '.' {
					many = append(many, c)
				}
			}
			d.few, d.short, d.many = [fewDigits]byte{}, 0, string(many)
			return
		}
	}
}

// append appends the number as JSON writes it, in the way in which most programs do, so
// that it mostly is the very text that was written.
func (d decimal) append(dst []byte) []byte {
	const zeros = "000000000000000000000"
	if d.isZero() {
		return append(dst, '0')
	}
	if d.negative {
		dst = append(dst, '-')
	}
	switch n := d.len(); {
	case d.point >= n && d.point <= len(zeros):
		return append(d.appendDigits(dst), zeros[:d.point-n]...)
	case d.point > 0 && d.point < n:
		at := len(dst) + d.point
		return slices.Insert(d.appendDigits(dst), at, '.')
	case d.point <= 0 && d.point > -6:
		return d.appendDigits(append(append(dst, "0."...), zeros[:-d.point]...))
	case n == 1:
		dst = d.appendDigits(dst)
	default:
		at := len(dst) + 1
		dst = slices.Insert(d.appendDigits(dst), at, '.')
	}
	return strconv.AppendInt(append(dst, 'e'), int64(d.point-1), 10)
}

// axis is a kind of numbers that languages print in one way.
type axis uint8

const (
	wholes    axis = iota // whole numbers of 64 bits
	fractions             // all others
)

var axes = [...]axis{wholes, fractions}

// wholeDigits is how many digits the largest whole number of 64 bits has.
const wholeDigits = 20

func (d decimal) axis() axis {
	if d.point >= d.len() && d.point <= wholeDigits {
		return wholes
	}
	return fractions
}

// number is a number of a document with the values that programs read it as.
type number struct {
	decimal
	double float64
}

// numberOf reads a number; ok is false for a text that is no double.
func numberOf(raw []byte) (n number, ok bool) {
	if n.decimal, ok = parseDecimal(raw); !ok {
		return n, false
	}
	var err error
	n.double, err = strconv.ParseFloat(string(raw), 64)
	return n, err == nil
}

// printed returns the text of a double in a format of strconv.
func printed(f float64, format byte, precision, bits int) decimal {
	var text [32]byte
	d, _ := parseDecimal(strconv.AppendFloat(text[:0], f, format, precision, bits))
	return d
}
