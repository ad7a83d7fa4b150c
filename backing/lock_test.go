package backing

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Of two processes that serve a directory one is refused, and told the other's id.
func TestOnlyOneServes(t *testing.T) {
	b := newBench(t, Options{})
	b.commits("a", 1)
	before := b.tree()
	_, err := Open(b.path, Options{})
	var locked *LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() || locked.Dir != b.path {
		t.Errorf("second Open: %v, want a LockedError with process %d", err, os.Getpid())
	}
	if got := b.tree(); len(got) != len(before) {
		t.Errorf("the refused one changed something: %q", got)
	}
	b.close()
	b.open()
	b.wantLive("a", "v1")
}

// The questions to the descriptor come before anything is done in the directory.
func TestOpenedComesFirst(t *testing.T) {
	dir := t.TempDir()
	refused := errors.New("refused")
	var root os.FileInfo
	_, err := Open(dir, Options{Opened: func(fd int) (err error) {
		if root, err = os.Stat(procPath(fd, ".")); err != nil {
			t.Error(err)
		}
		return refused
	}})
	if err != refused {
		t.Errorf("Open: %v, want what Opened says", err)
	}
	if want, err := os.Stat(dir); err != nil || !os.SameFile(root, want) {
		t.Errorf("Opened was asked about %v, want %s", root, dir)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the directory holds %v, %v", left, err)
	}
}

// Many that start at once: exactly one at a time gets it.
func TestServersThatStartAtOnce(t *testing.T) {
	dir := t.TempDir()
	const many = 16
	type result struct {
		d   *Dir
		err error
	}
	results := make(chan result)
	for range many {
		go func() {
			d, err := Open(dir, Options{})
			results <- result{d, err}
		}()
	}
	var open *Dir
	for range many {
		r := <-results
		var locked *LockedError
		switch {
		case r.err == nil && open == nil:
			open = r.d
		case r.err == nil:
			t.Error("two have it")
			r.d.Close()
		case !errors.As(r.err, &locked):
			t.Error(r.err)
		}
	}
	if open == nil {
		t.Fatal("nobody has it")
	}
	open.Close()
}

