package main

import (
	"path"
	"path/filepath"

	"clawfs/txn/jsondoc"
)

// includer is the name of OpenClaw's configuration. Objects in it may have a member
// "$include" that names a file, or several, to be read there in their place: as JSON5,
// too. The names are relative to the file that they are in, which may itself be included.
const includer = "openclaw.json"

// maxIncludes is how deep OpenClaw follows includes.
const maxIncludes = 10

// inclusion looks for a registry among the files that others include.
type inclusion struct {
	dir    string // absolute
	wanted string // below dir
	load   func(name string) ([]byte, error)
	seen   map[string]bool
}

// isIncluded reports whether an OpenClaw configuration above a registry, below dir,
// includes it.
func isIncluded(dir, name string, load func(string) ([]byte, error)) bool {
	in := inclusion{dir: dir, wanted: name, load: load, seen: make(map[string]bool)}
	for at := path.Dir(name); ; at = path.Dir(at) {
		if in.follow(path.Join(at, includer), maxIncludes) {
			return true
		}
		if at == "." {
			return false
		}
	}
}

// follow reports whether a file, or one that it includes, includes the wanted one.
func (in *inclusion) follow(name string, levels int) bool {
	if levels == 0 || in.seen[name] || name == in.wanted {
		return false
	}
	in.seen[name] = true
	text, err := in.load(name)
	if err != nil {
		return false
	}
	doc, err := jsondoc.Parse(text, jsondoc.JSON5, jsondoc.Limits{})
	return err == nil && in.look(doc.Root(), path.Dir(name), levels)
}

// look looks for includes at and below a value of a file in a directory.
func (in *inclusion) look(v jsondoc.Value, at string, levels int) bool {
	for m := range v.Members() {
		if m.Name() == "$include" && in.names(m.Value, at, levels) || in.look(m.Value, at, levels) {
			return true
		}
	}
	for _, e := range v.Elements() {
		if in.look(e, at, levels) {
			return true
		}
	}
	return false
}

// names looks at the files that one include names.
func (in *inclusion) names(v jsondoc.Value, at string, levels int) bool {
	for _, e := range v.Elements() {
		if in.names(e, at, levels) {
			return true
		}
	}
	if v.Kind() != jsondoc.String {
		return false
	}
	name := v.Text()
	if filepath.IsAbs(name) {
		below, err := filepath.Rel(in.dir, name)
		if err != nil {
			return false
		}
		name = filepath.ToSlash(below)
	} else {
		name = path.Join(at, name)
	}
	return name == in.wanted || filepath.IsLocal(name) && in.follow(name, levels-1)
}
