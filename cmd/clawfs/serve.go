package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"clawfs/backing"
	"clawfs/fs"
	"clawfs/fs/mountpoint"
	"clawfs/fs/process"
	"clawfs/fs/takeover"
	"clawfs/txn"
)

// drainLimit is how long a daemon that is told to end waits for open
// transactions. It is well below the 90 s that systemd gives.
const drainLimit = 10 * time.Second

// lifecycle is told how far a daemon is.
type lifecycle struct {
	ready    func() error // the mount serves; an error ends the daemon
	stopping func()       // it has been told to end

	keeper *takeover.Keeper // of a daemon under a supervisor; nil: there is none
	serves func(*fs.Server) // told as soon as there is one; nil: nobody is
}

// managed is the lifecycle of a daemon under a service manager. Without one it
// tells nobody.
func managed() lifecycle {
	notify := func(state string) error {
		_, err := daemon.SdNotify(false, state)
		return err
	}
	return lifecycle{
		ready:    func() error { return notify(daemon.SdNotifyReady) },
		stopping: func() { _ = notify(daemon.SdNotifyStopping) },
	}
}

// signals are those that a daemon takes.
type signals struct {
	end    chan os.Signal // to end; a second one cuts the drain short
	reload chan os.Signal // to read the configuration again
}

// takeSignals begins to take signals until the function that it returns is
// called. A log that nobody reads any more ends no mount.
func takeSignals() (signals, func()) {
	s := signals{end: make(chan os.Signal, 2), reload: make(chan os.Signal, 1)}
	signal.Notify(s.end, syscall.SIGTERM, syscall.SIGINT)
	signal.Notify(s.reload, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE)
	return s, func() {
		signal.Stop(s.end)
		signal.Stop(s.reload)
	}
}

// servedDir is a directory that this process serves.
type servedDir struct {
	path  string // absolute, free of symbolic links
	since time.Time
	log   *zap.Logger
	live  *reloadable
	dir   *backing.Dir
	store *txn.Store

	keeper    *takeover.Keeper    // nil: no daemon takes over
	sharing   *sharing            // nil: with nobody
	patterns  *fs.Patterns        // name the registries as long as the mount serves
	transport func() fs.Transport // the way by which requests come

	counters counters
	watchers watchers
	sweeper  *sweeper
	ended    chan struct{} // closed when it is served no longer
}

// serve mounts clawfs on a directory and serves it until it is unmounted, a
// signal comes, or ctx ends. It is where the layers meet.
func serve(ctx context.Context, name string, given *mountOptions, log *zap.Logger, life lifecycle) error {
	taken, stopTaking := takeSignals()
	defer stopTaking()
	s, err := openWith(life.keeper, name, given, log)
	if err != nil {
		return err
	}
	defer s.close()
	if err := os.Chdir("/"); err != nil { // the mount must not be kept busy
		return err
	}
	o := s.live.now.Load().options
	server, err := fs.Mount(s.dir.Fd(), s.store, s.path, fs.Options{
		Patterns: s.patterns, Teller: teller(), AllowOther: o.allowOther, Debug: o.debugFUSE, Log: log,
		Without: o.without, Transport: o.transport.value, Numbers: s.dir.Numbers(), Keeper: life.keeper,
		Crowd: o.processorsForACrowd(),
	})
	if err != nil {
		return fmt.Errorf("cannot mount %s: %w", s.path, err)
	}
	if life.serves != nil {
		life.serves(server)
	}
	s.transport, s.keeper = server.Transport, life.keeper
	stopTelling, err := s.tell(o.metrics)
	if err != nil {
		return errors.Join(err, s.stop(server, taken.end))
	}
	defer stopTelling()
	log.Info("mounted", zap.String("dir", s.path), zap.Int("pid", os.Getpid()), zap.Stringer("version", build()))
	if err := life.ready(); err != nil {
		return errors.Join(err, s.stop(server, taken.end))
	}
	reload := func() { s.live.reload(given, s.path, log) }
	return s.untilEnd(ctx, server, taken, life, reload)
}

// openWith opens a directory to mount on it, or that another daemon has mounted and left with
// the keeper. Errors are those of openCleared.
func openWith(keeper *takeover.Keeper, name string, given *mountOptions, log *zap.Logger) (*servedDir, error) {
	if keeper != nil && keeper.Connection() != nil {
		return openKept(keeper.Connection(), given, log)
	}
	return openCleared(name, given, log)
}

