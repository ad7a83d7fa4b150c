package commands

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// doc is a registry with entries of these names.
func doc(names string) string {
	if names == "-" {
		return ""
	}
	var entries []string
	for _, name := range strings.Fields(names) {
		entries = append(entries, `{"id":"`+name+`"}`)
	}
	return `[` + strings.Join(entries, ",") + `]`
}

// names is the other way round.
func names(text string) string {
	return strings.NewReplacer(`{"id":"`, "", `"}`, "", ",", " ", "[", "", "]", "").Replace(text)
}

// moment is a step, the content that it wrote, and the content that the mount held then: the
// same, unless others' changes were merged. It has failed if its text begins with "!".
type moment struct{ who, class, text, wrote, held string }

// A writer's bytes may become these, or must, by the steps that its author and others did
// before. The last moment is the one that is asked about; "-" is no file.
func TestMerges(t *testing.T) {
	const cp, cat, edit = "cp d a.json", "cat a.json", "jq a.json"
	for _, tt := range []struct {
		name    string
		moments []moment
		want    []string
		must    bool
	}{
		{"nobody else", []moment{
			{byShell, classPut, cp, "a", ""}, {byShell, classEdit, edit, "a b", ""}, {byShell, classPut, cp, "a", ""}}, nil, false},
		{"written again, unread", []moment{
			{byShell, classPut, cp, "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {byShell, classPut, cp, "a", ""}}, nil, false},
		{"written again, copied elsewhere", []moment{
			{byShell, classPut, cp, "a", ""}, {byShell, classBackup, "cp a.json a.json.bak", "a", ""},
			{byStranger, classEdit, edit, "a x", ""}, {byShell, classPut, cp, "a", ""}}, nil, false},
		{"something else, unread", []moment{
			{byShell, classPut, cp, "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {byShell, classPut, cp, "a b", ""}}, []string{"a x b"}, true},
		{"something else, read since", []moment{
			{byShell, classPut, cp, "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {byShell, classLook, cat, "a x", ""},
			{byShell, classPut, cp, "a b", ""}}, []string{"a b", "a x b"}, true},
		{"read in the step itself", []moment{
			{byShell, classPut, cp, "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {byShell, classEdit, edit, "a", ""}}, nil, false},
		{"from memory", []moment{
			{"py1", classMemory, "save a.json", "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {"py1", classMemory, "save a.json", "a", ""}}, []string{"a x"}, true},
		{"from memory, after a backup", []moment{
			{"py1", classMemory, "save a.json", "a", ""}, {byStranger, classEdit, edit, "a x", ""},
			{"py1", classMemory, "save a.json backup", "a", ""}}, []string{"a", "a x"}, true},
		{"its last write again, read since", []moment{
			{"py1", classMemory, "save a.json", "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {"py1", classMemory, "peek a.json", "a x", ""},
			{"py1", classMemory, "save a.json", "a", ""}}, nil, false},
		{"its last write again, read since, when a child was at work", []moment{
			{"py1", classMemory, "save a.json", "a", ""}, {"py1", classMemory, "child load a.json, add x, save a.json; load a.json", "a x", ""},
			{"py1", classMemory, "save a.json", "a", ""}}, nil, false},
		{"its last write again, after its own removal", []moment{
			{"py1", classMemory, "save a.json", "a", ""}, {byStranger, classEdit, edit, "a x", ""},
			{"py1", classMemory, "save a.json unlink", "a", ""}}, nil, false},
		{"from memory, after a merge", []moment{
			{"py1", classMemory, "save a.json", "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {"py1", classMemory, "save a.json", "a b", "a x b"},
			{"py1", classMemory, "save a.json", "a", ""}}, []string{"a x"}, true},
		{"moved away, and saved from memory", []moment{
			{"py1", classMemory, "save a.json", "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {"py1", classMemory, "move a.json b.json", "-", "-"},
			{"py1", classMemory, "save a.json", "a", ""}}, []string{"a x"}, false},
		{"counted by its size", []moment{
			{byShell, classPut, cp, "a", ""}, {byShell, classLookAll, "wc -c *.json", "a", ""}, {byStranger, classEdit, edit, "a x", ""},
			{byShell, classPut, cp, "a", ""}}, nil, false},
		{"moved away, looked for, and saved from memory", []moment{
			{"py1", classMemory, "save a.json", "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {"py1", classMemory, "move a.json b.json", "-", "-"},
			{"py1", classMemory, "peek a.json", "-", "-"}, {"py1", classMemory, "save a.json", "a", ""}}, []string{"a x"}, false},
		{"nothing moved", []moment{
			{byShell, classPut, cp, "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {byShell, classMove, "!mv b.json a.json", "a x", ""},
			{byShell, classPut, cp, "a b", ""}}, []string{"a x b"}, true},
		{"written again, looked at before others came", []moment{
			{byShell, classPut, cp, "a", ""}, {byShell, classLook, cat, "a", ""}, {byStranger, classEdit, edit, "a x", ""},
			{byShell, classPut, cp, "a", ""}}, nil, false},
		{"written again, looked at after others came", []moment{
			{byShell, classPut, cp, "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {byShell, classLook, cat, "a x", ""},
			{byStranger, classEdit, edit, "a x y", ""}, {byShell, classPut, cp, "a", ""}}, []string{"a y", "a x y"}, true},
		{"written again, and make may have looked after others came", []moment{
			{byShell, classPut, cp, "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {byShell, classMake, "make all", "a x", ""},
			{byStranger, classEdit, edit, "a x y", ""}, {byShell, classPut, cp, "a", ""}}, []string{"a y", "a x y"}, false},
		{"from memory, looked at before others came", []moment{
			{"py1", classMemory, "save a.json", "a", ""}, {"py1", classMemory, "peek a.json", "a", ""}, {byStranger, classEdit, edit, "a x", ""},
			{"py1", classMemory, "save a.json", "a", ""}}, []string{"a x"}, true},
		{"written again, and a program of the family has written since", []moment{
			{byShell, classPut, cp, "a", ""}, {"py1", classMemory, "load a.json; add b; save a.json", "a b", ""}, {byStranger, classEdit, edit, "a b x", ""},
			{byOwn, classPut, cp, "a", ""}}, []string{"a x", "a b x"}, true},
		{"written again, and a program of another family has written since", []moment{
			{byShell, classPut, cp, "a", ""}, {"py1", classMemory, "load a.json; add b; save a.json", "a b", ""}, {byStranger, classEdit, edit, "a b x", ""},
			{byShell, classPut, cp, "a", ""}}, nil, false},
		{"a file from before its own last write", []moment{
			{byShell, classPut, cp, "a", ""}, {byShell, classPut, "cp d b.json", "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {byShell, classPut, cp, "a c", "a x c"},
			{byShell, classMove, "mv b.json a.json", "a b", ""}}, []string{"a x b", "a b c", "a x c b"}, false},
		{"another directory removed", []moment{
			{byShell, classPut, cp, "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {byShell, classRemoveAll, "rm -rf state; mkdir state; cp d state/c.json", "a x", ""},
			{byShell, classPut, cp, "a b", ""}}, []string{"a x b"}, true},
		{"never seen", []moment{
			{byStranger, classPut, cp, "a", ""}, {byShell, classPut, cp, "b", ""}}, []string{"a b"}, false},
		{"a program that lives has seen more than its family", []moment{
			{byShell, classPut, cp, "a", ""}, {"py1", classMemory, "load a.json; add x; save a.json", "a x", ""}, {byShell, classPut, cp, "a b", ""}},
			[]string{"a b", "a x b"}, true},
		{"restarted", []moment{
			{byShell, classPut, cp, "a", ""}, {byStranger, classEdit, edit, "a x", ""}, {byDaemon, classRestart, "again", "a x", ""},
			{byShell, classPut, cp, "a b", ""}}, []string{"a x b"}, false},
	} {
		var tr trace
		for _, m := range tt.moments {
			held := m.held
			if held == "" {
				held = m.wrote
			}
			text, failed := strings.CutPrefix(m.text, "!")
			tr.steps, tr.failed = append(tr.steps, Step{m.who, m.class, text}), append(tr.failed, failed)
			tr.wrote = append(tr.wrote, state{"a.json": {Content: doc(m.wrote)}})
			tr.states = append(tr.states, state{"a.json": {Content: doc(held)}})
		}
		last := len(tr.steps) - 1
		tr.wrote, tr.states = tr.wrote[:last], tr.states[:last]
		results, must := write{&tr, last, "a.json", doc(tt.moments[last].wrote)}.merges()
		var got []string
		for _, r := range results {
			got = append(got, names(r))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || must != tt.must {
			t.Errorf("%s: must %t, want %t (-want +got):\n%s", tt.name, must, tt.must, diff)
		}
	}
}
