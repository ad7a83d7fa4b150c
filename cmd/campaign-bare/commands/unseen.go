package commands

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// write is a step that has written a registry, with the knowledge of its author.
type write struct {
	*trace
	i       int
	name    string
	content string // the content that it wrote: the bare file's
}

// isMergeWithUnseen: somebody else has committed since the writer saw the
// registry, and the mount holds the merge of two things: the writer's changes to
// its view, and the commits of the others.
func isMergeWithUnseen(c oddity) bool {
	content, ok := c.bare[c.Name]
	now, is := c.mount[c.Name]
	if !ok || !is || !isRegistry(c.Name) {
		return false
	}
	results, _ := write{c.trace, c.i, c.Name, content.Content}.merges()
	return slices.Contains(results, now.Content)
}

// unmerged finds registries that the mount holds as the writer left them, though others have
// made commits that the writer had not seen: their update is lost.
func (t *trace) unmerged(i int, bare, mount state) []difference {
	var found []difference
	for name, e := range bare {
		before := t.last()[name]
		if !isRegistry(name) || e.Content == before.Content || mount[name].Content != e.Content {
			continue
		}
		if step := t.steps[i]; step.Class != classPut && !step.isProgram() {
			continue // it may have read the file
		}
		results, must := write{t, i, name, e.Content}.merges()
		same := func(r string) bool { return sameValues(r, e.Content) }
		if must && !slices.ContainsFunc(results, same) {
			what := fmt.Sprintf("%s is as it was written, %s, without what others had made of it, %s", name, show(e, true), show(before, true))
			found = append(found, difference{Name: name, Effect: overwritten, What: what})
		}
	}
	return found
}

// mayMerge reports whether a step that left this in a registry may have had it
// merged with commits that its author had not seen.
func (t *trace) mayMerge(i int, name, content string) bool {
	if !t.steps[i].concerns(name) {
		return false
	}
	results, _ := write{t, i, name, content}.merges()
	return slices.ContainsFunc(results, func(r string) bool { return r != content })
}

// merges returns the contents that the registry may hold instead of the written one, and
// whether it must hold one of them. There are none where nobody else has committed since
// the author's own last write, or where the author means its content as it is. It
// may, but need not, where that is not known.
func (w write) merges() (results []string, must bool) {
	step := w.steps[w.i]
	if (step.Class == classEdit || step.Class == classOver) && !step.isProgram() {
		return nil, false // a step that reads before it writes has seen all
	}
	seen, head, others := w.views()
	if w.mayHaveTasks() {
		seen, others = append(seen, ""), true
	}
	if !others || w.isMeant(true) && !(step.isProgram() && w.putsOldFile()) {
		return nil, false
	}
	for _, v := range seen {
		if r := merged(v, head, w.content); !slices.Contains(results, r) {
			results = append(results, r)
		}
	}
	// A daemon that has ended knew the views of the dead. A registry that is gone is gone.
	restarted := slices.ContainsFunc(w.steps[:w.i], func(s Step) bool { return s.Who == byDaemon })
	unclear := w.isMeant(false)
	for j := range w.i {
		unclear = unclear || w.movedHere(j) || w.removedItself(j) || w.mayHaveSkipped(j)
	}
	return results, !restarted && !unclear && w.held(w.i-1) != "" && !slices.Contains(seen, "") && !w.putsOldFile()
}

// mayHaveTasks reports whether the writer is an asynchronous program that was told that there
// is no registry: if several of its threads were, it is taken for several tasks.
func (w write) mayHaveTasks() bool {
	for j, step := range w.steps[:w.i] {
		if strings.HasPrefix(step.Who, "async") && step.Who == w.steps[w.i].Who && step.concerns(w.name) && w.held(j-1) == "" {
			return true
		}
	}
	return false
}

