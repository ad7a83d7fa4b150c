package fs

// nodeState is the purpose of one of a registry's nodes. The kernel has one size for each
// node, and takes it from every answer about it. So no node may serve readers of two
// versions, or readers and writers, unless nothing else is possible (shared).
//
//	showsVersion  All its readers see the same version. Its size and time never change,
//	              so that the kernel need not ask for them.
//	blank         It was found while the registry had no version. Readers, of nothing, and
//	              writers have it together. Each process is told the size of its own
//	              open file.
//	private       It shows a version that is held for one thread, which was told to
//	              look again. No look-up by anybody else leads to it.
//	forWriting    Its size is its writers'.
//	outdated      Nobody begins to read by it any more: the kernel has been told the size
//	              of another version, its writers were the last to use it, or one of its
//	              files shows another version by now.
//	shared        Its files show different versions. Each process is told the size of its
//	              own open file. It stays so as long as somebody has it open.
//
// These are all transitions. "Relook" is no transition: the open fails with ESTALE, and
// the kernel looks the name up again. "Must" says that this would lead nowhere: see
// registryTable.must.
//
//	              opened to read,     opened to write,      the head turns out to be
//	              and the version     and it is             another version, and
//	              fits  | does not    free       | not      nobody has the node open
//	showsVersion  stays | relook      forWriting | relook   outdated
//	blank         stays | relook      stays      | relook   stays
//	private       ①     | relook      relook     | relook   stays
//	forWriting    relook| relook      stays      | stays    stays
//	outdated      relook| relook      forWriting | relook   stays
//	shared        stays | stays       stays ②    | relook   stays
//	… and must:   wherever there is "relook" the node becomes shared instead
//
// A file that is kept open and goes on to another version makes showsVersion and private
// outdated, and changes no other state. A shared node that nobody has open is outdated when
// somebody is about to open it.
//
// ① It is opened by the process that was to open it: showsVersion.
//
// ② That somebody reads a version by it does not matter.
//
// A blank node fits while the registry has no version. A node is free if nobody reads a
// version by it and nobody has another node of the registry open for writing. A node that
// was forWriting becomes outdated when another one takes its place; a blank one stays
// blank, since its readers still read nothing.
type nodeState uint8

const (
	showsVersion nodeState = iota
	blank
	private
	forWriting
	outdated
	shared
)

// openedToRead returns the state after an open for reading; ok is false where the
// opener is to look again. fits says that the node shows the version that the opener
// is about to see, must is asked only where it matters.
func (s nodeState) openedToRead(fits bool, must func() bool) (next nodeState, ok bool) {
	switch {
	case s == shared:
		return shared, true
	case fits && s == blank:
		return blank, true
	case fits && (s == showsVersion || s == private):
		return showsVersion, true
	}
	return s.orShared(must)
}

// openedToWrite is openedToRead for an open for writing. writers says that nobody has
// another node open for writing.
func (s nodeState) openedToWrite(writers, free bool, must func() bool) (next nodeState, ok bool) {
	switch {
	case s == shared && writers, s == forWriting:
		return s, true
	case free && s == blank:
		return blank, true
	case free && s != private:
		return forWriting, true
	}
	return s.orShared(must)
}

func (s nodeState) orShared(must func() bool) (next nodeState, ok bool) {
	if must() {
		return shared, true
	}
	return s, false
}

// rests returns the state while nobody has the node open.
func (s nodeState) rests() nodeState {
	if s == shared {
		return outdated
	}
	return s
}

// headIsAnother returns the state after the head has turned out to be another version
// than the node shows, while nobody has the node open.
func (s nodeState) headIsAnother() nodeState {
	if s == showsVersion {
		return outdated
	}
	return s
}

// goesOn returns the state after a file of the node has gone on to another version.
func (s nodeState) goesOn() nodeState {
	if s.keepsSizeTime() {
		return outdated
	}
	return s
}

// replacedAsWriting returns the state of a node after another one has become the
// registry's for writing.
func (s nodeState) replacedAsWriting() nodeState {
	if s == forWriting {
		return outdated
	}
	return s
}

// keepsSizeTime reports whether size and time of the node stay as they are.
func (s nodeState) keepsSizeTime() bool { return s == showsVersion || s == private }
