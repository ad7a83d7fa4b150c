package commands

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// difference is a file, or the outcome of the step itself, that differs on the mount from
// the bare directory.
type difference struct {
	Step   int
	Name   string // the file; "" where the step itself differs
	Effect string // see the constants below
	What   string // for a person
}

// at returns the difference as one that a step made.
func (d difference) at(step int) *difference {
	d.Step = step
	return &d
}

// How a difference shows.
const (
	comesBack     = "comes-back"  // the mount holds values that the bare file lacks
	isLost        = "lost"        // the bare file holds values that the mount lacks
	isMixed       = "mixed"       // both hold values that the other one lacks
	unchanged     = "unchanged"   // the mount holds the state before the step
	respelled     = "respelled"   // the same values in other bytes
	otherText     = "other-text"  // the bytes of a file that is no document
	noPlaceholder = "placeholder" // a new registry is empty, and not there on the mount
	missing       = "missing"     // the name is in the bare directory only
	remains       = "remains"     // the name is on the mount only
	overwritten   = "overwritten" // a commit of others is lost, as in the bare directory
	otherMode     = "mode"
	otherExit     = "exit"
	otherWord     = "said"
)

// compareStates compares the states of the directories after a step, name by name.
// The state before the step decides the effect of a difference.
func compareStates(before, bare, mount state) []difference {
	names := slices.Collect(maps.Keys(bare))
	for name := range mount {
		if _, ok := bare[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var found []difference
	for _, name := range names {
		b, inBare := bare[name]
		m, inMount := mount[name]
		d := difference{Name: name, What: fmt.Sprintf("%s is %s, bare %s", name, show(m, inMount), show(b, inBare))}
		switch {
		case b == m && inBare == inMount:
			continue
		case !inMount && isRegistry(name) && b.Content == "" && b.Size == 0 && b.Link == "":
			d.Effect = noPlaceholder
		case !inMount:
			d.Effect = missing
		case !inBare:
			d.Effect = remains
		case b.Content != m.Content:
			d.Effect = effectOf(before[name].Content, b.Content, m.Content)
		default:
			d.Effect = otherMode
		}
		found = append(found, d)
	}
	return found
}

// firstDifference describes the first difference between two states, "" if there is none.
func firstDifference(want, got state) string {
	if found := compareStates(nil, want, got); len(found) > 0 {
		return found[0].What
	}
	return ""
}

func show(e entry, there bool) string {
	switch {
	case !there:
		return "not there"
	case e.Error != "":
		return e.Error
	case e.Link != "":
		return "a link to " + e.Link
	}
	return e.Mode + " " + short(strings.TrimSpace(e.Content))
}

// short makes a text fit for a line of a report.
func short(text string) string {
	const most = 300
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

// effectOf says how two contents differ.
func effectOf(before, bare, mount string) string {
	b, okB := leavesOf(bare)
	m, okM := leavesOf(mount)
	more, less := !subset(m, b), !subset(b, m)
	switch {
	case !okB || !okM:
		return otherText
	case !more && !less:
		return respelled
	case mount == before:
		return unchanged
	case more && less:
		return isMixed
	case more:
		return comesBack
	}
	return isLost
}

// sameValues reports whether two texts are documents of the same values.
func sameValues(a, b string) bool {
	la, okA := leavesOf(a)
	lb, okB := leavesOf(b)
	return okA && okB && subset(la, lb) && subset(lb, la)
}

// leavesOf returns the values of a document, each with its path. In a path the
// elements of lists of things with an id are named by it.
func leavesOf(text string) (map[string]bool, bool) {
	var doc any
	if json.Unmarshal([]byte(text), &doc) != nil {
		return nil, false
	}
	leaves := make(map[string]bool)
	addLeaves(leaves, "", doc)
	return leaves, true
}

func addLeaves(leaves map[string]bool, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		leaves[path+" object"] = true
		for name, member := range v {
			addLeaves(leaves, path+"/"+name, member)
		}
	case []any:
		leaves[path+" list"] = true
		for i, element := range v {
			name := fmt.Sprint(i)
			if object, ok := element.(map[string]any); ok && object["id"] != nil {
				name = fmt.Sprint(object["id"])
			}
			addLeaves(leaves, path+"/"+name, element)
		}
	default:
		leaves[fmt.Sprint(path, " ", v)] = true
	}
}

func subset(a, b map[string]bool) bool {
	for leaf := range a {
		if !b[leaf] {
			return false
		}
	}
	return true
}

// compareOutcomes compares the outcomes of the step itself.
func compareOutcomes(bare, mount outcome) []difference {
	switch {
	case bare.Exit != mount.Exit:
		return []difference{{Effect: otherExit, What: fmt.Sprintf("it exits %d, bare %d: %s", mount.Exit, bare.Exit, short(mount.Stderr+bare.Stderr+mount.Stdout))}}
	case bare.Stdout != mount.Stdout:
		return []difference{{Effect: otherWord, What: fmt.Sprintf("it says %s, bare %s", short(mount.Stdout), short(bare.Stdout))}}
	case troubles(bare.Stderr) != troubles(mount.Stderr):
		return []difference{{Effect: otherWord, What: fmt.Sprintf("it complains %s, bare %s", short(mount.Stderr), short(bare.Stderr))}}
	}
	return nil
}

var errorTexts = regexp.MustCompile(`No such file or directory|Invalid argument|File exists|Permission denied|Operation not permitted|` +
	`Invalid or incomplete multibyte|Device or resource busy|Input/output error|Stale file handle|Read-only file system|Text file busy|` +
	`Operation canceled|File too large|No such device|Is a directory|Not a directory|Directory not empty|E[0-9]{2,3}\b`)

// troubles is the class of a text on standard error: the system's
// errors in it, and whether there was any text at all.
func troubles(text string) string {
	if text == "" {
		return ""
	}
	found := errorTexts.FindAllString(text, -1)
	slices.Sort(found)
	return "errors: " + strings.Join(slices.Compact(found), ", ")
}
