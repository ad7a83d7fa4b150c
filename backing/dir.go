package backing

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// Durability says when a commit is on disk. A positive one is an interval: commits are synced
// at most once in it, and a power failure loses at most those within it.
type Durability time.Duration

const (
	// Fsync makes content and name durable before a commit returns.
	Fsync Durability = 0
	// None never syncs. It is for tests.
	None Durability = -1
)

// Options say how a Dir behaves. The zero value of a field means its default.
type Options struct {
	Durability Durability

	KeepVersions int   // versions to keep of a registry; 64
	KeepBytes    int64 // bytes of versions to keep of a registry; 64 MiB

	QuarantineFiles int   // copies to keep in quarantine; 10,000
	QuarantineBytes int64 // bytes to keep in quarantine; 256 MiB

	Reserve int64 // bytes set aside for quarantine on a full disk; 1 MiB

	MaxLoad  int64 // largest file that is read; 1 GiB
	LogBytes int64 // size at which a log is rotated; 1 MiB

	// Pinned says that a version is still needed and must not be pruned. It is
	// called from Commit, Remove and Archive; nil pins nothing.
	Pinned func(name string, seq uint64) bool

	// SyncFailed is told of errors of a sync that nobody waits for (an interval).
	SyncFailed func(error)

	Clock func() time.Time // time.Now

	// Opened is called with the directory's descriptor before anything is asked of
	// the directory. An error that it returns is that of Open. nil takes any.
	Opened func(root int) error

	// Without has the optimizations to do without, of Optimizations.
	Without []string

	// ReadOnly opens for looking only: nothing is created, locked or recovered, and each change
	// fails with EROFS. It works while another process holds the lock.
	ReadOnly bool

	// reach is called before each step of a change with its name; an error that
	// it returns is that step's error. Tests fail, and kill, at each step.
	reach func(step string) error

	leastDirect int // bytes from which on content is written past the page cache; 512 KiB
}

