package view

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"clawfs/backing"
)

// How many rows a page has.
const (
	rowsOfState = 15 // registries of each directory on the first page
	rowsOfList  = 100
)

// statePage shows the state and work of all directories.
type statePage struct {
	frame
	Dirs []dirState
}

// dirState is the state and work of one directory.
type dirState struct {
	Dir
	Status
	Tiles   []tile
	Plots   []plot
	List    list
	Refused int    // copies in quarantine
	Problem string // why there is nothing to see
}

// tile is one figure.
type tile struct {
	Name  string
	Value uint64
	Tone  string
	Link  string
}

// state shows the state and work of all directories.
func (s *Server) state(r *http.Request) (answer, error) {
	dirs, err := s.o.Dirs()
	if err != nil {
		return answer{}, err
	}
	p := statePage{frame: newFrame(Dir{}, "", "State")}
	p.Crumbs[0].Link = ""
	for _, d := range dirs {
		p.Dirs = append(p.Dirs, s.dirState(r, d))
	}
	return answer{"state", p}, nil
}

func (s *Server) dirState(r *http.Request, d Dir) dirState {
	v := dirState{Dir: d}
	if d.State != Unmounted {
		v.Status = s.o.Status(r.Context(), d)
		v.Dir.State = v.Status.State
	}
	if v.Dir.State == Dead {
		v.Problem = "The daemon of this mount is gone. To have the directory back, mount it again, or unmount it: clawfs mount, clawfs unmount."
		return v
	}
	dir, err := s.o.Look(d)
	if err != nil {
		v.Problem = sentence(err)
		return v
	}
	defer dir.Close()
	if copies, err := dir.ListQuarantine(); err == nil {
		v.Refused = len(copies)
	}
	v.List = s.list(d, dir, listQuery{order: "changed", rows: rowsOfState})
	v.Tiles = v.tiles()
	if d.State == Serving {
		v.Plots = []plot{plotWrites(v.Past), plotTimes(v.Past)}
	}
	return v
}

// tiles returns the figures: those of the daemon, where there is one, and those of the history.
func (v *dirState) tiles() []tile {
	in := v.ID()
	registries := tile{Name: "Registries", Value: uint64(v.List.All), Link: link("/registries", "in", in)}
	waiting := tile{Name: "In quarantine", Value: uint64(v.Refused), Tone: toned(v.Refused > 0, "bad"), Link: link("/refused", "in", in)}
	if v.Dir.State != Serving {
		return []tile{registries, waiting}
	}
	return []tile{
		registries,
		{Name: "Commits", Value: v.Commits},
		{Name: "… of them merged", Value: v.Merged},
		{Name: "Conflicts", Value: v.Conflicts, Tone: toned(v.Conflicts > 0, "warn")},
		{Name: "Refused", Value: v.Status.Refused, Tone: toned(v.Status.Refused > 0, "bad")},
		{Name: "Open now", Value: uint64(v.Open)},
		waiting,
	}
}

func toned(is bool, tone string) string {
	if is {
		return tone
	}
	return ""
}

// registriesPage is the registries of a directory.
type registriesPage struct {
	frame
	Dir
	List   list
	Query  string
	Orders []order
	Order  string
}

// list is a part of the registries of a directory.
type list struct {
	In         string // the directory's ID
	Rows       []row
	All        int  // registries that there are
	Found      int  // … that are asked for
	Whole      bool // whether all of them are known yet
	From, To   int  // the first and last row among those, from 1 on
	Prev, Next string
}

// row is one registry.
type row struct {
	entry
	Kept int // older versions
}

// listQuery is a query for registries of a directory.
type listQuery struct {
	order, text string
	page, rows  int // page: from 0 on
}

// registries lists the registries of a directory.
func (s *Server) registries(r *http.Request) (answer, error) {
	d, dir, err := s.openDir(r)
	if err != nil {
		return answer{}, err
	}
	defer dir.Close()
	q := listQuery{order: r.FormValue("sort"), text: r.FormValue("q"), page: number(r, "page"), rows: rowsOfList}
	p := registriesPage{frame: newFrame(d, "", "Registries"), Dir: d, List: s.list(d, dir, q), Query: q.text, Orders: orders(), Order: q.order}
	p.Crumbs[len(p.Crumbs)-1].Link = ""
	if _, _, err := s.index(d).entries(); err != nil {
		return answer{}, err
	}
	return answer{"registries", p}, nil
}

// list returns a part of the registries.
func (s *Server) list(d Dir, dir *backing.Dir, q listQuery) list {
	all, whole, _ := s.index(d).entries()
	l := list{In: d.ID(), All: len(all), Whole: whole}
	if q.text != "" {
		all = slices.DeleteFunc(all, func(e entry) bool { return !strings.Contains(strings.ToLower(e.Name), strings.ToLower(q.text)) })
	}
	by := orders()[0]
	for _, o := range orders() {
		if o.Word == q.order {
			by = o
		}
	}
	slices.SortFunc(all, func(a, b entry) int {
		if c := by.less(a, b); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	l.Found = len(all)
	from := min(q.page*q.rows, len(all))
	to := min(from+q.rows, len(all))
	for _, e := range all[from:to] {
		l.Rows = append(l.Rows, row{e, kept(dir, e.Name)})
	}
	l.From, l.To = from+1, to
	at := func(page int) string {
		return link("/registries", "in", l.In, "sort", q.order, "q", q.text, "page", fmt.Sprint(page))
	}
	if q.page > 0 {
		l.Prev = at(q.page - 1)
	}
	if to < len(all) {
		l.Next = at(q.page + 1)
	}
	return l
}

// Parent returns the directory of a registry below the one that is shown, with a slash.
func (e entry) Parent() string {
	if dir := path.Dir(e.Name); dir != "." {
		return dir + "/"
	}
	return ""
}

// Base returns the last part of its name.
func (e entry) Base() string { return path.Base(e.Name) }

// number returns a number out of an address, 0 where there is none.
func number(r *http.Request, name string) (n int) {
	if _, err := fmt.Sscanf(r.FormValue(name), "%d", &n); err != nil || n < 0 || n > 1<<40 {
		return 0
	}
	return n
}
