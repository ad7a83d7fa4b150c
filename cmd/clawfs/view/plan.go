package view

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"clawfs/cmd/clawfs/versions"
	"clawfs/txn"
)

// The deeds that can be done to a registry.
const (
	doRestore = "restore" // put a version back
	doUndo    = "undo"    // undo a change, or a part of it
	doResolve = "resolve" // take the other side of a conflict
	doRepair  = "repair"  // commit a refused copy, mended
)

// deed is something to do, as addresses and forms have it.
type deed struct {
	Do   string
	In   string
	Of   string
	Seq  uint64
	Wins string // "later", "undone": the winner of a conflict with a later change
	Part string // the number of a difference, or of a conflict, that alone is meant
	ID   string // of a copy in quarantine

	text []byte // that is to be committed, of a copy
	dir  Dir
}

// planPage shows the changes that a deed would make.
type planPage struct {
	frame
	deed
	Heading    string
	Button     string
	Notice     string // why it is shown again
	Head       string // digest of the version that it would replace; "" where there is none
	Result     string // … of the content that would be there
	HeadSeq    uint64
	How        string // the way the result is made
	Remove     bool
	Blocked    bool
	Nothing    bool // it would change nothing
	Changes    []changed
	More       int
	Conflicts  []planConflict
	Keep, Undo string // links by which conflicts are decided
	Shown      bool
	Secret     bool
	RevealLink string
	Text       string // that is to be committed, of a copy
	CRLF       bool   // its lines end so
	NoMeaning  bool   // one of the two is no document
}

// planConflict is a place that a later version has changed, too.
type planConflict struct {
	Path, Kind string
	Now, Then  value
}

// newDeed reads a deed from a request.
func (s *Server) newDeed(r *http.Request) (deed, error) {
	d := deed{Do: r.FormValue("do"), In: r.FormValue("in"), Of: nameIn(r), Seq: uint64(number(r, "v")), Wins: r.FormValue("wins"), Part: r.FormValue("part"), ID: r.FormValue("id")}
	var err error
	if d.dir, err = s.dir(r); err != nil {
		return d, err
	}
	if !isPath(d.Of) {
		return d, errNoPage
	}
	return d, nil
}

// place returns the registry.
func (d *deed) place() versions.Place { return versions.Place{Root: d.dir.Path, Name: d.Of} }

// plan makes the plan for a deed.
func (s *Server) plan(d *deed) (*versions.Plan, error) {
	t := versions.Target{Place: d.place(), Seq: d.Seq}
	wins := map[string]versions.Winner{"later": versions.Later, "undone": versions.Undone}[d.Wins]
	switch d.Do {
	case doRestore:
		return s.o.Engine.Restore(t)
	case doUndo:
		only, err := s.partOfChange(d)
		if err != nil {
			return nil, err
		}
		return s.o.Engine.Undo(t, versions.UndoOptions{Wins: wins, Only: only})
	case doResolve:
		paths, err := s.partOfConflicts(t, d.Part)
		if err != nil {
			return nil, err
		}
		return s.o.Engine.Resolve(t, paths, wins)
	case doRepair:
		return s.o.Engine.Replace(d.place(), d.text, txn.Note{FromQuarantine: d.ID})
	}
	return nil, errNoPage
}

// partOfChange returns the one difference that is meant, nil where all are.
// Addresses have its number, since a path is a part of a document.
func (s *Server) partOfChange(d *deed) (*versions.Difference, error) {
	if d.Part == "" {
		return nil, nil
	}
	dir, err := s.o.Look(d.dir)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	h, err := versions.ReadHistory(dir, d.Of)
	if err != nil {
		return nil, err
	}
	made := h.Version(d.Seq)
	if made == nil {
		return nil, errNoPage
	}
	var docs [2][]byte
	for i, seq := range []uint64{made.Parent, d.Seq} {
		if docs[i], err = h.Content(seq); err != nil {
			return nil, err
		}
	}
	old, err := versions.Document(docs[0])
	if err != nil {
		return nil, err
	}
	now, err := versions.Document(docs[1])
	if err != nil {
		return nil, err
	}
	for i, diff := range versions.Compare(old, now, nil) {
		if fmt.Sprint(i) == d.Part {
			return &diff, nil
		}
	}
	return nil, errNoPage
}

// partOfConflicts returns the path of the one conflict that is meant; none where all are.
func (s *Server) partOfConflicts(t versions.Target, part string) ([]string, error) {
	if part == "" {
		return nil, nil
	}
	x, err := s.o.Engine.Explain(t)
	if err != nil {
		return nil, err
	}
	for i, c := range x.Conflicts {
		if fmt.Sprint(i) == part {
			return []string{c.Path}, nil
		}
	}
	return nil, errNoPage
}

// preview shows the changes that a deed would make.
func (s *Server) preview(r *http.Request) (answer, error) {
	d, err := s.newDeed(r)
	switch {
	case err != nil:
		return answer{}, err
	case d.Do == doRepair:
		return answer{}, errNoPage // that has a form of its own
	}
	release, err := s.hold(r)
	if err != nil {
		return answer{}, err
	}
	defer release()
	return s.showPlan(r, &d, "")
}

