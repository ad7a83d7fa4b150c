package jsondoc

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Text returns the decoded string, the raw text of any other value. A lone
// surrogate survives as the three bytes that UTF-8 would have for it (WTF-8).
func (v Value) Text() string {
	if v.Kind() != String {
		return string(v.Raw())
	}
	if v.node().flags()&flagEscaped == 0 {
		return string(v.inner())
	}
	return string(appendDecoded(nil, v.inner()))
}

// decoded returns the decoded string, without a copy where it has no escapes.
func (v Value) decoded() []byte {
	if v.node().flags()&flagEscaped == 0 {
		return v.inner()
	}
	return appendDecoded(nil, v.inner())
}

// appendDecoded appends the text that the inside of a string stands for. The parser
// has checked the escapes.
func appendDecoded(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			dst = append(dst, s[i])
			i++
			continue
		}
		var n int
		dst, n = appendEscape(dst, s[i:])
		i += n
	}
	return dst
}

// appendEscape appends the text that the escape at the start of s stands for and
// returns its length.
func appendEscape(dst, s []byte) ([]byte, int) {
	switch c := s[1]; c {
	case 'b':
		return append(dst, '\b'), 2
	case 'f':
		return append(dst, '\f'), 2
	case 'n':
		return append(dst, '\n'), 2
	case 'r':
		return append(dst, '\r'), 2
	case 't':
		return append(dst, '\t'), 2
	case 'v':
		return append(dst, '\v'), 2
	case '0':
		return append(dst, 0), 2
	case 'x':
		return utf8.AppendRune(dst, decodeHex(s[2:4])), 4
	case 'u':
		return appendUnicode(dst, s)
	case '\n':
		return dst, 2
	case '\r':
		if len(s) > 2 && s[2] == '\n' {
			return dst, 3
		}
		return dst, 2
	}
	r, size := utf8.DecodeRune(s[1:])
	if r == '\u2028' || r == '\u2029' {
		return dst, 1 + size
	}
	return append(dst, s[1:1+size]...), 1 + size
}

func appendUnicode(dst, s []byte) ([]byte, int) {
	r := decodeHex(s[2:6])
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(dst, r), 6
	}
	if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		if both := utf16.DecodeRune(r, decodeHex(s[8:12])); both != utf8.RuneError {
			return utf8.AppendRune(dst, both), 12
		}
	}
	return append(dst, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0xbf, 0x80|byte(r)&0x3f), 6
}

// AppendJSON appends the value as strict JSON: its own text where that is strict, and else a
// text of the same value. A value that JSON does not have becomes the one that JavaScript's
// JSON.stringify makes of it: Infinity and NaN become null.
func (v Value) AppendJSON(dst []byte) []byte {
	if v.d.grammar == JSON || v.d.grammar == Lines && v.i > 0 {
		return append(dst, v.Raw()...)
	}
	switch v.Kind() {
	case String:
		return v.appendString(dst)
	case Number:
		return v.appendNumber(dst)
	case Array:
		dst = append(dst, '[')
		for i, e := range v.Elements() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = e.AppendJSON(dst)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		first := true
		for m := range v.Members() {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(m.Key.appendString(dst), ':')
			dst = m.Value.AppendJSON(dst)
		}
		return append(dst, '}')
	}
	return append(dst, v.Raw()...)
}

// appendString appends a string, or a bare key, as strict JSON.
func (v Value) appendString(dst []byte) []byte {
	if v.node().flags()&flagExtended == 0 {
		return append(dst, v.Raw()...)
	}
	return AppendQuoted(dst, v.decoded())
}

// AppendQuoted appends a string, in UTF-8 or WTF-8, as a JSON string.
func AppendQuoted(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"', c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c == 0xed && i+2 < len(s) && s[i+1] >= 0xa0:
			r := rune(c&0xf)<<12 | rune(s[i+1]&0x3f)<<6 | rune(s[i+2]&0x3f)
			dst = append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
			i += 2
		default:
			dst = append(dst, c)
		}
		i++
	}
	return append(dst, '"')
}

// appendNumber appends a number as strict JSON.
func (v Value) appendNumber(dst []byte) []byte {
	raw := v.Raw()
	if v.node().flags()&flagExtended == 0 {
		return append(dst, raw...)
	}
	n := parseNumber(raw)
	if n.special {
		return append(dst, "null"...)
	}
	return n.append(dst)
}
