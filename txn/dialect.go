package txn

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
	"clawfs/txn/seen"
)

// Dialect is the language that a registry is kept in. Unless the configuration says
// it, the content does: of a new file, and of a file with one line. From then on it is
// noted with each version, and ends with the registry's removal.
type Dialect uint8

// The dialects.
const (
	Strict Dialect = iota // one strict document; one line of JSON lines is that, too
	JSON5                 // one document in JSON5
	Lines                 // one strict document a line
	Plain                 // anything: it was no document when clawfs came, and has never been one since
)

// String returns the word for the dialect in logs and commands.
func (d Dialect) String() string {
	if d == Plain {
		return "plain"
	}
	return d.grammar().String()
}

// ParseDialect returns the dialect of that word, Strict for any other.
func ParseDialect(word string) Dialect {
	for _, d := range []Dialect{JSON5, Lines, Plain} {
		if d.String() == word {
			return d
		}
	}
	return Strict
}

func (d Dialect) grammar() jsondoc.Grammar {
	switch d {
	case JSON5:
		return jsondoc.JSON5
	case Lines:
		return jsondoc.Lines
	}
	return jsondoc.JSON
}

// dialectIn returns the dialect that a document was read in, Plain for none.
func dialectIn(d *jsondoc.Doc) Dialect {
	switch {
	case d == nil:
		return Plain
	case d.Grammar() == jsondoc.JSON5:
		return JSON5
	case d.Grammar() == jsondoc.Lines:
		return Lines
	}
	return Strict
}

// dialectOf returns the dialect of a version of the registry, Strict for none.
func (r *Registry) dialectOf(v *Version) Dialect {
	if v != nil && v.dialect == Plain {
		return Plain
	}
	if d, ok := r.store.cfg.Dialect(r.name); ok {
		return d
	}
	if v == nil {
		return Strict
	}
	return v.dialect
}

// noted returns the dialect that a version notes. A dialect that the configuration gives need
// not be noted, and one that it gives no longer is not kept.
func (r *Registry) noted(d Dialect) Dialect {
	if _, ok := r.store.cfg.Dialect(r.name); ok && d != Plain {
		return Strict
	}
	return d
}

// admit parses content that replaces a version, nil where there is none; saw has the views of its writers. The document's
// grammar is that of the new version's dialect. It returns no document and no error where the version is no document
// either, so that anything may replace it. The error is an *InvalidError or a *TooLargeError.
func (r *Registry) admit(c *seen.Content, over *Version, saw seen.Seen) (*jsondoc.Doc, error) {
	if over != nil && over.Blank() {
		over = nil
	}
	d := r.dialectOf(over)
	if settled, ok := r.store.cfg.Dialect(r.name); ok && d == Plain {
		d = settled
	}
	doc, err := r.parseLike(c, r.known(over, d), d)
	var invalid *InvalidError
	if !errors.As(err, &invalid) {
		return doc, err
	}
	if d == Strict || d == Plain {
		if other := r.otherwise(c, over, saw); other != nil {
			return other, nil
		}
	}
	if over != nil && over.dialect == Plain {
		return nil, nil
	}
	invalid.Cure = r.cure(c, d)
	return nil, invalid
}

// otherwise returns the document that content is in another dialect than strict JSON,
// nil if it is none or may not be one over that version.
func (r *Registry) otherwise(c *seen.Content, over *Version, saw seen.Seen) *jsondoc.Doc {
	if _, settled := r.store.cfg.Dialect(r.name); settled {
		return nil
	}
	if over == nil || over.dialect == Plain {
		doc := told(func(d Dialect) (*jsondoc.Doc, error) { return r.parseAs(c, d) })
		if doc != nil {
			return doc
		}
	} else if over.isLine() {
		if doc, err := r.parseAs(c, Lines); err == nil && r.beginsWith(doc, over, saw) {
			return doc
		}
	}
	if doc, err := r.parseAs(c, JSON5); err == nil && r.store.cfg.Included(r.name, r.loadOther) {
		return doc
	}
	return nil
}

// told returns the document that a new file is whose content is no strict one and tells
// its dialect: more lines than one, or a comment. It returns nil where it does not.
func told(parse func(Dialect) (*jsondoc.Doc, error)) *jsondoc.Doc {
	if doc, err := parse(Lines); err == nil && doc.Root().Len() > 1 {
		return doc
	}
	if doc, err := parse(JSON5); err == nil && doc.Commented() {
		return doc
	}
	return nil
}

