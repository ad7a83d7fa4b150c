package calls

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// The names that programs use. The files that have them, and their types, change.
var (
	registries = []string{"a.json", "b.json", "sub/c.json"}
	temporary  = []string{"a.json.tmp", "t1", "x.json", "sub/t2.json"}
	everything = []string{".", "sub", "d", "a.json", "b.json", "sub/c.json", "a.json.tmp", "t1", "x.json", "sub/t2.json", "l.json", "d/c.json"}
)

// step is the next call of a task; nil passes over it.
type step func() *Call

// task is a purpose of a process: calls that belong together. A task reserves each name that
// it writes, replaces or removes, so that few tasks overlap in a way that clawfs would merge;
// all else is free to happen in between.
type task struct {
	steps    []step
	reserved []string
}

// view is a process and a name: seen holds the content that the one knows of the other.
type view struct {
	actor int
	path  string
}

// generator chooses calls. It depends on nothing but the seed and the bare
// side's answers.
type generator struct {
	*rand.Rand
	m        *model
	tasks    map[int]*task
	reserved map[string]int
	seen     map[view]string
	wrote    map[string]int // the process that wrote a name last, and has written nothing since it read another's content
	actors   []int
	handles  int
	tokens   int
	forks    int
	made     int
	watches  int // the process that watches, 0 if none does
	watchH   int
	due      int // calls until the watcher looks
	idioms   []func(g *generator, a int) []step
	avoids   func(sort string) bool // calls that are not made
}

func newGenerator(seed int64, m *model) *generator {
	g := &generator{
		Rand: rand.New(rand.NewPCG(uint64(seed), 14)), m: m, tasks: map[int]*task{}, reserved: map[string]int{}, seen: map[view]string{}, wrote: map[string]int{},
		actors: []int{1, 2, 3}, idioms: idioms(), avoids: func(string) bool { return false },
	}
	if g.IntN(20) == 0 {
		g.watches = 1 + g.IntN(3)
	}
	return g
}

// chance is true once in n times.
func (g *generator) chance(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g *generator, of []T) T { return of[g.IntN(len(of))] }

func (g *generator) handle() int {
	g.handles++
	return g.handles
}

// length is the number of calls after which no new task begins.
const length = 110

// next returns the next call, or nil at the end of the program. The model must
// be up to date.
func (g *generator) next() *Call {
	if g.made == 0 && g.watches > 0 {
		g.tasks[g.watches] = &task{steps: g.beginWatching(g.watches)}
	}
	g.made++
	if g.watches > 0 && g.watchH > 0 && g.due <= 0 && g.quiet() {
		g.due = 10
		return &Call{By: g.watches, Op: "drain", H: g.watchH}
	}
	g.due--
	for range 10_000 {
		a := pick(g, g.actors)
		t := g.tasks[a]
		if t == nil {
			if g.made > length {
				if c := g.finish(); c != nil || len(g.tasks) == 0 {
					return c
				}
				continue
			}
			t = &task{}
			g.tasks[a] = t
			t.steps = g.begin(a)
		}
		for len(t.steps) > 0 {
			s := t.steps[0]
			t.steps = t.steps[1:]
			c := s()
			switch {
			case c == nil:
			case !g.avoids(sortOf(c, g.m)):
				g.knows(c)
				return c
			case c.Op == "open":
				t.steps = nil
			}
		}
		g.end(a)
	}
	return nil
}

// quiet reports whether no handle has unsaved bytes.
func (g *generator) quiet() bool {
	for _, d := range g.m.shared {
		if d.dirty || d.f.creator != nil {
			return false
		}
	}
	return true
}

func (g *generator) end(a int) {
	for _, p := range g.tasks[a].reserved {
		if g.reserved[p] == a {
			delete(g.reserved, p)
		}
	}
	delete(g.tasks, a)
}

// finish closes the open handles, once no task is under way.
func (g *generator) finish() *Call {
	if len(g.tasks) > 0 {
		return nil
	}
	for _, a := range g.actors {
		for _, h := range g.m.handlesOf(a) {
			if c := (&Call{By: a, Op: "close", H: h}); !g.avoids(sortOf(c, g.m)) {
				return c
			}
		}
	}
	if g.watches > 0 && g.watchH > 0 {
		h := g.watchH
		g.watchH = 0
		return &Call{By: g.watches, Op: "drain", H: h}
	}
	return nil
}

// reserve takes names for a task, if they are free.
func (g *generator) reserve(a int, paths ...string) bool {
	for _, p := range paths {
		if by, taken := g.reserved[p]; taken && by != a {
			return false
		}
	}
	for _, p := range paths {
		g.reserved[p] = a
		g.tasks[a].reserved = append(g.tasks[a].reserved, p)
	}
	return true
}

// free reports whether a task that does not reserve the name may change it.
func (g *generator) free(path string) bool {
	_, taken := g.reserved[path]
	return !taken
}

