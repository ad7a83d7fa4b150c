package backing

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Recovery is one leftover of a crash, or of a full disk, and its fate.
type Recovery struct {
	Name string // of the registry
	Seq  uint64 // the version that it is, or was to become
	ID   string // of the copy in quarantine; "" where it went to the history
	Err  error  // why it could not be resolved; it is left for the next attempt then
}

// Recovered returns the leftovers that Open found and resolved.
func (d *Dir) Recovered() []Recovery { return d.recovered }

// recover resolves the leftovers of the process that had the directory before. It
// looks into those histories only that stage tells of, so that its cost does not
// depend on how many registries there are. An error is kept for Recovered: the live
// files are right even if all fails here.
func (d *Dir) recover() error {
	entries, err := listDir(d.stage)
	if err != nil {
		return d.stateError("list", stageName, err)
	}
	for _, slot := range entries {
		name, err := readLink(d.stage, slot)
		if err == unix.EINVAL && strings.HasPrefix(slot, movePrefix) {
			err = d.finishMove(slot)
		} else if err == nil {
			err = d.recoverSlot(slot, name)
		}
		if err != nil {
			d.recovered = append(d.recovered, Recovery{Name: name, Err: wrap("recover", stageName+"/"+slot, err)})
		}
	}
	return nil
}

func (d *Dir) recoverSlot(slot, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	hist, err := d.openHistory(name)
	if err == nil {
		defer closeFD(hist)
		var entries []string
		if entries, err = listDir(hist); err == nil {
			var done []Recovery
			done, err = d.resolve(hist, name, entries)
			d.recovered = append(d.recovered, done...)
		}
	}
	if err != nil && err != unix.ENOENT {
		return err
	}
	return unlink(d.stage, slot)
}

func readLink(dir int, entry string) (string, error) {
	b, err := grow(func(b []byte) (int, error) {
		n, err := unix.Readlinkat(dir, entry, b)
		if n == len(b) {
			err = unix.ERANGE
		}
		return n, err
	})
	return string(b), err
}

// leftover reports whether an entry of a history is one that a commit leaves
// there only if it is cut short.
func leftover(entry string) bool {
	return strings.HasPrefix(entry, newPrefix) || strings.HasPrefix(entry, overPrefix) || strings.HasPrefix(entry, gonePrefix) || strings.HasPrefix(entry, arcPrefix)
}

// resolve brings the leftovers in a history into the right state. One that can't be
// resolved does not keep it from the others.
func (d *Dir) resolve(hist int, name string, entries []string) (done []Recovery, failed error) {
	for _, e := range entries {
		if !leftover(e) {
			continue
		}
		r, err := d.resolveOne(hist, name, e)
		failed = errors.Join(failed, err)
		if r != nil {
			done = append(done, *r)
		}
	}
	return done, failed
}

func (d *Dir) resolveOne(hist int, name, entry string) (*Recovery, error) {
	if s, ok := parseStaged(entry); ok {
		return d.resolveStaged(hist, name, entry, s)
	}
	if rest, ok := strings.CutPrefix(entry, overPrefix); ok {
		if s, ok := parseStaged(newPrefix + rest); ok {
			return d.resolveOver(hist, name, entry, s)
		}
	}
	if seq, ok := parseGone(entry); ok {
		return d.resolveOld(hist, name, entry, seq)
	}
	a, ok := parseArchived(entry)
	if !ok {
		return nil, nil
	}
	digest, err := digestAt(hist, entry)
	if err != nil {
		return nil, err
	}
	if digest == a.digest {
		return d.resolveOld(hist, name, entry, a.seq)
	}
	return d.resolveNew(hist, name, entry, a.seq, "incomplete")
}

// resolveStaged tells whether a staged file was exchanged. If it is the inode
// that was live, it was. Where inodes say nothing, since the directory is a copy
// of the one that the crash was in, the digests of both files do.
func (d *Dir) resolveStaged(hist int, name, entry string, s staged) (*Recovery, error) {
	st, err := statAt(hist, entry)
	if err != nil || st == nil {
		return nil, err
	}
	if s.oldIno != 0 && st.ino == s.oldIno {
		return d.resolveOld(hist, name, entry, s.oldSeq)
	}
	live, err := d.statLive(name)
	if err != nil && !errors.Is(err, os.ErrInvalid) {
		return nil, err
	}
	if live != nil && live.ino == st.ino {
		return nil, unlink(hist, entry) // it was put in place by a link
	}
	digest, err := digestAt(hist, entry)
	if err != nil {
		return nil, err
	}
	switch {
	case digest == s.digest && st.links > 1: // it is there by its other name
		return nil, unlink(hist, entry)
	case digest == s.digest:
		return d.resolveNew(hist, name, entry, s.seq, "clawfs ended before the commit")
	}
	if live != nil && live.regular() {
		if digest, err = digestAt(d.root, name); err != nil {
			return nil, err
		}
		if digest == s.digest {
			return d.resolveOld(hist, name, entry, s.oldSeq)
		}
	}
	return d.resolveNew(hist, name, entry, s.seq, "clawfs ended before the commit; the copy is incomplete")
}

// resolveOld makes a leftover the version that it is.
func (d *Dir) resolveOld(hist int, name, entry string, seq uint64) (*Recovery, error) {
	if seq == 0 {
		return d.resolveNew(hist, name, entry, seq, displaced)
	}
	if err := d.o.reach("recover version"); err != nil {
		return nil, err
	}
	if err := rename(hist, entry, hist, versionEntry(seq), 0); err != nil {
		return nil, err
	}
	return &Recovery{Name: name, Seq: seq}, nil
}

// resolveNew puts a leftover that never was live into quarantine. An empty one
// holds nothing that anybody wrote.
func (d *Dir) resolveNew(hist int, name, entry string, seq uint64, why string) (*Recovery, error) {
	st, err := statAt(hist, entry)
	if err != nil || st == nil {
		return nil, err
	}
	if st.size == 0 {
		return nil, unlink(hist, entry)
	}
	if err := d.o.reach("recover copy"); err != nil {
		return nil, err
	}
	id, err := d.quarantineEntry(hist, entry, name, stray{seq: seq, why: why})
	if err != nil {
		return nil, err
	}
	return &Recovery{Name: name, Seq: seq, ID: id}, nil
}

// digestAt returns the SHA-256 of a file without holding it in memory.
func digestAt(dir int, path string) (digest [32]byte, err error) {
	fd, err := openAt(dir, path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return digest, err
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return digest, errno(err)
	}
	return [32]byte(h.Sum(nil)), nil
}