// views returns the contents of the registry that the author has seen since its own last
// write, the newest first, the content that it holds (or held, if it is gone), and whether
// others have committed meanwhile. "" is no registry, or nothing seen.
func (w write) views() (seen []string, head string, others bool) {
	head = w.held(w.i - 1)
	if step := w.steps[w.i]; step.isProgram() && step.reads(w.name) {
		seen = append(seen, head) // in the step itself
	}
	for j := w.i - 1; j >= 0; j-- {
		step, before, after := w.steps[j], w.held(j-1), w.held(j)
		if head == "" && after != "" {
			head = after
		}
		own := step.author(j) == w.author()
		others = others || !own && before != after
		if !step.concerns(w.name) || !own && !w.isKin(step) || w.movedAway(j) || w.removedItself(j) || w.didNothing(j) {
			continue
		}
		if byChild, read := step.child(w.name); byChild {
			others = others || before != after
			if read {
				seen = append(seen, after)
			}
			continue
		}
		wrote := w.wroteAt(j)
		seen = append(seen, wrote)
		others = others || wrote != after // the writer does not know the changes that its bytes were merged with
		if w.movedHere(j) {
			others = true // the file may hold changes that others have made of it by its former name
			continue
		}
		if own && w.writesAt(j) && !w.putsOldFile() && !w.mayHaveSkipped(j) {
			return seen, head, others
		}
		seen = append(seen, before)
	}
	return append(seen, ""), head, others
}

// author names the writer: a program that has seen nothing of the registry itself
// counts as its family.
func (w write) author() string {
	me := w.steps[w.i].author(w.i)
	if !w.steps[w.i].isProgram() {
		return me
	}
	for j := range w.i {
		if w.steps[j].Who == me && w.steps[j].concerns(w.name) {
			return me
		}
	}
	return byShell
}

// isKin reports whether the writer's content may be made from a content that a step has
// seen, though the step is of another author: programs are of the shell's family.
func (w write) isKin(step Step) bool {
	return w.author() == byShell && step.isProgram()
}

// isOneAuthorWith reports whether a program and the writer are one author, as they are of
// one family. A shell that lives has a family of its own; programs are not of it.
func (w write) isOneAuthorWith(step Step) bool {
	return w.isKin(step) && w.steps[w.i].Who != byShell
}

// isMeant reports whether the author means its content as it is: an author
// without a memory that writes again the last content of its family, and has seen nothing
// else since; a program that writes again its own last content, after it has seen
// something else, or has removed the registry itself. That it was told of nothing, after
// it had moved the registry away, is no sign of its meaning. Another spelling is no
// other content. looked says that git and make have read the registry, which they do where they
// need to.
func (w write) isMeant(looked bool) bool {
	var looks []string
	isFamily := w.author() == byShell
	removed := !isFamily && removes(w.steps[w.i]) && w.held(w.i-1) != ""
	for j := w.i - 1; j >= 0; j-- {
		step := w.steps[j]
		if step.author(j) != w.author() && !w.isOneAuthorWith(step) || !step.concerns(w.name) || w.movedAway(j) || w.didNothing(j) {
			continue
		}
		if w.removedItself(j) {
			removed = true
			continue
		}
		if byChild, read := step.child(w.name); byChild {
			if read {
				looks = append(looks, w.held(j))
			}
			continue
		}
		if w.writesAt(j) {
			wrote := w.wroteAt(j)
			newer := slices.ContainsFunc(looks, func(look string) bool { return look != wrote })
			return sameValues(wrote, w.content) && (newer != isFamily || removed)
		}
		maySkip := step.Class == classGit || step.Class == classMake
		if !step.isProgram() && (looked || !maySkip) || step.reads(w.name) && w.held(j) != "" {
			looks = append(looks, w.held(j))
		}
	}
	return false
}

// didNothing reports whether a step has failed and changed nothing that it was to write. It
// has read nothing then.
func (w write) didNothing(i int) bool {
	step := w.steps[i]
	return !step.isProgram() && w.failed[i] && step.writes() && w.held(i-1) == w.held(i)
}

// mayHaveSkipped reports whether a step was to write the content that was there already, and
// may have written nothing: rsync skips a file of the same size and time.
func (w write) mayHaveSkipped(i int) bool {
	return w.held(i-1) == w.held(i) && strings.HasPrefix(w.steps[i].Text, "rsync ")
}

// putsOldFile reports whether the step gives the registry's name to a file that may be older
// than its author's last view.
func (w write) putsOldFile() bool {
	step := w.steps[w.i]
	return (step.Class == classMove || step.Class == classRestore) && strings.Contains(step.Text, "mv ") || step.isProgram() && strings.Contains(step.Text, " "+w.name) && strings.Contains(step.Text, "move ")
}

