package view

import (
	"fmt"
	"net/http"
	"slices"

	"clawfs/cmd/clawfs/versions"
)

// refusedPage lists the refused copies that are kept.
type refusedPage struct {
	frame
	In         string
	Copies     []versions.Copy
	Found      int
	From, To   int
	Prev, Next string
}

// refusedList lists the refused copies, the newest first.
func (s *Server) refusedList(r *http.Request) (answer, error) {
	d, dir, err := s.openDir(r)
	if err != nil {
		return answer{}, err
	}
	defer dir.Close()
	all, err := versions.Place{Root: d.Path}.Copies(dir)
	if err != nil {
		return answer{}, err
	}
	slices.Reverse(all)
	page := number(r, "page")
	from := min(page*rowsOfList, len(all))
	to := min(from+rowsOfList, len(all))
	p := refusedPage{frame: newFrame(d, "", "Quarantine").under("Quarantine"), In: d.ID(), Copies: all[from:to], Found: len(all), From: from + 1, To: to}
	if page > 0 {
		p.Prev = link("/refused", "in", p.In, "page", fmt.Sprint(page-1))
	}
	if to < len(all) {
		p.Next = link("/refused", "in", p.In, "page", fmt.Sprint(page+1))
	}
	return answer{"refused", p}, nil
}

// copyPage is something that was refused.
type copyPage struct {
	frame
	In string
	versions.Copy
	Says       []string
	Code       code
	Shown      bool
	Secret     bool   // there are credentials in it
	More       string // link to the rest
	RevealLink string
	History    string
}

// refusedCopy shows something that was refused.
func (s *Server) refusedCopy(r *http.Request) (answer, error) {
	d, dir, err := s.openDir(r)
	if err != nil {
		return answer{}, err
	}
	defer dir.Close()
	all, err := versions.Place{Root: d.Path}.Copies(dir)
	if err != nil {
		return answer{}, err
	}
	id := r.FormValue("id")
	i := slices.IndexFunc(all, func(c versions.Copy) bool { return c.ID == id })
	if i < 0 {
		return answer{}, &versions.NoCopyError{ID: printable(id), Dir: d.Path}
	}
	release, err := s.hold(r)
	if err != nil {
		return answer{}, err
	}
	defer release()
	text, _, err := dir.ReadQuarantine(id)
	if err != nil {
		return answer{}, err
	}
	p := &copyPage{frame: newFrame(d, all[i].Registry, "Refused"), In: d.ID(), Copy: all[i], Says: all[i].Says(), Shown: r.FormValue("show") == "credentials"}
	secrets := hidden(text)
	if p.Secret = len(secrets) > 0; p.Shown {
		secrets = nil
	}
	p.Code = newCode(text, secrets, number(r, "from"), number(r, "line"))
	if p.Code.Next > 0 {
		p.More = link("/copy", "in", p.In, "id", id, "show", r.FormValue("show"), "from", fmt.Sprint(p.Code.Next), "line", fmt.Sprint(p.Code.Line))
	}
	p.RevealLink = link("/copy", "in", p.In, "id", id, "show", "credentials")
	if p.Shown {
		p.RevealLink = link("/copy", "in", p.In, "id", id)
	}
	if p.Registry != "" {
		p.History = link("/history", "in", p.In, "of", p.Registry)
	}
	p.frame = p.under("Refused")
	return answer{"copy", p}, nil
}
