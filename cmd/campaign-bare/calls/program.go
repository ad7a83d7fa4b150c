package calls

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// fullLook is the number of calls after which the observers look at everything.
// In between they look at the files of the call.
const fullLook = 8

// ring is a pair of stages: programs run on both at once.
type ring struct {
	bare, mount *stage
	mounted     bool // one is a mount
	strict      bool // the mount is one, and must refuse content that is no document
	programs    int
}

// source gives a program's calls one by one. It may look at the model.
type source func(m *model) *Call

// run is one program as it ran.
type run struct {
	program []Call
	found   []Difference // that no exception allows, each kind once
	excuses map[string]int
	looked  bool // everything after every call
}

// play runs one program on both sides until it ends, or until the sides differ
// so that going on makes no sense.
func (r *ring) play(next source, m *model, everything bool) (*run, error) {
	r.programs++
	name := fmt.Sprintf("p%d", r.programs)
	if err := errors.Join(r.bare.begin(name, 3), r.mount.begin(name, 3)); err != nil {
		return nil, err
	}
	p := &player{ring: r, m: m, k: newComparison(m), run: run{excuses: map[string]int{}, looked: everything}}
	p.k.strict = r.strict
	if err := p.play(next); err != nil {
		return &p.run, err
	}
	return &p.run, errors.Join(r.bare.finish(), r.mount.finish())
}

// player is a program that is running.
type player struct {
	*ring
	m         *model
	k         *comparison
	run       run
	excusedAt int
}

func (p *player) play(next source) error {
	for {
		c := next(p.m)
		if c == nil {
			return nil
		}
		p.run.program = append(p.run.program, *c)
		stop, err := p.step(c)
		if err != nil {
			return fmt.Errorf("call %d, %s: %w", len(p.run.program), c, err)
		}
		if stop {
			return nil
		}
	}
}

// step makes one call on both sides and compares. It reports whether the
// program ends here.
func (p *player) step(c *Call) (stop bool, err error) {
	if p.m.overlaps(c) {
		p.run.excuses["overlap"]++
		return true, nil
	}
	p.k.before(len(p.run.program)-1, *c)
	a, b, err := p.both(c)
	if err != nil {
		return true, err
	}
	p.k.answers(a, b)
	if p.noteFound() {
		return true, nil
	}
	if c.Op == "drain" {
		if err := p.drain(c, a, b); err != nil {
			return true, err
		}
	}
	if c.Op == "open" && a.ret >= 0 && b.ret < 0 { // excused: a file that the mount has not opened is closed again
		if f := p.m.files[a.attrs.Ino]; f != nil {
			f.bareOnly = true
		}
		_, err := p.bare.do(&Call{By: c.By, Op: "close", H: c.H})
		return false, err
	}
	if c.Op == "open" && a.ret < 0 && b.ret >= 0 {
		return true, nil
	}
	paths := p.affected(c)
	p.m.did(c, a)
	if len(paths) == 0 {
		return false, nil
	}
	bare, err := p.bare.look(paths)
	if err != nil {
		return true, err
	}
	p.m.saw(bare)
	mount, err := p.mount.look(p.settled(c, paths))
	if err != nil {
		return true, err
	}
	p.k.looks(bare, mount)
	return p.noteFound(), nil
}

// noteFound takes over the differences found, and reports whether the program ends.
func (p *player) noteFound() (stop bool) {
	for _, d := range p.k.found {
		stop = stop || d.hard
		if d.Excuse != "" {
			if p.excusedAt != d.Step+1 { // a call is excused once
				p.run.excuses[d.Excuse]++
			}
			p.excusedAt = d.Step + 1
		} else if !slices.ContainsFunc(p.run.found, func(o Difference) bool { return o.Kind == d.Kind }) {
			p.run.found = append(p.run.found, d)
		}
	}
	p.k.found = nil
	return stop
}

// unsettledLook is the number of calls after which the observers look also at files
// that are being written or created: an exception lets the mount hide these.
const unsettledLook = 41

// settled leaves out files that are being written or created, and directories with a
// name that is being created.
func (p *player) settled(c *Call, paths []string) []string {
	if len(p.run.program)%unsettledLook == 0 {
		return paths
	}
	var hidden []string
	for path := range p.m.names {
		if p.k.hidden(path) {
			hidden = append(hidden, filepath.Dir(path))
		}
	}
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		f := p.m.file(path)
		if f == nil || !f.registry {
			return slices.Contains(hidden, path)
		}
		return f.creator != nil || f.refused || len(p.m.dirtyBy(f)) > 0 && !(strings.HasSuffix(c.Op, "lock") && strings.HasPrefix(p.k.state, "created"))
	})
}

// quietCalls change nothing that an observer sees.
var quietCalls = []string{
	"read", "pread", "lseek", "stat", "lstat", "fstat", "statx", "access", "readdir", "getxattr", "listxattr", "readlink", "dup", "watch", "drain", "fork",
}

// affected returns the paths that the observers look at after a call.
func (p *player) affected(c *Call) []string {
	step := len(p.run.program)
	quiet := slices.Contains(quietCalls, c.Op)
	switch {
	case p.run.looked && !quiet, step%fullLook == 1, c.Op == "exit":
		return everything
	case quiet:
		return nil
	}
	var paths []string
	add := func(path string) {
		if slices.Contains(everything, path) && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	files := p.m.filesOf(c)
	for _, path := range []string{c.Path, c.Path2} {
		add(path)
		if s, there := p.m.names[path]; there && s.err == 0 && s.attrs.Mode&unix.S_IFMT == unix.S_IFDIR {
			return everything
		}
	}
	for path := range p.m.names {
		if f := p.m.file(path); f != nil && slices.Contains(files, f) {
			add(path)
		}
	}
	switch c.Op {
	case "open", "link", "symlink", "unlink", "rename", "linkh":
		add(".")
		add("sub")
	case "mkdir", "rmdir":
		return everything
	}
	slices.Sort(paths)
	return paths
}
