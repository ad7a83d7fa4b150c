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
	"clawfs/txn"
)

// drainLimit is how long a daemon that is told to end waits for open
// transactions. It is well below the 90 s that systemd gives.
const drainLimit = 10 * time.Second

// lifecycle is told how far a daemon is.
type lifecycle struct {
	ready    func() error // the mount serves; an error ends the daemon
	stopping func()       // it has been told to end
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

// serve mounts clawfs on a directory and serves it until it is unmounted, a
// signal comes, or ctx ends. It is where the layers meet.
func serve(ctx context.Context, name string, given *mountOptions, log *zap.Logger, life lifecycle) error {
	taken, stopTaking := takeSignals()
	defer stopTaking()
	path, err := clearMountpoint(name, given, log)
	if err != nil {
		return err
	}
	l, err := given.live(path)
	if err != nil {
		return err
	}
	first := l.now.Load()
	o := first.options
	dir, err := openBacking(path, o, log)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := os.Chdir("/"); err != nil { // the mount must not be kept busy
		return err
	}
	server, err := fs.Mount(dir, txn.New(dir, storeConfig(o, l, log)), path, fs.Options{
		Patterns: first.patterns, AllowOther: o.allowOther, Debug: o.debugFUSE, Log: log,
	})
	if err != nil {
		return fmt.Errorf("cannot mount %s: %w", path, err)
	}
	log.Info("mounted", zap.String("dir", path), zap.Int("pid", os.Getpid()), zap.Stringer("version", build()))
	if err := life.ready(); err != nil {
		return errors.Join(err, stop(server, taken.end, log))
	}
	reload := func() { l.reload(given, path, log) }
	return untilEnd(ctx, server, taken, life, reload, log)
}

// clearMountpoint takes dead mounts off a directory and returns its path,
// absolute and free of symbolic links. Errors are those of checkMountpoint and
// fs.Clear.
func clearMountpoint(name string, o *mountOptions, log *zap.Logger) (string, error) {
	m, err := checkMountpoint(name, o)
	if err != nil {
		return "", err
	}
	dead := m.IsDead()
	path, err := fs.Clear(name)
	if err == nil && dead {
		log.Warn("dead mount taken away", zap.String("dir", path))
	}
	return path, err
}

// openBacking opens a directory for serving it and logs what a crash had left
// behind there.
func openBacking(path string, o *mountOptions, log *zap.Logger) (*backing.Dir, error) {
	dir, err := backing.Open(path, backing.Options{
		Durability: backing.Durability(o.durability.interval),
		SyncFailed: func(err error) { log.Error("sync failed", zap.Error(err)) },
	})
	if err != nil {
		return nil, err
	}
	for _, r := range dir.Recovered() {
		fields := []zap.Field{zap.String("registry", r.Name), zap.Uint64("seq", r.Seq)}
		switch {
		case r.Err != nil:
			log.Error("what a crash left behind cannot be resolved", append(fields, zap.Error(r.Err))...)
		case r.ID != "":
			log.Warn(phraseRejected, append(fields, zap.Stringer("outcome", txn.Aborted), zap.String("via", string(txn.ViaRecovery)), zap.String("quarantine", r.ID))...)
		default:
			log.Info("version kept that a crash had left behind", fields...)
		}
	}
	return dir, nil
}

func storeConfig(o *mountOptions, l *live, log *zap.Logger) txn.Config {
	return txn.Config{
		MaxSize:     int64(o.maxSize),
		ReadWindow:  time.Duration(o.readWindow),
		RejectStale: o.rejectStale,
		Policy:      l.policy,
		Grammar:     l.grammar,
		Alive:       fs.Alive,
		Observer:    logObserver(log),
	}
}

// untilEnd waits until the mount is taken away by somebody, or does it when told
// to.
func untilEnd(ctx context.Context, server *fs.Server, taken signals, life lifecycle, reload func(), log *zap.Logger) error {
	gone := make(chan struct{})
	go func() {
		server.Wait()
		close(gone)
	}()
	for {
		select {
		case <-gone:
			log.Info("unmounted")
			return nil
		case <-taken.reload:
			reload()
			continue
		case s := <-taken.end:
			log.Info("ending", zap.Stringer("signal", s))
		case <-ctx.Done():
			log.Info("ending", zap.Error(ctx.Err()))
		}
		life.stopping()
		return stop(server, taken.end, log)
	}
}

// stop unmounts. Open transactions have until drainLimit, or another signal, to
// end.
func stop(server *fs.Server, end <-chan os.Signal, log *zap.Logger) error {
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
		log.Warn("files were still open; what was not closed is in quarantine")
		return nil
	}
	return err
}
