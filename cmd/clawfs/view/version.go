package view

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"

	"clawfs/cmd/clawfs/versions"
)

// versionPage shows the content of a registry at one time.
type versionPage struct {
	frame
	In, Name string
	Seq      uint64
	IsHead   bool
	event
	Code   code
	Spread bool       // it is laid out over lines, not shown as it is stored
	Shown  bool       // credentials are
	Large  bool       // it is too large to be laid out
	Secret bool       // there are credentials in it
	Merge  *explained // how it came about, where that is more than a write
	Links  versionLinks
}

// versionLinks lead to the same version in another way.
type versionLinks struct{ Spread, Stored, Shown, Masked, More string }

// version shows the content of a registry at one time.
func (s *Server) version(r *http.Request) (answer, error) {
	d, name, dir, err := s.open(r)
	if err != nil {
		return answer{}, err
	}
	defer dir.Close()
	h, err := versions.ReadHistory(dir, name)
	if err != nil {
		return answer{}, err
	}
	v := &versionPage{frame: newFrame(d, name, "Version"), In: d.ID(), Name: name, Seq: uint64(number(r, "v")), Spread: r.FormValue("as") == "spread", Shown: r.FormValue("show") == "credentials"}
	head := h.Head()
	if v.Seq == 0 && head != nil {
		v.Seq = head.Seq
	}
	v.IsHead = head != nil && head.Seq == v.Seq
	if rec := h.Version(v.Seq); rec != nil {
		v.event = (&historyPage{In: v.In, Name: name}).event(*rec)
	}
	release, err := s.hold(r)
	if err != nil {
		return answer{}, err
	}
	defer release()
	text, err := h.Content(v.Seq)
	if err != nil {
		return answer{}, err
	}
	v.show(text, r)
	if v.Became() == "merged" || len(v.Conflicts) > 0 {
		if err := s.explainTo(v, versions.Target{Place: versions.Place{Root: d.Path, Name: name}, Seq: v.Seq}); err != nil {
			return answer{}, err
		}
	}
	v.link(r)
	v.frame = v.under(fmt.Sprintf("Version %d", v.Seq))
	v.Title = fmt.Sprintf("Version %d · %s", v.Seq, v.Title)
	return answer{"version", v}, nil
}

// show takes the part of the text that is asked for.
func (v *versionPage) show(text []byte, r *http.Request) {
	v.Large = len(text) > wholeBytes
	secrets := hidden(text)
	v.Secret = len(secrets) > 0
	if v.Shown {
		secrets = nil
	}
	if v.Spread = v.Spread && !v.Large; v.Spread {
		text, secrets = versions.Indent(without(text, secrets, 0, len(text))), nil
	}
	v.Code = newCode(text, secrets, number(r, "from"), number(r, "line"))
}

// explainTo adds how the version came about.
func (s *Server) explainTo(v *versionPage, t versions.Target) (err error) {
	if v.Large {
		return nil
	}
	if v.Merge, err = s.explain(t, v.Shown); err == nil {
		v.Secret = v.Secret || v.Merge.secret
	}
	return err
}

// RevealLink leads to the credentials, or away from them.
func (v *versionPage) RevealLink() string {
	if v.Shown {
		return v.Links.Masked
	}
	return v.Links.Shown
}

// link makes the links.
func (v *versionPage) link(r *http.Request) {
	at := func(as, show string, from, line int) string {
		query := []string{"in", v.In, "of", v.Name, "v", fmt.Sprint(v.Seq), "as", as, "show", show}
		if from > 0 {
			query = append(query, "from", fmt.Sprint(from), "line", fmt.Sprint(line))
		}
		return link("/version", query...)
	}
	as, show := r.FormValue("as"), r.FormValue("show")
	v.Links = versionLinks{Spread: at("spread", show, 0, 0), Stored: at("", show, 0, 0), Shown: at(as, "credentials", 0, 0), Masked: at(as, "", 0, 0)}
	if v.Code.Next > 0 {
		v.Links.More = at(as, show, v.Code.Next, v.Code.Line)
	}
}

// freeAbove is how much of the heap in use, in bytes, has it cleared after a request.
const freeAbove = 24 << 20

// hold waits until no other request has large documents in hand: together they would
// take more memory than the page may.
func (s *Server) hold(r *http.Request) (release func(), err error) {
	select {
	case s.heavy <- struct{}{}:
		return func() {
			var m runtime.MemStats
			if runtime.ReadMemStats(&m); m.HeapAlloc > freeAbove {
				debug.FreeOSMemory() // the next one begins with its own offset
			}
			<-s.heavy
		}, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}
