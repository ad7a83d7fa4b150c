package view

import (
	"encoding/json"
	"regexp"
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

// quotedText finds strings in what is no document, with the names of members before them. One that has
// no end ends with its line.
var quotedText = regexp.MustCompile(`(?:"((?:[^"\\\n]|\\.)*)"|([\w-]+))\s*:\s*("(?:[^"\\\n]|\\.)*"?)|"(?:[^"\\\n]|\\.)*"?`)

// hiddenPieces is hidden for what is no document: each string that looks like one, with its
// name, is looked at by itself.
func hiddenPieces(text []byte) (spans []versions.Span) {
	for _, m := range quotedText.FindAllSubmatchIndex(text, -1) {
		start, end := m[0], m[1]
		name := ""
		if m[6] >= 0 {
			start, end = m[6], m[7]
			name = string(text[max(m[2], m[4]):max(m[3], m[5])])
		}
		value := text[start:end]
		if len(value) < 2 || value[len(value)-1] != '"' {
			value = append(append([]byte{}, value...), '"')
		}
		if isSecret(name, value) {
			spans = append(spans, versions.Span{Start: start, End: end})
		}
	}
	return spans
}

// isSecret reports whether a string, which is the value of a member of some name, is a
// credential. What can't be read counts as one.
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
