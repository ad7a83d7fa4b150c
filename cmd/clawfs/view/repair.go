package view

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"clawfs/cmd/clawfs/versions"
	"clawfs/txn/jsondoc"
)

// repairPage is an editor for something that was refused.
type repairPage struct {
	frame
	In, Of, ID string
	Text       string
	Ends       string // "crlf" where lines end so
	Fault      *fault // where the text stops being a document; nil: it is one
	Notice     string
	Problem    string // why it can't be edited here
}

// fault is where a text stops being a document.
type fault struct {
	Line, Column int
	Offset       int // in characters of UTF-16, as scripts count
	Says         string
	Before, At   string // the line, up to there and from there on
}

// editor shows the editor with the copy as it was refused.
func (s *Server) editor(r *http.Request) (answer, error) {
	d, dir, err := s.openDir(r)
	if err != nil {
		return answer{}, err
	}
	defer dir.Close()
	c, err := versions.Place{Root: d.Path}.ReadCopyIn(dir, r.FormValue("id"))
	if err != nil {
		return answer{}, err
	}
	if !isPath(c.Registry) {
		return answer{}, errNoPage
	}
	return s.edit(d, c.Registry, c.Quarantine, []byte(c.Content), "")
}

// edited takes the text of the editor: it is checked, mended by machine, or shown as its changes.
func (s *Server) edited(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, textLimit)
	a, err := s.nextEdit(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, a.template, a.page)
}

func (s *Server) nextEdit(r *http.Request) (answer, error) {
	d, err := s.newDeed(r)
	if err != nil {
		return answer{}, err
	}
	d.Do, d.text = doRepair, formText(r)
	release, err := s.hold(r)
	if err != nil {
		return answer{}, err
	}
	defer release()
	switch r.FormValue("next") {
	case "propose":
		mended, err := versions.Repair(string(d.text))
		switch {
		case errors.Is(err, versions.ErrValid):
			return s.edit(d.dir, d.Of, d.ID, d.text, "It is a document already.")
		case err != nil:
			return s.edit(d.dir, d.Of, d.ID, d.text, "No repair is known for it.")
		}
		return s.edit(d.dir, d.Of, d.ID, mended, "This is a proposal. Nothing is changed yet: look at it well.")
	case "plan":
		if s.o.Engine.Check(d.place(), d.text) == nil {
			return s.showPlan(r, &d, "")
		}
	}
	return s.edit(d.dir, d.Of, d.ID, d.text, "")
}

// edit shows the editor with a text.
func (s *Server) edit(d Dir, name, id string, text []byte, notice string) (answer, error) {
	p := &repairPage{frame: newFrame(d, name, "Repair"), In: d.ID(), Of: name, ID: id, Notice: notice}
	p.frame = p.under("Repair")
	p.Stream = "" // nothing is to be put in place of the typed text
	switch {
	case len(text) > wholeBytes:
		p.Problem = "It is too large to be edited here. In a terminal: clawfs show --quarantined, an editor, clawfs put."
		return answer{"repair", p}, nil
	case !utf8.Valid(text) || bytes.ContainsRune(text, 0):
		p.Problem = "It is no text, so that it can’t be edited here."
		return answer{"repair", p}, nil
	}
	if bytes.Contains(text, []byte("\r\n")) {
		p.Ends = "crlf"
	}
	p.Text = string(text)
	err := s.o.Engine.Check(versions.Place{Root: d.Path, Name: name}, text)
	var syntax *jsondoc.SyntaxError
	if errors.As(err, &syntax) {
		p.Fault = newFault(text, syntax)
		return answer{"repair", p}, nil
	}
	return answer{"repair", p}, err
}

// newFault shows the place of an error.
func newFault(text []byte, e *jsondoc.SyntaxError) *fault {
	const around = 60 // bytes of the line that are shown before and behind it
	at := min(int(e.Offset), len(text))
	start := bytes.LastIndexByte(text[:at], '\n') + 1
	end := len(text)
	if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
		end = at + i
	}
	f := &fault{Line: e.Line, Column: e.Column, Says: fmt.Sprintf("%s (expected %s)", e.Problem, e.Expected)}
	f.Before = readable(bytes.ToValidUTF8(text[max(start, at-around):at], nil))
	f.At = readable(bytes.ToValidUTF8(text[at:min(end, at+around)], nil))
	for _, r := range strings.ReplaceAll(string(text[:at]), "\r\n", "\n") {
		f.Offset += utf16.RuneLen(r)
	}
	return f
}
