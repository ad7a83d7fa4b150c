package backing

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	notesName = "cluster" // directory of .clawfs with a file of notes for each registry
	wholeName = "whole"   // its entry that says until when the notes are whole: the boot, or wholeEnd
	wholeEnd  = "ended"   // Close has synced them

	mostNotes   = 16 << 10 // bytes of a file of notes; beyond that older ones are dropped
	fewestNotes = 16       // that are kept then
)

// notes are lines about registries that are kept for package cluster.
type notes struct {
	mu    sync.Mutex // held while notes are written; guards the fields below
	whole bool       // none is missing
	known bool       // whole is known
	boot  bool       // wholeName has this boot, if they are whole
	begun bool       // NotesAreWhole was called
	dir   int        // descriptor of the directory, 0 if it was not opened
}

// Note keeps a line about a registry. A power failure may undo it, unless it is kept durably:
// then it may undo none of those before either.
func (d *Dir) Note(name string, line []byte, durably bool) error {
	if err := d.change("note", name); err != nil {
		return err
	}
	defer d.leave()
	d.notes.mu.Lock()
	defer d.notes.mu.Unlock()
	return wrap("note", name, d.note(name, line, durably))
}

func (d *Dir) note(name string, line []byte, durably bool) error {
	dir, err := d.notesDir()
	if err == nil && !d.notes.boot && d.areNotesWhole() {
		err = d.replaceNote(dir, wholeName, []byte(boot()), true) // wholeEnd holds until the first one
	}
	if err != nil {
		return err
	}
	d.notes.boot = true
	file := notesOf(name)
	fd, err := openAt(dir, file, unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	if err := writeAll(fd, append(bytes.Clone(line), '\n')); err != nil {
		return err
	}
	st, err := statFD(fd)
	if err != nil {
		return err
	}
	if st.size > mostNotes {
		return d.trimNotes(dir, file, durably)
	}
	if st.size <= int64(len(line))+1 {
		err = d.giveAway(dir, file)
	}
	if err == nil && durably {
		err = cmp.Or(d.syncKept(fd), d.syncDir(dir))
	}
	return err
}

// trimNotes drops all notes but the last ones.
func (d *Dir) trimNotes(dir int, file string, durably bool) error {
	text, err := readFileAt(dir, file, 2*mostNotes)
	if err != nil {
		return err
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(text, []byte{'\n'}), []byte{'\n'})
	text = append(bytes.Join(lines[max(0, len(lines)-fewestNotes):], nil), '\n')
	return d.replaceNote(dir, file, text, durably)
}

// replaceNote makes text a file of notes.
func (d *Dir) replaceNote(dir int, file string, text []byte, durably bool) error {
	temporary := file + ".new"
	fd, err := openAt(dir, temporary, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	err = cmp.Or(writeAll(fd, text), d.giveAway(dir, temporary))
	if err == nil && durably {
		err = fsync(fd)
	}
	if err == nil {
		err = rename(dir, temporary, dir, file, 0)
	}
	if err == nil && durably {
		err = fsync(dir)
	}
	return err
}

// notesDir returns the directory of the notes, which it makes if there is none. The caller holds
// notes.mu.
func (d *Dir) notesDir() (int, error) {
	if d.notes.dir > 0 {
		return d.notes.dir, nil
	}
	if err := d.makeDir(d.state, notesName); err != nil {
		return -1, err
	}
	dir, err := openDir(d.state, notesName)
	if err == nil {
		d.notes.dir = dir
	}
	return dir, err
}

// notesOf is the name of the file with the notes about a registry.
func notesOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// Notes returns the lines that were kept about a registry last, sixteen at least if there were as
// many. whole says that none of any registry is missing since NotesAreWhole was called.
func (d *Dir) Notes(name string) (lines [][]byte, whole bool, err error) {
	if err := d.enter("read notes", name); err != nil {
		return nil, false, err
	}
	defer d.leave()
	d.notes.mu.Lock()
	defer d.notes.mu.Unlock()
	whole = d.areNotesWhole()
	text, err := readFileAt(d.state, notesName+"/"+notesOf(name), 2*mostNotes)
	if err != nil && err != unix.ENOENT {
		return nil, false, wrap("read notes", name, err)
	}
	for line := range bytes.Lines(text) {
		lines = append(lines, bytes.TrimSuffix(line, []byte{'\n'}))
	}
	return lines, whole, nil
}

// dropNotes removes the notes about a registry.
func (d *Dir) dropNotes(name string) error {
	d.notes.mu.Lock()
	defer d.notes.mu.Unlock()
	if err := unlink(d.state, notesName+"/"+notesOf(name)); err != nil && err != unix.ENOENT {
		return err
	}
	return nil
}

// notesRoom returns how much room the notes about a registry take on disk.
func (d *Dir) notesRoom(name string) int64 {
	st, err := statAt(d.state, notesName+"/"+notesOf(name))
	if err != nil || st == nil {
		return 0
	}
	return st.room
}

// areNotesWhole reports whether no note is missing. The caller holds notes.mu.
func (d *Dir) areNotesWhole() bool {
	n := &d.notes
	if !n.known {
		text, err := readFileAt(d.state, notesName+"/"+wholeName, 1<<10)
		n.known, n.whole = true, err == nil && len(text) > 0 && (string(text) == wholeEnd || string(text) == boot())
	}
	return n.whole
}

// boot identifies this run of the machine; empty: it can't be told.
func boot() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
}

// NotesAreWhole says that from now on no note is missing, until there is a power failure.
func (d *Dir) NotesAreWhole() error {
	if d.o.ReadOnly {
		return d.stateError("write", notesName, unix.EROFS)
	}
	if err := d.use("write notes"); err != nil {
		return err
	}
	defer d.leave()
	d.notes.mu.Lock()
	defer d.notes.mu.Unlock()
	dir, err := d.notesDir()
	if err == nil {
		err = d.replaceNote(dir, wholeName, []byte(boot()), true)
	}
	if err != nil {
		return d.stateError("write", notesName+"/"+wholeName, err)
	}
	d.notes.known, d.notes.whole, d.notes.boot, d.notes.begun = true, true, true, true
	return nil
}

// closeNotes is for Close: it makes the notes durable, and says that they are whole.
func (d *Dir) closeNotes() error {
	n := &d.notes
	if n.dir <= 0 {
		return nil
	}
	defer closeFD(n.dir)
	if !n.begun {
		return nil
	}
	err := retry(func() error { return unix.Syncfs(n.dir) })
	if err == nil {
		err = d.replaceNote(n.dir, wholeName, []byte(wholeEnd), true)
	}
	if err != nil {
		return d.stateError("sync", notesName, err)
	}
	return nil
}
