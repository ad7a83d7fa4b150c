package roundtrip

import "time"

// timeStyle is a way to spell an instant, as one bit.
type timeStyle uint32

// The parts of a style: how the zone is spelled, the fraction of a second, and the sign between
// date and time.
const (
	zoneZ = iota
	zoneZero
	zoneOffset
	zones
)

const (
	fractionNone = iota
	fractionTrimmed
	fractionPadded
	fractionKinds
)

// shortestTime and longestTime bound the length of a string that is an instant.
const (
	shortestTime = len("2006-01-02T15:04:05Z")
	longestTime  = len("2006-01-02T15:04:05.999999999-07:00")
)

// mayBeTime reports whether the raw text of a string may be an instant.
func mayBeTime(raw []byte) bool {
	n := len(raw) - 2
	return n >= shortestTime && n <= longestTime && raw[5] == '-' && raw[8] == '-' && raw[14] == ':' && raw[17] == ':'
}

// timeOf reads an instant and how it is spelled.
func timeOf(s string) (at time.Time, style timeStyle, ok bool) {
	if len(s) < shortestTime {
		return at, 0, false
	}
	if style = styleOf([]byte(s)); s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	return at, style, err == nil && style != 0
}

// styleOf returns the spelling of a string that looks like an instant, 0 for another
// string. It does not read the instant.
func styleOf(s []byte) timeStyle {
	if len(s) < shortestTime || s[10] != 'T' && s[10] != ' ' {
		return 0
	}
	separator, zone, fraction := 0, zoneOffset, fractionNone
	if s[10] == ' ' {
		separator = 1
	}
	end := len(s) - len("+00:00")
	switch {
	case s[len(s)-1] == 'Z':
		zone, end = zoneZ, len(s)-1
	case string(s[end:]) == "+00:00":
		zone = zoneZero
	case s[end] != '+' && s[end] != '-':
		return 0
	}
	if s[len("2006-01-02T15:04:05")] == '.' {
		fraction = fractionTrimmed
		if s[end-1] == '0' {
			fraction = fractionPadded
		}
	}
	return 1 << ((separator*zones+zone)*fractionKinds + fraction)
}
