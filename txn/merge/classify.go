package merge

import (
	"math"
	"strconv"
	"strings"
	"time"

	"clawfs/txn/jsondoc"
)

// trait is the part that a scalar plays besides being a value: a counter, a
// stamp.
type trait uint8

const (
	plain   trait = iota
	counter       // counts events: two increments are added
	stamp         // tells when something happened: the later wins
)

// traitOf returns the trait of the member of this name, given the value it has in
// one version. A container never has a trait.
func traitOf(name string, v jsondoc.Value, as Treatment) trait {
	switch {
	case as == AsValue, v.IsContainer():
		return plain
	case as == AsCounter, as == ByShape && countsByName(name) && isInteger(v):
		return counter
	case as == AsStamp, as == ByShape && isStamp(name, v):
		return stamp
	}
	return plain
}

func countsByName(name string) bool {
	switch name {
	case "version", "revision", "rev", "seq":
		return true
	}
	return false
}

func isInteger(v jsondoc.Value) bool {
	_, ok := integer(v)
	return ok
}

// integer returns a number that is written without fraction and exponent.
func integer(v jsondoc.Value) (int64, bool) {
	if v.Kind() != jsondoc.Number {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v.Raw()), 10, 64)
	return n, err == nil
}

// addedUp returns head + (theirs − base), if these are counters, neither side went back, and
// the sum is no overflow.
func addedUp(base, head, theirs jsondoc.Value) (int64, bool) {
	b, okB := integer(base)
	o, okO := integer(head)
	t, okT := integer(theirs)
	if !okB || !okO || !okT || o < b || t < b {
		return 0, false
	}
	step := uint64(t) - uint64(b) // exact: t ≥ b
	if step > uint64(math.MaxInt64)-uint64(max(o, 0)) {
		return 0, false
	}
	return o + int64(step), true
}

// isStamp tells stamps by their name and by the shape of their value: names that end in At or
// _at, mtime and updated with a number, a time or null; names with At inside, as in
// updatedAtMs, with a time only; and members that a program notes as last used or last touched.
func isStamp(name string, v jsondoc.Value) bool {
	if strings.HasPrefix(name, "lastUsed") || strings.HasPrefix(name, "lastTouched") {
		return true
	}
	switch at := wordAt(name); {
	case at == wordLast, name == "mtime", name == "updated", strings.HasSuffix(name, "_at"):
		return v.Kind() == jsondoc.Number || v.Kind() == jsondoc.Null || isTime(v)
	case at == wordInside:
		return isTime(v)
	}
	return false
}

type wordPlace uint8

const (
	wordNone wordPlace = iota
	wordInside
	wordLast
)

// wordAt finds the word "At" in a name in camel case: "updatedAt" ends in it,
// "updatedAtMs" has it inside, "maxAttempts" has it not.
func wordAt(name string) wordPlace {
	for from := 0; ; {
		i := strings.Index(name[from:], "At")
		if i < 0 {
			return wordNone
		}
		end := from + i + 2
		if end == len(name) {
			return wordLast
		}
		if c := name[end]; c < 'a' || c > 'z' {
			return wordInside
		}
		from = end
	}
}

// isTime reports whether a value has the shape of a time.
func isTime(v jsondoc.Value) bool {
	_, ok := instant(v)
	return ok
}

// The first and the last second that a number is taken for a time: years 1990
// and 2100.
const (
	firstSecond = 631_152_000
	lastSecond  = 4_102_444_800
)

// instant returns the time, in seconds since 1970, that a value has the shape
// of: a date in the forms of ISO 8601, or a number of seconds, milliseconds,
// microseconds or nanoseconds between 1990 and 2100.
func instant(v jsondoc.Value) (float64, bool) {
	switch v.Kind() {
	case jsondoc.Number:
		f, ok := double(v)
		if !ok {
			return 0, false
		}
		for range 4 {
			if f >= firstSecond && f <= lastSecond {
				return f, true
			}
			f /= 1000
		}
	case jsondoc.String:
		return parseTime(v.Text())
	}
	return 0, false
}

func parseTime(s string) (float64, bool) {
	if len(s) < len("2006-01-02") || s[4] != '-' {
		return 0, false
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return float64(t.Unix()) + float64(t.Nanosecond())/1e9, true
		}
	}
	return 0, false
}

// laterStamp returns the side that has the later stamp. Times are compared with
// times and numbers with numbers, however they are written; where they can't be
// compared, theirs was written later.
func laterStamp(head, theirs jsondoc.Value) Side {
	o, okO := instant(head)
	t, okT := instant(theirs)
	if !okO || !okT {
		o, okO = double(head)
		t, okT = double(theirs)
	}
	if okO && okT && o > t {
		return Head
	}
	return Theirs
}

// double returns a number as JavaScript reads it; ok is false for a value that is no number,
// and for a number that JavaScript cannot print as one.
func double(v jsondoc.Value) (f float64, ok bool) {
	if v.Kind() != jsondoc.Number {
		return 0, false
	}
	text := string(v.Raw())
	if strings.ContainsAny(text, "xX") {
		text += "p0" // JSON5's hexadecimal integers, as Go spells them
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
}

// tokenGroups are the names of members that are only good together: a program that
// renews one of them renews all.
var tokenGroups = [...]struct{ tokens, rest []string }{
	{tokens: []string{"access", "refresh"}, rest: []string{"expires"}},
	{tokens: []string{"accessToken", "refreshToken"}, rest: []string{"idToken", "expires", "expiresAt", "expiresIn"}},
	{tokens: []string{"access_token", "refresh_token"}, rest: []string{"id_token", "expires", "expires_at", "expires_in"}},
	{tokens: []string{"token"}, rest: []string{"expires", "expiresAt", "expires_at"}},
}

// isCollection reports whether a value holds things of one sort: a list, or an object of
// containers. Many of them at once are rarely dropped.
func isCollection(v jsondoc.Value) bool {
	for m := range v.Members() {
		if !m.Value.IsContainer() {
			return false
		}
	}
	return v.IsContainer()
}
