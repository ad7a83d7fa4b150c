package view

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"clawfs/backing"
	"clawfs/cmd/clawfs/versions"
	"clawfs/txn"
)

const (
	// indexAge is how old the entries of an index may be.
	indexAge = 30 * time.Second
	// indexPatience is how long a page waits for an index that is being made.
	indexPatience = 400 * time.Millisecond
)

// entry holds the facts of an index on a registry.
type entry struct {
	Name    string
	Seq     uint64 // of the newest version, 0 where there is none yet
	Time    time.Time
	Became  string
	Program string
	Writer  string
	Size    int64
	Gone    bool
	Issue   string // anything noteworthy about the newest record
}

// index knows the registries of a directory, since thousands take longer to look at than a page
// may. It is made when it is first asked for, and changes are looked at again.
type index struct {
	look  func() (*backing.Dir, error)
	there func(found func(name string)) error

	mu      sync.Mutex // guards the fields below
	all     map[string]*entry
	made    time.Time     // when all was last made; zero: not yet
	making  chan struct{} // closed when it is; nil while it isn't being made
	problem error         // why it could not be made
}

// index returns that of a directory.
func (s *Server) index(d Dir) *index {
	i, _ := s.indexes.LoadOrStore(d.Path, &index{
		look: func() (*backing.Dir, error) { return s.o.Look(d) }, there: func(found func(string)) error { return s.o.There(d, found) },
		all: make(map[string]*entry),
	})
	return i.(*index)
}

// entries returns the registries that are known, and whether these are all. It waits a moment for
// an index that is being made.
func (i *index) entries() (all []entry, whole bool, err error) {
	i.mu.Lock()
	if i.making == nil && time.Since(i.made) > indexAge {
		i.making = make(chan struct{})
		go i.make(i.making)
	}
	making, known := i.making, !i.made.IsZero()
	i.mu.Unlock()
	if making != nil && !known {
		select {
		case <-making:
		case <-time.After(indexPatience):
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, e := range i.all {
		all = append(all, *e)
	}
	return all, !i.made.IsZero(), i.problem
}

// make looks at all registries.
func (i *index) make(done chan struct{}) {
	defer close(done)
	seen := make(map[string]bool)
	err := i.each(func(e *entry) {
		seen[e.Name] = true
		i.put(e)
	})
	if err == nil {
		err = i.there(func(name string) {
			if !seen[name] {
				seen[name] = true
				i.put(&entry{Name: name})
			}
		})
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.problem, i.making, i.made = err, nil, time.Now()
	for name := range i.all {
		if !seen[name] && err == nil {
			delete(i.all, name)
		}
	}
}

// each calls f with each registry that has a history.
func (i *index) each(f func(*entry)) error {
	dir, err := i.look()
	if err != nil {
		return err
	}
	defer dir.Close()
	for name, err := range dir.Registries() {
		if err != nil {
			return err
		}
		f(newEntry(dir, name))
	}
	return nil
}

// put takes over an entry. One that is known to be newer stays.
func (i *index) put(e *entry) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if old := i.all[e.Name]; old == nil || !old.Time.After(e.Time) {
		i.all[e.Name] = e
	}
}

func newEntry(dir *backing.Dir, name string) *entry {
	last := versions.LastRecord(dir, name)
	e := &entry{Name: name, Seq: last.Seq, Time: last.Time, Became: last.Became(), Program: last.Program, Writer: last.Writer(), Size: last.Size, Gone: last.Deleted}
	if last.Outcome == txn.Rejected.String() || last.Outcome == txn.Aborted.String() {
		e.Size = sizeOf(dir, name) // the record has that of refused content
	}
	if len(last.Conflicts) > 0 {
		e.Issue = versions.Count(len(last.Conflicts), "conflict")
	}
	return e
}

// sizeOf returns the size of a registry, 0 if there is none.
func sizeOf(dir *backing.Dir, name string) int64 {
	info, err := lstat(dir, name)
	if err != nil {
		return 0
	}
	return info.Size()
}

// lstat tells of a registry by the directory that is open: the path may lead through a mount
// whose daemon is stuck.
func lstat(dir *backing.Dir, name string) (os.FileInfo, error) {
	return os.Lstat(fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), name))
}

// renew looks at a registry again.
func (i *index) renew(name string) {
	dir, err := i.look()
	if err != nil {
		return
	}
	defer dir.Close()
	i.put(newEntry(dir, name))
}

// forget has all be looked at again when it is next asked for.
func (i *index) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.made = time.Time{}
}

// changed looks at the registries that have changed last, as nobody tells of changes, and returns those that
// have changed since.
func (i *index) changed() (names []string) {
	const most = 64 // of registries that are looked at; the whole is looked at every indexAge
	all, _, err := i.entries()
	if err != nil {
		return nil
	}
	slices.SortFunc(all, func(a, b entry) int { return b.Time.Compare(a.Time) })
	dir, err := i.look()
	if err != nil {
		return nil
	}
	defer dir.Close()
	for _, old := range all[:min(most, len(all))] {
		now := newEntry(dir, old.Name)
		if now.Time.After(old.Time) {
			i.put(now)
			names = append(names, old.Name)
		}
	}
	return names
}

// An order of a list of registries.
type order struct {
	Word, Name string
	less       func(a, b entry) int
}

func orders() []order {
	return []order{
		{"changed", "newest first", func(a, b entry) int { return b.Time.Compare(a.Time) }},
		{"name", "by name", func(a, b entry) int { return strings.Compare(a.Name, b.Name) }},
		{"size", "largest first", func(a, b entry) int { return int(b.Size - a.Size) }},
	}
}

// kept returns how many older versions of a registry there are, 0 if that can't be told.
func kept(dir *backing.Dir, name string) int {
	all, err := dir.Versions(name)
	if err != nil && !errors.Is(err, iofs.ErrNotExist) {
		return 0
	}
	return len(all)
}
