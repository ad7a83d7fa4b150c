package jsondoc

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
)

// number is an exact decimal: (-1)^negative × 0.digits × 10^exponent, digits
// without zeros at either end; no digits are zero. It never expands the
// exponent, so that a short text can't make a long number.
type number struct {
	negative bool
	digits   []byte
	exponent *big.Int // nil where small is the exponent
	small    int64
	special  bool // Infinity or NaN; digits are the word
}

// parseNumber reads the text of a number that the parser has accepted.
func parseNumber(raw []byte) number {
	var n number
	if raw[0] == '-' || raw[0] == '+' {
		n.negative = raw[0] == '-'
		raw = raw[1:]
	}
	switch {
	case raw[0] == 'I' || raw[0] == 'N':
		n.special, n.digits = true, raw
		return n
	case len(raw) > 1 && raw[1]|0x20 == 'x':
		var z big.Int
		z.SetString(string(raw[2:]), 16)
		raw = z.Append(nil, 10)
	}
	mantissa, exponent := raw, []byte(nil)
	if i := bytes.IndexAny(raw, "eE"); i >= 0 {
		mantissa, exponent = raw[:i], raw[i+1:]
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte{'.'})
	n.digits = whole
	if len(fraction) > 0 {
		n.digits = append(bytes.Clone(whole), fraction...)
	}
	point := int64(len(whole))
	trimmed := bytes.TrimLeft(n.digits, "0")
	point -= int64(len(n.digits) - len(trimmed))
	n.digits = bytes.TrimRight(trimmed, "0")
	if len(n.digits) == 0 {
		n.negative = false
		return n
	}
	n.setExponent(exponent, point)
	return n
}

func (n *number) setExponent(text []byte, point int64) {
	if len(text) == 0 {
		n.small = point
		return
	}
	if e, err := strconv.ParseInt(string(text), 10, 62); err == nil {
		n.small = e + point
		return
	}
	n.exponent = new(big.Int)
	n.exponent.SetString(string(bytes.TrimPrefix(text, []byte{'+'})), 10)
	n.exponent.Add(n.exponent, big.NewInt(point))
}

func (n number) equal(o number) bool {
	if n.negative != o.negative || n.special != o.special || !bytes.Equal(n.digits, o.digits) {
		return false
	}
	if n.exponent != nil && o.exponent != nil {
		return n.exponent.Cmp(o.exponent) == 0
	}
	return n.exponent == nil && o.exponent == nil && n.small == o.small
}

// append appends the number as JSON writes it.
func (n number) append(dst []byte) []byte {
	if len(n.digits) == 0 {
		return append(dst, '0')
	}
	if n.negative {
		dst = append(dst, '-')
	}
	if n.exponent == nil && n.small == int64(len(n.digits)) {
		return append(dst, n.digits...)
	}
	if n.exponent == nil && n.small > 0 && n.small < int64(len(n.digits)) {
		dst = append(dst, n.digits[:n.small]...)
		dst = append(dst, '.')
		return append(dst, n.digits[n.small:]...)
	}
	dst = append(dst, n.digits[0])
	if len(n.digits) > 1 {
		dst = append(append(dst, '.'), n.digits[1:]...)
	}
	dst = append(dst, 'e')
	if n.exponent != nil {
		return new(big.Int).Sub(n.exponent, big.NewInt(1)).Append(dst, 10)
	}
	return strconv.AppendInt(dst, n.small-1, 10)
}

// sameNumber reports whether two texts are the same number exactly.
func sameNumber(a, b []byte) bool {
	return bytes.Equal(a, b) || parseNumber(a).equal(parseNumber(b))
}

// asDouble returns the double that JavaScript makes of a number; ok is false where
// JSON.stringify then writes null.
func asDouble(raw []byte) (f float64, ok bool) {
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil && !math.IsInf(f, 0) {
		f, _ = strconv.ParseFloat(string(parseNumber(raw).append(nil)), 64)
	}
	return f, !math.IsInf(f, 0) && !math.IsNaN(f)
}
