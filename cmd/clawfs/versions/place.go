package versions

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"clawfs/backing"
	"clawfs/fs"
	"clawfs/fs/mountpoint"
)

// Place is a registry, or a directory, in a directory that clawfs keeps a
// history of.
type Place struct {
	Root string // that directory: absolute, free of symbolic links
	Name string // of the registry or directory below it, with slashes; "" for Root
}

// Target is a version of a registry.
type Target struct {
	Place
	Seq uint64 // 0 for the head
}

// String returns the registry's name with the version.
func (t Target) String() string {
	if t.Seq == 0 {
		return t.Name + "@head"
	}
	return fmt.Sprintf("%s@%d", t.Name, t.Seq)
}

// Locate finds the directory of clawfs's that a path lies in. The registry that it names, and
// directories on the way, need not be there any more. Errors: *NotKeptError, *DeadError,
// *StoppedError, or the system's.
func Locate(path string) (Place, error) {
	path, err := resolve(path)
	if err != nil {
		return Place{}, err
	}
	for dir := path; ; dir = filepath.Dir(dir) {
		info, err := os.Lstat(filepath.Join(dir, backing.Name))
		if err == nil && info.IsDir() {
			name, err := filepath.Rel(dir, path)
			if name == "." {
				name = ""
			}
			return Place{Root: dir, Name: filepath.ToSlash(name)}, err
		}
		if dir == filepath.Dir(dir) {
			return Place{}, &NotKeptError{Path: path}
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
	if m, ok := mountAbove(abs); ok {
		if pid := mountpoint.Server(m.Mount); pid > 0 && mountpoint.IsStopped(pid) {
			return "", &StoppedError{Dir: m.Dir, PID: pid}
		}
	}
	rest := ""
	for dir := abs; ; dir = filepath.Dir(dir) {
		resolved, err := filepath.EvalSymlinks(dir)
		switch {
		case err == nil:
			return filepath.Join(resolved, rest), nil
		case mountpoint.IsEnd(err):
			return "", &DeadError{Dir: MountAbove(abs)}
		case !errors.Is(err, iofs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR):
			return "", err
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}

// MountAbove returns the innermost mount of clawfs that a path lies in, or the
// path.
func MountAbove(path string) string {
	if m, ok := mountAbove(path); ok {
		return m.Dir
	}
	return path
}

func mountAbove(path string) (above mountpoint.Point, ok bool) {
	mounts, err := mountpoint.All()
	if err != nil {
		return above, false
	}
	for _, m := range mounts {
		if (path == m.Dir || strings.HasPrefix(path, m.Dir+"/")) && len(m.Dir) >= len(above.Dir) {
			above, ok = m, true
		}
	}
	return above, ok
}

// Look opens the directory for looking only. That works whether it is mounted
// or not.
func (p Place) Look() (*backing.Dir, error) {
	return backing.Open(p.Root, backing.Options{ReadOnly: true})
}

// Mounted reports whether a living clawfs serves the directory where we see it.
// Where a dead one does, nothing can be done: *DeadError.
func (p Place) Mounted() (bool, error) {
	m, err := mountpoint.Find(p.Root)
	switch {
	case err != nil:
		return false, err
	case m.IsDead():
		return false, &DeadError{Dir: p.Root}
	}
	return m.IsClawfs(), nil
}

// Path returns where the registry, or the directory, is.
func (p Place) Path() string { return filepath.Join(p.Root, filepath.FromSlash(p.Name)) }

// WalkRegistries calls f with the name of each registry that is there in a directory
// that clawfs keeps a history of, at and below a path in it, and with each error of
// reading. It ends with the first error that f returns.
func WalkRegistries(root, path string, patterns *fs.Patterns, f func(name string, err error) error) error {
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

// Holds reports whether a registry is at the place or below it.
func (p Place) Holds(name string) bool {
	return p.Name == "" || name == p.Name || strings.HasPrefix(name, p.Name+"/")
}
