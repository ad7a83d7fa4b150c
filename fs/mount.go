package fs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"clawfs/fs/mountpoint"
	"clawfs/fs/process"
	"clawfs/fs/takeover"
	"clawfs/txn"
)

// Options say how a mount behaves.
type Options struct {
	Patterns   *Patterns   // of the registries' names; nil: as the defaults say
	Teller     []string    // a command that calls TellWatchers with its last two arguments; nil: watchers are not told of commits
	AllowOther bool        // let other users in, as far as the modes of files allow
	Debug      bool        // log every request
	Log        *zap.Logger // nil: no log
	Without    []string    // optimizations to do without, of Optimizations
	Transport  string      // one of Transports; empty: DeviceTransport
	Crowd      func(bool)  `json:"-"` // is called when several threads at a time begin to open files, and when they have stopped; nil: nobody is told
	Numbers    Numbers     `json:"-"` // inode numbers that programs see; there must be some

	Keeper *takeover.Keeper `json:"-"` // keeps the mount for a later daemon, or kept it for this one; nil: none does
}

// Optimizations: tests run with each of them on and off.
const (
	HeldThreads = "held-threads" // descriptors of the threads that requests came from lately
	ReadAhead   = "read-ahead"   // reading more of a plain file ahead than the kernel does by itself
	KernelCache = "kernel-cache" // names, attributes and pages that the kernel keeps
)

// Resending is a feature of the kernel that a takeover needs: the kernel sends the requests
// of a dead daemon again. Older kernels lack it. Options.Without may hold it as well.
const Resending = "resending"

// Optimizations returns the names that Options.Without may hold.
func Optimizations() []string { return []string{HeldThreads, ReadAhead, KernelCache, Resending} }

// Server serves one mount.
type Server struct {
	dir     string // the mountpoint
	mountID int
	fsys    *fileSystem
	way     transport
	done    chan struct{} // closed when the last request is answered
}

// Mount mounts a directory, given by an O_PATH descriptor of it, on a mountpoint,
// which may be the same directory: in place. The store must be over the directory;
// store and descriptor stay the caller's, and in use until Wait returns.
// dir is the mountpoint, absolute, free of symbolic links and of dead mounts
// (mountpoint.Clear). Mount returns when the kernel's INIT is answered and requests are
// served.
//
// It changes the process: the umask becomes 0, since the kernel applies the
// callers', and the limit of descriptors is raised as far as possible.
//
// With a keeper that has a connection nothing is mounted: that connection is taken over, whose
// mountpoint is dir.
//
// Errors: those of package mountpoint, *PatternError, *TransportError, *TakeoverError,
// *ledger.FormatError, or the system's.
func Mount(root int, store *txn.Store, dir string, o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	unix.Umask(0)
	fsys, err := newFileSystem(root, store, o, raiseDescriptorLimit())
	if err != nil {
		return nil, err
	}
	options, err := mountOptions(root, o)
	if err != nil {
		return nil, err
	}
	connect := fsys.connect
	if o.Keeper != nil {
		connect = func(dir string, options *fusefs.Options, wanted string) (transport, error) {
			return fsys.connectKept(dir, options, wanted, o.Keeper)
		}
	}
	way, err := connect(dir, options, o.Transport)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, fsys: fsys, way: way, done: make(chan struct{})}
	store.Watch(txn.ObserverFunc(fsys.changed))
	if m, err := mountpoint.Top(dir); err == nil && m != nil {
		s.mountID = m.ID
		if !fsys.without(ReadAhead) {
			readAhead(m.Major, m.Minor)
		}
		device := unix.Mkdev(uint32(m.Major), uint32(m.Minor))
		fsys.device.Store(device)
		fsys.watch(o.Teller, dir, device)
		if k, ok := way.(*keptTransport); ok {
			fsys.tellUnheard(k.unheard)
		}
	}
	s.Transport().log(o.Log)
	go s.serve()
	return s, nil
}

func newFileSystem(root int, store *txn.Store, o Options, descriptors uint64) (*fileSystem, error) {
	names := o.Patterns
	if names == nil {
		var err error
		if names, err = NewPatterns(nil, nil, nil, nil); err != nil {
			return nil, err
		}
	}
	var stx unix.Statx_t
	if err := statFD(root, &stx); err != nil {
		return nil, os.NewSyscallError("statx", err)
	}
	fsys := &fileSystem{
		log: o.Log, store: store, names: names,
		callers: callers{process.NewCallers(!slices.Contains(o.Without, HeldThreads))}, credentials: newCredentials(), origin: origin{dev: deviceOf(&stx), numbers: o.Numbers},
		disabled: o.Without, crowd: crowd{tell: o.Crowd},
	}
	id := fusefs.StableAttr{Mode: unix.S_IFDIR, Ino: rootID, Gen: generationOf(&stx)}
	fsys.root = &node{fsys: fsys, fd: root, dev: fsys.origin.dev, id: id}
	fsys.root.number.Store(rootID)
	fsys.lineages.init()
	fsys.nodes.init(fsys.pruner.crowded)
	fsys.registries.init()
	fsys.pruner.init(fsys, descriptors)
	return fsys, nil
}

// watch has watchers told of commits.
func (fsys *fileSystem) watch(teller []string, dir string, device uint64) {
	if len(teller) == 0 {
		return
	}
	fsys.watchers.Store(newNotifier(teller, dir, device, fsys, fsys.log))
}