// Told returns the document that an unknown file holds, and the dialect that its content
// tells. The error is a *jsondoc.SyntaxError.
func Told(content []byte) (*jsondoc.Doc, Dialect, error) {
	doc, err := Strict.Read(content)
	if err == nil {
		return doc, Strict, nil
	}
	if doc = told(func(d Dialect) (*jsondoc.Doc, error) { return d.Read(content) }); doc != nil {
		return doc, dialectIn(doc), nil
	}
	return nil, Plain, err
}

// Read returns the document that content in a dialect is. The error is a
// *jsondoc.SyntaxError.
func (d Dialect) Read(content []byte) (*jsondoc.Doc, error) {
	return jsondoc.Parse(content, d.grammar(), jsondoc.Limits{})
}

// loadOther reads another file of the store.
func (r *Registry) loadOther(name string) ([]byte, error) {
	b, _, _, err := r.store.storage.Load(name)
	return b, err
}

// parseAs returns the tree of c in the grammar of a dialect. The error is an
// *InvalidError or a *TooLargeError.
func (r *Registry) parseAs(c *seen.Content, d Dialect) (*jsondoc.Doc, error) {
	return r.parseLike(c, nil, d)
}

// parseLike is parseAs for content that is much like a document; like may be nil.
func (r *Registry) parseLike(c *seen.Content, like *jsondoc.Doc, d Dialect) (*jsondoc.Doc, error) {
	s := r.store
	if s.cfg.Whole {
		like = nil
	}
	if size := int64(len(c.Bytes)); size > s.cfg.MaxSize {
		return nil, &TooLargeError{Name: r.name, Size: size, Limit: s.cfg.MaxSize}
	}
	doc, err := s.docs.parse(c, like, d.grammar(), s.limits())
	if err == nil && !s.cfg.Whole && namesOf(doc) == nil {
		doc.Keep(merge.NewNames())
	}
	var syntax *jsondoc.SyntaxError
	if errors.As(err, &syntax) {
		return nil, &InvalidError{Name: r.name, Cause: syntax}
	}
	return doc, err
}

// namesOf returns the record, kept with a document, of the names in it, nil for nothing.
func namesOf(doc *jsondoc.Doc) *merge.Names {
	if doc == nil {
		return nil
	}
	names, _ := doc.Kept().(*merge.Names)
	return names
}

// known returns the document that a version is in a dialect, nil unless it is at hand.
func (r *Registry) known(v *Version, d Dialect) *jsondoc.Doc {
	if v == nil {
		return nil
	}
	return r.store.docs.get(v.content, d.grammar())
}

// parserFor returns how content is parsed that is compared with a document: in its
// grammar.
func (r *Registry) parserFor(doc *jsondoc.Doc) func(*seen.Content) (*jsondoc.Doc, error) {
	return func(c *seen.Content) (*jsondoc.Doc, error) { return r.parseLike(c, doc, dialectIn(doc)) }
}

// cure returns the advice that has content accepted that is no strict document;
// empty where nothing was written at all.
func (r *Registry) cure(c *seen.Content, d Dialect) string {
	if len(bytes.TrimSpace(c.Bytes)) == 0 {
		return ""
	}
	name := patternFor(r.name)
	if _, err := r.parseAs(c, Strict); d == Lines && err == nil {
		return "it is kept in JSON lines until it is removed, or named by --json5"
	}
	if _, err := r.parseAs(c, JSON5); err == nil {
		return "to have it read as JSON5, add " + name + " to what --json5 names"
	}
	if _, err := r.parseAs(c, Lines); err == nil {
		return "to have it read as JSON lines, add " + name + " to what --lines names"
	}
	return "if it is no JSON by design, add " + name + " to what --ignore names"
}

var patternEscape = strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`)

// patternFor returns a pattern that matches one file.
func patternFor(name string) string {
	pattern := patternEscape.Replace(name)
	if path.Base(name) == name {
		pattern = "/" + pattern
	}
	if strings.ContainsAny(pattern, " '\"\\*?[\t\n") {
		return fmt.Sprintf("%q", pattern)
	}
	return pattern
}

// Dialect returns the dialect that is noted with the version. A dialect that the configuration
// gives is not noted.
func (v *Version) Dialect() Dialect { return v.dialect }

// Dialects returns the dialects of the registries in memory, as they are noted.
func (s *Store) Dialects() map[string]Dialect {
	out := make(map[string]Dialect)
	for _, r := range s.all() {
		r.mu.Lock()
		if r.head != nil {
			out[r.name] = r.head.dialect
		}
		r.mu.Unlock()
	}
	return out
}
