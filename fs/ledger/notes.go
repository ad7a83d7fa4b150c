package ledger

import "encoding/binary"

// A note is text that the file system leaves for a later daemon, of any length. Each has a room
// in the memory's file, as staged bytes have. The text stands in one of four places of the room:
// two for a short one, which share a page, and two for a long one. A new text goes to a place
// that the old one does not have, so that a daemon that dies meanwhile leaves the old one.

const (
	shortNote    = 2 << 10
	longNote     = 1 << 27
	noteRoomSize = 4 << 27

	noteLengthField = 8
)

// notePlace returns where in a room a text goes, after one in the place was; 0: there was none.
// Places count from 1.
func notePlace(length int, was uint64) uint64 {
	switch {
	case length <= shortNote && was != 1:
		return 1
	case length <= shortNote:
		return 2
	case was != 3:
		return 3
	}
	return 4
}

func noteRoomOf(id uint32) int64 { return noteRoomsAt + int64(id)*noteRoomSize }

func notePlaceAt(id uint32, place uint64) int64 {
	switch place {
	case 1, 2:
		return noteRoomOf(id) + int64(place-1)*shortNote
	}
	return noteRoomOf(id) + int64(place-2)*longNote
}

// Put leaves a text, which is given in parts: a new one for an id of 0, else in the place of the text
// that has the id. It returns the text's id, 0 where there is no room; then the former text stays.
func (l *Ledger) Put(id uint32, parts ...[]byte) uint32 {
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	if length > longNote {
		return 0
	}
	made := id == 0
	l.mu.Lock()
	if made {
		id = l.notes.take()
	}
	if id == 0 {
		l.mu.Unlock()
		return 0
	}
	record := l.notes.at(id)
	l.mu.Unlock()
	place := notePlace(length, binary.NativeEndian.Uint64(record))
	at := notePlaceAt(id, place)
	for _, part := range parts {
		if !l.put(part, at) {
			if made {
				l.Remove(id)
			}
			return 0
		}
		at += int64(len(part))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	binary.NativeEndian.PutUint64(record[noteLengthField*place:], uint64(length))
	binary.NativeEndian.PutUint64(record, place)
	return id
}

// Remove takes a text away.
func (l *Ledger) Remove(id uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	record := l.notes.at(id)
	if binary.NativeEndian.Uint64(record[noteLengthField*3:])|binary.NativeEndian.Uint64(record[noteLengthField*4:]) != 0 {
		l.punch(noteRoomOf(id), noteRoomSize)
	}
	l.notes.drop(id)
}

// Text returns the text that has an id, or its beginning of so many bytes; ok is false where there is none.
func (l *Ledger) Text(id uint32, most int) (text []byte, ok bool) {
	l.mu.Lock()
	if id == 0 || id >= l.notes.end() {
		l.mu.Unlock()
		return nil, false
	}
	record := l.notes.at(id)
	place := binary.NativeEndian.Uint64(record)
	if place == 0 {
		l.mu.Unlock()
		return nil, false
	}
	text = make([]byte, min(binary.NativeEndian.Uint64(record[noteLengthField*place:]), uint64(most)))
	l.mu.Unlock()
	return text, l.get(text, notePlaceAt(id, place))
}

// Texts returns the ids of all texts, in no order.
func (l *Ledger) Texts() (ids []uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := uint32(1); id < l.notes.end(); id++ {
		if binary.NativeEndian.Uint64(l.notes.at(id)) != 0 {
			ids = append(ids, id)
		}
	}
	return ids
}
