package uring

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// interrupts carries INTERRUPT, which comes by the device, to requests that came by a
// ring. It may come first, since nothing orders the two: then it is kept until its request
// comes. The handler knows the requests that it handles.
type interrupts struct {
	handler handler

	kept atomic.Int32 // length of early
	mu   sync.Mutex   // guards early and now
	// early are requests that an INTERRUPT came for and that were not being handled.
	// Most are over, as no number is used twice. The oldest go.
	early []uint64
	now   map[*atomic.Uint64]struct{} // of each thread, the request that it handles, or 0
}

const maxEarly = 64

// watch has a thread's request looked at from now on.
func (i *interrupts) watch(now *atomic.Uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.now == nil {
		i.now = make(map[*atomic.Uint64]struct{})
	}
	i.now[now] = struct{}{}
}

func (i *interrupts) unwatch(now *atomic.Uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.now, now)
}

// begin is called by a thread before it handles a request.
func (i *interrupts) begin(now *atomic.Uint64, unique uint64) {
	now.Store(unique)
	if i.kept.Load() == 0 {
		return
	}
	if i.drop(unique) {
		go i.deliver(unique)
	}
}

// drop forgets that an INTERRUPT came early, and reports whether one had.
func (i *interrupts) drop(unique uint64) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	at := slices.Index(i.early, unique)
	if at < 0 {
		return false
	}
	i.early = slices.Delete(i.early, at, at+1)
	i.kept.Store(int32(len(i.early)))
	return true
}

// interrupt is called when an INTERRUPT has come. The order of its steps makes sure that
// begin finds it, or it finds the entry that begin has stored.
func (i *interrupts) interrupt(unique uint64) {
	i.mu.Lock()
	if len(i.early) == maxEarly {
		i.early = slices.Delete(i.early, 0, 1)
	}
	i.early = append(i.early, unique)
	i.kept.Store(int32(len(i.early)))
	i.mu.Unlock()
	switch {
	case i.send(unique):
		i.drop(unique)
	case i.handling(unique) && i.drop(unique):
		go i.deliver(unique)
	}
}

// deliver interrupts a request that a thread is about to hand to the handler.
func (i *interrupts) deliver(unique uint64) {
	for i.handling(unique) && !i.send(unique) {
		time.Sleep(time.Millisecond)
	}
}

func (i *interrupts) handling(unique uint64) bool {
	return slices.Contains(i.requests(), unique)
}

// requests returns the requests that are being handled.
func (i *interrupts) requests() (list []uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for now := range i.now {
		if unique := now.Load(); unique != 0 {
			list = append(list, unique)
		}
	}
	return list
}

// all interrupts everything, as the connection has ended.
func (i *interrupts) all() {
	for _, unique := range i.requests() {
		i.send(unique)
	}
}

// interruptBit makes the number of an INTERRUPT out of that of its request.
const interruptBit = 1

// send gives an INTERRUPT to the handler, and reports whether it knows the request.
func (i *interrupts) send(unique uint64) bool {
	var in [inHeaderSize + 8]byte
	binary.NativeEndian.PutUint32(in[lenField:], uint32(len(in)))
	binary.NativeEndian.PutUint32(in[opcodeField:], opInterrupt)
	binary.NativeEndian.PutUint64(in[uniqueField:], unique|interruptBit)
	binary.NativeEndian.PutUint64(in[inHeaderSize:], unique)
	var out [outHeaderSize]byte
	size, ok := i.handler.handle([][]byte{in[:]}, [][]byte{out[:]})
	return ok && size == 0
}
