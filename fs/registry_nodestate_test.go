package fs

import "testing"

// The table of transitions, row by row. A state that is not named stays as it is.
func TestNodeStates(t *testing.T) {
	const relook = nodeState(255)
	rows := []struct {
		from                             nodeState
		readFits, readUnfit              nodeState
		writeFree, writeTaken            nodeState
		readMust, writeMust, headChanged nodeState
	}{
		{showsVersion, showsVersion, relook, forWriting, relook, shared, shared, outdated},
		{blank, blank, relook, blank, relook, shared, shared, blank},
		{private, showsVersion, relook, relook, relook, shared, shared, private},
		{forWriting, relook, relook, forWriting, forWriting, shared, forWriting, forWriting},
		{outdated, relook, relook, forWriting, relook, shared, shared, outdated},
		{shared, shared, shared, shared, relook, shared, shared, shared},
	}
	yes, no := func() bool { return true }, func() bool { return false }
	check := func(what string, from nodeState, got nodeState, ok bool, want nodeState) {
		t.Helper()
		if want == relook && (ok || got != from) || want != relook && (!ok || got != want) {
			t.Errorf("%d, %s: %d (%v), want %d", from, what, got, ok, want)
		}
	}
	for _, r := range rows {
		for _, c := range []struct {
			what string
			fits bool
			must func() bool
			want nodeState
		}{
			{"read, fits", true, no, r.readFits},
			{"read, does not fit", false, no, r.readUnfit},
			{"read, does not fit, must", false, yes, r.readMust},
		} {
			got, ok := r.from.openedToRead(c.fits, c.must)
			check(c.what, r.from, got, ok, c.want)
		}
		for _, c := range []struct {
			what string
			free bool
			must func() bool
			want nodeState
		}{
			{"write, free", true, no, r.writeFree},
			{"write, not free", false, no, r.writeTaken},
			{"write, not free, must", false, yes, r.writeMust},
		} {
			got, ok := r.from.openedToWrite(c.free, c.free, c.must)
			check(c.what, r.from, got, ok, c.want)
		}
		check("another head", r.from, r.from.headIsAnother(), true, r.headChanged)
	}
	for _, s := range []nodeState{showsVersion, blank, private, outdated, shared} {
		if s.replacedAsWriting() != s {
			t.Errorf("%d changes where another node is written", s)
		}
	}
	if got, ok := shared.openedToWrite(true, false, no); got != shared || !ok {
		t.Error("a shared node by which somebody reads is not written")
	}
	for _, s := range []nodeState{showsVersion, private, outdated} {
		if s.goesOn() != outdated {
			t.Errorf("%d begins to show its version to others though a file of it shows another one", s)
		}
	}
	if blank.goesOn() != blank || forWriting.goesOn() != forWriting || shared.goesOn() != shared || shared.rests() != outdated {
		t.Error("a node changes where a file goes on, or stays shared where nobody has it open")
	}
	if forWriting.replacedAsWriting() != outdated {
		t.Error("two nodes are for writing")
	}
}

// Nobody is asked whether a file must have a node, which may mean to read a list of
// all locks, where the node takes it anyway.
func TestMustIsAskedLast(t *testing.T) {
	asked := func() bool { t.Error("asked"); return true }
	showsVersion.openedToRead(true, asked)
	showsVersion.openedToWrite(true, true, asked)
	blank.openedToRead(true, asked)
	blank.openedToWrite(true, true, asked)
	forWriting.openedToWrite(false, false, asked)
	shared.openedToRead(false, asked)
	shared.openedToWrite(true, false, asked)
}
