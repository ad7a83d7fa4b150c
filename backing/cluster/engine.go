package cluster

import (
	"context"
	"errors"
)

// Entry is the newest value of a key.
type Entry struct {
	Key   string
	Value []byte
	Rev   int64 // grows with each change of any key; 0: there is no such key
}

// Engine orders commits for all hosts. It keeps values under keys, on a majority of its
// members, and one revision counts all changes. These are the verbs that every server of
// Kubernetes' interface to etcd has.
//
// An error says nothing about whether something was done, unless it is a *RefusedError.
type Engine interface {
	// Swap sets a key's value if the key still has the revision, 0 if there is no such key.
	// If it does, head is the entry that was made, and else, with ok false, the one that
	// is there; both are on a majority. Nothing is sent after ctx has ended, but a request
	// that was sent before may still be carried out.
	Swap(ctx context.Context, key string, rev int64, value []byte) (head Entry, ok bool, err error)

	// Get returns the newest entry of a key that anybody was told of before the call. So
	// a majority has answered.
	Get(ctx context.Context, key string) (Entry, error)

	// List calls each with the newest entry of each key that has the prefix. All are of one
	// moment, whose revision it returns.
	List(ctx context.Context, prefix string, each func(Entry)) (rev int64, err error)

	// Watch calls each with every change, from a revision on, of keys that have the
	// prefix, in their order, until ctx or a majority is gone. The error is ErrCompacted
	// where older changes are not known any more.
	Watch(ctx context.Context, prefix string, from int64, each func(Entry)) error

	// Keys calls each with the keys that have the prefix, which all were there at one moment.
	Keys(ctx context.Context, prefix string, each func(key string)) error

	// Drop deletes keys. It is done for some of them, perhaps, after an error.
	Drop(ctx context.Context, keys ...string) error
}

// ErrCompacted says that the engine has forgotten changes from that revision on: a List
// tells the state after them.
var ErrCompacted = errors.New("older changes are forgotten")

// RefusedError says that nothing was done, nor will be.
type RefusedError struct {
	Err   error
	Again bool // it may be done the next time, perhaps by another member
	Full  bool // for lack of room
	Large bool // because the request is too large
}

// Error returns the engine's message.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns the engine's error.
func (e *RefusedError) Unwrap() error { return e.Err }