// Another format is refused before anything is changed, in words that name the
// format found and the one that is known.
func TestOtherFormatsAreRefused(t *testing.T) {
	for _, text := range []string{"clawfs 3\n", "clawfs 0\n", "clawfs 10", "something else", "", strings.Repeat("x", 4000)} {
		for _, readOnly := range []bool{false, true} {
			dir := t.TempDir()
			state := filepath.Join(dir, Name)
			if err := os.Mkdir(state, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(state, formatName), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			d, err := Open(dir, Options{ReadOnly: readOnly})
			var format *FormatError
			if !errors.As(err, &format) {
				t.Errorf("format %.20q: %v, want a FormatError", text, err)
				if err == nil {
					d.Close()
				}
				continue
			}
			if got := err.Error(); !strings.Contains(got, dir) || !strings.Contains(got, strconv.Itoa(Format)) || len(got) > len(dir)+200 {
				t.Errorf("message: %s", got)
			}
			entries, err := os.ReadDir(state)
			if err != nil || len(entries) != 1 {
				t.Errorf("format %.20q: changed before it was refused: %v, %v", text, entries, err)
			}
		}
	}
}

// A directory that a newer version is about to make is not taken for ours, nor
// is one whose making was cut short refused.
func TestFormatCutShort(t *testing.T) {
	dir := t.TempDir()
	state := filepath.Join(dir, Name)
	for _, sub := range []string{"", historyName} {
		if err := os.Mkdir(filepath.Join(state, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(state, formatName+".new"), []byte("cl"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	if text, err := os.ReadFile(filepath.Join(state, formatName)); err != nil || string(text) != "clawfs 2\n" {
		t.Errorf("format: %q, %v", text, err)
	}
}

// Nobody but the owner gets at credentials through .clawfs, not even after a copy that was
// careless about modes, and with any umask.
func TestStateIsPrivate(t *testing.T) {
	old := unix.Umask(0)
	defer unix.Umask(old)
	b := newBench(t, Options{})
	b.must(os.Mkdir(filepath.Join(b.path, "d"), 0o755))
	b.commits("d/a", 2)
	b.must(b.d.Record("d/a", []byte(`{}`)))
	_, err := b.d.Quarantine("d/a", []byte("x"), []byte(`{}`))
	b.must(err)
	b.close()
	b.must(os.Chmod(filepath.Join(b.path, Name), 0o755))
	b.open()
	err = filepath.WalkDir(filepath.Join(b.path, Name), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && e.Type()&fs.ModeSymlink == 0 && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	b.must(err)
}

// History and quarantine belong to the owner of the registry, with its mode and its attributes:
// a user that could not read it can't read its versions either.
func TestCopiesBelongToTheOwnerOfTheRegistry(t *testing.T) {
	asRoot(t)
	b := newBench(t, Options{})
	b.must(os.Chown(b.path, 1234, 1235))
	b.close()
	b.must(os.RemoveAll(filepath.Join(b.path, Name)))
	b.open()
	b.commits("a", 1)
	live := filepath.Join(b.path, "a")
	b.must(os.Chown(live, 1236, 1237))
	b.must(os.Chmod(live, 0o640))
	b.must(unix.Setxattr(live, "user.note", []byte("kept"), 0))
	stamp := b.commit("a", b.stamp("a"), 2, 1, "v2")
	b.commit("a", stamp, 3, 2, "v3")
	id, err := b.d.Quarantine("a", []byte("bad"), []byte(`{}`))
	b.must(err)
	b.must(b.d.Archive("a", 9, []byte("v9"), [32]byte{}))
	for _, path := range []string{"a", Name + "/history/a/@2", Name + "/history/a/@9", Name + "/quarantine/" + id, Name + "/quarantine/" + id + metaSuffix} {
		var st unix.Stat_t
		b.must(unix.Lstat(filepath.Join(b.path, path), &st))
		if st.Uid != 1236 || st.Gid != 1237 || st.Mode&0o7777 != 0o640 {
			t.Errorf("%s: %d:%d %o, want 1236:1237 640", path, st.Uid, st.Gid, st.Mode&0o7777)
		}
		value := make([]byte, 16)
		if n, err := unix.Getxattr(filepath.Join(b.path, path), "user.note", value); err != nil || string(value[:n]) != "kept" {
			t.Errorf("%s: attribute %q, %v", path, value[:max(n, 0)], err)
		}
	}
	for _, path := range []string{"", "format", "lock", "reserve", "history", "history/a", "quarantine", "stage"} {
		var st unix.Stat_t
		b.must(unix.Lstat(filepath.Join(b.path, Name, path), &st))
		if st.Uid != 1234 || st.Gid != 1235 {
			t.Errorf("%s/%s belongs to %d:%d, want the directory's owner 1234:1235", Name, path, st.Uid, st.Gid)
		}
	}
}

// Nothing is left open, and nothing works, after Close.
func TestClose(t *testing.T) {
	before := descriptors(t)
	b := newBench(t, Options{})
	b.commits("a", 3)
	b.close()
	if now := descriptors(t); now != before {
		t.Errorf("%d descriptors, %d before", now, before)
	}
	d, err := Open(b.path, Options{})
	b.must(err)
	b.must(d.Close())
	for call, err := range map[string]error{
		"Close":  d.Close(),
		"Load":   func() error { _, _, _, err := d.Load("a"); return err }(),
		"Commit": func() error { _, _, err := d.Commit("a", "", 1, 0, nil, [32]byte{}, moment(1), nil); return err }(),
		"Sync":   d.Sync(),
	} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s after Close: %v, want fs.ErrClosed", call, err)
		}
	}
}
