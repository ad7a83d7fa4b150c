package txn

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"clawfs/txn/jsondoc"
	"clawfs/txn/seen"
)

// A file with one line is a document until a second line shows that it is JSON lines. Several
// writers may each begin it with a line of their own, as calls of one server that overlap. They
// are known to be writers of lines only then: until then one of the lines is the file, and its
// version remembers the others.

// maxFirstLines is how many lines a version remembers.
const maxFirstLines = 256

// isLine reports whether the content is one line.
func (v *Version) isLine() bool { return isLine(v.content.Bytes) }

func isLine(b []byte) bool {
	i := bytes.IndexByte(b, '\n')
	return len(b) > 0 && (i < 0 || i == len(b)-1)
}

// FirstLine returns the first line of content, with its end or without, if that has a
// digest in hexadecimal digits; else nil.
func FirstLine(content []byte, digest string) []byte {
	i := bytes.IndexByte(content, '\n')
	if i < 0 {
		return nil
	}
	for _, line := range [][]byte{content[:i], content[:i+1]} {
		if sum := sha256.Sum256(line); hex.EncodeToString(sum[:]) == digest {
			return line
		}
	}
	return nil
}

// Continued returns content as lines, if its first line is the document that was there; else
// nil.
func Continued(was, content []byte) *jsondoc.Doc {
	if !isLine(was) {
		return nil
	}
	line, err := Strict.Read(was)
	lines, linesErr := Lines.Read(content)
	if err != nil || linesErr != nil {
		return nil
	}
	if first := firstOf(lines); !first.Exists() || !jsondoc.Equal(first, line.Root()) {
		return nil
	}
	return lines
}

// firstOf returns the first of some lines, the zero Value if there is none.
func firstOf(lines *jsondoc.Doc) (first jsondoc.Value) {
	for _, first = range lines.Root().Elements() {
		break
	}
	return first
}

// firstLinesFor returns the contents to remember for a version that replaces v, and that
// was made without knowledge of v.
func (v *Version) firstLinesFor(content *seen.Content) []*seen.Content {
	other := func(c *seen.Content) bool { return c.Digest != content.Digest }
	var list []*seen.Content
	for _, c := range append(slices.Clip(v.firstLines), v.content) {
		if other(c) {
			list = append(list, c)
		}
	}
	return list[max(0, len(list)-maxFirstLines):]
}

// withFirstLines returns the version as it is if it is JSON lines: with the lines that it
// remembers, the oldest first.
func (v *Version) withFirstLines() *Version {
	if len(v.firstLines) == 0 {
		return v
	}
	var text []byte
	for _, c := range v.firstLines {
		text = append(append(text, bytes.TrimSuffix(c.Bytes, []byte("\n"))...), '\n')
	}
	c := seen.NewContent(append(text, v.content.Bytes...))
	return &Version{Seq: v.Seq, Parent: v.Parent, Digest: c.Digest, Size: int64(len(c.Bytes)), Time: v.Time, Writer: v.Writer, content: c, from: v.from, dialect: Lines}
}

// beginsWith reports whether the first of some lines is a known one: the one line that a
// version holds, a first line that it remembers, or a line that the writers have seen there.
func (r *Registry) beginsWith(lines *jsondoc.Doc, v *Version, saw seen.Seen) bool {
	first := firstOf(lines)
	known := append(slices.Clip(v.firstLines), v.content)
	for i := range saw.Candidates {
		if c := saw.Candidates[i].Content; c != nil && isLine(c.Bytes) {
			known = append(known, c)
		}
	}
	return first.Exists() && slices.ContainsFunc(known, func(c *seen.Content) bool {
		was, err := r.parseAs(c, Strict)
		return err == nil && jsondoc.Equal(first, was.Root())
	})
}
