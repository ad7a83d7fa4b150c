// Package enginetest holds the one suite that every cluster.Engine must pass, and an engine
// in memory on which everything that can go wrong does so on purpose.
//
// What always holds: Memory carries out each request once, at one instant; a client that is
// told nothing can't tell whether that was before, or will be.
package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"clawfs/backing/cluster"
)

// Run runs the suite on two clients of one engine. open returns them anew for each test;
// keys of another test may be there, but none with the prefix.
func Run(t *testing.T, open func(t *testing.T) (a, b cluster.Engine, prefix string)) {
	for name, test := range map[string]func(*suite){
		"a key is made where none is":          testMake,
		"a value is swapped for its revision":  testSwap,
		"of many that swap one wins":           testOneWins,
		"a get knows what was done before":     testGet,
		"a list is of one moment":              testList,
		"a watch tells each change in order":   testWatch,
		"a watch goes on from an old revision": testWatchOld,
		"any bytes are a key and a value":      testBytes,
		"keys are listed, and dropped":         testDrop,
	} {
		t.Run(name, func(t *testing.T) {
			s := &suite{T: t, ctx: t.Context()}
			s.a, s.b, s.prefix = open(t)
			test(s)
		})
	}
}

type suite struct {
	*testing.T
	a, b   cluster.Engine
	prefix string
	ctx    context.Context
}

func (s *suite) swap(e cluster.Engine, key string, rev int64, value string) (cluster.Entry, bool) {
	s.Helper()
	head, ok, err := e.Swap(s.ctx, s.prefix+key, rev, []byte(value))
	if err != nil {
		s.Fatal(err)
	}
	return head, ok
}

func testMake(s *suite) {
	head, ok := s.swap(s.a, "k", 0, "one")
	if !ok || head.Rev == 0 || string(head.Value) != "one" {
		s.Fatalf("swap: %v, %v", head, ok)
	}
	there, ok := s.swap(s.b, "k", 0, "two")
	if ok || there.Rev != head.Rev || string(there.Value) != "one" || there.Key != s.prefix+"k" {
		s.Errorf("swap of what is there: %v, %v; want %v", there, ok, head)
	}
	if nothing, ok := s.swap(s.b, "none", head.Rev, "two"); ok || nothing.Rev != 0 {
		s.Errorf("swap of what is not there: %v, %v", nothing, ok)
	}
}

func testSwap(s *suite) {
	first, _ := s.swap(s.a, "k", 0, "one")
	second, ok := s.swap(s.b, "k", first.Rev, "two")
	if !ok || second.Rev <= first.Rev {
		s.Fatalf("swap: %v, %v", second, ok)
	}
	if head, ok := s.swap(s.a, "k", first.Rev, "three"); ok || string(head.Value) != "two" || head.Rev != second.Rev {
		s.Errorf("swap of an old revision: %v, %v", head, ok)
	}
}

func testOneWins(s *suite) {
	head, _ := s.swap(s.a, "k", 0, "0")
	var won sync.Map
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			e := s.a
			if i%2 == 0 {
				e = s.b
			}
			if _, ok, err := e.Swap(s.ctx, s.prefix+"k", head.Rev, fmt.Append(nil, i)); err != nil {
				s.Error(err)
			} else if ok {
				won.Store(i, true)
			}
		})
	}
	all.Wait()
	n := 0
	won.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		s.Errorf("%d have won", n)
	}
}

func testGet(s *suite) {
	if e, err := s.a.Get(s.ctx, s.prefix+"k"); err != nil || e.Rev != 0 {
		s.Fatalf("get of nothing: %v, %v", e, err)
	}
	head, _ := s.swap(s.a, "k", 0, "one")
	e, err := s.b.Get(s.ctx, s.prefix+"k")
	if err != nil || e.Rev != head.Rev || string(e.Value) != "one" {
		s.Errorf("get: %v, %v; want %v", e, err, head)
	}
}

func testList(s *suite) {
	want := map[string]bool{}
	var last int64
	for i := range 1200 { // more than an engine hands out at once
		key := fmt.Sprintf("many/%d", i)
		head, _ := s.swap(s.a, key, 0, "v")
		want[s.prefix+key], last = true, head.Rev
	}
	s.swap(s.a, "other", 0, "v")
	rev, err := s.b.List(s.ctx, s.prefix+"many/", func(e cluster.Entry) {
		if !want[e.Key] || string(e.Value) != "v" || e.Rev > last {
			s.Errorf("listed: %v", e)
		}
		delete(want, e.Key)
	})
	if err != nil || rev < last || len(want) > 0 {
		s.Errorf("List: %d, %v; %d are missing", rev, err, len(want))
	}
}

// watch collects n changes.
func (s *suite) watch(e cluster.Engine, from int64, n int) []cluster.Entry {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
	defer cancel()
	var got []cluster.Entry
	err := e.Watch(ctx, s.prefix, from, func(e cluster.Entry) {
		if got = append(got, e); len(got) == n {
			cancel()
		}
	})
	if len(got) < n {
		s.Fatalf("%d changes, then %v", len(got), err)
	}
	return got
}

func testWatch(s *suite) {
	rev, err := s.a.List(s.ctx, s.prefix, func(cluster.Entry) {})
	if err != nil {
		s.Fatal(err)
	}
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() {
		var at int64
		for i := range 50 {
			head, ok, err := s.b.Swap(s.ctx, s.prefix+"k", at, fmt.Append(nil, i))
			if err != nil || !ok {
				s.Errorf("swap: %v, %v", ok, err)
				return
			}
			at = head.Rev
		}
	})
	for i, e := range s.watch(s.a, rev+1, 50) {
		if string(e.Value) != fmt.Sprint(i) {
			s.Errorf("change %d is %v", i, e)
		}
	}
}

func testWatchOld(s *suite) {
	one, _ := s.swap(s.a, "k", 0, "one")
	two, _ := s.swap(s.a, "k", one.Rev, "two")
	got := s.watch(s.b, one.Rev, 2)
	if got[0].Rev != one.Rev || got[1].Rev != two.Rev {
		s.Errorf("%v", got)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	if err := s.b.Watch(ctx, s.prefix, one.Rev, func(cluster.Entry) {}); !errors.Is(err, context.Canceled) {
		s.Errorf("after its end: %v", err)
	}
}

func testBytes(s *suite) {
	var key, value []byte
	for b := range 256 {
		key, value = append(key, byte(b)), append(value, byte(b))
	}
	value = bytes.Repeat(value, 1<<10)
	s.swap(s.a, string(key), 0, string(value))
	e, err := s.b.Get(s.ctx, s.prefix+string(key))
	if err != nil || !bytes.Equal(e.Value, value) {
		s.Errorf("%d bytes, %v", len(e.Value), err)
	}
}

func testDrop(s *suite) {
	for _, key := range []string{"c/1", "c/2", "c/3", "other"} {
		s.swap(s.a, key, 0, "v")
	}
	if err := s.a.Drop(s.ctx, s.prefix+"c/1", s.prefix+"c/3", s.prefix+"c/none"); err != nil {
		s.Fatal(err)
	}
	var got []string
	if err := s.b.Keys(s.ctx, s.prefix+"c/", func(key string) { got = append(got, key) }); err != nil {
		s.Fatal(err)
	}
	if !slices.Equal(got, []string{s.prefix + "c/2"}) {
		s.Errorf("there are %q", got)
	}
	if e, err := s.b.Get(s.ctx, s.prefix+"c/1"); err != nil || e.Rev != 0 {
		s.Errorf("what was dropped is %v, %v", e, err)
	}
}
