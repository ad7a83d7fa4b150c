package fs

import (
	"context"

	"github.com/hanwen/go-fuse/v2/fuse"

	"clawfs/fs/process"
	"clawfs/txn"
)

// callers finds the process that a request comes from.
type callers struct{ *process.Callers }

// threadOf returns the id of the thread that a request comes from; 0 where it can't be told.
func threadOf(ctx context.Context) int {
	if caller, ok := fuse.FromContext(ctx); ok {
		return int(caller.Pid)
	}
	return 0
}

// actorOf returns the process that a request comes from.
func (c callers) actorOf(ctx context.Context) txn.Actor { return c.Actor(threadOf(ctx)) }

// of returns the process that a request comes from, with its user and the processes that it
// descends from.
func (c callers) of(ctx context.Context) txn.Caller {
	caller := c.Caller(threadOf(ctx))
	if from, ok := fuse.FromContext(ctx); ok {
		caller.UID = from.Uid
	}
	return caller
}

// named returns of, with the name of the program.
func (c callers) named(ctx context.Context) txn.Caller {
	caller := c.of(ctx)
	if caller.Known() {
		caller.Program = process.Program(caller.PID)
	}
	return caller
}

// writing returns named, and whether the process has only forked. It is not to be used for
// requests that come while the caller executes another program.
func (c callers) writing(ctx context.Context) txn.Caller { return c.Describe(c.of(ctx), "") }