// movedAway reports whether a step has only given the registry another name. That is no
// removal: the author goes on from its views, and merges with the moved registry.
func (w write) movedAway(i int) bool {
	step := w.steps[i]
	return w.held(i-1) != "" && w.held(i) == "" &&
		(step.Class == classMove || step.isProgram() && strings.Contains(step.Text, "move "+w.name+" "))
}

// removedItself reports whether a step is of the writer, a program, and has only removed the
// registry: the program's next content goes on from its views.
func (w write) removedItself(i int) bool {
	step := w.steps[i]
	return step.isProgram() && step.author(i) == w.author() && w.held(i-1) != "" && w.held(i) == "" && !w.movedAway(i)
}

// movedHere reports whether a step has given the registry's name to another file.
func (w write) movedHere(i int) bool {
	step := w.steps[i]
	return (step.Class == classMove || step.isProgram() && strings.Contains(step.Text, "move ")) && w.held(i-1) != w.held(i) && w.held(i) != ""
}

// held returns the content that the registry held after a step, wroteAt the content that
// was written if the step wrote it: a merge has added changes that the writer did not know.
func (w write) held(i int) string { return at(w.states, i)[w.name].Content }

func (w write) wroteAt(i int) string { return at(w.wrote, i)[w.name].Content }

// concerns reports whether a step may read the file of a name, or put something in its place.
// A copy by cp or cat to another file of the mount is not read.
func (s Step) concerns(name string) bool {
	if s.Class == classTouch || s.Class == classBackup {
		return false
	}
	for _, command := range []string{"ls ", "stat ", "wc -c ", "test -e", "chmod "} {
		if strings.HasPrefix(s.Text, command) && !strings.Contains(s.Text, "&&") {
			return false
		}
	}
	return strings.Contains(s.Text, name) || slices.Contains([]string{classGit, classTar, classMake, classLookAll}, s.Class)
}

// reads reports whether a program is told to read a registry. Some do for a backup.
func (s Step) reads(name string) bool {
	return strings.Contains(s.Text, "load "+name) || strings.Contains(s.Text, "peek "+name) || strings.Contains(s.Text, "save "+name+" backup")
}

// child reports whether a program lets a child of its own, another author, change a
// registry, and whether the program has read the registry after that.
func (s Step) child(name string) (byChild, read bool) {
	if !s.isProgram() {
		return false, false
	}
	for operation := range strings.SplitSeq(s.Text, "; ") {
		switch {
		case strings.HasPrefix(operation, "child ") && strings.Contains(operation, name):
			byChild, read = true, false
		case operation == "load "+name, operation == "peek "+name:
			read = true
		}
	}
	return byChild, read
}

// writesAt reports whether a step has written the registry, be it as it was. A move that
// has changed nothing has found nothing to move.
func (w write) writesAt(i int) bool {
	if w.held(i-1) != w.held(i) {
		return true
	}
	return !w.failed[i] && w.steps[i].writes() && (w.steps[i].Class != classMove || !maps.Equal(at(w.states, i-1), at(w.states, i)))
}

// writes reports whether a step writes the files that it concerns, be it as they were.
func (s Step) writes() bool {
	if s.isProgram() {
		return strings.Contains(s.Text, "save ")
	}
	return slices.Contains([]string{classPut, classEdit, classRestore, classMove, classOver, classRemove, classRemoveAll}, s.Class)
}

// merged returns the result of a merge of a content that was made from base while
// others made head of it. An empty base is none.
func merged(base, head, content string) string {
	headDoc, err1 := jsondoc.Parse([]byte(head), jsondoc.JSON, jsondoc.Limits{})
	doc, err2 := jsondoc.Parse([]byte(content), jsondoc.JSON, jsondoc.Limits{})
	if base == head || err1 != nil || err2 != nil {
		return content
	}
	baseDoc, err := jsondoc.Parse([]byte(base), jsondoc.JSON, jsondoc.Limits{})
	if err != nil {
		baseDoc = nil
	}
	res, err := merge.Merge(baseDoc, headDoc, doc, nil)
	if err != nil {
		return content
	}
	switch res.Outcome {
	case merge.KeptHead:
		return head
	case merge.TookTheirs:
		return content
	}
	return string(res.Text)
}
