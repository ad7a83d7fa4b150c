package ledger

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// What is staged by an open registry has a room of its own in the memory's file, which is as large
// as it may ever be, and takes only as much memory as was written to it. At its beginning is
// what the transaction says of itself, in one of two places: a daemon that dies while it
// writes that leaves the other one.

const (
	noteRoom = 4096
	roomSize = 256 << 20
	dataRoom = roomSize - 2*noteRoom
)

// noteSecond marks the length of what stands in the second place.
const noteSecond = 1 << 31

// keptRoom is up to which size a room's memory stays for the next handle.
const keptRoom = 16 << 10

func roomOf(number uint64) int64 { return roomsAt + int64(placeOf(number))*roomSize }

// Save keeps what the transaction of a handle says of itself, and has its staged bytes carried over
// from then on. It reports whether there was room.
func (l *Ledger) Save(number uint64, note []byte) bool {
	was, _, ok := l.saved(number)
	if !ok || len(note) == 0 || len(note) > noteRoom {
		return false
	}
	is, at := uint32(len(note))|noteSecond, roomOf(number)+noteRoom
	if was&noteSecond != 0 {
		is, at = is&^noteSecond, at-noteRoom
	}
	if !l.put(note, at) {
		return false
	}
	l.setNote(number, is)
	return true
}

// Lose has nothing of a handle carried over, of what is staged.
func (l *Ledger) Lose(number uint64) { l.setNote(number, 0) }

func (l *Ledger) setNote(number uint64, note uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if record, ok := l.handle(number); ok {
		binary.NativeEndian.PutUint32(record[handleNoteField:], note)
	}
}

// saved returns the length and the place of what the transaction of a handle says of itself, and the
// length of what is staged.
func (l *Ledger) saved(number uint64) (note uint32, size int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	record, ok := l.handle(number)
	if !ok {
		return 0, 0, false
	}
	return binary.NativeEndian.Uint32(record[handleNoteField:]), int64(binary.NativeEndian.Uint64(record[handleSizeField:])), true
}

// Stage keeps bytes that are staged by a handle at an offset. A gap before them is zeros. It reports
// whether there was room.
func (l *Ledger) Stage(number uint64, at int64, data []byte) bool {
	_, size, ok := l.saved(number)
	end := at + int64(len(data))
	if !ok || end > dataRoom || at > size && !l.zero(number, size, at) {
		return false
	}
	if !l.put(data, roomOf(number)+2*noteRoom+at) {
		return false
	}
	l.setSize(number, max(size, end))
	return true
}

// Cut sets the length of what is staged by a handle. It reports whether there was room.
func (l *Ledger) Cut(number uint64, to int64) bool {
	_, size, ok := l.saved(number)
	if !ok || to > dataRoom || to > size && !l.zero(number, size, to) {
		return false
	}
	l.setSize(number, to)
	return true
}

func (l *Ledger) setSize(number uint64, size int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if record, ok := l.handle(number); ok {
		binary.NativeEndian.PutUint64(record[handleSizeField:], uint64(size))
	}
}

// zero makes a part of a room zeros.
func (l *Ledger) zero(number uint64, from, to int64) bool {
	zeros := make([]byte, min(to-from, 1<<20))
	for from < to {
		n := min(to-from, int64(len(zeros)))
		if !l.put(zeros[:n], roomOf(number)+2*noteRoom+from) {
			return false
		}
		from += n
	}
	return true
}

func (l *Ledger) put(data []byte, at int64) bool {
	for len(data) > 0 {
		n, err := unix.Pwrite(l.fd, data, at)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return false
		}
		data, at = data[n:], at+int64(n)
	}
	return true
}

// Saved returns what the transaction of a handle says of itself, and what is staged by it. ok is
// false where nothing is carried over.
func (l *Ledger) Saved(number uint64) (note, data []byte, ok bool) {
	length, size, ok := l.saved(number)
	if !ok || length == 0 {
		return nil, nil, false
	}
	at := roomOf(number)
	if length&noteSecond != 0 {
		at += noteRoom
	}
	note, data = make([]byte, length&^noteSecond), make([]byte, size)
	return note, data, l.get(note, at) && l.get(data, roomOf(number)+2*noteRoom)
}

func (l *Ledger) get(data []byte, at int64) bool {
	for len(data) > 0 {
		n, err := unix.Pread(l.fd, data, at)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil || n == 0:
			return false
		}
		data, at = data[n:], at+int64(n)
	}
	return true
}

// empty gives the memory of a handle's room back if it is much. The caller holds mu.
func (l *Ledger) empty(number uint64, record []byte) {
	if binary.NativeEndian.Uint64(record[handleSizeField:]) > keptRoom {
		_ = unix.Fallocate(l.fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, roomOf(number), roomSize)
	}
}
