package fs

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// pagesFile makes a file, and a function that changes it behind the mount.
func pagesFile(t *testing.T) (fd int, behind func()) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return int(f.Fd()), func() {
		if _, err := f.WriteString("more"); err != nil { // the size tells, however coarse times are
			t.Fatal(err)
		}
	}
}

func TestPagesAreKept(t *testing.T) {
	fd, behind := pagesFile(t)
	var p pages
	opened := func(what string, want bool) {
		t.Helper()
		if got := p.noteOpen(fd, unix.O_RDONLY); got != want {
			t.Errorf("%s pages are kept: %v", what, got)
		}
	}
	change := func() error { behind(); return nil }
	opened("at first", false)
	opened("then", true)
	behind()
	opened("changed behind", false)
	opened("seen", true)
	_ = p.noteChange(fd, change)
	opened("changed through the mount", true)
	behind()
	_ = p.noteChange(fd, change)
	opened("changed both ways", false)
	opened("seen", true)
	_ = p.noteChange(fd, func() error { return errors.New("failed") })
	opened("after a change that failed", false)
}

// An open of a file that is being changed drops no pages: the kernel has put the bytes that are
// on their way into them already.
func TestPagesAreKeptDuringChanges(t *testing.T) {
	fd, behind := pagesFile(t)
	var p pages
	p.noteOpen(fd, unix.O_RDWR)
	_ = p.noteChange(fd, func() error {
		behind()
		if !p.noteOpen(fd, unix.O_RDONLY) {
			t.Error("pages are dropped while the file is being changed")
		}
		return p.noteChange(fd, func() error { behind(); return nil })
	})
	if !p.noteOpen(fd, unix.O_RDONLY) {
		t.Error("pages are dropped after two changes at once")
	}
}

// Where pages are dropped while somebody may be writing they can't be told to be right.
func TestPagesStayUnknownBesideWriters(t *testing.T) {
	fd, behind := pagesFile(t)
	var p pages
	p.noteOpen(fd, unix.O_WRONLY)
	behind()
	for range 2 {
		if p.noteOpen(fd, unix.O_RDONLY) {
			t.Error("pages are kept")
		}
	}
	p.noteClose(unix.O_WRONLY)
	if p.noteOpen(fd, unix.O_RDONLY) || !p.noteOpen(fd, unix.O_RDONLY) {
		t.Error("without a writer pages are not known again")
	}
}

func TestWhoCanMap(t *testing.T) {
	fd, _ := pagesFile(t)
	var p pages
	for _, flags := range []uint32{unix.O_RDONLY, unix.O_WRONLY, unix.O_WRONLY | unix.O_APPEND} {
		p.noteOpen(fd, flags)
	}
	if p.canBeMapped() {
		t.Error("a file can be mapped that nobody can both read and write")
	}
	p.noteOpen(fd, unix.O_RDWR|unix.O_TRUNC)
	if !p.canBeMapped() {
		t.Error("a file can't be mapped that somebody reads and writes")
	}
	p.noteClose(unix.O_RDWR | unix.O_TRUNC)
	if p.canBeMapped() {
		t.Error("a file can be mapped that is closed")
	}
}

func TestZeroing(t *testing.T) {
	var z zeroing
	for _, c := range []struct {
		from, to, off int64
		want          string
	}{
		{0, 0, 0, "abcdef"},
		{0, 0, 3, "abcdef"},
		{2, 4, 0, "ab\x00\x00ef"},
		{2, 4, 2, "\x00\x00cdef"},
		{2, 4, 3, "\x00bcdef"},
		{2, 4, 4, "abcdef"},
		{0, 100, 10, "\x00\x00\x00\x00\x00\x00"},
		{14, 100, 10, "abcd\x00\x00"},
		{16, 100, 10, "abcdef"},
	} {
		data := []byte("abcdef")
		z.begin(c.from, c.to)
		z.writing(data, c.off)()
		z.end()
		if !bytes.Equal(data, []byte(c.want)) {
			t.Errorf("%d to %d is zero: at %d %q is written, want %q", c.from, c.to, c.off, data, c.want)
		}
	}
}

// A write that is under way when a range is made zero is done before.
func TestZeroingWaits(t *testing.T) {
	var z zeroing
	written := z.writing([]byte("x"), 0)
	var begun atomic.Bool
	done := make(chan struct{})
	go func() {
		z.begin(0, 1)
		begun.Store(true)
		close(done)
	}()
	if begun.Load() {
		t.Error("a range is made zero while something is written")
	}
	written()
	<-done
}