// openCleared takes dead mounts off a directory and opens it. Errors are those of
// clearMountpoint and openServed.
func openCleared(name string, given *mountOptions, log *zap.Logger) (*servedDir, error) {
	for {
		path, err := clearMountpoint(name, given, log)
		if err != nil {
			return nil, err
		}
		s, err := openServed(path, path, given, log)
		var came *mountpoint.MountedError
		if !errors.As(err, &came) {
			return s, err
		}
		// A mount has come in between. Another look tells whether it counts.
	}
}

// openServed opens the served directory, by a path that leads below the mount, and the store
// over it. The error is a *mountpoint.MountedError where a mount of clawfs has come on
// top of the directory.
func openServed(path, below string, given *mountOptions, log *zap.Logger) (*servedDir, error) {
	l, err := given.live(path)
	if err != nil {
		return nil, err
	}
	o := l.now.Load().options
	pins := new(pinning)
	dir, err := openBacking(path, below, o, pins, log)
	if err != nil {
		return nil, err
	}
	s := &servedDir{
		path: path, since: time.Now(), log: log, live: l, dir: dir,
		patterns: l.now.Load().patterns, ended: make(chan struct{}), sweeper: newSweeper(o),
	}
	logged := logObserver(log)
	storage, err := s.storage(o)
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	if s.sharing != nil {
		pins.by.Store(s.sharing.Storage)
	}
	s.store = txn.New(storage, storeConfig(o, l, txn.ObserverFunc(func(e txn.Event) {
		s.counters.Observe(e)
		s.watchers.Observe(e)
		s.sweeper.Observe(e)
		logged.Observe(e)
	})))
	return s, nil
}

// storage returns the storage of the store: the directory, and the cluster over it if there
// is one.
func (s *servedDir) storage(o *mountOptions) (txn.Storage, error) {
	timed := timedStorage{s.dir, &s.counters}
	if o.cluster.address == "" {
		return timed, nil
	}
	if o.takeover {
		return nil, clusterUsage("--takeover and --cluster do not go together yet")
	}
	var err error
	s.sharing, err = openCluster(&o.cluster, localStorage{timed, s.dir}, s.patterns, s.log)
	return s.sharing, err
}

// close releases the resources that openServed has opened.
func (s *servedDir) close() {
	if s.sharing != nil {
		s.sharing.stop()
	}
	_ = s.dir.Close() // all that matters is on disk
}

// tell begins to answer commands, and to serve metrics if an address is given, until the
// function that it returns is called.
func (s *servedDir) tell(metrics string) (stop func(), err error) {
	stopMetrics := func() {}
	if metrics != "" {
		if stopMetrics, err = s.serveMetrics(metrics); err != nil {
			return nil, err
		}
	}
	c, err := openControl(s.dir.Fd(), map[string]func(*conversation){
		askStatus: func(c *conversation) { _ = c.send(s.status()) },
		askPast:   func(c *conversation) { _ = c.send(s.counters.pastSince(time.Now().Add(-time.Hour))) },
		askForget: s.answerForget,
		askSync:   s.answerSync,
		askGC:     s.answerGC,
		askWatch:  func(c *conversation) { s.watchers.follow(c, s.ended) },

		askUpgrade: s.answerUpgrade,
	})
	if err != nil {
		s.log.Warn("the commands that ask the daemon will not work", zap.Error(err))
	}
	go s.sweeper.run(s.store, s.log, s.ended)
	return func() {
		close(s.ended)
		c.close()
		stopMetrics()
	}, nil
}

// clearMountpoint takes dead mounts off a directory and returns its path,
// absolute and free of symbolic links. Errors are those of checkMountpoint and
// mountpoint.Clear.
func clearMountpoint(name string, o *mountOptions, log *zap.Logger) (string, error) {
	m, err := checkMountpoint(name, o)
	if err != nil {
		return "", err
	}
	dead := m.IsDead()
	path, err := mountpoint.Clear(name)
	if err == nil && dead {
		log.Warn("dead mount removed", zap.String("dir", path))
	}
	return path, err
}

