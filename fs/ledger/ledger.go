package ledger

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// format is that of the memory's records and notes. A daemon takes over only a memory of its own
// format. It is a variable for the linker alone: tests make a program with another one (-X).
var format = "3"

// Format returns the number of this version's format.
func Format() uint64 {
	n, err := strconv.ParseUint(format, 10, 64)
	if err != nil {
		panic("the ledger's format is no number")
	}
	return n
}

// FormatError says that another version of the program has left the memory.
type FormatError struct{ Found uint64 }

// Error names both formats.
func (e *FormatError) Error() string {
	return fmt.Sprintf("what the daemon before has left has format %d, and this version knows %d", e.Found, Format())
}

// Ledger holds the records of one connection. Its methods may be called concurrently.
type Ledger struct {
	fd      int
	memory  []byte
	inOrder bool

	mu      sync.Mutex // guards the fields below, and the records
	nodes   table
	names   table // those that are too long for a node's record
	handles table
	intents table
	notes   table
	byID    map[uint64]entry

	intended map[uint64]uint32 // places of intents, by their requests
}

// entry is where a node's record is.
type entry struct {
	place uint32
	given uint64 // references that this daemon has told the file system of
}

// The layout: a page for the format, the tables' last places and the number of handles so far, then
// the tables, which are mapped, then rooms for each handle (staged.go) and note, which are not.
const (
	headerSize = 4096
	nodeSize   = 128
	nameSize   = 256
	handleSize = 192
	intentSize = 704
	noteSize   = 64

	mostNodes   = 4 << 20
	mostNames   = 256 << 10
	mostHandles = 1 << placeBits
	mostIntents = 1 << 10
	mostNotes   = 1 << 20

	namesAt   = headerSize + mostNodes*nodeSize
	handlesAt = namesAt + mostNames*nameSize
	intentsAt = handlesAt + mostHandles*handleSize
	notesAt   = intentsAt + mostIntents*intentSize
	totalSize = notesAt + mostNotes*noteSize

	roomsAt     = (totalSize + headerSize - 1) &^ (headerSize - 1)
	noteRoomsAt = roomsAt + mostHandles*roomSize
	wholeSize   = noteRoomsAt + mostNotes*noteRoomSize
)

// New makes the memory for a new connection.
func New() (*Ledger, error) {
	fd, err := unix.MemfdCreate("clawfs-ledger", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	if err := unix.Ftruncate(fd, wholeSize); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("ftruncate", err)
	}
	l, err := mapped(fd)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	binary.NativeEndian.PutUint64(l.memory, Format())
	return l, nil
}

// Open reads the records that other daemons have left. The descriptor stays the caller's.
// The error is a *FormatError, or the system's.
func Open(fd int) (*Ledger, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	l, err := mapped(own)
	if err != nil {
		unix.Close(own)
		return nil, err
	}
	if found := binary.NativeEndian.Uint64(l.memory); found != Format() {
		l.Close()
		return nil, &FormatError{Found: found}
	}
	l.load()
	l.inOrder = binary.NativeEndian.Uint32(l.memory[leftAt:]) != 0
	binary.NativeEndian.PutUint32(l.memory[leftAt:], 0)
	return l, nil
}

// Check looks whether this version could open a memory, which another process uses. The error is that of Open.
func Check(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	if st.Size < headerSize {
		return &FormatError{}
	}
	memory, err := unix.Mmap(fd, 0, headerSize, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	defer func() { _ = unix.Munmap(memory) }()
	if found := binary.NativeEndian.Uint64(memory); found != Format() || st.Size != wholeSize {
		return &FormatError{Found: found}
	}
	return nil
}

// leftAt is where the header says that a daemon has left in order.
const leftAt = 64

// Leave notes that all requests that this daemon has begun are answered, and that it begins no more.
func (l *Ledger) Leave() { binary.NativeEndian.PutUint32(l.memory[leftAt:], 1) }

// IsInOrder reports whether the daemon before has left so (Leave): it has begun no request that is not answered.
func (l *Ledger) IsInOrder() bool { return l.inOrder }

func mapped(fd int) (*Ledger, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, os.NewSyscallError("fstat", err)
	}
	if st.Size != wholeSize { // another layout, or no ledger
		return nil, &FormatError{}
	}
	memory, err := unix.Mmap(fd, 0, totalSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_NORESERVE)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	return &Ledger{
		fd: fd, memory: memory, byID: make(map[uint64]entry), intended: make(map[uint64]uint32),
		nodes:   table{memory: memory[headerSize:namesAt], size: nodeSize, last: memory[8:]},
		names:   table{memory: memory[namesAt:handlesAt], size: nameSize, last: memory[16:]},
		handles: table{memory: memory[handlesAt:intentsAt], size: handleSize, last: memory[24:]},
		intents: table{memory: memory[intentsAt:notesAt], size: intentSize, last: memory[40:]},
		notes:   table{memory: memory[notesAt:], size: noteSize, last: memory[48:]},
	}, nil
}

