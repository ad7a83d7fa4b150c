package versions

import (
	"errors"
	iofs "io/fs"
	"slices"
	"time"

	"clawfs/backing"
	"clawfs/txn"
	"clawfs/txn/jsondoc"
)

// Content is a version, or a copy in quarantine, as show --json prints it.
type Content struct {
	Registry   string    `json:"registry"`
	Seq        uint64    `json:"seq,omitempty"`        // 0: the head, where it is not recorded
	Quarantine string    `json:"quarantine,omitempty"` // id of the copy
	Time       time.Time `json:"time,omitzero"`        // when it was committed, or refused
	Digest     string    `json:"digest"`               // SHA-256
	Size       int       `json:"size"`                 // bytes
	Content    string    `json:"content"`
}

// Read reads a version. Errors: *NoVersionError, or the system's.
func (t Target) Read() (*Content, error) {
	dir, err := t.Look()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	h, err := ReadHistory(dir, t.Name)
	if err != nil {
		return nil, err
	}
	return h.Read(t.Seq)
}

// Read reads a version, the head for 0. Errors are those of Content.
func (h *History) Read(seq uint64) (*Content, error) {
	content, err := h.Content(seq)
	if err != nil {
		return nil, err
	}
	c := &Content{Registry: h.Name, Seq: seq, Digest: DigestOf(content), Size: len(content), Content: string(content)}
	if seq == 0 {
		c.Seq = h.NumberOf(c.Digest)
	}
	if r := h.Version(c.Seq); r != nil {
		c.Time = r.Time
	}
	return c, nil
}

// Copy is a copy in quarantine: its id and the facts about the write that it comes from.
type Copy struct {
	ID string `json:"id"`
	Record
}

func newCopy(q backing.Quarantined) Copy {
	var meta struct {
		Name string `json:"name"`
		Record
	}
	c := Copy{ID: q.ID}
	if ReadRecord(q.Meta, &meta, &meta.Record) == nil {
		c.Record = meta.Record
	}
	c.Registry, c.Size, c.Quarantine = meta.Name, q.Size, ""
	return c
}

// Copies lists the copies in quarantine of the registries at the place and below it,
// oldest first.
func (p Place) Copies(dir *backing.Dir) ([]Copy, error) {
	all, err := dir.ListQuarantine()
	if err != nil {
		return nil, err
	}
	var out []Copy
	for _, q := range all {
		if c := newCopy(q); p.Holds(c.Registry) {
			out = append(out, c)
		}
	}
	return out, nil
}

// ReadCopy reads a copy in the quarantine of the place's directory. The error is a
// *NoCopyError where there is none of that id.
func (p Place) ReadCopy(id string) (*Content, error) {
	dir, err := p.Look()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return p.ReadCopyIn(dir, id)
}

// ReadCopyIn is ReadCopy where the place's directory is open.
func (p Place) ReadCopyIn(dir *backing.Dir, id string) (*Content, error) {
	content, meta, err := dir.ReadQuarantine(id)
	if errors.Is(err, iofs.ErrNotExist) {
		return nil, &NoCopyError{ID: id, Dir: p.Root}
	}
	if err != nil {
		return nil, err
	}
	c := newCopy(backing.Quarantined{ID: id, Size: int64(len(content)), Meta: meta})
	return &Content{Registry: c.Registry, Quarantine: id, Time: c.Time, Digest: DigestOf(content), Size: len(content), Content: string(content)}, nil
}

// Document parses the content. JSON5, which takes JSON as well, and JSON lines let
// registries be looked at whose dialect is not known.
func (c *Content) Document() (*jsondoc.Doc, error) { return Document([]byte(c.Content)) }

// Document parses content, which the document keeps.
func Document(content []byte) (*jsondoc.Doc, error) {
	doc, err := txn.JSON5.Read(content)
	if err != nil {
		if lines, linesErr := txn.Lines.Read(content); linesErr == nil {
			return lines, nil
		}
	}
	return doc, err
}

// inOneDialect reads one line as JSON lines where another document is that.
func inOneDialect(docs ...*jsondoc.Doc) []*jsondoc.Doc {
	if !slices.ContainsFunc(docs, func(d *jsondoc.Doc) bool { return d != nil && d.Grammar() == jsondoc.Lines }) {
		return docs
	}
	lines := make([]*jsondoc.Doc, len(docs))
	for i, d := range docs {
		if d == nil {
			continue
		}
		var err error
		if lines[i], err = txn.Lines.Read(d.Source()); err != nil {
			return docs
		}
	}
	return lines
}
