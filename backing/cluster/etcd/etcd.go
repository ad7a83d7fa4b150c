// Package etcd orders commits by an etcd: a cluster.Engine over its v3 API. It is the only
// importer of the client, and uses only calls that every server of Kubernetes has: one key
// swapped by its revision, with the newest entry in the answer if that was another one;
// get; list; and watch.
//
// What always holds:
//
//   - A request is refused (cluster.RefusedError) only where it can never be carried out.
//     A member refuses it that has no leader, or that does not want it. Where a
//     connection breaks, or the time is over, nothing is known.
//   - No request waits for a member that has no leader (WithRequireLeader), nor for a
//     connection whose other end is gone for longer than three seconds (keepalive).
package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"clawfs/backing/cluster"
)

// Engine is a way to an etcd.
type Engine struct{ client *clientv3.Client }

var _ cluster.Engine = (*Engine)(nil)

// Config says how an etcd is reached.
type Config struct {
	Endpoints []string    // HOST:PORT each, or unix:PATH
	TLS       *tls.Config // nil: in the clear
}

// The connection to a member is asked whether it is alive once nothing has come for
// keepaliveTime, and given up keepaliveTimeout later.
const (
	keepaliveTime    = 2 * time.Second
	keepaliveTimeout = time.Second
)

// Open returns an engine. It asks nobody yet. Close gives it back.
func Open(c Config) (*Engine, error) {
	client, err := clientv3.New(clientv3.Config{
		Endpoints: c.Endpoints, TLS: c.TLS, Logger: zap.NewNop(),
		DialKeepAliveTime: keepaliveTime, DialKeepAliveTimeout: keepaliveTimeout,
	})
	if err != nil {
		return nil, err
	}
	return &Engine{client}, nil
}

// Close ends all requests.
func (e *Engine) Close() error { return e.client.Close() }

// Swap implements cluster.Engine.
func (e *Engine) Swap(ctx context.Context, key string, rev int64, value []byte) (head cluster.Entry, ok bool, err error) {
	answer, err := e.client.Txn(clientv3.WithRequireLeader(ctx)).
		If(clientv3.Compare(clientv3.ModRevision(key), "=", rev)).
		Then(clientv3.OpPut(key, string(value))).
		Else(clientv3.OpGet(key)).
		Commit()
	if err != nil {
		return head, false, told(err)
	}
	if answer.Succeeded {
		return cluster.Entry{Key: key, Value: value, Rev: answer.Header.Revision}, true, nil
	}
	if found := answer.Responses[0].GetResponseRange().GetKvs(); len(found) == 1 {
		return entry(found[0]), false, nil
	}
	return cluster.Entry{}, false, nil
}

// Get implements cluster.Engine.
func (e *Engine) Get(ctx context.Context, key string) (cluster.Entry, error) {
	answer, err := e.client.Get(clientv3.WithRequireLeader(ctx), key)
	if err != nil {
		return cluster.Entry{}, told(err)
	}
	if len(answer.Kvs) == 1 {
		return entry(answer.Kvs[0]), nil
	}
	return cluster.Entry{}, nil
}

// page is how many entries are asked for at once.
const page = 500

// List implements cluster.Engine.
func (e *Engine) List(ctx context.Context, prefix string, each func(cluster.Entry)) (rev int64, err error) {
	end := clientv3.GetPrefixRangeEnd(prefix)
	for from := prefix; ; {
		answer, err := e.client.Get(clientv3.WithRequireLeader(ctx), from, clientv3.WithRange(end), clientv3.WithLimit(page), clientv3.WithRev(rev))
		if err != nil {
			return 0, told(err)
		}
		if rev == 0 {
			rev = answer.Header.Revision
		}
		for _, kv := range answer.Kvs {
			each(entry(kv))
		}
		if !answer.More {
			return rev, nil
		}
		from = string(answer.Kvs[len(answer.Kvs)-1].Key) + "\x00"
	}
}

// Keys implements cluster.Engine.
func (e *Engine) Keys(ctx context.Context, prefix string, each func(key string)) error {
	answer, err := e.client.Get(clientv3.WithRequireLeader(ctx), prefix, clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return told(err)
	}
	for _, kv := range answer.Kvs {
		each(string(kv.Key))
	}
	return nil
}

// Drop implements cluster.Engine.
func (e *Engine) Drop(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if _, err := e.client.Delete(clientv3.WithRequireLeader(ctx), key); err != nil {
			return told(err)
		}
	}
	return nil
}

// Watch implements cluster.Engine.
func (e *Engine) Watch(ctx context.Context, prefix string, from int64, each func(cluster.Entry)) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	for answer := range e.client.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithRev(from), clientv3.WithFilterDelete()) {
		if answer.CompactRevision != 0 {
			return cluster.ErrCompacted
		}
		if err := answer.Err(); err != nil {
			return told(err)
		}
		for _, change := range answer.Events {
			each(entry(change.Kv))
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.New("the watch has ended")
}

func entry(kv *mvccpb.KeyValue) cluster.Entry {
	return cluster.Entry{Key: string(kv.Key), Value: kv.Value, Rev: kv.ModRevision}
}

// told returns an error that says the fate of the request, made from the client's.
func told(err error) error {
	switch {
	case errors.Is(err, rpctypes.ErrNoLeader):
		return &cluster.RefusedError{Err: err, Again: true}
	case errors.Is(err, rpctypes.ErrNoSpace):
		return &cluster.RefusedError{Err: err, Full: true}
	case errors.Is(err, rpctypes.ErrRequestTooLarge):
		return &cluster.RefusedError{Err: err, Large: true}
	}
	switch status.Code(err) {
	case codes.InvalidArgument, codes.PermissionDenied, codes.Unauthenticated:
		return &cluster.RefusedError{Err: err}
	}
	return err
}
