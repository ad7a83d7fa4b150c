package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// prepareCommit replaces whole documents of a size, one after the other, by
// turns where there are several files.
func prepareCommit(t *task) (func(*result) error, error) {
	guard, write, err := guarded(t.style)
	if err != nil {
		return nil, err
	}
	content, digits := sized(t.size)
	commit := func(n int) error {
		name := t.registry(n)
		renumber(content, digits, n)
		return guard(name, func() error { return write(name, content) })
	}
	for n := range t.files { // the files exist before anything is measured
		if err := commit(n); err != nil {
			return nil, err
		}
	}
	return func(r *result) error {
		for n := range t.count * t.files {
			start := time.Now()
			if err := commit(n + t.files); err != nil {
				return err
			}
			r.note("commit", start)
			r.Ops++
		}
		return nil
	}, nil
}

// registry is the name of the n-th registry, the first one following the last.
func (t *task) registry(n int) string {
	if strings.Contains(t.file, "%d") {
		return fmt.Sprintf(t.file, n%t.files)
	}
	return t.file
}

// prepareAppend adds entries, each by reading, changing and writing a whole
// registry. With a rate each has its time, and its latency counts from then,
// however late its turn comes.
func prepareAppend(t *task) (func(*result) error, error) {
	guard, write, err := guarded(t.style)
	if err != nil {
		return nil, err
	}
	return func(r *result) error {
		start := time.Now()
		for n := range t.count {
			due := time.Now()
			if t.rate > 0 {
				due = start.Add(time.Duration(float64(n) / t.rate * float64(time.Second)))
				time.Sleep(time.Until(due))
			}
			name := t.registry(t.first + n)
			err := guard(name, func() error { return addEntry(name, fmt.Sprintf("%s-%d", t.id, n), write) })
			r.count("append", due, err)
		}
		return nil
	}, nil
}

// count notes an operation that may fail without ending the work: a naive
// program that meets a torn document.
func (r *result) count(series string, start time.Time, err error) {
	r.Ops++
	if err != nil {
		r.Failed++
		return
	}
	r.note(series, start)
}

// prepareOpen opens, reads and closes a file, over and over.
func prepareOpen(t *task) (func(*result) error, error) {
	buffer := make([]byte, t.size+1)
	return repeat(t, func() error {
		fd, err := unix.Open(t.file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		n, err := unix.Read(fd, buffer)
		if err == nil && n != t.size {
			err = io.ErrUnexpectedEOF
		}
		return errors.Join(err, unix.Close(fd))
	})
}

// prepareStat stats a file, over and over.
func prepareStat(t *task) (func(*result) error, error) {
	var st unix.Stat_t
	return repeat(t, func() error { return unix.Stat(t.file, &st) })
}

// repeat does something until the time is up, once before it is measured.
func repeat(t *task, do func() error) (func(*result) error, error) {
	return func(r *result) error {
		for begin := time.Now(); r.Ops == 0 || time.Since(begin) < t.duration; r.Ops++ {
			start := time.Now()
			if err := do(); err != nil {
				return err
			}
			r.note("each", start)
		}
		return nil
	}, do()
}

// prepareLarge adds entries to a large registry, reads and writes measured each
// for itself.
func prepareLarge(t *task) (func(*result) error, error) {
	guard, write, err := guarded(t.style)
	if err != nil {
		return nil, err
	}
	return func(r *result) error {
		for n := range t.count {
			if err := guard(t.file, func() error { return large(t, n, write, r) }); err != nil {
				return err
			}
			r.Ops++
		}
		return nil
	}, nil
}

func large(t *task, n int, write writer, r *result) error {
	start := time.Now()
	content, err := os.ReadFile(t.file)
	if err != nil {
		return err
	}
	r.note("read", start)
	if content, err = spliceEntry(content, fmt.Sprintf("%s-%d", t.id, n)); err != nil {
		return err
	}
	if t.overtaken {
		if err := overtake(t, n); err != nil {
			return err
		}
	}
	start = time.Now()
	if err := write(t.file, content); err != nil {
		return err
	}
	r.note("write", start)
	return nil
}

// overtake lets another process add an entry of its own.
func overtake(t *task, n int) error {
	other := exec.Command("/proc/self/exe", "large", "--file", t.file, "--style", t.style, "--id", fmt.Sprintf("other-%s-%d", t.id, n))
	other.Stdin = bufio.NewReader(strings.NewReader("go\n"))
	other.Stderr = os.Stderr
	return other.Run()
}
