package jsondoc

import (
	"unicode"
	"unicode/utf8"
)

// plain marks the bytes that a string can hold as they are: neither quotes nor
// backslash nor control characters nor parts of longer characters.
var plain = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\' && c != '\''
	}
	return t
}()

// str parses a string whose opening quote stands at pos.
func (p *parser) str() error {
	start, quote := p.pos, p.src[p.pos]
	var flags uint8
	if quote == '\'' {
		flags = flagExtended
	}
	i := p.pos + 1
	for {
		for i < len(p.src) && plain[p.src[i]] {
			i++
		}
		p.pos = i
		if i == len(p.src) {
			return p.fail(KindSyntax, start, "a string does not end", "a closing quote")
		}
		switch c := p.src[i]; {
		case c == quote:
			p.pos++
			p.add(start, p.pos, String, flags)
			return nil
		case c == '"', c == '\'':
			p.pos++
		case c == '\\':
			extended, err := p.escape()
			if err != nil {
				return err
			}
			flags |= flagEscaped | extended
		case c < 0x20 && (!p.json5 || c == '\n' || c == '\r'):
			return p.fail(KindControl, i, "a control character stands in a string", "an escape")
		case c < 0x20:
			flags |= flagExtended
			p.pos++
		default:
			if err := p.rune(); err != nil {
				return err
			}
		}
		i = p.pos
	}
}

// escape skips one escape and says whether strict JSON lacks it.
func (p *parser) escape() (flags uint8, err error) {
	at := p.pos
	p.pos++
	c := p.peek()
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		p.pos++
		return 0, nil
	case 'u':
		return 0, p.hexDigits(at, 4)
	}
	switch {
	case !p.json5 || p.pos >= len(p.src) || c >= '1' && c <= '9':
		return 0, p.fail(KindSyntax, at, "a string has an unknown escape", "one of JSON's escapes")
	case c == 'x':
		return flagExtended, p.hexDigits(at, 2)
	case c == '0':
		p.pos++
		if d := p.peek(); d >= '0' && d <= '9' {
			return 0, p.fail(KindSyntax, at, "a string has an octal escape", "one of JSON5's escapes")
		}
		return flagExtended, nil
	case c == '\r' && p.pos+1 < len(p.src) && p.src[p.pos+1] == '\n':
		p.pos += 2
		return flagExtended, nil
	}
	return flagExtended, p.rune()
}

// hexDigits skips a letter and n hexadecimal digits.
func (p *parser) hexDigits(at, n int) error {
	p.pos++
	for range n {
		if _, ok := hexValue(p.peek()); !ok {
			return p.fail(KindSyntax, at, "an escape lacks digits", "hexadecimal digits")
		}
		p.pos++
	}
	return nil
}

func hexValue(c byte) (rune, bool) {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0'), true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return rune(c|0x20-'a') + 10, true
	}
	return 0, false
}

// number parses a number. The additions of JSON5 are marked.
func (p *parser) number() error {
	start := p.pos
	var flags uint8
	if c := p.peek(); c == '-' || c == '+' {
		p.pos++
		if c == '+' {
			flags = flagExtended
		}
	}
	if p.json5 && p.word("Infinity", "NaN") {
		flags = flagExtended
	} else if p.json5 && p.hexNumber() {
		flags = flagExtended
	} else {
		extended, err := p.decimal()
		if err != nil {
			return err
		}
		flags |= extended
	}
	p.add(start, p.pos, Number, flags)
	return p.delimited()
}

func (p *parser) word(words ...string) bool {
	for _, w := range words {
		if len(p.src)-p.pos >= len(w) && string(p.src[p.pos:p.pos+len(w)]) == w {
			p.pos += len(w)
			return true
		}
	}
	return false
}

func (p *parser) hexNumber() bool {
	rest := p.src[p.pos:]
	if len(rest) < 3 || rest[0] != '0' || rest[1]|0x20 != 'x' {
		return false
	}
	n := 2
	for n < len(rest) {
		if _, ok := hexValue(rest[n]); !ok {
			break
		}
		n++
	}
	if n == 2 {
		return false
	}
	p.pos += n
	return true
}

func (p *parser) decimal() (flags uint8, err error) {
	whole := p.digits()
	switch {
	case whole == 0 && !(p.json5 && p.peek() == '.'):
		return 0, p.unexpected("a digit")
	case whole == 0:
		flags = flagExtended
	case whole > 1 && p.src[p.pos-whole] == '0':
		return 0, p.fail(KindSyntax, p.pos-whole, "a number starts with a zero", "no more digits")
	}
	if p.peek() == '.' {
		p.pos++
		fraction := p.digits()
		if fraction == 0 && (!p.json5 || whole == 0) {
			return 0, p.unexpected("a digit")
		}
		if fraction == 0 {
			flags = flagExtended
		}
	}
	if c := p.peek(); c|0x20 == 'e' {
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		if p.digits() == 0 {
			return 0, p.unexpected("a digit")
		}
	}
	return flags, nil
}

// digits skips decimal digits and returns how many there were.
func (p *parser) digits() int {
	start := p.pos
	for p.pos < len(p.src) && p.src[p.pos] >= '0' && p.src[p.pos] <= '9' {
		p.pos++
	}
	return p.pos - start
}

// identifier parses a key without quotes: an ECMAScript 5.1 IdentifierName.
func (p *parser) identifier() error {
	start := p.pos
	flags := uint8(flagBare | flagExtended)
	for p.pos < len(p.src) {
		at := p.pos
		r, size := utf8.DecodeRune(p.src[p.pos:])
		if r == '\\' {
			flags |= flagEscaped
			p.pos++
			if p.peek() != 'u' {
				return p.unexpected("a Unicode escape")
			}
			if err := p.hexDigits(at, 4); err != nil {
				return err
			}
			r = decodeHex(p.src[at+2 : at+6])
		} else {
			p.pos += size
		}
		if !identifierRune(r, at == start) {
			p.pos = at
			break
		}
	}
	if p.pos == start {
		return p.unexpected("a key")
	}
	p.add(start, p.pos, String, flags)
	return nil
}

func identifierRune(r rune, first bool) bool {
	if r == '$' || r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Nl, r) {
		return true
	}
	return !first && (unicode.In(r, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc) || r == '\u200c' || r == '\u200d')
}

func decodeHex(b []byte) rune {
	var r rune
	for _, c := range b {
		d, _ := hexValue(c)
		r = r<<4 | d
	}
	return r
}
