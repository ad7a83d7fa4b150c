package backing

import (
	"cmp"
	"container/list"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// hotHistories is how many histories that nobody uses just now stay in memory.
const hotHistories = 256

// A history is the index in memory of one registry's versions and log on disk, so that a
// commit need not scan a directory. It is loaded when the history is first used.
type history struct {
	name  string
	users int           // guarded by histories.mu
	idle  *list.Element // in histories.idle, nil while it has users; guarded by histories.mu

	loading sync.Mutex // held while the directory is scanned, and by mark; taken before mu

	mu       sync.Mutex // guards the fields below
	loaded   bool
	slot     string        // entry of stage that tells of this history, "" for none
	versions []keptVersion // ascending
	bytes    int64         // of all versions
	log      logEnd
}

// logEnd is how a registry's log ends.
type logEnd struct {
	size int64
	torn bool // the last line has no newline
}

// histories are those in memory.
type histories struct {
	mu       sync.Mutex // guards the fields below
	byName   map[string]*history
	idle     *list.List // of *history, longest idle first
	lastSlot uint64
}

func (ss *histories) init() {
	ss.byName = make(map[string]*history)
	ss.idle = list.New()
}

// take returns the history of a registry, which stays the only one of its name
// until it is put back as often as it was taken.
func (ss *histories) take(name string) *history {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s := ss.byName[name]
	if s == nil {
		s = &history{name: name}
		ss.byName[name] = s
	}
	if s.idle != nil {
		ss.idle.Remove(s.idle)
		s.idle = nil
	}
	s.users++
	return s
}

// put gives a history back. The ones that have been idle longest are forgotten.
func (ss *histories) put(d *Dir, s *history) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s.users--
	if s.users > 0 {
		return
	}
	s.idle = ss.idle.PushBack(s)
	for ss.idle.Len() > hotHistories {
		ss.forget(d, ss.idle.Front().Value.(*history))
	}
}

// forget drops an idle history. The caller holds mu.
func (ss *histories) forget(d *Dir, s *history) {
	ss.idle.Remove(s.idle)
	delete(ss.byName, s.name)
	s.unmark(d)
}

// forgetBelow drops the histories of a registry or of all registries in a
// directory, since their names are about to change. One that somebody reads just
// now is loaded anew when it is used next.
func (ss *histories) forgetBelow(d *Dir, name string) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for n, s := range ss.byName {
		switch {
		case n != name && !strings.HasPrefix(n, name+"/"):
		case s.idle != nil:
			ss.forget(d, s)
		default:
			s.reload()
		}
	}
}

// clear drops all histories.
func (ss *histories) clear(d *Dir) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, s := range ss.byName {
		s.unmark(d)
	}
	ss.init()
}

func (ss *histories) newSlot() string {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.lastSlot++
	return strconv.FormatUint(ss.lastSlot, 10)
}

// mark tells the next Open, should this process be killed, that the history
// may hold leftovers: an entry of stage is a symbolic link whose text is the
// registry's name. It saves Open from looking into all histories. Where it can't be made nothing is
// lost: load finds the leftovers too, when the registry is first used.
func (s *history) mark(d *Dir) {
	s.loading.Lock()
	defer s.loading.Unlock()
	if s.slot != "" {
		return
	}
	slot := d.histories.newSlot()
	err := retry(func() error { return unix.Symlinkat(s.name, d.stage, slot) })
	for err == unix.EEXIST { // of a leftover that could not be resolved
		slot = d.histories.newSlot()
		err = retry(func() error { return unix.Symlinkat(s.name, d.stage, slot) })
	}
	if err == nil {
		_ = d.giveAway(d.stage, slot)
		s.slot = slot
	}
}

// unmark removes the entry of stage. Nobody may be using the history.
func (s *history) unmark(d *Dir) {
	if s.slot != "" {
		_ = unlink(d.stage, s.slot)
		s.slot = ""
	}
}

// load scans the history, unless that was done, and resolves the leftovers of a
// crash in it. It returns an errno.
func (s *history) load(d *Dir) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	s.mu.Lock()
	loaded := s.loaded
	s.mu.Unlock()
	if loaded {
		return nil
	}
	versions, log, err := d.scan(s.name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded = !d.o.ReadOnly // others write there, so nothing is remembered
	s.versions, s.log, s.bytes = versions, log, 0
	for _, v := range versions {
		s.bytes += v.size
	}
	return nil
}

// reload makes the next load scan the history again.
func (s *history) reload() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded = false
}

// scan reads the history of a registry, with the leftovers of a crash resolved:
// its versions, ascending, and how its log ends. No history is an empty one.
func (d *Dir) scan(name string) ([]keptVersion, logEnd, error) {
	hist, err := d.openHistory(name)
	if err == unix.ENOENT {
		return nil, logEnd{}, nil
	}
	if err != nil {
		return nil, logEnd{}, err
	}
	defer closeFD(hist)
	entries, err := d.entriesResolved(hist, name)
	if err != nil {
		return nil, logEnd{}, err
	}
	var versions []keptVersion
	for _, e := range entries {
		seq, ok := parseVersion(e)
		if !ok {
			continue
		}
		st, err := statAt(hist, e)
		if err != nil {
			return nil, logEnd{}, err
		}
		if st != nil && st.regular() {
			versions = append(versions, keptVersion{seq, st.size})
		}
	}
	slices.SortFunc(versions, func(a, b keptVersion) int { return cmp.Compare(a.seq, b.seq) })
	log, err := readLogEnd(hist)
	return versions, log, err
}

// entriesResolved lists the entries of a history once no leftovers are in it.
func (d *Dir) entriesResolved(hist int, name string) ([]string, error) {
	entries, err := listDir(hist)
	if err != nil || d.o.ReadOnly || !slices.ContainsFunc(entries, leftover) {
		return entries, err
	}
	_, _ = d.resolve(hist, name, entries) // a leftover that can't be resolved is no version, and must not stop commits
	return listDir(hist)
}