func (o Options) withDefaults() Options {
	o.KeepVersions = cmp.Or(o.KeepVersions, 64)
	o.KeepBytes = cmp.Or(o.KeepBytes, 64<<20)
	o.QuarantineFiles = cmp.Or(o.QuarantineFiles, 10_000)
	o.QuarantineBytes = cmp.Or(o.QuarantineBytes, 256<<20)
	o.Reserve = cmp.Or(o.Reserve, 1<<20)
	o.MaxLoad = cmp.Or(o.MaxLoad, 1<<30)
	o.LogBytes = cmp.Or(o.LogBytes, 1<<20)
	o.leastDirect = cmp.Or(o.leastDirect, 512<<10)
	if o.Pinned == nil {
		o.Pinned = func(string, uint64) bool { return false }
	}
	if o.SyncFailed == nil {
		o.SyncFailed = func(error) {}
	}
	if o.Opened == nil {
		o.Opened = func(int) error { return nil }
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.reach == nil {
		o.reach = func(string) error { return nil }
	}
	return o
}

// Dir is a directory of registries, reached through one descriptor that was
// opened before anything was mounted on it. Its methods may be called
// concurrently; those that change one registry one at a time.
//
// Errors are *fs.PathError with the errno, unless a method says otherwise;
// fs.ErrClosed after Close.
type Dir struct {
	path  string // for messages only
	o     Options
	owner ids // owner of the files that are created in .clawfs
	lock  *flock.Flock

	inUse  sync.RWMutex // held for reading by each call, for writing by Close
	closed bool         // guarded by inUse

	root  int // O_PATH descriptor of the directory
	state int // O_PATH descriptor of its .clawfs
	stage int // of .clawfs/stage

	histories  histories
	quarantine quarantine
	syncer     syncer
	numbers    Numbers
	notes      notes
	recovered  []Recovery // written by Open only

	noExchange atomic.Bool // the file system lacks RENAME_EXCHANGE

	syncContent func(fd int) error // of a new file, before the sync of its directory makes its name durable

	linked sync.RWMutex // held for writing while a file with other names is changed
}

// Open opens the directory at path, creates its .clawfs if need be, takes the
// lock, and resolves the leftovers of a crash. Errors: *LockedError where another
// process holds the lock, *FormatError where .clawfs has a format that this version
// can't read, Options.Opened's.
func Open(path string, o Options) (*Dir, error) {
	d := &Dir{path: path, o: o.withDefaults(), root: -1, state: -1, stage: -1, syncContent: fsync}
	d.histories.init()
	d.syncer.init(d)
	d.numbers.file = -1
	if err := d.open(); err != nil {
		d.release()
		return nil, err
	}
	return d, nil
}

func (d *Dir) open() error {
	err := retry(func() (err error) {
		d.root, err = unix.Open(d.path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		d.root = -1
		return &fs.PathError{Op: "open", Path: d.path, Err: err}
	}
	if err := d.o.Opened(d.root); err != nil {
		return err
	}
	if err := d.openState(); err != nil {
		return err
	}
	if _, err := d.readFormat(); err != nil || d.o.ReadOnly {
		return err
	}
	if err := d.takeLock(); err != nil {
		return err
	}
	if err := d.prepareState(); err != nil {
		return err
	}
	if d.stage, err = openDir(d.state, stageName); err != nil {
		return d.stateError("open", stageName, err)
	}
	d.openNumbers()
	if !slices.Contains(d.o.Without, OneSync) && syncsAll(d.root) {
		d.syncContent = writeOut
	}
	return d.recover()
}

// openState opens .clawfs, which it creates if it is missing.
func (d *Dir) openState() error {
	st, err := statAt(d.root, ".")
	if err != nil {
		return d.stateError("stat", "", err)
	}
	d.owner = ids{st.uid, st.gid}
	d.numbers.init(st.dev, st.ino)
	if !d.o.ReadOnly {
		if err := d.makeDir(d.root, Name); err != nil {
			return d.stateError("create", "", err)
		}
	}
	if d.state, err = openAt(d.root, Name, unix.O_PATH|unix.O_DIRECTORY, 0); err != nil {
		return d.stateError("open", "", err)
	}
	return d.closeState()
}

// closeState takes all rights to .clawfs from everybody but the owner. A careless copy of the
// directory may have given them away, and .clawfs holds credentials.
func (d *Dir) closeState() error {
	st, err := statFD(d.state)
	if err != nil {
		return d.stateError("stat", "", err)
	}
	if d.o.ReadOnly || st.mode&0o077 == 0 {
		return nil
	}
	if err := retry(func() error { return unix.Fchmodat(d.root, Name, 0o700, 0) }); err != nil {
		return d.stateError("chmod", "", err)
	}
	return nil
}

// prepareState completes .clawfs. Each new part of it is on disk before anything relies
// on it.
func (d *Dir) prepareState() error {
	number, err := d.readFormat()
	if err != nil {
		return err
	}
	for _, name := range [...]string{historyName, stageName, quarantineName} {
		if err := d.makeDir(d.state, name); err != nil {
			return d.stateError("create", name, err)
		}
	}
	if err := d.writeIgnores(); err != nil {
		return err
	}
	if number != Format {
		if err := d.writeFormat(); err != nil {
			return err
		}
		if err := errors.Join(d.syncDir(d.state), d.syncDir(d.root)); err != nil {
			return d.stateError("sync", "", err)
		}
	}
	d.fillReserve()
	return nil
}

// makeDir creates a directory that only its owner can use, or leaves the one
// that is there. It must not hand on a default ACL of the directory above it.
func (d *Dir) makeDir(parent int, name string) error {
	err := retry(func() error { return unix.Mkdirat(parent, name, 0o700) })
	if err == unix.EEXIST {
		return nil
	}
	if err != nil {
		return err
	}
	_ = unix.Lremovexattr(procPath(parent, name), aclDefault)
	return d.giveAway(parent, name)
}

// giveAway gives something that the daemon has created in .clawfs to the
// directory's owner, if the daemon may.
func (d *Dir) giveAway(parent int, name string) error {
	if os.Geteuid() != 0 || d.owner == (ids{}) {
		return nil
	}
	return unix.Fchownat(parent, name, int(d.owner.uid), int(d.owner.gid), unix.AT_SYMLINK_NOFOLLOW)
}

// stateError says that something below .clawfs failed.
func (d *Dir) stateError(op, name string, err error) error {
	path := Name
	if name != "" {
		path += "/" + name
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// Fd returns the O_PATH descriptor of the directory. It is the Dir's own: it
// must not be closed, and not be used after Close.
func (d *Dir) Fd() int { return d.root }

// Close syncs the changes that an interval has left unsynced, and releases the
// lock. It waits for calls under way.
func (d *Dir) Close() error {
	d.inUse.Lock()
	defer d.inUse.Unlock()
	if d.closed {
		return fs.ErrClosed
	}
	d.closed = true
	err := d.syncer.flush()
	d.histories.clear(d)
	d.closeNumbers()
	return errors.Join(err, d.closeNotes(), d.release())
}

// release gives up the descriptors that Open has got so far.
func (d *Dir) release() error {
	var err error
	if d.lock != nil {
		err = d.lock.Close()
	}
	for _, fd := range [...]int{d.numbers.file, d.stage, d.state, d.root} {
		closeFD(fd)
	}
	return err
}

// enter begins a call on a registry: it checks the name and keeps Close away
// until the caller calls leave, which it must if the error is nil.
func (d *Dir) enter(op, name string) error {
	if err := checkName(name); err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return d.use(op)
}

// change is enter for a call that changes something.
func (d *Dir) change(op, name string) error {
	if d.o.ReadOnly {
		return &fs.PathError{Op: op, Path: name, Err: unix.EROFS}
	}
	return d.enter(op, name)
}

func (d *Dir) use(op string) error {
	d.inUse.RLock()
	if d.closed {
		d.inUse.RUnlock()
		return &fs.PathError{Op: op, Path: d.path, Err: fs.ErrClosed}
	}
	return nil
}

func (d *Dir) leave() { d.inUse.RUnlock() }

// Load reads the live file of a registry; mtime is its modification time. The
// stamp identifies this very state of the file: it changes whenever anybody but
// Commit changes the file. A file that changes while it is read gives a stamp
// that is already outdated. Errors: fs.ErrNotExist; fs.ErrInvalid where the name
// is no regular file; *SizeError where it is larger than Options.MaxLoad.
func (d *Dir) Load(name string) (content []byte, mtime time.Time, stamp string, err error) {
	if err := d.enter("load", name); err != nil {
		return nil, time.Time{}, "", err
	}
	defer d.leave()
	fd, st, err := d.openLive(name)
	if err != nil {
		return nil, time.Time{}, "", &fs.PathError{Op: "load", Path: name, Err: err}
	}
	defer closeFD(fd)
	if st.links > 1 {
		d.linked.RLock()
		defer d.linked.RUnlock()
		if st, err = statFD(fd); err != nil {
			return nil, time.Time{}, "", &fs.PathError{Op: "load", Path: name, Err: err}
		}
	}
	content, err = readAll(fd, st.size, d.o.MaxLoad)
	if err == unix.EFBIG {
		return nil, time.Time{}, "", &SizeError{Name: name, Size: st.size, Limit: d.o.MaxLoad}
	}
	if err != nil {
		return nil, time.Time{}, "", &fs.PathError{Op: "load", Path: name, Err: err}
	}
	return content, st.modTime(), st.stamp(), nil
}

// openLive opens a live file for reading. Anything but a regular file is
// fs.ErrInvalid and is not opened: to open a device can have effects.
func (d *Dir) openLive(name string) (int, *state, error) {
	st, err := d.statLive(name)
	switch {
	case err != nil:
		return -1, nil, err
	case st == nil:
		return -1, nil, unix.ENOENT
	case !st.regular():
		return -1, nil, fs.ErrInvalid
	}
	fd, err := openAt(d.root, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err == unix.ELOOP {
		return -1, nil, fs.ErrInvalid
	}
	if err != nil {
		return -1, nil, err
	}
	st, err = statFD(fd)
	if err == nil && !st.regular() {
		err = fs.ErrInvalid
	}
	if err != nil {
		closeFD(fd)
		return -1, nil, err
	}
	return fd, st, nil
}

// Stamp returns the stamp of the live file without reading it, or "" and nil
// where there is none.
func (d *Dir) Stamp(name string) (string, error) {
	if err := d.enter("stat", name); err != nil {
		return "", err
	}
	defer d.leave()
	st, err := d.statLive(name)
	if err == nil && st != nil && st.links > 1 {
		d.linked.RLock()
		st, err = d.statLive(name)
		d.linked.RUnlock()
	}
	if err != nil {
		return "", &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return st.stamp(), nil
}

// statLive returns the state of a live file, nil if there is none. One in the
// root needs a single call; the name of any other could be led astray by a
// symbolic link on its way.
func (d *Dir) statLive(name string) (*state, error) {
	if dir, _ := split(name); dir == "" {
		return statAt(d.root, name)
	}
	fd, err := openAt(d.root, name, unix.O_PATH|unix.O_NOFOLLOW, 0)
	switch err {
	case nil:
		defer closeFD(fd)
		return statFD(fd)
	case unix.ENOENT, unix.ENOTDIR:
		return nil, nil
	case unix.ELOOP:
		return nil, fs.ErrInvalid
	}
	return nil, err
}