// changed is told of each commit before the program is that made it.
func (fsys *fileSystem) changed(e txn.Event) {
	if dir, base, ok := fsys.known(e.Name); ok {
		switch {
		case e.Changed:
			fsys.registries.outdate(dir, base)
			var stx unix.Statx_t
			if e.Linked && statAt(dir.fd, base, &stx) == nil {
				fsys.outdatePlain(fsys.origin.identify(&stx, false))
			}
		case !e.Was.IsZero():
			before, after := txn.Info{Size: e.Size, Time: e.Was}, txn.Info{Size: e.Size, Time: e.Time}
			fsys.registries.touched(dir, base, sizeTimeOfInfo(before), sizeTimeOfInfo(after))
		}
	}
	if w := fsys.watchers.Load(); w != nil {
		w.observe(e)
	}
}

// outdatePlain tells the kernel that a file is another one than it was told, by a name that is
// no registry's, if it knows one. Pages are dropped by the next open, as ever.
func (fsys *fileSystem) outdatePlain(id fusefs.StableAttr) {
	if n := fsys.nodes.get(id.Ino); n != nil && n.id == id {
		n.forgetAttributes()
	}
}

// maxWrite is the most that one request reads or writes.
const maxWrite = 1 << 20

func mountOptions(root int, o Options) (*fusefs.Options, error) {
	source, err := os.Readlink(procPath(root))
	if err != nil {
		return nil, err
	}
	logger, err := zap.NewStdLogAt(o.Log, zap.WarnLevel)
	if err != nil {
		return nil, err
	}
	return &fusefs.Options{
		// No timeouts: each reply has its own, by the role of the file.
		NullPermissions: true, // a mode of 0 means nothing else
		ExternalNodeID:  true,
		RootStableAttr:  &fusefs.StableAttr{Ino: rootID},
		Logger:          logger,
		MountOptions: fuse.MountOptions{
			AllowOther:    o.AllowOther,
			Options:       []string{"default_permissions"},
			MaxBackground: 64,
			MaxWrite:      maxWrite,
			MaxReadAhead:  maxWrite,
			FsName:        source,
			Name:          strings.TrimPrefix(mountpoint.FSType, "fuse."),
			Debug:         o.Debug,
			Logger:        logger,
			EnableAcl:     true,
			PanicHandler:  func(v any) fuse.Status { return survive(o.Log, v) },
			// O_TRUNC comes with OPEN, the umask with each request that creates, and
			// the kernel asks for no capabilities before each write. The daemon
			// decides when the kernel's pages of a plain file have to go (pages).
			ExtraCapabilities: fuse.CAP_ATOMIC_O_TRUNC | fuse.CAP_DONT_MASK | fuse.CAP_HANDLE_KILLPRIV_V2 |
				fuse.CAP_SETXATTR_EXT | fuse.CAP_DIRECT_IO_ALLOW_MMAP | fuse.CAP_READDIRPLUS_AUTO,
			DisabledCapabilities: fuse.CAP_NO_OPEN_SUPPORT | fuse.CAP_PASSTHROUGH | fuse.CAP_AUTO_INVAL_DATA,
		},
	}, nil
}

// readAheadKiB is how much of a plain file the kernel reads ahead: four times its default, with
// which a file is read in half the time. With more it takes longer again.
const readAheadKiB = 512

// readAhead has the kernel read ahead so far on a mount's device. Only root may; without
// it there is no harm.
func readAhead(major, minor int) {
	_ = os.WriteFile(fmt.Sprintf("/sys/class/bdi/%d:%d/read_ahead_kb", major, minor), []byte(strconv.Itoa(readAheadKiB)), 0)
}

// survive makes a panic in a handler that request's EIO. The panic's value is not
// logged, unless the runtime made it: it might hold something out of a document.
func survive(log *zap.Logger, thrown any) fuse.Status {
	what := fmt.Sprintf("%T", thrown)
	if err, ok := thrown.(runtime.Error); ok {
		what = err.Error()
	}
	log.Error("panic in a request", zap.String("thrown", what), zap.ByteString("goroutine", debug.Stack()))
	return fuse.EIO
}

// serve answers requests until the mount is taken away.
func (s *Server) serve() {
	defer close(s.done)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go s.fsys.pruner.run(ctx)
	if w := s.fsys.watchers.Load(); w != nil {
		go w.run(ctx)
	}
	s.way.Serve()
	s.fsys.callers.Close()
	s.fsys.nodes.clear()
}

// Alive returns as soon as the locks that every request needs can be had. It waits for no disk.
func (s *Server) Alive() {
	s.fsys.registries.mu.Lock()
	defer s.fsys.registries.mu.Unlock()
	s.fsys.nodes.mu.Lock()
	defer s.fsys.nodes.mu.Unlock()
}

// Wait returns when the mount was taken away, by whomever, and the last request
// is answered.
func (s *Server) Wait() { <-s.done }

// Shutdown takes the mount away, lazily if it is in use, and waits until the
// last file that is still open has been closed, or ctx ends. Its error then is
// ctx's, and open files stay served until the process ends.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.unmount(); err != nil {
		return err
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unmount takes the mount away, if the mountpoint still shows it.
func (s *Server) unmount() error {
	m, err := mountpoint.Top(s.dir)
	if err != nil {
		return err
	}
	if m == nil || m.ID != s.mountID {
		return nil
	}
	err = mountpoint.Detach(s.dir, false)
	if errors.Is(err, unix.EBUSY) {
		err = mountpoint.Detach(s.dir, true)
	}
	return err
}