// showPlan makes the plan and shows it; notice says why it is shown again.
func (s *Server) showPlan(r *http.Request, d *deed, notice string) (answer, error) {
	plan, err := s.plan(d)
	if err != nil {
		return answer{}, err
	}
	p := &planPage{frame: newFrame(d.dir, d.Of, ""), deed: *d, Notice: notice, Remove: plan.Remove, Blocked: plan.Blocked(), Shown: r.FormValue("show") == "credentials", Text: string(d.text)}
	p.Heading, p.Button = d.words()
	p.CRLF = strings.Contains(p.Text, "\r\n")
	p.frame.Title = p.Heading + p.frame.Title
	p.frame = p.under(p.Heading)
	p.Nothing = !p.Blocked && !plan.Changes()
	p.Head, p.Result = digest(plan.Head), digest(plan.Result)
	if plan.Head != nil {
		p.HeadSeq = plan.Head.Seq
	}
	if d.Do == doUndo && plan.Base != nil && plan.Theirs != nil && plan.Head != nil {
		p.How = fmt.Sprintf("What version %d has changed of version %d is taken out of version %d, by a merge. What came later stays.", plan.Base.Seq, plan.Theirs.Seq, plan.Head.Seq)
	}
	p.NoMeaning = len(plan.Differences) == 0 && !p.Nothing && !p.Blocked
	p.More = max(len(plan.Differences)-rowsOfDiff, 0)
	p.Changes, p.Secret = newChanges(plan.Differences[:len(plan.Differences)-p.More], p.Shown)
	for _, c := range plan.Conflicts {
		shown, secret := newChanges(c.Differences, p.Shown)
		p.Secret = p.Secret || secret
		pc := planConflict{Path: orRoot(c.Path), Kind: c.Kind}
		if len(shown) > 0 {
			pc.Now, pc.Then = shown[0].Old, shown[0].New
		}
		p.Conflicts = append(p.Conflicts, pc)
	}
	p.Keep, p.Undo = d.link("later", ""), d.link("undone", "")
	p.RevealLink = d.link(d.Wins, "credentials")
	if p.Shown {
		p.RevealLink = d.link(d.Wins, "")
	}
	return answer{"plan", p}, nil
}

// words name a deed, and its button.
func (d *deed) words() (heading, button string) {
	part := ""
	if d.Part != "" {
		part = "one change of "
	}
	switch d.Do {
	case doRestore:
		return fmt.Sprintf("Put back version %d", d.Seq), "Put it back"
	case doResolve:
		return fmt.Sprintf("Take the other side of version %d", d.Seq), "Take the other side"
	case doRepair:
		return "Commit what was refused", "Commit it"
	}
	if d.Seq == 0 {
		return "Undo the newest change", "Undo it"
	}
	return fmt.Sprintf("Undo %sversion %d", part, d.Seq), "Undo it"
}

// link returns the address of the preview, with the winner of conflicts.
func (d *deed) link(wins, show string) string {
	return link("/plan", "do", d.Do, "in", d.In, "of", d.Of, "v", fmt.Sprint(d.Seq), "part", d.Part, "wins", wins, "show", show)
}

// textLimit is how much a form may bring, in bytes.
const textLimit = 16 << 20

// do carries out the shown deed, if the head is still the one that was shown with it.
func (s *Server) do(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, textLimit)
	a, to, err := s.carryOut(r)
	switch {
	case err != nil:
		s.fail(w, r, err)
	case to != "":
		http.Redirect(w, r, to, http.StatusSeeOther)
	default:
		s.render(w, r, http.StatusConflict, a.template, a.page)
	}
}

// carryOut carries a deed out and returns the address to go on to, or the page to show instead.
func (s *Server) carryOut(r *http.Request) (a answer, to string, err error) {
	d, err := s.newDeed(r)
	if err != nil {
		return a, "", err
	}
	if d.Do == doRepair {
		d.text = formText(r)
	}
	select {
	case s.doing <- struct{}{}:
		defer func() { <-s.doing }()
	case <-r.Context().Done():
		return a, "", r.Context().Err()
	}
	commit, err := s.agreed(r, &d)
	var moved *versions.MovedError
	if err == nil {
		err = s.o.Engine.Commit(commit)
	}
	if errors.Is(err, errMoved) || errors.As(err, &moved) {
		release, err := s.hold(r)
		if err != nil {
			return a, "", err
		}
		defer release()
		a, err = s.showPlan(r, &d, "Somebody else has changed it meanwhile. Nothing was done. This is what it would change now.")
		return a, "", err
	}
	if err != nil {
		return a, "", err
	}
	s.index(d.dir).renew(d.Of)
	s.hub.tell(change{dir: d.In, name: d.Of})
	return a, link("/history", "in", d.In, "of", d.Of, "done", d.Do), nil
}

// agreed returns the commit of a deed, as it was shown. The error is errMoved where it would be
// something else by now.
func (s *Server) agreed(r *http.Request, d *deed) (*versions.Commit, error) {
	release, err := s.hold(r) // a commit may wait for a daemon that is stuck: pages do not
	if err != nil {
		return nil, err
	}
	defer release()
	plan, err := s.plan(d)
	if err != nil {
		return nil, err
	}
	if digest(plan.Head) != r.FormValue("head") || digest(plan.Result) != r.FormValue("result") || plan.Blocked() {
		return nil, errMoved
	}
	return plan.Commit(), nil
}

// digest returns the SHA-256 of content, "" where there is none.
func digest(c *versions.Content) string {
	if c == nil {
		return ""
	}
	return c.Digest
}

var errMoved = errors.New("it would be something else by now")

// formText returns the text that a form brings. Browsers end lines with CR LF there; the
// form says whether the text did.
func formText(r *http.Request) []byte {
	text := strings.ReplaceAll(r.FormValue("text"), "\r\n", "\n")
	if r.FormValue("ends") == "crlf" {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return []byte(text)
}
