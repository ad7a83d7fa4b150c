package main

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"clawfs/backing"
	"clawfs/fs"
	"clawfs/fs/mountpoint"
)

// place is a registry, or a directory, in a directory that clawfs keeps a
// history of.
type place struct {
	root string // that directory: absolute, free of symbolic links
	name string // of the registry or directory below it, with slashes; "" for root
}

// target is what FILE, FILE@N or FILE@head on a command line names.
type target struct {
	place
	seq uint64 // the version; 0 for the head
}

// String returns the registry's name with the version.
func (t target) String() string {
	if t.seq == 0 {
		return t.name + "@head"
	}
	return fmt.Sprintf("%s@%d", t.name, t.seq)
}

// locate finds out in which directory of clawfs's a path lies. What it names, and
// directories on the way, need not be there any more. Errors: *notKeptError,
// *deadError, or the system's.
func locate(path string) (place, error) {
	path, err := resolve(path)
	if err != nil {
		return place{}, err
	}
	for dir := path; ; dir = filepath.Dir(dir) {
		info, err := os.Lstat(filepath.Join(dir, backing.Name))
		if err == nil && info.IsDir() {
			name, err := filepath.Rel(dir, path)
			if name == "." {
				name = ""
			}
			return place{root: dir, name: filepath.ToSlash(name)}, err
		}
		if dir == filepath.Dir(dir) {
			return place{}, &notKeptError{Path: path}
		}
	}
}

// resolve makes a path absolute and follows symbolic links as far as there is
// something.
func resolve(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rest := ""
	for dir := abs; ; dir = filepath.Dir(dir) {
		resolved, err := filepath.EvalSymlinks(dir)
		switch {
		case err == nil:
			return filepath.Join(resolved, rest), nil
		case errors.Is(err, unix.ENOTCONN):
			return "", &deadError{Dir: mountAbove(abs)}
		case !errors.Is(err, iofs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR):
			return "", err
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}

// mountAbove returns the innermost mount of clawfs that a path lies in, or the
// path.
func mountAbove(path string) string {
	mounts, err := mountpoint.All()
	if err != nil {
		return path
	}
	above := ""
	for _, m := range mounts {
		if (path == m.Dir || strings.HasPrefix(path, m.Dir+"/")) && len(m.Dir) > len(above) {
			above = m.Dir
		}
	}
	if above == "" {
		return path
	}
	return above
}

// locateFile is locate for a registry.
func locateFile(path string) (place, error) {
	p, err := locate(path)
	if err == nil && p.name == "" {
		err = &usageError{Command: "clawfs", Problem: fmt.Errorf("%s is a directory, not a registry", path)}
	}
	return p, err
}

// locateVersion finds what FILE, FILE@N or FILE@head names.
func locateVersion(arg string) (target, error) {
	path, seq, ok := splitVersion(arg)
	if !ok || path == "" {
		path, seq = arg, 0
	}
	p, err := locateFile(path)
	return target{place: p, seq: seq}, err
}

// locateOther finds what a second argument names beside a first one: @N and @head
// are versions of the first one's registry.
func locateOther(arg string, first place) (target, error) {
	if path, seq, ok := splitVersion(arg); ok && path == "" {
		return target{place: first, seq: seq}, nil
	}
	return locateVersion(arg)
}

// splitVersion takes FILE@N or FILE@head apart. It reports whether an argument
// ends in a version; the number is 0 for the head.
func splitVersion(arg string) (path string, seq uint64, ok bool) {
	i := strings.LastIndexByte(arg, '@')
	if i < 0 {
		return arg, 0, false
	}
	if arg[i+1:] == "head" {
		return arg[:i], 0, true
	}
	seq, err := strconv.ParseUint(arg[i+1:], 10, 64)
	return arg[:i], seq, err == nil && seq > 0
}

// look opens the directory for looking only, which works whether it is mounted
// or not.
func (p place) look() (*backing.Dir, error) {
	return backing.Open(p.root, backing.Options{ReadOnly: true})
}

// mounted reports whether a living clawfs serves the directory where we see it.
// Where a dead one does, nothing can be done: *deadError.
func (p place) mounted() (bool, error) {
	m, err := mountpoint.Find(p.root)
	switch {
	case err != nil:
		return false, err
	case m.IsDead():
		return false, &deadError{Dir: p.root}
	}
	return m.IsClawfs(), nil
}

// path returns where the registry, or the directory, is.
func (p place) path() string { return filepath.Join(p.root, filepath.FromSlash(p.name)) }

// walkRegistries calls f with the name of each registry that is there in a directory
// that clawfs keeps a history of, at and below a path in it, and with each error of
// reading. It ends with the first error that f returns.
func walkRegistries(root, path string, patterns *fs.Patterns, f func(name string, err error) error) error {
	return filepath.WalkDir(path, func(path string, d iofs.DirEntry, err error) error {
		if errors.Is(err, iofs.ErrNotExist) {
			return nil // gone meanwhile, or before
		}
		name, relErr := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		switch {
		case err != nil || relErr != nil:
			return f(name, errors.Join(err, relErr))
		case name == backing.Name, d.IsDir() && patterns.Ignores(name):
			return filepath.SkipDir
		case d.Type().IsRegular() && patterns.Registry(name):
			return f(name, nil)
		}
		return nil
	})
}

// holds reports whether a registry is at the place or below it.
func (p place) holds(name string) bool {
	return p.name == "" || name == p.name || strings.HasPrefix(name, p.name+"/")
}
