package txn

import (
	"bytes"

	"clawfs/txn/jsondoc"
	"clawfs/txn/seen"
)

// JSON lines with lines appended are valid if the new lines are: the old ones are known to be.
// So a log's line costs no look at all of the log, though all of it is written. Wherever this
// cannot be said, the common way is gone, with the same result.

// Append stages p behind the staged content and returns the results of WriteAt. Whole
// lines that are appended to JSON lines are committed: a log is written for as long as
// its writer lives, and read meanwhile. The close tells why, if they were not.
func (t *Tx) Append(c Caller, p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.write(c, p, int64(len(t.data)))
	if err == nil && len(p) > 0 && p[len(p)-1] == '\n' && t.isLines() {
		_ = t.attempt(ViaAppend)
	}
	return n, err
}

// isLines reports whether the staged content is JSON lines. The caller holds mu.
func (t *Tx) isLines() bool {
	first, rest, _ := bytes.Cut(t.data, []byte{'\n'})
	if len(rest) == 0 && t.behind == 0 {
		return false // most likely a document that is written line by line
	}
	if t.addsLines() {
		return true
	}
	if _, err := jsondoc.Parse(first, jsondoc.JSON, jsondoc.Limits{}); err != nil {
		return false
	}
	doc, err := t.reg().admit(seen.NewContent(t.data), t.reg().Head(), t.seen)
	return err == nil && dialectIn(doc) == Lines
}

// addsLines reports whether the staged content is known to be JSON lines, as was the
// head, with whole lines behind that. The caller holds mu.
func (t *Tx) addsLines() bool {
	head := t.reg().Head()
	if head == nil || !t.reg().keepsLines(head) || t.known == nil || t.rewritten || t.put || t.reg().store.cfg.DocCache < 0 {
		return false
	}
	added := t.data[t.behind:]
	if t.behind != len(t.known.Bytes) || len(added) == 0 || !endsLine(t.known.Bytes) || !endsLine(added) {
		return false
	}
	_, err := jsondoc.Parse(added, jsondoc.Lines, t.reg().store.limits())
	return err == nil
}

// endsLine reports whether bytes put behind text begin a line.
func endsLine(text []byte) bool { return len(text) == 0 || text[len(text)-1] == '\n' }

// keepsLines reports whether a version is known to be JSON lines, and the next one must be,
// too.
func (r *Registry) keepsLines(v *Version) bool { return v.lines && r.dialectOf(v) == Lines }

// staged returns the staged content, with the document that it is in doc, or adds set
// where it is known to be JSON lines. The error is that of admit. The caller holds mu.
func (t *Tx) staged() (c *seen.Content, doc *jsondoc.Doc, adds bool, err error) {
	if t.addsLines() {
		return t.known.Extended(t.data), nil, true, nil
	}
	head := t.reg().Head()
	c = t.reg().newContent(t.data, head)
	doc, err = t.reg().admit(c, head, t.seen)
	return c, doc, false, err
}

// know notes the content that the transaction goes on from, if that is known to be
// JSON lines. The caller holds mu.
func (t *Tx) know(c *seen.Content, areLines bool) {
	t.known = nil
	if areLines {
		t.known = c
	}
}

// added returns the content of the head with the lines behind it that a request adds, if
// both are known to be JSON lines; else nil.
func (r *Registry) added(q *request, head *Version) *seen.Content {
	if !q.adds || head == nil || !r.keepsLines(head) || r.store.cfg.RejectStale {
		return nil
	}
	old := head.content
	if bytes.Equal(old.Bytes, q.content.Bytes[:len(q.content.Bytes)-len(q.appended)]) {
		return q.content
	}
	text := make([]byte, len(old.Bytes), len(old.Bytes)+1+len(q.appended))
	copy(text, old.Bytes)
	if !endsLine(text) {
		text = append(text, '\n')
	}
	text = append(text, q.appended...)
	if int64(len(text)) > r.store.cfg.MaxSize {
		return nil
	}
	return old.Extended(text)
}

// docOf parses the content of a request that adds lines, where its document is needed
// after all.
func (r *Registry) docOf(q *request) (err error) {
	if q.adds && q.doc == nil {
		q.doc, err = r.parseAs(q.content, Lines)
	}
	return err
}
