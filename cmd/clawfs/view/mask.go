package view

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"clawfs/cmd/clawfs/versions"
	"clawfs/txn"
)

// hidden returns where a text has credentials.
func hidden(text []byte) []versions.Span {
	doc, err := versions.Document(text)
	if err != nil {
		return hiddenPieces(text)
	}
	return versions.Secrets(doc)
}

// masked returns a text without its credentials, and whether there were any.
func masked(text []byte) (out []byte, some bool) {
	spans := hidden(text)
	if len(spans) == 0 {
		return text, false
	}
	return without(text, spans, 0, len(text)), true
}

// A text that is no document is searched for values of three kinds, each with the name of the
// member before it, if there is one: in double quotes, in single ones, and bare. One that has
// no end ends with its line. privateKey may go on over lines.
const anyName = `(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|([\w-]+))`

var (
	valueTexts = []*regexp.Regexp{
		regexp.MustCompile(anyName + `\s*:\s*("(?:[^"\\\n]|\\.)*"?)|("(?:[^"\\\n]|\\.)*"?)`),
		regexp.MustCompile(anyName + `\s*:\s*('(?:[^'\\\n]|\\.)*'?)|('(?:[^'\\\n]|\\.)*')`),
		regexp.MustCompile(anyName + `\s*[:=]\s*([^\s"',{}\[\]]+)`),
	}
	privateKey = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)`)
)

// hiddenPieces is hidden for a text that is no document: each part that looks like a value, with
// its name, is looked at by itself. A value with the shape of a credential is one anywhere.
func hiddenPieces(text []byte) []versions.Span {
	found := versions.SecretShapes(text)
	for _, m := range privateKey.FindAllIndex(text, -1) {
		found = append(found, versions.Span{Start: m[0], End: m[1]})
	}
	for _, values := range valueTexts {
		for _, m := range values.FindAllSubmatchIndex(text, -1) {
			name, at := "", 8
			if m[at] < 0 {
				at = 10
			} else {
				i := 2 + 2*slices.IndexFunc([]int{m[2], m[4], m[6]}, func(start int) bool { return start >= 0 })
				name = string(text[m[i]:m[i+1]])
			}
			if isSecret(name, whole(text[m[at]:m[at+1]])) {
				found = append(found, versions.Span{Start: m[at], End: m[at+1]})
			}
		}
	}
	return joined(found)
}

// whole returns a value with the end of its string, if it is one, and as a string if it is
// nothing else.
func whole(value []byte) []byte {
	switch quote := value[0]; {
	case quote == '"' || quote == '\'':
		if len(value) < 2 || value[len(value)-1] != quote {
			return append(slices.Clone(value), quote)
		}
	case !json.Valid(value):
		return strconv.AppendQuote(nil, strings.ToValidUTF8(string(value), "?"))
	}
	return value
}

// joined returns parts of a text in order, and those as one that overlap.
func joined(spans []versions.Span) (out []versions.Span) {
	slices.SortFunc(spans, func(a, b versions.Span) int { return cmp.Compare(a.Start, b.Start) })
	for _, s := range spans {
		if n := len(out); n > 0 && s.Start < out[n-1].End {
			out[n-1].End = max(out[n-1].End, s.End)
			continue
		}
		out = append(out, s)
	}
	return out
}

// isSecret reports whether a string, which is the value of a member of some name, is a
// credential. A value that can't be read counts as one.
func isSecret(name string, value []byte) bool {
	quoted, err := json.Marshal(name)
	if err != nil {
		return true
	}
	doc, err := txn.JSON5.Read([]byte("{" + string(quoted) + ":" + string(value) + "}"))
	return err != nil || len(versions.Secrets(doc)) > 0
}

// isSecretAt reports whether there is a credential in the value at a path.
func isSecretAt(path string, raw json.RawMessage) bool {
	for part := range strings.SplitSeq(path, "/") {
		if isSecret(part, raw) {
			return true
		}
	}
	return false
}
