package view

import (
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"clawfs/cmd/clawfs/versions"
)

// rowsOfHistory is how many transactions a page of a history has.
const rowsOfHistory = 50

// historyPage is a registry's past.
type historyPage struct {
	frame
	In, Name   string
	Head       uint64 // 0: none that is recorded
	Size       int64
	Gone       bool
	Kept       []uint64 // older versions
	A, B       uint64   // that are picked to be compared
	Days       []day
	Done       string // the text on the deed just done
	Found      int    // transactions
	From, To   int
	Prev, Next string
}

// day is a day's transactions, newest first.
type day struct {
	Name   string
	Events []event
}

// event is one transaction.
type event struct {
	versions.Record
	IsVersion bool     // it has made one
	IsKept    bool     // … that can still be looked at
	Says      []string // the remarks on it
}

// Key tells the transaction from all others of its registry.
func (e event) Key() string { return fmt.Sprint(e.Time.UnixNano(), e.Outcome) }

// Comparable reports whether there are two versions to compare.
func (p historyPage) Comparable() bool { return p.A > 0 && p.A != p.B }

// history shows the transactions of a registry, the newest first.
func (s *Server) history(r *http.Request) (answer, error) {
	d, name, dir, err := s.open(r)
	if err != nil {
		return answer{}, err
	}
	defer dir.Close()
	h, err := versions.ReadHistory(dir, name)
	if err != nil {
		return answer{}, err
	}
	if _, err := lstat(dir, name); err != nil && len(h.Records) == 0 {
		return answer{}, fs.ErrNotExist
	}
	p := historyPage{frame: newFrame(d, name, "History"), In: d.ID(), Name: name, Found: len(h.Records)}
	p.Crumbs[len(p.Crumbs)-1].Link = ""
	if p.Kept, err = dir.Versions(name); err != nil {
		return answer{}, err
	}
	if head := h.Head(); head != nil {
		p.Head, p.Size = head.Seq, h.Version(head.Seq).Size
	} else if len(h.Records) > 0 {
		p.Gone = h.Records[len(h.Records)-1].Deleted
	}
	p.Done = doneText(r.FormValue("done"))
	p.fill(h, number(r, "page"))
	return answer{"history", p}, nil
}

// fill takes a page of the records.
func (p *historyPage) fill(h *versions.History, page int) {
	all := h.Records
	to := max(len(all)-page*rowsOfHistory, 0)
	from := max(to-rowsOfHistory, 0)
	p.From, p.To = len(all)-to+1, len(all)-from
	at := func(page int) string {
		return link("/history", "in", p.In, "of", p.Name, "page", fmt.Sprint(page))
	}
	if page > 0 {
		p.Prev = at(page - 1)
	}
	if from > 0 {
		p.Next = at(page + 1)
	}
	for i := to - 1; i >= from; i-- {
		e := p.event(all[i])
		if name := dayOf(e.Time); len(p.Days) == 0 || p.Days[len(p.Days)-1].Name != name {
			p.Days = append(p.Days, day{Name: name})
		}
		last := &p.Days[len(p.Days)-1]
		last.Events = append(last.Events, e)
		switch {
		case !e.IsKept:
		case p.B == 0:
			p.B = e.Seq
		case p.A == 0 && e.Seq != p.B:
			p.A = e.Seq
		}
	}
}

// event tells of a record.
func (p *historyPage) event(r versions.Record) event {
	e := event{Record: r, Says: r.Says()}
	e.IsVersion = r.Seq > 0 && !r.Deleted && r.Seq != r.Parent && r.Outcome != "rejected" && r.Outcome != "aborted" && r.Outcome != "unchanged"
	_, older := slices.BinarySearch(p.Kept, r.Seq)
	e.IsKept = e.IsVersion && (older || r.Seq == p.Head)
	return e
}

func dayOf(t time.Time) string {
	t = t.Local()
	now := time.Now()
	text := t.Format("Monday, 2 January 2006")
	switch t.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return "Today, " + t.Format("2 January 2006")
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return "Yesterday, " + t.Format("2 January 2006")
	}
	return text
}

// doneText is the text on a deed that has been done; "" where there is none.
func doneText(do string) string {
	switch do {
	case doRestore:
		return "It is put back. That is a version of its own, which can be undone."
	case doUndo:
		return "It is undone. That is a version of its own, which can be undone in turn."
	case doResolve:
		return "The other side is taken. That is a version of its own, which can be undone."
	case doRepair:
		return "It is committed. The copy stays in quarantine until it is forgotten."
	}
	return ""
}
