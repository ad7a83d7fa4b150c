package backing

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// The space of numbers. Its lower half is for files below the directory, but not below
// .clawfs:
//
//	2 … 2^50-1      the backing inode number
//	2^50 … 2^51-1   given in turn
//	2^51 … 2^52-1   a digest of device and inode number
const (
	givenNumbers   = 1 << 50
	digestNumbers  = 1 << 51
	endOfGiven     = digestNumbers
	reservedNumber = 1 // the root's
)

// Numbers gives files the inode numbers that programs see. A commit makes another backing
// file, and the number goes over to it: a note says so, by the backing inode. A file
// without a note has its own number (Base). If another file carries that number, or the
// kernel still knows it, the file is given a new one.
//
// The notes are in memory, and as lines in .clawfs/numbers for the next process. The lines
// are not synced, and some may be missing after a power failure. No number is given twice
// because of that.
//
// Its methods may be called concurrently.
type Numbers struct {
	dev, root uint64 // of the directory

	mu       sync.RWMutex // guards the fields below
	notes    map[uint64]note
	carriers map[uint64]int // of numbers: notes that have it, and holders in the kernel
	next     uint64         // to give
	retired  []retired
	pending  bytes.Buffer // lines that are to be written
	count    int          // of lines in the file, and pending

	writing sync.Mutex // comes before mu; guards the fields below
	dir     *Dir       // nil: nothing is written
	file    int        // .clawfs/numbers, open for appending; -1: not open
	broken  bool       // the file lacks lines, or may end in the middle of one
}

// note has the noted facts of a backing file, by its inode number.
type note struct {
	birth     uint64 // of the file: a later one that is given the inode has another
	number    uint64
	before    uint64 // number of the file that it has replaced; 0: none
	unwritten bool   // it has no line
	retired   bool   // the file was replaced: the note goes soon, unless the file is used again
}

// retired is a file that has been replaced. A request that has looked at it just before, or
// has read its directory, asks for its number a moment later.
type retired struct {
	ino uint64
	at  time.Time
}

// retirement is how long the number of a replaced file is noted: longer than a busy machine
// has a request wait.
const retirement = 10 * time.Second

// Numbers returns the numbers of the directory's files. They must not be used after Close.
func (d *Dir) Numbers() *Numbers { return &d.numbers }

// init makes numbers without notes.
func (n *Numbers) init(dev, root uint64) {
	n.dev, n.root = dev, root
	n.notes = make(map[uint64]note)
	n.carriers = make(map[uint64]int)
	n.next = givenNumbers
}

// Base returns the number that follows from an object's device and inode number alone.
func (n *Numbers) Base(dev, ino uint64) uint64 {
	if dev == n.dev && ino != n.root && ino > reservedNumber && ino < givenNumbers {
		return ino
	}
	var key [16]byte
	binary.LittleEndian.PutUint64(key[:], dev)
	binary.LittleEndian.PutUint64(key[8:], ino)
	sum := sha256.Sum256(key[:])
	return binary.LittleEndian.Uint64(sum[:])&(digestNumbers-1) | digestNumbers
}

// Of returns the number of a file on the directory's device, by its inode number and its
// time of birth in nanoseconds, 1 where none is known.
func (n *Numbers) Of(ino, birth uint64) uint64 {
	n.mu.RLock()
	e, noted := n.notes[ino]
	base := n.Base(n.dev, ino)
	free := n.carriers[base] == 0
	n.mu.RUnlock()
	switch {
	case noted && e.birth == birth:
		return e.number
	case !noted && free:
		return base
	}
	number := n.give(ino, birth)
	n.flush()
	return number
}

// give is Of for a file that must not have its own number, or has the inode of one that
// is gone.
func (n *Numbers) give(ino, birth uint64) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	e, noted := n.notes[ino]
	if noted && e.birth == birth {
		return e.number
	}
	if noted {
		n.drop(ino)
	}
	base := n.Base(n.dev, ino)
	if n.carriers[base] == 0 {
		return base
	}
	number := n.next
	if n.next++; n.next == endOfGiven {
		n.next = givenNumbers
	}
	n.note(ino, note{birth: birth, number: number})
	return number
}

// OfKnown is Of for a file whose number the kernel gets to know (Hold).
func (n *Numbers) OfKnown(ino, birth uint64) uint64 {
	number := n.Of(ino, birth)
	n.pin(ino, birth, number)
	return number
}