// knows notes the knowledge that a process gets by a call, given that it succeeds.
func (g *generator) knows(c *Call) {
	d := g.m.handle(c.By, c.H)
	switch c.Op {
	case "read", "pread", "mmap":
		if d != nil && c.Off == 0 {
			g.seen[view{c.By, d.path}] = d.f.current
		}
	case "write", "pwrite", "ftruncate":
		if d != nil {
			g.wrote[d.path] = d.opener
		}
	case "close", "fsync":
		if d != nil && d.dirty {
			g.seen[view{c.By, d.path}] = d.f.current
		}
	case "rename", "link":
		if f := g.m.file(c.Path); f != nil {
			g.seen[view{c.By, c.Path2}] = f.current
		}
		g.wrote[c.Path2] = c.By
	}
}

// document makes the next content of a registry. It has most of the content before, so that
// a merge can find its base.
func (g *generator) document(before string) string {
	var doc struct {
		S   map[string]string `json:"s"`
		N   int               `json:"n"`
		Pad string            `json:"pad,omitempty"`
	}
	if json.Unmarshal([]byte(before), &doc) != nil || doc.S == nil {
		doc.S = map[string]string{}
	}
	g.tokens++
	doc.S[fmt.Sprintf("t%04d", g.tokens)] = fmt.Sprintf("value %04d", g.tokens)
	for len(doc.S) > 5 {
		oldest := ""
		for t := range doc.S {
			if oldest == "" || t < oldest {
				oldest = t
			}
		}
		delete(doc.S, oldest)
	}
	doc.N = 100 + g.IntN(800)
	if doc.Pad == "" && g.chance(20) {
		doc.Pad = strings.Repeat("x", 3900+g.IntN(400))
	} else if g.chance(4) {
		doc.Pad = ""
	}
	text, _ := json.Marshal(doc)
	return string(text) + strings.Repeat("\n", g.IntN(4)) + strings.Repeat(" ", g.IntN(3))
}

// pieces cuts a text into one to three parts.
func (g *generator) pieces(text string) []string {
	if len(text) < 3 || g.chance(2) {
		return []string{text}
	}
	i := 1 + g.IntN(len(text)-2)
	j := i + g.IntN(len(text)-i)
	if i == j {
		return []string{text[:i], text[i:]}
	}
	return []string{text[:i], text[i:j], text[j:]}
}

// known makes a process read a registry if others have changed it since the
// process looked last, or ask for it if it has gone. A process that never looked
// may not.
func (g *generator) known(a int, path string) []step {
	h := g.handle()
	reads := func() bool {
		f := g.m.file(path)
		seen, ever := g.seen[view{a, path}]
		return f != nil && f.creator == nil && (ever || !g.chance(3)) && seen != f.current
	}
	opened := func(s step) step {
		return func() *Call {
			if g.m.handle(a, h) == nil {
				return nil
			}
			return s()
		}
	}
	return []step{
		g.gone(a, path)[0],
		func() *Call {
			if !reads() {
				return nil
			}
			return &Call{By: a, Op: "open", H: h, Path: path, Flags: "O_RDONLY"}
		},
		opened(call(Call{By: a, Op: "read", H: h, Len: 10000})),
		opened(call(Call{By: a, Op: "close", H: h})),
	}
}

// gone makes a process ask for a name that it has seen and that has gone since:
// a file that it then creates is made from nothing.
func (g *generator) gone(a int, path string) []step {
	return []step{func() *Call {
		if _, ever := g.seen[view{a, path}]; !ever || g.m.exists(path) {
			return nil
		}
		delete(g.seen, view{a, path})
		return &Call{By: a, Op: "stat", Path: path}
	}}
}

// begin chooses the next task of a process.
func (g *generator) begin(a int) []step {
	if g.IntN(100) < 45 {
		return g.single(a)
	}
	return pick(g, g.idioms)(g, a)
}

// call is a step that is always made.
func call(c Call) step { return func() *Call { return &c } }

// alone reports whether a content that a process puts under a name meets no change of others:
// there is no file, or nobody else has written the name since the process has.
func (g *generator) alone(a int, path string) bool {
	f := g.m.file(path)
	return f == nil || g.wrote[path] == a
}

// contentOf returns the content of a name's file.
func (g *generator) contentOf(path string) string {
	if f := g.m.file(path); f != nil {
		return f.current
	}
	return ""
}

// beginWatching makes a process watch the directory and some registries.
func (g *generator) beginWatching(a int) []step {
	g.watchH = g.handle()
	h := g.watchH
	steps := []step{call(Call{By: a, Op: "watch", H: h, Path: ".", Flags: "WATCH"})}
	for _, p := range registries {
		if slices.Contains(registries[:2], p) {
			steps = append(steps, func() *Call {
				if g.m.file(p) == nil {
					return nil
				}
				return &Call{By: a, Op: "watch", H: h, Path: p, Flags: "WATCH"}
			})
		}
	}
	return steps
}
