package main

import (
	"io"

	"go.uber.org/zap"

	"clawfs/cmd/clawfs/versions"
	"clawfs/txn"
)

// newEngine returns the engine that commits in directories, with their configurations.
func newEngine() *versions.Engine {
	return &versions.Engine{
		Settings: func(root string) (versions.Settings, error) { return newMountOptions().live(root) },
		Open:     openUnserved,
	}
}

// openUnserved opens the store of a directory that is not mounted. The error is a
// *mountpoint.MountedError where it is.
func openUnserved(root string) (*txn.Store, io.Closer, error) {
	l, err := newMountOptions().live(root)
	if err != nil {
		return nil, nil, err
	}
	o := l.now.Load().options
	dir, err := openBacking(root, root, o, new(pinning), zap.NewNop())
	if err != nil {
		return nil, nil, err
	}
	return txn.New(dir, storeConfig(o, l, nil)), dir, nil
}
