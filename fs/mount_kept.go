package fs

import (
	"errors"
	"fmt"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"go.uber.org/zap"

	"clawfs/fs/ledger"
	"clawfs/fs/mountpoint"
	"clawfs/fs/takeover"
	"clawfs/fs/uring"
)

// TakeoverError says why a mount that a later daemon can take over can't be had.
type TakeoverError struct{ Reason string }

// Error has the reason.
func (e *TakeoverError) Error() string { return "no other daemon could take over: " + e.Reason }

// keptTransport is the device on a mount that a later daemon can take over.
type keptTransport struct {
	*takeover.Server
	keeper *takeover.Keeper
	ledger *ledger.Ledger

	unheard unheard
}

// leave returns once another daemon can take over without a request that may have been done.
func (k *keptTransport) leave() {
	k.Leave()
	k.ledger.Leave()
}

// CheckTakeover looks whether a mount with these options could take a connection over, while another daemon serves it.
// Errors: *ledger.FormatError, *takeover.NegotiationError, or the system's.
func CheckTakeover(c *takeover.Connection, o Options) error {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if err := ledger.Check(c.Memory); err != nil {
		return err
	}
	options, err := mountOptions(c.Root, o)
	if err != nil {
		return err
	}
	return takeover.CheckAnswer(c, &options.MountOptions)
}

// Leave ends the work of a server with a keeper: another daemon is about to take over. It returns once all requests that
// were begun are answered, and begins no other one.
func (s *Server) Leave() {
	if k, ok := s.way.(*keptTransport); ok {
		k.leave()
	}
}

func (k *keptTransport) transport() Transport { return Transport{Name: DeviceTransport} }

// Serve serves until the mount is gone. Then there is nothing to take over. The ledger's memory stays as long as the
// process: the store may look there until its end.
func (k *keptTransport) Serve() {
	k.Server.Serve()
	k.keeper.Release()
}

// connectKept is connect with a keeper: it mounts and leaves the mount with the supervisor, or
// takes over the mount of a daemon before.
func (fsys *fileSystem) connectKept(dir string, o *fusefs.Options, wanted string, k *takeover.Keeper) (transport, error) {
	if wanted == RingTransport {
		return nil, &TakeoverError{"requests that come by io_uring are lost with their daemon, so the transport must be the device"}
	}
	notifier := &uring.Notifier{}
	o.ServerCallbacks = notifier
	raw := &requests{RawFileSystem: fusefs.NewNodeFS(fsys.root, o), fsys: fsys}
	var way *keptTransport
	var err error
	if c := k.Connection(); c != nil {
		way, err = resumeKept(raw, c, o, notifier, k.Past().Generation)
	} else {
		way, err = fsys.beginKept(raw, dir, o, k)
	}
	if err != nil {
		return nil, err
	}
	way.keeper = k
	notifier.Connect(way.Device())
	fsys.pruner.notify = pruneBy(notifier)
	return way, nil
}

// beginKept mounts, and leaves the mount with the supervisor.
func (fsys *fileSystem) beginKept(raw *requests, dir string, o *fusefs.Options, k *takeover.Keeper) (*keptTransport, error) {
	l, err := ledger.New()
	if err != nil {
		return nil, err
	}
	device, err := mountDevice(dir, &o.MountOptions)
	if err != nil {
		l.Close()
		return nil, err
	}
	carried := newCarried(raw, l)
	server := takeover.NewServer(carried, &o.MountOptions, raw.fsys.store.KeepViews, carried.answered)
	init, answer, err := server.Begin(device)
	if err == nil && (fsys.without(Resending) || !takeover.CanResend(init)) {
		err = &TakeoverError{"this kernel can't send requests again, Linux 6.9 and later can"}
	}
	if err == nil {
		err = k.Keep(takeover.Connection{Dir: dir, Init: init, Answer: answer, Device: device, Root: fsys.root.fd, Memory: l.FD()})
	}
	if err != nil {
		l.Close()
		return nil, errors.Join(err, mountpoint.Detach(dir, true))
	}
	return &keptTransport{Server: server, ledger: l}, nil
}

// resumeKept takes over the mount of another daemon.
func resumeKept(raw *requests, c *takeover.Connection, o *fusefs.Options, notifier *uring.Notifier, generation int) (*keptTransport, error) {
	l, err := ledger.Open(c.Memory)
	if err != nil {
		return nil, err
	}
	carried := newCarried(raw, l)
	server := takeover.NewServer(carried, &o.MountOptions, raw.fsys.store.KeepViews, carried.answered)
	if err := server.Resume(c); err != nil {
		l.Close()
		return nil, fmt.Errorf("cannot take over: %w", err)
	}
	notifier.Connect(server.Device())
	raw.fsys.registries.startIDs(generation)
	carried.settle()
	carried.restore()
	carried.settleAttributes()
	return &keptTransport{Server: server, ledger: l, unheard: carried.unheard}, nil
}

// startIDs keeps the ids of registries' nodes apart from those that a daemon before has given.
func (t *registryTable) startIDs(generation int) {
	const nodesOfOne = 1 << 40
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ids = uint64(generation-1) * nodesOfOne
}
