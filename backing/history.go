package backing

import (
	"cmp"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// keptVersion is a version in a registry's history.
type keptVersion struct {
	seq  uint64
	size int64
}

// openHistory opens the history of a registry so that it can be read and
// synced. It returns ENOENT where there is none.
func (d *Dir) openHistory(name string) (int, error) {
	fd, err := openDir(d.state, historyPath(name))
	if err == unix.ENOTDIR {
		err = unix.ENOENT
	}
	return fd, err
}

// makeHistory opens the history of a registry, which it creates if need be.
func (d *Dir) makeHistory(name string) (int, error) {
	const attempts = 8 // each fails only if another call drops an empty directory just then
	var err error
	for range attempts {
		var fd int
		if fd, err = d.openHistory(name); err != unix.ENOENT {
			return fd, err
		}
		if err = d.makeHistoryDirs(name); err != nil && err != unix.ENOENT {
			return -1, err
		}
	}
	return -1, err
}

func (d *Dir) makeHistoryDirs(name string) error {
	at, err := openDir(d.state, historyName)
	if err != nil {
		return err
	}
	defer func() { closeFD(at) }()
	for component := range strings.SplitSeq(name, "/") {
		entry := escape(component)
		if err := d.makeDir(at, entry); err != nil {
			return err
		}
		next, err := openDir(at, entry)
		if err != nil {
			return err
		}
		closeFD(at)
		at = next
		if _, isHash, _ := unescape(entry); isHash {
			if err := d.tellName(at, component); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellName writes down the component that a hashed entry stands for.
func (d *Dir) tellName(dir int, component string) error {
	fd, err := openAt(dir, nameEntry, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	if err := d.giveAway(dir, nameEntry); err != nil {
		return err
	}
	return writeAll(fd, []byte(component))
}

// dropHistory removes the directories of a history that nothing was put into.
func (d *Dir) dropHistory(name string) {
	for name != "" {
		parent, base := split(name)
		entry := escape(base)
		fd, err := d.openHistory(parent)
		if err != nil {
			return
		}
		if _, isHash, _ := unescape(entry); isHash {
			if dir, err := openDir(fd, entry); err == nil {
				if names, err := listDir(dir); err == nil && len(names) == 1 {
					_ = unlink(dir, nameEntry)
				}
				closeFD(dir)
			}
		}
		err = unix.Unlinkat(fd, entry, unix.AT_REMOVEDIR)
		closeFD(fd)
		if err != nil {
			return
		}
		name = parent
	}
}

// Version returns the content that is kept as version seq of a registry;
// fs.ErrNotExist if it is not kept.
func (d *Dir) Version(name string, seq uint64) ([]byte, error) {
	if err := d.enter("read version", name); err != nil {
		return nil, err
	}
	defer d.leave()
	content, err := d.version(name, seq)
	return content, wrap("read version", name, err)
}

func (d *Dir) version(name string, seq uint64) ([]byte, error) {
	s := d.histories.take(name)
	defer d.histories.put(d, s)
	if err := s.load(d); err != nil {
		return nil, err
	}
	hist, err := d.openHistory(name)
	if err != nil {
		return nil, err
	}
	defer closeFD(hist)
	return readFileAt(hist, versionEntry(seq), d.o.MaxLoad)
}

// Forget removes versions of a registry for good; one that is not kept is no
// error. It does not touch the live file. After an error the versions that it has not come
// to are kept.
func (d *Dir) Forget(name string, seqs ...uint64) error {
	if err := d.change("forget", name); err != nil {
		return err
	}
	defer d.leave()
	s := d.histories.take(name)
	defer d.histories.put(d, s)
	if err := unlink(d.state, viewsName); err != nil && err != unix.ENOENT {
		return wrap("forget", name, err) // it may hold the history that is to be forgotten
	}
	return wrap("forget", name, d.forget(s, seqs))
}

func (d *Dir) forget(s *history, seqs []uint64) error {
	if err := s.load(d); err != nil {
		return err
	}
	hist, err := d.openHistory(s.name)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return err
	}
	defer closeFD(hist)
	for _, seq := range seqs {
		if err := unlink(hist, versionEntry(seq)); err != nil && err != unix.ENOENT {
			return err
		}
		s.drop(seq)
	}
	return d.syncDir(hist)
}

// Versions lists the versions that are kept of a registry, ascending.
func (d *Dir) Versions(name string) ([]uint64, error) {
	if err := d.enter("list versions", name); err != nil {
		return nil, err
	}
	defer d.leave()
	s := d.histories.take(name)
	defer d.histories.put(d, s)
	if err := s.load(d); err != nil {
		return nil, &fs.PathError{Op: "list versions", Path: name, Err: err}
	}
	return s.seqs(), nil
}

// Archive keeps content as version seq of a registry although it never was the
// live file. It is durable when Archive returns, unless the Dir is relaxed.
func (d *Dir) Archive(name string, seq uint64, content []byte, digest [32]byte) error {
	if err := d.change("archive", name); err != nil {
		return err
	}
	defer d.leave()
	s := d.histories.take(name)
	defer d.histories.put(d, s)
	err := s.load(d)
	if err == nil {
		err = d.archive(s, seq, content, digest)
	}
	if err != nil {
		return &fs.PathError{Op: "archive", Path: name, Err: err}
	}
	return nil
}

func (d *Dir) archive(s *history, seq uint64, content []byte, digest [32]byte) error {
	hist, err := d.makeHistory(s.name)
	if err != nil {
		return err
	}
	defer closeFD(hist)
	s.mark(d)
	entry := archived{seq, digest}.entry()
	if err := unlink(hist, entry); err != nil && err != unix.ENOENT {
		return err
	}
	if err := d.writeLike(hist, entry, s.name, content, d.syncNew); err != nil {
		_ = unlink(hist, entry)
		d.dropHistory(s.name)
		return err
	}
	if err := rename(hist, entry, hist, versionEntry(seq), 0); err != nil {
		_ = unlink(hist, entry)
		return err
	}
	if d.o.Durability > 0 {
		d.syncer.note(versionPath(s.name, seq))
	}
	s.add(keptVersion{seq, int64(len(content))})
	d.prune(s, hist)
	return nil
}

// writeLike writes a new file in a directory of .clawfs, with the attributes of
// a live file if there is one, and syncs it as sync does.
func (d *Dir) writeLike(dir int, entry, name string, content []byte, sync func(fd int) error) error {
	fd, err := openAt(dir, entry, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	if err := d.o.reach("write copy"); err != nil {
		return err
	}
	if err := writeAll(fd, content); err != nil {
		return err
	}
	if err := d.likeLive(fd, name); err != nil {
		return err
	}
	if err := d.o.reach("sync copy"); err != nil {
		return err
	}
	return sync(fd)
}

// writeAs writes a new file in a directory of .clawfs, with the given attributes,
// and syncs it.
func (d *Dir) writeAs(dir int, entry string, content []byte, a attributes) error {
	fd, err := openAt(dir, entry, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	if err := writeAll(fd, content); err != nil {
		return err
	}
	is, err := statFD(fd)
	if err != nil {
		return err
	}
	if err := a.apply(fd, is); err != nil {
		return err
	}
	return d.syncNew(fd)
}

// likeLive gives a file just created the attributes of a live one; where there
// is none, it goes to the owner of the directory.
func (d *Dir) likeLive(fd int, name string) error {
	is, err := statFD(fd)
	if err != nil {
		return err
	}
	a := attributes{ids: d.owner, mode: 0o600}
	dir, base := split(name)
	if parent, err := openAt(d.root, pathOr(dir, "."), unix.O_PATH|unix.O_DIRECTORY, 0); err == nil {
		defer closeFD(parent)
		if st, err := statAt(parent, base); err == nil && st != nil && st.regular() {
			if a, err = attributesAt(parent, base, st); err != nil {
				return err
			}
		}
	}
	return a.apply(fd, is)
}

func pathOr(path, other string) string {
	if path == "" {
		return other
	}
	return path
}

// prune removes the oldest versions that are beyond the limits, but never the
// newest one. A version that can't be removed stays in it.
func (d *Dir) prune(s *history, hist int) {
	for _, v := range s.beyond(d.o.KeepVersions, d.o.KeepBytes) {
		if d.o.Pinned(s.name, v.seq) {
			continue
		}
		if err := d.o.reach("prune"); err != nil {
			return
		}
		if err := unlink(hist, versionEntry(v.seq)); err == nil || err == unix.ENOENT {
			s.drop(v.seq)
		}
	}
}

// beyond returns, oldest first, those versions whose removal would bring the
// history within its limits if nothing was pinned.
func (s *history) beyond(count int, bytes int64) []keptVersion {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, size := len(s.versions), s.bytes
	i := 0
	for ; i < len(s.versions)-1 && (n > count || size > bytes); i++ {
		n--
		size -= s.versions[i].size
	}
	return slices.Clone(s.versions[:i])
}

func (s *history) add(v keptVersion) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := s.find(v.seq)
	if found {
		s.bytes -= s.versions[i].size
		s.versions[i] = v
	} else {
		s.versions = slices.Insert(s.versions, i, v)
	}
	s.bytes += v.size
}

func (s *history) drop(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, found := s.find(seq); found {
		s.bytes -= s.versions[i].size
		s.versions = slices.Delete(s.versions, i, i+1)
	}
}

func (s *history) find(seq uint64) (int, bool) {
	return slices.BinarySearchFunc(s.versions, seq, func(v keptVersion, seq uint64) int { return cmp.Compare(v.seq, seq) })
}

func (s *history) seqs() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []uint64
	for _, v := range s.versions {
		out = append(out, v.seq)
	}
	return out
}
