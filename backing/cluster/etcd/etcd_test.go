package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"clawfs/backing/cluster"
	"clawfs/backing/cluster/enginetest"
	"clawfs/backing/cluster/etcd"
	"clawfs/backing/cluster/etcd/etcdtest"
)

func open(t *testing.T, m *etcdtest.Members) *etcd.Engine {
	t.Helper()
	e, err := etcd.Open(etcd.Config{Endpoints: m.Endpoints()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func TestEngine(t *testing.T) {
	m := etcdtest.Start(t, 3)
	var tests atomic.Int64
	enginetest.Run(t, func(t *testing.T) (a, b cluster.Engine, prefix string) {
		return open(t, m), open(t, m), fmt.Sprintf("test%d/", tests.Add(1))
	})
}

// Without a majority a request is refused, at once, and the watch ends.
func TestNoMajority(t *testing.T) {
	m := etcdtest.Start(t, 3)
	e := open(t, m)
	head, ok, err := e.Swap(t.Context(), "k", 0, []byte("v"))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- e.Watch(t.Context(), "k", head.Rev+1, func(cluster.Entry) {}) }()
	m.Kill(0)
	m.Kill(1)
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the watch ends without an error")
		}
	case <-time.After(20 * time.Second):
		t.Error("the watch goes on without a majority")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var refused *cluster.RefusedError
	for !errors.As(err, &refused) && ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, time.Second)
		_, _, err = e.Swap(limited, "k", head.Rev, []byte("w"))
		cancel()
	}
	if refused == nil || !refused.Again {
		t.Errorf("swap without a majority: %v", err)
	}
	m.Run(0)
	for ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second); ; {
		if _, err = e.Get(ctx, "k"); err == nil || ctx.Err() != nil {
			cancel()
			break
		}
	}
	if err != nil {
		t.Errorf("with a majority again: %v", err)
	}
}

// A member that hangs holds up no more than one answer.
func TestAMemberThatHangs(t *testing.T) {
	m := etcdtest.Start(t, 3)
	e := open(t, m)
	m.Signal(2, syscall.SIGSTOP)
	defer m.Signal(2, syscall.SIGCONT)
	var rev int64
	for n, end := 0, time.Now().Add(30*time.Second); n < 20; {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		head, ok, err := e.Swap(ctx, "k", rev, []byte("v"))
		cancel()
		if err == nil {
			rev = head.Rev
		}
		if ok {
			n++
		}
		if time.Now().After(end) {
			t.Fatalf("%d swaps in 30 s, then %v", n, err)
		}
	}
}

func TestFullEtcd(t *testing.T) {
	m := etcdtest.Start(t, 1, "MEMBERS_QUOTA=4194304")
	e := open(t, m)
	_, _, err := e.Swap(t.Context(), "large", 0, make([]byte, 1_700_000))
	var refused *cluster.RefusedError
	if !errors.As(err, &refused) || refused.Again || !refused.Large {
		t.Errorf("of a request that is too large it says %v", err)
	}
	value := []byte(strings.Repeat("x", 1<<20))
	err = nil
	for i := 0; i < 20 && err == nil; i++ {
		_, _, err = e.Swap(t.Context(), fmt.Sprint(i), 0, value)
	}
	if !errors.As(err, &refused) || !refused.Full || refused.Again {
		t.Errorf("a full etcd says %v", err)
	}
}
