package view

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"

	"clawfs/backing"
	"clawfs/cmd/clawfs/versions"
)

//go:embed templates static
var files embed.FS

// pages returns the handler that answers each address.
func (s *Server) pages() http.Handler {
	mux := http.NewServeMux()
	for pattern, f := range map[string]func(*http.Request) (answer, error){
		"GET /{$}":        s.state,
		"GET /registries": s.registries,
		"GET /history":    s.history,
		"GET /version":    s.version,
		"GET /diff":       s.diff,
		"GET /refused":    s.refusedList,
		"GET /copy":       s.refusedCopy,
		"GET /plan":       s.preview,
		"GET /repair":     s.editor,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			a, err := f(r)
			if err != nil {
				s.fail(w, r, err)
				return
			}
			s.render(w, r, http.StatusOK, a.template, a.page)
		})
	}
	mux.HandleFunc("POST /do", s.do)
	mux.HandleFunc("POST /repair", s.edited)
	mux.HandleFunc("GET /live", s.serveLive)
	mux.Handle("GET /static/", http.FileServerFS(files))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, errNoPage) })
	return mux
}

// answer is a page that is to be shown, by its template.
type answer struct {
	template string
	page     any
}

// frame is the part around every page.
type frame struct {
	Title  string
	Crumbs []crumb // the last one is the page itself
	Stream string  // the address of the events that concern it; "" for none
}

// crumb is a page above.
type crumb struct{ Text, Link string }

// Frame returns the frame.
func (f frame) Frame() frame { return f }

// newFrame returns the frame of a page on a directory or on a registry in it.
func newFrame(d Dir, name, page string) frame {
	f := frame{Crumbs: []crumb{{"State", "/"}}, Title: page, Stream: link("/live")}
	if d.Path != "" {
		f.Crumbs = append(f.Crumbs, crumb{d.Path, link("/registries", "in", d.ID())})
		f.Title, f.Stream = page+" · "+path.Base(d.Path), link("/live", "in", d.ID())
	}
	if name != "" {
		f.Crumbs = append(f.Crumbs, crumb{printable(name), link("/history", "in", d.ID(), "of", name)})
		f.Title, f.Stream = page+" · "+printable(path.Base(name)), link("/live", "in", d.ID(), "of", name)
	}
	return f
}

// under adds a page below.
func (f frame) under(text string) frame {
	f.Crumbs = append(f.Crumbs, crumb{Text: text})
	return f
}

// link returns an address on the page, with names and values in turn.
func link(path string, query ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		if query[i+1] != "" {
			v.Set(query[i], query[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// templates returns the pages, each with the frame around it. They are parsed by the first
// call: other commands need none.
var templates = sync.OnceValue(func() map[string]*template.Template {
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		panic(err)
	}
	out := make(map[string]*template.Template)
	base := template.Must(template.New("frame").Funcs(functions).ParseFS(files, "templates/frame.html", "templates/parts.html"))
	for _, name := range names {
		t := template.Must(template.Must(base.Clone()).ParseFS(files, name))
		out[strings.TrimSuffix(path.Base(name), ".html")] = t
	}
	return out
})

// functions are those that templates can call.
var functions = template.FuncMap{
	"ago":     func(t time.Time) string { return humanize.Time(t) },
	"bytes":   func(n int64) string { return humanize.IBytes(uint64(max(n, 0))) },
	"bytes64": func(n int) string { return humanize.IBytes(uint64(n)) },
	"comma": func(n any) string {
		switch n := n.(type) {
		case int:
			return humanize.Comma(int64(n))
		case uint64:
			return humanize.Comma(int64(n))
		}
		return fmt.Sprint(n)
	},
	"clock":      func(t time.Time) string { return t.Local().Format("15:04:05") },
	"moment":     func(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") },
	"machine":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"count":      versions.Count,
	"link":       link,
	"escaped":    url.QueryEscape,
	"orRoot":     func(p string) string { return orRoot(p) },
	"printable":  printable,
	"tone":       tone,
	"changeTone": changeTone,
}

// render answers with a page. It is made as a whole before the first byte goes out.
func (s *Server) render(w http.ResponseWriter, r *http.Request, code int, name string, page any) {
	var b bytes.Buffer
	if err := templates()[name].ExecuteTemplate(&b, "frame.html", page); err != nil {
		s.o.Talk("a page can't be made, which is a fault of clawfs: %v", err)
		http.Error(w, "This page can't be made. That is a fault of clawfs.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		_, _ = b.WriteTo(w)
	}
}

// problemPage tells of an error.
type problemPage struct {
	frame
	Heading, Text string
}

// newProblem returns the page that tells of an error.
func newProblem(heading, text string) problemPage {
	return problemPage{frame{Title: heading, Crumbs: []crumb{{"State", "/"}, {heading, ""}}, Stream: link("/live")}, heading, text}
}

var (
	errNoPage = errors.New("no such page")
	errNoDir  = errors.New("no such directory")
)

// fail answers with the error, in words.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	code, heading, text := http.StatusInternalServerError, "That did not work", sentence(err)
	var noVersion *versions.NoVersionError
	var noCopy *versions.NoCopyError
	switch {
	case errors.Is(err, errNoPage):
		code, heading, text = http.StatusNotFound, "There is no such page", "The address may be of an older clawfs, or has been cut short."
	case errors.Is(err, errNoDir):
		code, heading, text = http.StatusNotFound, "This directory is not shown here", "It is not mounted any more, or this page was started for another one."
	case errors.As(err, &noVersion), errors.As(err, &noCopy):
		code, heading = http.StatusNotFound, "That is not kept"
	case errors.Is(err, fs.ErrNotExist):
		code, heading, text = http.StatusNotFound, "There is no such registry", "Nothing of that name is there, and no version of it is kept."
	case errors.Is(err, fs.ErrPermission):
		code, heading, text = http.StatusForbidden, "This is not yours to see", "The user who runs clawfs view may not read this directory."
	}
	s.render(w, r, code, "problem", newProblem(heading, text))
}

// sentence makes a sentence of an error.
func sentence(err error) string {
	text := printable(err.Error())
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// dir finds the directory that a request is about.
func (s *Server) dir(r *http.Request) (Dir, error) {
	dirs, err := s.o.Dirs()
	if err != nil {
		return Dir{}, err
	}
	for _, d := range dirs {
		if d.ID() == r.FormValue("in") {
			return d, nil
		}
	}
	return Dir{}, errNoDir
}

// openDir opens the directory that a request is about.
func (s *Server) openDir(r *http.Request) (d Dir, dir *backing.Dir, err error) {
	if d, err = s.dir(r); err != nil {
		return d, nil, err
	}
	dir, err = s.o.Look(d)
	return d, dir, err
}

// open opens the directory and finds the registry that a request is about.
func (s *Server) open(r *http.Request) (d Dir, name string, dir *backing.Dir, err error) {
	if d, err = s.dir(r); err != nil {
		return d, "", nil, err
	}
	if name = nameIn(r); !isPath(name) {
		return d, "", nil, errNoPage
	}
	dir, err = s.o.Look(d)
	return d, name, dir, err
}

// nameIn returns the registry's name that an address or a form has. A form has it escaped: it
// would bring other bytes where a name has lines, or is no UTF-8.
func nameIn(r *http.Request) string {
	if escaped := r.FormValue("escaped"); escaped != "" {
		if name, err := url.QueryUnescape(escaped); err == nil {
			return name
		}
	}
	return r.FormValue("of")
}

// isPath reports whether a name, which may hold bytes that are no UTF-8, stays below a
// directory.
func isPath(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return !strings.ContainsRune(name, 0)
}
