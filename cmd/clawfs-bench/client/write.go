package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// writer replaces the content of a file.
type writer func(name string, content []byte) error

// styles are the ways in which programs save a file.
var styles = map[string]writer{
	"in-place": writeInPlace,
	"rename":   writeRename,
	"careful":  writeCareful,
}

// writeInPlace truncates the file and writes it anew. On a bare disk nothing of
// it is atomic or durable.
func writeInPlace(name string, content []byte) error {
	return os.WriteFile(name, content, 0o600)
}

// writeRename replaces the file as a whole, without a sync.
func writeRename(name string, content []byte) error {
	temporary := temporaryOf(name)
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, name)
}

// writeCareful is the full way on a bare disk: temporary file, sync, rename,
// sync of the directory.
func writeCareful(name string, content []byte) error {
	temporary := temporaryOf(name)
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary, name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func temporaryOf(name string) string { return fmt.Sprintf("%s.%d.tmp", name, os.Getpid()) }

// locked runs a function while it holds an exclusive flock on a file. It makes the
// file if need be.
func locked(lock string, do func() error) error {
	f, err := os.OpenFile(lock, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	return do()
}

// guarded returns a function that runs another the way the style asks for:
// under the lock of a file, or as it is. The writer is the style's.
func guarded(style string) (guard func(name string, do func() error) error, write writer, err error) {
	if style == "flock" {
		return func(name string, do func() error) error { return locked(name+".lock", do) }, writeCareful, nil
	}
	write, ok := styles[style]
	if !ok {
		return nil, nil, fmt.Errorf("unknown style: %q", style)
	}
	return func(_ string, do func() error) error { return do() }, write, nil
}
