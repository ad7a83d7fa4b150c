package ledger

import "encoding/binary"

// Outcome says whether a request that was about to be done was done, as far as
// that is known.
type Outcome uint32

// The outcomes.
const (
	None     Outcome = iota // nothing is known: it had not begun
	Begun                   // it may have been done
	Done                    // it was
	Undone                  // it was not
	Doubtful                // nobody can tell
	Placed                  // of a rename: it has committed, and the file may still have its former name
)

// Inode identifies the object that a name stands for. The zero value is nothing.
type Inode struct{ Number, Birth uint64 }

// Intent is a request on names that is about to be done. The inodes of the names before
// it tell afterwards whether it was.
type Intent struct {
	Unique   uint64 // the request's number
	Op       uint32 // the kernel's number of the operation
	Flags    uint32 // of a rename
	Dir      uint64 // id of the node of the directory
	NewDir   uint64 // … of a rename's or a link's other one, or of the object that is linked
	Node     uint64 // id of the name's node; 0: it is not known
	Name     string
	NewName  string
	Was      Inode // of Name before
	NewWas   Inode // … and NewName
	Replaces bool  // NewName is one by which a commit puts another file
	Tells    bool  // Places will hold the digests before anything is put in place
	Places   Placing
	Placed   bool // it has committed
}

// intentRecord is an intent as it stands in memory.
type intentRecord []byte

const (
	outcomeField   = 8
	opField        = 12
	flagsField     = 16
	replacesField  = 20
	dirField       = 24
	newDirField    = 32
	nodeField      = 40
	wasField       = 48
	newWasField    = 64
	nameLenField   = 80
	newLenField    = 84
	ageField       = 88
	tellsField     = 92
	intentNames    = 96
	longestName    = 255
	intentNewNames = intentNames + longestName + 1
	intentPlaces   = intentNewNames + longestName + 1
)

func (r intentRecord) outcome() Outcome {
	return Outcome(binary.NativeEndian.Uint32(r[outcomeField:]))
}

func (r intentRecord) setOutcome(o Outcome) {
	binary.NativeEndian.PutUint32(r[outcomeField:], uint32(o))
}

func (r intentRecord) write(i Intent) {
	put64 := func(at int, v uint64) { binary.NativeEndian.PutUint64(r[at:], v) }
	put32 := func(at int, v uint32) { binary.NativeEndian.PutUint32(r[at:], v) }
	r.setOutcome(Begun)
	put32(opField, i.Op)
	put32(flagsField, i.Flags)
	putTruth(r[replacesField:], i.Replaces)
	put64(dirField, i.Dir)
	put64(newDirField, i.NewDir)
	put64(nodeField, i.Node)
	put64(wasField, i.Was.Number)
	put64(wasField+8, i.Was.Birth)
	put64(newWasField, i.NewWas.Number)
	put64(newWasField+8, i.NewWas.Birth)
	put32(nameLenField, uint32(copy(r[intentNames:intentNewNames], i.Name)))
	put32(newLenField, uint32(copy(r[intentNewNames:intentPlaces], i.NewName)))
	put32(ageField, 0)
	putTruth(r[tellsField:], i.Tells)
	clear(r[intentPlaces:])
	put64(0, i.Unique)
}

func (r intentRecord) read() Intent {
	get64 := func(at int) uint64 { return binary.NativeEndian.Uint64(r[at:]) }
	get32 := func(at int) uint32 { return binary.NativeEndian.Uint32(r[at:]) }
	return Intent{
		Unique: get64(0), Op: get32(opField), Flags: get32(flagsField), Replaces: get32(replacesField) != 0,
		Dir: get64(dirField), NewDir: get64(newDirField), Node: get64(nodeField),
		Name:    string(r[intentNames:][:get32(nameLenField)]),
		NewName: string(r[intentNewNames:][:get32(newLenField)]),
		Was:     Inode{get64(wasField), get64(wasField + 8)},
		NewWas:  Inode{get64(newWasField), get64(newWasField + 8)},
		Tells:   get32(tellsField) != 0,
		Places:  readPlacing(r[intentPlaces:]),
	}
}

// oldIntent is how many daemons see an intent at most. The kernel may have had the answer
// without anybody noting it.
const oldIntent = 8

// grow counts a daemon that has found the intent, and returns how many there were.
func (r intentRecord) grow() uint32 {
	age := binary.NativeEndian.Uint32(r[ageField:]) + 1
	binary.NativeEndian.PutUint32(r[ageField:], age)
	return age
}

// Intend notes a request that is about to be done, in the place of an earlier note of it. It
// reports whether there was room.
func (l *Ledger) Intend(i Intent) bool {
	if len(i.Name) > longestName || len(i.NewName) > longestName {
		return true // no name is as long: nothing will be done
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	place, ok := l.intended[i.Unique]
	if !ok {
		if place = l.intents.take(); place == 0 {
			return false
		}
		l.intended[i.Unique] = place
	}
	intentRecord(l.intents.at(place)).write(i)
	return true
}

// Outcome returns the known outcome of a request.
func (l *Ledger) Outcome(unique uint64) Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	if place, ok := l.intended[unique]; ok {
		return intentRecord(l.intents.at(place)).outcome()
	}
	return None
}

// Settle notes whether a request was done.
func (l *Ledger) Settle(unique uint64, o Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if place, ok := l.intended[unique]; ok {
		intentRecord(l.intents.at(place)).setOutcome(o)
	}
}

// Answered notes that the kernel has the answer to a request.
func (l *Ledger) Answered(unique uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if place, ok := l.intended[unique]; ok {
		delete(l.intended, unique)
		l.intents.drop(place)
	}
}

// Intents returns the changes that daemons before were about to make, and nobody has
// settled.
func (l *Ledger) Intents() (list []Intent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, place := range l.intended {
		record := intentRecord(l.intents.at(place))
		switch outcome := record.outcome(); outcome {
		case Begun, Placed:
			i := record.read()
			i.Placed = outcome == Placed
			list = append(list, i)
		}
	}
	return list
}
