package txntest

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// book keeps the acts of callers, to check them. Memory.mu guards it.
type book struct {
	last       map[string]uint64   // highest number ever committed
	strangers  map[[32]byte]bool   // digests of contents that were written behind the storage's back
	changing   map[string]struct{} // registries that a call is changing
	violations []error
}

func newBook() book {
	return book{last: map[string]uint64{}, strangers: map[[32]byte]bool{}, changing: map[string]struct{}{}}
}

// afterCrash returns the book of a storage that was opened after a power
// failure: numbers of versions that were lost may be used again.
func (b *book) afterCrash() book {
	c := newBook()
	c.strangers = maps.Clone(b.strangers)
	return c
}

func (b *book) violated(format string, args ...any) {
	b.violations = append(b.violations, fmt.Errorf(format, args...))
}

func (b *book) enter(name string) {
	if _, ok := b.changing[name]; ok {
		b.violated("%s: two calls change it at once", name)
	}
	b.changing[name] = struct{}{}
}

func (b *book) leave(name string) { delete(b.changing, name) }

func (b *book) offered(name string, seq, oldSeq uint64, content []byte, digest [32]byte) {
	if seq <= oldSeq {
		b.violated("%s: version %d is to replace version %d", name, seq, oldSeq)
	}
	if sha256.Sum256(content) != digest {
		b.violated("%s: version %d comes with another content's digest", name, seq)
	}
}

func (b *book) committed(name string, seq uint64) {
	if last := b.last[name]; seq <= last {
		b.violated("%s: version %d comes after version %d", name, seq, last)
	}
	b.last[name] = max(b.last[name], seq)
}

func (b *book) object(what, name string, line []byte) {
	if len(line) == 0 || line[0] != '{' || !json.Valid(line) || slices.Contains(line, '\n') {
		b.violated("%s: a %s is not one line with a JSON object", name, what)
	}
}

// Check returns the problems after a test: calls against the contract of txn.Storage, commits
// that were left half done, and live files and versions that valid refuses. Content that
// Foreign wrote is not asked about.
func (m *Memory) Check(valid func(name string, content []byte) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	errs := slices.Clone(m.book.violations)
	for name := range m.now.staged {
		errs = append(errs, fmt.Errorf("%s: a commit is half done", name))
	}
	check := func(what, name string, content []byte) {
		if m.book.strangers[sha256.Sum256(content)] {
			return
		}
		if err := valid(name, content); err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", name, what, err))
		}
	}
	for name, f := range m.now.files {
		if len(f.content) > 0 { // nobody has filled it yet, or the caller reports the missing content
			check("live file", name, f.content)
		}
	}
	for name, h := range m.now.hist {
		for seq, content := range h.versions {
			check(fmt.Sprint("version ", seq), name, content)
		}
	}
	return errors.Join(errs...)
}