// OfListed is Of for a listing, which tells no time of birth. The note of a file that is
// gone counts for a later file with its inode, until somebody looks at that file. ok is
// false where the file must be looked at now.
func (n *Numbers) OfListed(ino uint64) (number uint64, ok bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if e, noted := n.notes[ino]; noted {
		return e.number, true
	}
	number = n.Base(n.dev, ino)
	return number, n.carriers[number] == 0
}

// Before returns the number of the file that a commit has replaced by the one given; 0 if
// none is known.
func (n *Numbers) Before(ino, birth uint64) uint64 {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if e, ok := n.notes[ino]; ok && e.birth == birth {
		return e.before
	}
	return 0
}

// Carry notes that a file has a number from now on.
func (n *Numbers) Carry(ino, birth, number uint64) { n.carry(ino, birth, number, 0) }

func (n *Numbers) carry(ino, birth, number, before uint64) {
	n.mu.Lock()
	n.retireOld()
	n.note(ino, note{birth: birth, number: number, before: before})
	n.mu.Unlock()
	n.flush()
}

// pin has a file keep the number that it has while another one gets it, too. That is
// forgotten with the process.
func (n *Numbers) pin(ino, birth, number uint64) {
	n.mu.RLock()
	e, ok := n.notes[ino]
	n.mu.RUnlock()
	if ok && e.birth == birth {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if e, ok := n.notes[ino]; !ok || e.birth != birth {
		n.note(ino, note{birth: birth, number: number, unwritten: true})
	}
}

// lend has a file keep its number as long as this process lives, while another one is to
// carry it on: the next process must not find two files that have it. It returns the
// number.
func (n *Numbers) lend(ino, birth uint64) uint64 {
	number := n.OfKnown(ino, birth)
	n.mu.Lock()
	defer n.mu.Unlock()
	if e, ok := n.notes[ino]; ok && !e.unwritten {
		n.add('-', ino)
		e.unwritten = true
		n.notes[ino] = e
	}
	return number
}

// Drop forgets the note of a file, which is about to go or has just gone.
func (n *Numbers) Drop(ino, birth uint64) {
	n.mu.RLock()
	_, noted := n.notes[ino]
	n.mu.RUnlock()
	if !noted {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if e, ok := n.notes[ino]; ok && e.birth == birth {
		n.drop(ino)
	}
}

// retire is Drop for a file that has been replaced by a commit.
func (n *Numbers) retire(ino, birth uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if e, ok := n.notes[ino]; ok && e.birth == birth {
		e.retired = true
		n.notes[ino] = e
		n.retired = append(n.retired, retired{ino: ino, at: time.Now()})
	}
}

// retireOld drops the numbers that were retired a while ago. The caller holds mu.
func (n *Numbers) retireOld() {
	i := 0
	for ; i < len(n.retired) && time.Since(n.retired[i].at) >= retirement; i++ {
		if ino := n.retired[i].ino; n.notes[ino].retired {
			n.drop(ino)
		}
	}
	n.retired = n.retired[i:]
}

// Hold says that the kernel knows the number of a file (OfKnown), so that no other file may
// be given it as long as that is so (LetGo).
func (n *Numbers) Hold(number uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.carriers[number]++
}

// LetGo undoes one Hold.
func (n *Numbers) LetGo(number uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.release(number)
}

// note notes e, in place of an earlier note of the inode. The caller holds mu.
func (n *Numbers) note(ino uint64, e note) {
	if old, ok := n.notes[ino]; ok {
		n.release(old.number)
	}
	n.notes[ino] = e
	n.carriers[e.number]++
	if !e.unwritten {
		n.add('+', ino, e.birth, e.number)
	}
}

// drop forgets a note. The caller holds mu.
func (n *Numbers) drop(ino uint64) {
	e := n.notes[ino]
	delete(n.notes, ino)
	n.release(e.number)
	if !e.unwritten {
		n.add('-', ino)
	}
}

func (n *Numbers) release(number uint64) {
	if n.carriers[number]--; n.carriers[number] <= 0 {
		delete(n.carriers, number)
	}
}

// flush hands the new lines to the system. It is called without mu, so that a question for
// a number does not wait for a disk. Where it fails the whole is written anew next time:
// a number that can't be written, on a full disk for instance, is no reason to fail a
// commit.
func (n *Numbers) flush() {
	if n.dir == nil {
		return
	}
	n.writing.Lock()
	defer n.writing.Unlock()
	n.mu.Lock()
	text := bytes.Clone(n.pending.Bytes())
	n.pending.Reset()
	whole := len(text) > 0 && (n.file < 0 || n.broken || n.count > 2*len(n.notes)+fewNumberLines)
	if whole {
		text, n.count = n.lines()
	}
	n.mu.Unlock()
	switch {
	case whole:
		n.broken = !n.replaceFile(text)
	case len(text) > 0:
		n.broken = writeAll(n.file, text) != nil
	}
}

// lines returns the content of the file if nothing in it is outdated. The caller holds mu.
func (n *Numbers) lines() (text []byte, count int) {
	text = appendNumbers(nil, '=', n.next)
	for ino, e := range n.notes {
		if !e.unwritten {
			text = appendNumbers(text, '+', ino, e.birth, e.number)
			count++
		}
	}
	return text, count
}

// read takes over the lines of an earlier process. It reports whether all were well
// formed: the last one may have been cut short by a power failure.
func (n *Numbers) read(text []byte) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	whole := len(text) == 0 || text[len(text)-1] == '\n'
	for line := range bytes.Lines(text) {
		if !bytes.HasSuffix(line, []byte("\n")) || !n.readLine(string(line)) {
			whole = false
		}
		n.count++
	}
	n.pending.Reset()
	return whole
}

func (n *Numbers) readLine(line string) bool {
	var numbers []uint64
	for field := range strings.FieldsSeq(line[1:]) {
		x, err := strconv.ParseUint(field, 36, 64)
		if err != nil {
			return false
		}
		numbers = append(numbers, x)
	}
	var next uint64
	switch {
	case line[0] == '+' && len(numbers) == 3:
		n.note(numbers[0], note{birth: numbers[1], number: numbers[2]})
		next = numbers[2] + 1
	case line[0] == '-' && len(numbers) == 1:
		if _, ok := n.notes[numbers[0]]; ok {
			n.drop(numbers[0])
		}
	case line[0] == '=' && len(numbers) == 1:
		next = numbers[0]
	default:
		return false
	}
	if next >= givenNumbers && next < endOfGiven {
		n.next = max(n.next, next)
	}
	return true
}

// add adds a line to the pending ones. The caller holds mu.
func (n *Numbers) add(kind byte, numbers ...uint64) {
	if n.dir != nil {
		n.pending.Write(appendNumbers(n.pending.AvailableBuffer(), kind, numbers...))
		n.count++
	}
}

// appendNumbers appends a line: its kind, and numbers in base 36.
func appendNumbers(b []byte, kind byte, numbers ...uint64) []byte {
	b = append(b, kind)
	for i, x := range numbers {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendUint(b, x, 36)
	}
	return append(b, '\n')
}

const (
	numbersName    = "numbers"
	newNumbersName = "numbers.new"
	fewNumberLines = 1024 // with so many outdated ones the file is not written anew
)

// replaceFile writes the file anew. The caller holds writing.
func (n *Numbers) replaceFile(text []byte) bool {
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_TRUNC | unix.O_APPEND | unix.O_NOFOLLOW
	state := n.dir.state
	fd, err := openAt(state, newNumbersName, flags, 0o600)
	if err != nil {
		return false
	}
	err = n.dir.giveAway(state, newNumbersName)
	if err == nil {
		err = writeAll(fd, text)
	}
	if err == nil {
		err = rename(state, newNumbersName, state, numbersName, 0)
	}
	if err != nil {
		closeFD(fd)
		_ = unlink(state, newNumbersName)
		return false
	}
	closeFD(n.file)
	n.file = fd
	return true
}

// openNumbers reads the notes of an earlier process. Where they can't be read, after a
// power failure perhaps, they say nothing, and the file is written anew with the next
// line.
func (d *Dir) openNumbers() {
	d.numbers.dir = d
	text, err := readFileAt(d.state, numbersName, d.o.MaxLoad)
	if err != nil || !d.numbers.read(text) {
		return
	}
	if fd, err := openAt(d.state, numbersName, unix.O_WRONLY|unix.O_APPEND|unix.O_NOFOLLOW, 0); err == nil {
		d.numbers.file = fd
	}
}

// closeNumbers writes the lines that are not written yet.
func (d *Dir) closeNumbers() {
	n := &d.numbers
	n.mu.Lock()
	for i := range n.retired {
		n.retired[i].at = time.Time{}
	}
	n.retireOld()
	n.mu.Unlock()
	n.flush()
}
