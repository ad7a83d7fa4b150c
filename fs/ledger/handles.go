package ledger

import "encoding/binary"

// Kind is the kind of an open handle.
type Kind uint32

// The kinds of handles.
const (
	File      Kind = 1 // a plain file
	Directory Kind = 2
	Registry  Kind = 3
)

// Handle is the record of an open file or directory.
type Handle struct {
	Node  uint64 // its id
	Flags uint32 // of its open(2)
	Kind  Kind
	Task  uint32 // thread by which it was opened

	Request uint64 // number of the one that has opened it, until the kernel has its answer; then 0

	// Of a registry alone.
	Shows  uint64           // the version that it shows; 0: none
	Digest [digestSize]byte // of that
	Sized  bool             // somebody was told its size, and has not read since
	Staged bool             // something may have been written by it that is not committed
	Places Placing
}

// The number of a handle is how many there were before, and the place of its record. No later
// one has it: the kernel may send the release of a handle again after its place was used anew.
const (
	placeBits     = 20
	handlesSoFar  = 32 // in the memory's header
	handleMaximum = 1<<placeBits - 1
)

const (
	handleNodeField  = 8
	handleFlagsField = 16
	handleKindField  = 20
	handleShowsField = 24
	handleTaskField  = 32
	handleStageField = 36
	handleAskedField = 40
	handleSizeField  = 48 // staged.go
	handlePlaceField = 56
	handleShownField = 120
	handleSizedField = 152
)

// Add notes that the kernel is about to be told of an open handle, and returns the number by
// which it is to know it; 0 where there is no room.
func (l *Ledger) Add(h Handle) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	place := l.handles.take()
	if place == 0 {
		return 0
	}
	record := l.handles.at(place)
	before := binary.NativeEndian.Uint64(l.memory[handlesSoFar:]) + 1
	binary.NativeEndian.PutUint64(l.memory[handlesSoFar:], before)
	number := before<<placeBits | uint64(place)
	binary.NativeEndian.PutUint64(record[handleNodeField:], h.Node)
	binary.NativeEndian.PutUint32(record[handleFlagsField:], h.Flags)
	binary.NativeEndian.PutUint32(record[handleKindField:], uint32(h.Kind))
	binary.NativeEndian.PutUint64(record[handleShowsField:], h.Shows)
	copy(record[handleShownField:], h.Digest[:])
	binary.NativeEndian.PutUint32(record[handleTaskField:], h.Task)
	binary.NativeEndian.PutUint64(record[handleAskedField:], h.Request)
	putTruth(record[handleStageField:], h.Staged)
	putTruth(record[handleSizedField:], h.Sized)
	binary.NativeEndian.PutUint64(record, number)
	return number
}

// Told notes that the kernel knows a handle.
func (l *Ledger) Told(number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if record, ok := l.handle(number); ok {
		binary.NativeEndian.PutUint64(record[handleAskedField:], 0)
	}
}

// Untold returns the handles of which the kernel may not know, by the numbers of the requests that have opened them.
func (l *Ledger) Untold() map[uint64]uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := make(map[uint64]uint64)
	for place := uint32(1); place < l.handles.end(); place++ {
		record := l.handles.at(place)
		if request := binary.NativeEndian.Uint64(record[handleAskedField:]); request != 0 {
			found[request] = binary.NativeEndian.Uint64(record)
		}
	}
	return found
}

// Handle returns the record of a handle.
func (l *Ledger) Handle(number uint64) (h Handle, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	record, ok := l.handle(number)
	if !ok {
		return h, false
	}
	return readHandle(record), true
}

// Handles returns all of a kind, by their numbers.
func (l *Ledger) Handles(kind Kind) map[uint64]Handle {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := make(map[uint64]Handle)
	for place := uint32(1); place < l.handles.end(); place++ {
		record := l.handles.at(place)
		if number := binary.NativeEndian.Uint64(record); number != 0 {
			if h := readHandle(record); h.Kind == kind {
				found[number] = h
			}
		}
	}
	return found
}

func readHandle(record []byte) Handle {
	return Handle{
		Node:  binary.NativeEndian.Uint64(record[handleNodeField:]),
		Flags: binary.NativeEndian.Uint32(record[handleFlagsField:]),
		Kind:  Kind(binary.NativeEndian.Uint32(record[handleKindField:])),
		Shows: binary.NativeEndian.Uint64(record[handleShowsField:]),
		Task:  binary.NativeEndian.Uint32(record[handleTaskField:]),

		Request: binary.NativeEndian.Uint64(record[handleAskedField:]),

		Digest: [digestSize]byte(record[handleShownField:]),
		Sized:  binary.NativeEndian.Uint32(record[handleSizedField:]) != 0,
		Staged: binary.NativeEndian.Uint32(record[handleStageField:]) != 0,
		Places: readPlacing(record[handlePlaceField:]),
	}
}

func putTruth(to []byte, v bool) {
	var n uint32
	if v {
		n = 1
	}
	binary.NativeEndian.PutUint32(to, n)
}

// Shows notes the version that a handle shows from now on, and its digest.
func (l *Ledger) Shows(number, version uint64, digest [digestSize]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if record, ok := l.handle(number); ok {
		copy(record[handleShownField:], digest[:])
		binary.NativeEndian.PutUint64(record[handleShowsField:], version)
	}
}

// Sized notes whether somebody was told the size of the version that a handle shows, and has not read since.
func (l *Ledger) Sized(number uint64, is bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if record, ok := l.handle(number); ok {
		putTruth(record[handleSizedField:], is)
	}
}

// Drop forgets a handle that the kernel has released.
func (l *Ledger) Drop(number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if record, ok := l.handle(number); ok {
		l.empty(number, record)
		l.handles.drop(placeOf(number))
	}
}

// handle returns a handle's record. The caller holds mu.
func (l *Ledger) handle(number uint64) (record []byte, ok bool) {
	place := placeOf(number)
	if place == 0 || place >= l.handles.end() {
		return nil, false
	}
	record = l.handles.at(place)
	return record, binary.NativeEndian.Uint64(record) == number
}

func placeOf(number uint64) uint32 { return uint32(number & handleMaximum) }

// Stages notes whether something may have been written by a handle that is not committed.
func (l *Ledger) Stages(number uint64, staged bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if record, ok := l.handle(number); ok {
		putTruth(record[handleStageField:], staged)
	}
}
