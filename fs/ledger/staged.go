package ledger

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// The bytes that are staged by an open registry have a room of their own in the memory's file,
// which is as large as it may ever be, and takes the memory of its used pages alone.

const (
	roomSize = 256 << 20

	// keptRoom is the size up to which a room's memory stays for the next handle.
	keptRoom = 16 << 10
)

func roomOf(number uint64) int64 { return roomsAt + int64(placeOf(number))*roomSize }

// stagedSize returns the length of the bytes in a handle's room.
func (l *Ledger) stagedSize(number uint64) (size int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	record, ok := l.handle(number)
	if !ok {
		return 0, false
	}
	return int64(binary.NativeEndian.Uint64(record[handleSizeField:])), true
}

// Fill keeps bytes as all that is staged by a handle. It reports whether there was room.
func (l *Ledger) Fill(number uint64, data []byte) bool {
	if _, ok := l.stagedSize(number); !ok || len(data) > roomSize || !l.put(data, roomOf(number)) {
		return false
	}
	l.setSize(number, int64(len(data)))
	return true
}

// Stage keeps bytes that are staged by a handle at an offset. A gap before them is zeros. It reports
// whether there was room.
func (l *Ledger) Stage(number uint64, at int64, data []byte) bool {
	size, ok := l.stagedSize(number)
	end := at + int64(len(data))
	if !ok || end > roomSize || at > size && !l.zero(number, size, at) {
		return false
	}
	if !l.put(data, roomOf(number)+at) {
		return false
	}
	l.setSize(number, max(size, end))
	return true
}

// Cut sets the length of the bytes that are staged by a handle. It reports whether there was room.
func (l *Ledger) Cut(number uint64, to int64) bool {
	size, ok := l.stagedSize(number)
	if !ok || to > roomSize || to > size && !l.zero(number, size, to) {
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
		if !l.put(zeros[:n], roomOf(number)+from) {
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

// Staged returns the first bytes of those that are staged by a handle; nil where they can't be had. They were
// kept once: others may have been kept or cut off behind them since.
func (l *Ledger) Staged(number uint64, size int) []byte {
	data := make([]byte, size)
	if _, ok := l.stagedSize(number); !ok || size > roomSize || !l.get(data, roomOf(number)) {
		return nil
	}
	return data
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
		l.punch(roomOf(number), roomSize)
	}
}

// punch gives the memory of a part of the file back.
func (l *Ledger) punch(at, size int64) {
	_ = unix.Fallocate(l.fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, at, size)
}
