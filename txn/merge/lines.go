package merge

import (
	"bytes"

	"clawfs/txn/jsondoc"
)

// isText reports whether a list of strings is text or a program, rather than a set of
// words. Then each line has its place: the source of a notebook's cell, the
// steps of a pipeline. Its name says so, or a line that is broken or indented.
func isText(name string, versions [][]jsondoc.Value) bool {
	switch name {
	case "source", "text", "lines", "body", "steps", "script", "before_script", "after_script", "commands", "cmds", "instructions":
		return true
	}
	for _, v := range versions {
		for _, e := range v {
			if raw := e.Raw(); len(raw) > 2 && (raw[1] == ' ' || bytes.HasPrefix(raw[1:], tab) || bytes.Contains(raw, lineBreak)) {
				return true
			}
		}
	}
	return false
}

// A tab and a line break, as a JSON string spells them.
var tab, lineBreak = []byte(`\t`), []byte(`\n`)
