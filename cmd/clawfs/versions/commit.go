package versions

import (
	"errors"
	"io"
	iofs "io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"clawfs/backing"
	"clawfs/fs"
	"clawfs/fs/mountpoint"
	"clawfs/txn"
	"clawfs/txn/merge"
)

// Settings are those of a directory, by options and configuration.
type Settings interface {
	Policy(name string) *merge.Policy
	Dialect(name string) (d txn.Dialect, settled bool)
	Registry(name string) bool // whether a file of that name is one
}

// Engine commits.
type Engine struct {
	// Settings returns those of a directory.
	Settings func(root string) (Settings, error)

	// Open opens the store of a directory that is not mounted, until the Closer is closed.
	// The error is a *mountpoint.MountedError where it is mounted.
	Open func(root string) (*txn.Store, io.Closer, error)

	// Look opens a place's directory for looking only; nil is Place.Look.
	Look func(p Place) (*backing.Dir, error)
}

// A Commit names the content that a registry is to hold.
type Commit struct {
	Place
	Content []byte
	Remove  bool // it is to be gone, instead; with Intent.Over only
	Put     bool // nothing is merged; so it is with Intent.Over, in any case
	txn.Intent
}

// MovedError says that a registry holds another version by now than the one that a commit
// was to replace. Nothing has changed.
type MovedError struct{ Path string }

// Error names the registry.
func (e *MovedError) Error() string {
	return "somebody else has changed " + e.Path + " meanwhile"
}

// Commit makes a commit, by way of the mount where the directory is mounted. Errors:
// *RefusedError where clawfs does not take the content, *MovedError, *fs.NotRegistryError,
// *fs.OldDaemonError, *DeadError, or the system's.
func (e *Engine) Commit(c *Commit) error {
	mounted, err := c.Mounted()
	if err != nil {
		return err
	}
	if c.Over != nil && *c.Over == "" {
		// The directory of a registry that is brought back may have gone with it.
		if err := os.MkdirAll(filepath.Dir(c.Path()), 0o700); err != nil {
			return err
		}
	}
	if !mounted {
		err = e.commitUnserved(c)
		var came *mountpoint.MountedError
		if !errors.As(err, &came) {
			return err
		}
		// A mount has come in between.
	}
	return c.throughMount()
}

// throughMount commits by way of the mount.
func (c *Commit) throughMount() error {
	f, err := c.open()
	if errors.Is(err, iofs.ErrNotExist) && c.Over != nil && *c.Over != "" {
		return &MovedError{Path: c.Path()} // it is gone
	}
	if err != nil {
		return err
	}
	if c.Remove {
		err = errors.Join(os.Remove(c.Path()), f.Close())
		if errors.Is(err, iofs.ErrNotExist) {
			return &MovedError{Path: c.Path()}
		}
		return c.told(err)
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.Write(c.Content)
	}
	return c.told(errors.Join(err, f.Close()))
}

// open opens the registry through the mount.
func (c *Commit) open() (*os.File, error) {
	if c.Over == nil && c.Put {
		return fs.Put(c.Root, c.Name)
	}
	if c.Over == nil {
		// A process is taken to have changed the version that it has read. Without a reading of its own
		// that would be one that its kin have read, any version perhaps. So it reads the head: its
		// differences from the head are the changes that it wants.
		if _, err := os.ReadFile(c.Path()); err != nil && !errors.Is(err, iofs.ErrNotExist) {
			return nil, err
		}
	}
	f, err := fs.Intend(c.Root, c.Name, c.Intent)
	var old *fs.OldDaemonError
	if errors.As(err, &old) && c.Over == nil {
		return os.OpenFile(c.Path(), os.O_WRONLY|os.O_CREATE, 0o600) // without a note
	}
	return f, err
}

// told returns the error that one of the mount stands for.
func (c *Commit) told(err error) error {
	if c.Over != nil && errors.Is(err, unix.EBUSY) {
		return &MovedError{Path: c.Path()}
	}
	for _, refusal := range []error{unix.EINVAL, unix.EBUSY, unix.EFBIG} {
		if errors.Is(err, refusal) {
			return &RefusedError{Path: c.Path(), Cause: refusal}
		}
	}
	return err
}

// commitUnserved commits where nothing is mounted. The error is a
// *mountpoint.MountedError where something is.
func (e *Engine) commitUnserved(c *Commit) error {
	settings, err := e.Settings(c.Root)
	if err != nil {
		return err
	}
	store, dir, err := e.Open(c.Root)
	if err != nil {
		return err
	}
	defer dir.Close()
	if !settings.Registry(c.Name) {
		return &fs.NotRegistryError{Path: c.Path()}
	}
	self := txn.Caller{Actor: txn.Actor{PID: os.Getpid(), Start: 1}, Program: "clawfs", UID: uint32(os.Geteuid())}
	err = c.in(store, self)
	var invalid *txn.InvalidError
	var large *txn.TooLargeError
	var stale *txn.StaleError
	switch {
	case errors.As(err, &stale), c.Remove && errors.Is(err, iofs.ErrNotExist):
		return &MovedError{Path: c.Path()}
	case errors.As(err, &invalid), errors.As(err, &large):
		return &RefusedError{Path: c.Path(), Cause: err}
	}
	return err
}

// in commits in a store.
func (c *Commit) in(store *txn.Store, self txn.Caller) error {
	tx, err := store.Begin(c.Name, self, txn.BeginOptions{Truncate: !c.Remove, Create: !c.Remove})
	if err != nil {
		return err
	}
	defer tx.Release()
	tx.Intend(c.Intent)
	if c.Remove {
		return store.Unlink(c.Name, self)
	}
	tx.Put()
	if _, err = tx.WriteAt(self, c.Content, 0); err == nil {
		err = tx.Flush(self, txn.Death{})
	}
	return err
}

// Last returns the newest record of the place's registry, with the user's name; nil where
// there is none.
func (p Place) Last() (*Record, error) {
	dir, err := p.Look()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	h, err := ReadHistory(dir, p.Name)
	if err != nil {
		return nil, err
	}
	if len(h.Records) == 0 {
		return nil, nil
	}
	r := &h.Records[len(h.Records)-1]
	r.User = UserName(r.UID)
	return r, nil
}
