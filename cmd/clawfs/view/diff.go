package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"clawfs/backing"
	"clawfs/cmd/clawfs/versions"
)

// The limits of differences on a page.
const (
	rowsOfDiff  = 200
	valueBytes  = 1 << 10 // of one value
	rowsOfSides = 1000    // lines
)

// diffPage is two versions of a registry side by side.
type diffPage struct {
	frame
	In, Name      string
	A, B          uint64
	AsText        bool
	Spread        bool // the documents are laid out over lines first
	Shown         bool
	Secret        bool
	Meaning, Text string // links
	RevealLink    string
	Changes       []changed
	Lines         []sideLine
	Found         int // differences, or lines
	From, To      int
	Prev, Next    string
	Counts        []string
	Problem       string // why the meaning can't be compared
	Undoable      bool   // they are the changes of one version
}

// changed is one difference by meaning.
type changed struct {
	No       int // among all of them
	Change   string
	From, To string // where; "" where it is not there
	Old, New value
}

// value is one side of a difference.
type value struct {
	There bool
	Text  string
	More  int // bytes that are left out
}

// sideLine is a line of both texts.
type sideLine struct {
	Gap                  bool // lines are left out here
	OldNo, NewNo         int
	Old, New             string
	HasOld, HasNew, Same bool
}

// diff compares two versions.
func (s *Server) diff(r *http.Request) (answer, error) {
	d, name, dir, err := s.open(r)
	if err != nil {
		return answer{}, err
	}
	defer dir.Close()
	p := diffPage{frame: newFrame(d, name, "Changes"), In: d.ID(), Name: name, A: uint64(number(r, "a")), B: uint64(number(r, "b")), AsText: r.FormValue("as") == "text", Shown: r.FormValue("show") == "credentials"}
	if p.A > p.B {
		p.A, p.B = p.B, p.A
	}
	release, err := s.hold(r)
	if err != nil {
		return answer{}, err
	}
	defer release()
	if err := p.compare(dir, number(r, "page")); err != nil {
		return answer{}, err
	}
	p.link(r)
	p.frame = p.under(fmt.Sprintf("%d to %d", p.A, p.B))
	return answer{"diff", p}, nil
}

// compare reads both versions and finds their differences.
func (p *diffPage) compare(dir *backing.Dir, page int) error {
	h, err := versions.ReadHistory(dir, p.Name)
	if err != nil {
		return err
	}
	made := h.Version(p.B)
	p.Undoable = made != nil && made.Parent == p.A && h.Head() != nil
	old, err := h.Content(p.A)
	if err != nil {
		return err
	}
	now, err := h.Content(p.B)
	if err != nil {
		return err
	}
	if !p.AsText {
		x, errX := versions.Document(old)
		y, errY := versions.Document(now)
		if errX == nil && errY == nil {
			p.byMeaning(versions.Compare(x, y, nil), page)
			return nil
		}
		p.AsText, p.Problem = true, "One of the two is no document, so they are compared as text."
	}
	if max(len(old), len(now)) > wholeBytes {
		p.Problem = "They are too large to be compared as text here. By meaning they are compared as a whole."
		return nil
	}
	hiddenOld, some := masked(old)
	hiddenNow, more := masked(now)
	if p.Secret = some || more; !p.Shown {
		old, now = hiddenOld, hiddenNow
	}
	if isOneLine(old) || isOneLine(now) {
		old, now, p.Spread = versions.Indent(old), versions.Indent(now), true
	}
	p.byText(versions.CompareText(old, now), page)
	return nil
}

func isOneLine(text []byte) bool {
	return len(text) > 80 && !bytes.Contains(bytes.TrimRight(text, "\n"), []byte{'\n'})
}

// byMeaning takes a page of the differences.
func (p *diffPage) byMeaning(all []versions.Difference, page int) {
	number := make(map[string]int)
	for _, d := range all {
		number[d.Change]++
	}
	for _, word := range []string{versions.Added, versions.Removed, versions.Changed, versions.Moved} {
		if n := number[word]; n > 0 {
			p.Counts = append(p.Counts, fmt.Sprintf("%d %s", n, word))
		}
	}
	from, to := p.turn(len(all), rowsOfDiff, page)
	p.Changes, p.Secret = newChanges(all[from:to], p.Shown)
	for i := range p.Changes {
		p.Changes[i].No = from + i
	}
}

