package merge

import (
	"strconv"
	"strings"

	"clawfs/txn/jsondoc"
)

// step is one step of the way to a place: into a member, or into a row of a
// list whose position in the result is known only when the list is done.
type step struct {
	key jsondoc.Value // of a member; the zero Value in a list
	row int32
	in  jsondoc.Value // the container that is entered from, in one version
}

// finding is a conflict, a warning or an applied rule whose path may still hold rows.
type finding struct {
	path     []step
	conflict Conflict
	warning  Warning
	rule     string // an applied rule; "" for a conflict or a warning
	warns    bool
}

// trail is the place of a merge, with its findings on the way.
type trail struct {
	path    []step
	found   []finding
	applied int // how many rules were applied
}

func (t *trail) enter(s step) { t.path = append(t.path, s) }

func (t *trail) leave() { t.path = t.path[:len(t.path)-1] }

// name returns the name of the member that the trail has led to, "" for the root
// and the elements of a list.
func (t *trail) name() string {
	if len(t.path) == 0 {
		return ""
	}
	if key := t.path[len(t.path)-1].key; key.Exists() {
		return key.Text()
	}
	return ""
}

func (t *trail) record(kind ConflictKind, won Side) {
	t.found = append(t.found, finding{path: append([]step(nil), t.path...), conflict: Conflict{Kind: kind, Won: won}})
}

func (t *trail) warn(kind WarningKind, count, of int) {
	t.found = append(t.found, finding{path: append([]step(nil), t.path...), warning: Warning{Kind: kind, Count: count, Of: of}, warns: true})
}

// place turns the rows of the list that the trail is in into positions, for all
// that was found since there were that many findings.
func (t *trail) place(since int, position func(row int32) int32) {
	depth := len(t.path)
	for _, f := range t.found[since:] {
		if len(f.path) > depth {
			f.path[depth].row = position(f.path[depth].row)
		}
	}
}

// conflicts returns the conflicts that were found, in their order.
func (t *trail) conflicts() []Conflict {
	var out []Conflict
	for _, f := range t.found {
		if !f.warns && f.rule == "" {
			f.conflict.Path = pointer(f.path)
			out = append(out, f.conflict)
		}
	}
	return out
}

// warned returns the warnings that were found, in their order.
func (t *trail) warned() []Warning {
	var out []Warning
	for _, f := range t.found {
		if f.warns {
			f.warning.Path = pointer(f.path)
			out = append(out, f.warning)
		}
	}
	return out
}

// credential reports whether the place, whose value in the base is v, is a
// credential or part of one.
func (t *trail) credential(v jsondoc.Value) bool {
	last := t.name()
	switch {
	case last == "":
	case credentialName(last) && (v.IsContainer() || v.Kind() == jsondoc.String), last == "auth" && v.Kind() == jsondoc.String && isLogin(v):
		return true
	}
	if holdsCredential(v) {
		return true
	}
	for i, s := range t.path {
		if i < len(t.path)-1 && s.key.Exists() && credentialName(s.key.Text()) {
			return true
		}
		if isCredential(s.in) {
			return true
		}
	}
	return false
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// pointer writes a path as RFC 6901 has it.
func pointer(path []step) string {
	var b strings.Builder
	for _, s := range path {
		b.WriteByte('/')
		if s.key.Exists() {
			b.WriteString(escape.Replace(s.key.Text()))
		} else {
			b.WriteString(strconv.Itoa(int(s.row)))
		}
	}
	return b.String()
}
