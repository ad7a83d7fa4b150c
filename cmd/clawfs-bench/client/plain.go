package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const block = 1 << 20 // bytes per read and write of a stream

// prepareStream writes a large file with one sync at its end, and reads it.
func prepareStream(t *task) (func(*result) error, error) {
	buffer := make([]byte, block)
	for i := range buffer {
		buffer[i] = byte(i * 7)
	}
	return func(r *result) error {
		if err := r.timed("write", func() error { return writeStream(t, buffer) }); err != nil {
			return err
		}
		return r.timed("read", func() error { return readStream(t, buffer) })
	}, nil
}

// timed runs a step. The time of the step becomes a series of its own.
func (r *result) timed(series string, step func() error) error {
	start := time.Now()
	if err := step(); err != nil {
		return err
	}
	r.note(series, start)
	r.Ops++
	return nil
}

func writeStream(t *task, buffer []byte) error {
	f, err := os.OpenFile(t.file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	for written := 0; written < t.size && err == nil; written += len(buffer) {
		_, err = f.Write(buffer)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// readStream reads the file. On a mount it first drops the pages of the mount's own
// file from the kernel's cache, so that every byte comes through the mount
// (and out of the disk's page cache, as on the bare disk).
func readStream(t *task, buffer []byte) error {
	f, err := os.Open(t.file)
	if err != nil {
		return err
	}
	defer f.Close()
	if t.style == "uncached" {
		if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
			return err
		}
	}
	total := 0
	for {
		n, err := f.Read(buffer)
		total += n
		switch {
		case err == io.EOF && total >= t.size:
			return nil
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
}

// prepareMetadata makes, stats, lists, renames and removes many empty files.
func prepareMetadata(t *task) (func(*result) error, error) {
	if err := os.MkdirAll(t.file, 0o700); err != nil {
		return nil, err
	}
	name := func(kind string, n int) string { return filepath.Join(t.file, fmt.Sprintf("%s%d.txt", kind, n)) }
	each := func(do func(n int) error) func() error {
		return func() error {
			for n := range t.count {
				if err := do(n); err != nil {
					return err
				}
			}
			return nil
		}
	}
	var st unix.Stat_t
	steps := []struct {
		name string
		do   func() error
	}{
		{"create", each(func(n int) error { return create(name("a", n)) })},
		{"stat", each(func(n int) error { return unix.Stat(name("a", n), &st) })},
		{"readdir", func() error { return list(t) }},
		{"rename", each(func(n int) error { return unix.Rename(name("a", n), name("b", n)) })},
		{"unlink", each(func(n int) error { return unix.Unlink(name("b", n)) })},
	}
	return func(r *result) error {
		for _, step := range steps {
			if err := r.timed(step.name, step.do); err != nil {
				return fmt.Errorf("%s: %w", step.name, err)
			}
		}
		return nil
	}, nil
}

func create(name string) error {
	fd, err := unix.Open(name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// list reads the directory's names and finds them all.
func list(t *task) error {
	dir, err := os.Open(t.file)
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err == nil && len(names) != t.count {
		err = fmt.Errorf("%d names instead of %d", len(names), t.count)
	}
	return err
}