// newChanges shows differences, and reports whether there are credentials among them.
func newChanges(all []versions.Difference, shown bool) (out []changed, secret bool) {
	for _, d := range all {
		hidden, some := d.Masked()
		secret = secret || some
		if !shown {
			d = hidden
		}
		c := changed{Change: d.Change, Old: newValue(d.From, d.Old), New: newValue(d.To, d.New)}
		if d.From != nil {
			c.From = orRoot(*d.From)
		}
		if d.To != nil {
			c.To = orRoot(*d.To)
		}
		out = append(out, c)
	}
	return out, secret
}

// newValue shows a value, laid out over lines if it is long.
func newValue(path *string, raw json.RawMessage) value {
	if path == nil {
		return value{}
	}
	v := value{There: true}
	text := []byte(raw)
	if len(text) > 60 {
		text = versions.Indent(text)
	}
	if len(text) > valueBytes {
		v.More = len(text) - valueBytes
		text = text[:valueBytes]
	}
	lines := bytes.Split(text, []byte{'\n'})
	for i, l := range lines {
		if i > 0 {
			v.Text += "\n"
		}
		v.Text += readable(l)
	}
	return v
}

// turn returns the part of all rows that a page has.
func (p *diffPage) turn(all, rows, page int) (from, to int) {
	from = min(page*rows, all)
	to = min(from+rows, all)
	p.Found, p.From, p.To = all, from+1, to
	if page > 0 {
		p.Prev = fmt.Sprint(page - 1)
	}
	if to < all {
		p.Next = fmt.Sprint(page + 1)
	}
	return from, to
}

// byText takes a page of the lines. Lines that went and lines that came in their place stand side by side.
func (p *diffPage) byText(all []versions.Line, page int) {
	var rows []sideLine
	oldNo, newNo := 0, 0
	for i := 0; i < len(all); {
		switch l := all[i]; l.Kind {
		case '@':
			_, _ = fmt.Sscanf(l.Text, "@ -%d", &oldNo)
			if at := bytes.IndexByte([]byte(l.Text), '+'); at >= 0 {
				_, _ = fmt.Sscanf(l.Text[at:], "+%d", &newNo)
			}
			rows = append(rows, sideLine{Gap: true, Old: fmt.Sprintf("from line %d", newNo)})
			i++
		case ' ':
			rows = append(rows, sideLine{OldNo: oldNo, NewNo: newNo, Old: cut(l.Text), New: cut(l.Text), HasOld: true, HasNew: true, Same: true})
			oldNo, newNo, i = oldNo+1, newNo+1, i+1
		default:
			went := run(all[i:], '-')
			came := run(all[i+went:], '+')
			for k := range max(went, came) {
				var row sideLine
				if k < went {
					row.HasOld, row.OldNo, row.Old = true, oldNo, cut(all[i+k].Text)
					oldNo++
				}
				if k < came {
					row.HasNew, row.NewNo, row.New = true, newNo, cut(all[i+went+k].Text)
					newNo++
				}
				rows = append(rows, row)
			}
			i += max(went+came, 1)
		}
	}
	from, to := p.turn(len(rows), rowsOfSides, page)
	p.Lines = rows[from:to]
}

// run returns how many lines at the beginning are of a kind.
func run(lines []versions.Line, kind byte) (n int) {
	for n < len(lines) && lines[n].Kind == kind {
		n++
	}
	return n
}

// cut shows the beginning of a line.
func cut(text string) string {
	if len(text) > lineBytes {
		return readable([]byte(text[:lineBytes])) + " …"
	}
	return readable([]byte(text))
}

// link makes the links.
func (p *diffPage) link(r *http.Request) {
	at := func(as, show, page string) string {
		return link("/diff", "in", p.In, "of", p.Name, "a", fmt.Sprint(p.A), "b", fmt.Sprint(p.B), "as", as, "show", show, "page", page)
	}
	as, show := r.FormValue("as"), r.FormValue("show")
	p.Meaning, p.Text = at("", show, ""), at("text", show, "")
	p.RevealLink = at(as, "credentials", "")
	if p.Shown {
		p.RevealLink = at(as, "", "")
	}
	if p.Prev != "" {
		p.Prev = at(as, show, p.Prev)
	}
	if p.Next != "" {
		p.Next = at(as, show, p.Next)
	}
}