// load finds the records that are there.
func (l *Ledger) load() {
	used := make(map[uint32]bool)
	l.nodes.load(func(place uint32, record []byte) bool {
		n := nodeRecord(record)
		if !n.isPlaced() { // its daemon died before it had told the kernel
			clear(record)
			return false
		}
		l.byID[n.id()] = entry{place: place}
		if at := n.longName(); at != 0 {
			used[at] = true
		}
		return true
	})
	l.names.load(func(place uint32, _ []byte) bool { return used[place] })
	l.handles.load(func(uint32, []byte) bool { return true })
	l.notes.load(func(uint32, []byte) bool { return true })
	l.intents.load(func(place uint32, record []byte) bool {
		r := intentRecord(record)
		if r.grow() > oldIntent {
			return false
		}
		l.intended[r.read().Unique] = place
		return true
	})
}

// LooksAgain notes whether a thread was told to look for a registry once more, as it opens it. A later
// note may take the place of an earlier one's.
func (l *Ledger) LooksAgain(thread uint32, does bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.again(thread)
	switch {
	case does:
		binary.NativeEndian.PutUint32(at, thread)
	case binary.NativeEndian.Uint32(at) == thread:
		binary.NativeEndian.PutUint32(at, 0)
	}
}

// LookingAgain returns the threads that were told to look for a registry once more, and have not opened one
// since.
func (l *Ledger) LookingAgain() map[uint32]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make(map[uint32]bool)
	for i := range uint32(againPlaces) {
		if thread := binary.NativeEndian.Uint32(l.again(i)); thread != 0 {
			all[thread] = true
		}
	}
	return all
}

// againPlaces is how many places for threads are in the memory's header.
const againPlaces = 512

// again returns the place of a thread.
func (l *Ledger) again(thread uint32) []byte {
	const at = 1024
	return l.memory[at+4*(thread%againPlaces):]
}

// Close gives the memory up. The supervisor's stays.
func (l *Ledger) Close() {
	_ = unix.Munmap(l.memory)
	_ = unix.Close(l.fd)
}

// FD returns the memory's descriptor.
func (l *Ledger) FD() int { return l.fd }

// table is an array of records. The first word of a record says whether it is there. The
// first place stays empty, so that 0 means none.
type table struct {
	memory []byte
	size   int
	last   []byte // the last place that was ever used, in the memory's header
	free   []uint32
}

// end returns the place behind the last one that was ever used.
func (t *table) end() uint32 { return binary.NativeEndian.Uint32(t.last) + 1 }

// at returns the record of a place.
func (t *table) at(place uint32) []byte { return t.memory[int(place)*t.size:][:t.size] }

// take returns a free place, 0 if there is none.
func (t *table) take() uint32 {
	if last := len(t.free) - 1; last >= 0 {
		place := t.free[last]
		t.free = t.free[:last]
		return place
	}
	place := t.end()
	if int(place) >= len(t.memory)/t.size {
		return 0
	}
	binary.NativeEndian.PutUint32(t.last, place)
	return place
}

// drop frees a place.
func (t *table) drop(place uint32) {
	clear(t.at(place))
	t.free = append(t.free, place)
}

// load finds the places that are used. Those that keep does not want are freed.
func (t *table) load(keep func(place uint32, record []byte) bool) {
	for place := uint32(1); place < t.end(); place++ {
		record := t.at(place)
		if binary.NativeEndian.Uint64(record) == 0 || !keep(place, record) {
			t.drop(place)
		}
	}
}