// openBacking opens a directory for serving it, by a path that leads below the mount, and logs
// the leftovers of a crash there. The error is a *mountpoint.MountedError where the path does
// not lead to the bare directory.
func openBacking(path, below string, o *mountOptions, pins *pinning, log *zap.Logger) (*backing.Dir, error) {
	dir, err := backing.Open(below, backing.Options{
		Durability:   backing.Durability(o.durability.interval),
		KeepVersions: int(o.keepVersions),
		KeepBytes:    int64(o.keepSize),
		Pinned:       pins.isPinned,
		Without:      o.without,
		Opened:       func(root int) error { return mountpoint.CheckBare(root, path) },
		SyncFailed:   func(err error) { log.Error("sync failed", zap.Error(err)) },
	})
	if err != nil {
		return nil, err
	}
	for _, r := range dir.Recovered() {
		fields := []zap.Field{zap.String("registry", r.Name), zap.Uint64("seq", r.Seq)}
		switch {
		case r.Err != nil:
			log.Error("a commit that a crash cut short cannot be resolved", append(fields, zap.Error(r.Err))...)
		case r.ID != "":
			log.Warn(phraseRejected, append(fields, zap.Stringer("outcome", txn.Aborted), zap.String("via", string(txn.ViaRecovery)), zap.String("quarantine", r.ID))...)
		default:
			log.Info("a version that a crash had left behind is in the history", fields...)
		}
	}
	return dir, nil
}

func storeConfig(o *mountOptions, l *reloadable, observer txn.Observer) txn.Config {
	docCache := int64(0)
	if o.doesWithout(parsedDocuments) {
		docCache = -1
	}
	var collect func(int)
	if !o.doesWithout(earlyCollection) {
		collect = collectFor
	}
	var room func(int) []byte
	if !o.doesWithout(hugePages) {
		room = roomFor
	}
	return txn.Config{
		DocCache:    docCache,
		Collect:     collect,
		Room:        room,
		Single:      o.doesWithout(batches),
		Whole:       o.doesWithout(knownParts),
		MaxSize:     int64(o.maxSize),
		ReadWindow:  time.Duration(o.readWindow),
		RejectStale: o.rejectStale,
		ReadLatest:  o.cluster.reads.value == readsLatest,
		Policy:      l.Policy,
		Dialect:     l.Dialect,
		Included:    l.included,
		Alive:       process.Alive,
		Boot:        process.Boot(),
		Began:       process.Began(),
		Observer:    observer,
	}
}

// untilEnd waits until the mount is taken away by somebody, or does it when told
// to.
func (s *servedDir) untilEnd(ctx context.Context, server *fs.Server, taken signals, life lifecycle, reload func()) error {
	gone := make(chan struct{})
	go func() {
		server.Wait()
		close(gone)
	}()
	for {
		select {
		case <-gone:
			s.log.Info("unmounted")
			s.closeStore()
			return nil
		case <-taken.reload:
			reload()
			continue
		case signal := <-taken.end:
			s.log.Info("ending", zap.Stringer("signal", signal))
		case <-ctx.Done():
			s.log.Info("ending", zap.Error(ctx.Err()))
		}
		life.stopping()
		return s.stop(server, taken.end)
	}
}

// stop unmounts and closes the store. Open transactions have until drainLimit, or
// another signal, to end.
func (s *servedDir) stop(server *fs.Server, end <-chan os.Signal) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	go func() {
		select {
		case <-end:
			cancel()
		case <-ctx.Done():
		}
	}()
	err := server.Shutdown(ctx)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		if s.keeper != nil {
			s.keeper.Release() // nobody takes over the rest of the mount
		}
		s.store.Abandon()
		s.log.Warn("files were still open; their unsaved content is in quarantine")
		return nil
	}
	if err == nil {
		s.closeStore()
	}
	return err
}

// closeStore keeps the views and newest versions for the next daemon. Failing to keep them is
// no error of the mount's.
func (s *servedDir) closeStore() {
	if s.live.now.Load().options.checkStore {
		if err := s.store.CheckInvariants(); err != nil {
			s.log.Error("the store contradicts itself", zap.Error(err))
		}
	}
	if err := s.store.Close(); err != nil {
		s.log.Warn("some views of programs, or some newest versions, could not be saved for the next start", zap.Error(err))
	}
}
