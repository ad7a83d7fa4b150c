package ledger

import "encoding/binary"

// Node is the record of an object that the kernel knows.
type Node struct {
	ID         uint64
	Generation uint64 // tells it from a later object of the same id
	Parent     uint64 // id of the directory in which it was found
	Name       string // of its entry there; "/" if it has none any more

	// As programs were told when it was found: inode number, size in bytes, and time of
	// modification in nanoseconds since 1970.
	Number, Size uint64
	Modified     int64

	Unheard uint32 // events of which its watchers have not heard, in the file system's own bits; not for Refer
}

// nodeRecord is a node as it stands in memory: id, references that the kernel holds,
// generation, parent, place of a long name, length of the name, the facts that programs were
// told, events that watchers have not heard of, the name.
type nodeRecord []byte

const (
	idField         = 0
	refsField       = 8
	generationField = 16
	parentField     = 24
	longField       = 32
	lengthField     = 36
	numberField     = 40
	sizeField       = 48
	modifiedField   = 56
	unheardField    = 64
	nameField       = 72
)

func (n nodeRecord) id() uint64         { return binary.NativeEndian.Uint64(n[idField:]) }
func (n nodeRecord) refs() uint64       { return binary.NativeEndian.Uint64(n[refsField:]) }
func (n nodeRecord) generation() uint64 { return binary.NativeEndian.Uint64(n[generationField:]) }
func (n nodeRecord) parent() uint64     { return binary.NativeEndian.Uint64(n[parentField:]) }
func (n nodeRecord) longName() uint32   { return binary.NativeEndian.Uint32(n[longField:]) }
func (n nodeRecord) length() int        { return int(binary.NativeEndian.Uint32(n[lengthField:])) }
func (n nodeRecord) isPlaced() bool     { return n.length() > 0 }

func (n nodeRecord) setRefs(refs uint64) { binary.NativeEndian.PutUint64(n[refsField:], refs) }

// Refer notes that the kernel is about to be told of a node, by a name in a directory: it
// holds one reference more from then on.
func (l *Ledger) Refer(n Node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.byID[n.ID]
	if !ok {
		if e.place = l.nodes.take(); e.place == 0 {
			return // it will not be carried over
		}
	}
	record := nodeRecord(l.nodes.at(e.place))
	l.place(record, n.Parent, n.Name)
	binary.NativeEndian.PutUint64(record[generationField:], n.Generation)
	binary.NativeEndian.PutUint64(record[numberField:], n.Number)
	binary.NativeEndian.PutUint64(record[sizeField:], n.Size)
	binary.NativeEndian.PutUint64(record[modifiedField:], uint64(n.Modified))
	record.setRefs(record.refs() + 1)
	binary.NativeEndian.PutUint64(record[idField:], n.ID)
	e.given++
	l.byID[n.ID] = e
}

// Again notes that this daemon has told the file system of a node once, as if it had been
// looked up, to bring it back.
func (l *Ledger) Again(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.byID[id]; ok {
		e.given++
		l.byID[id] = e
	}
}

// Forget notes that the kernel has given references to a node back. Once it holds none, it
// returns how many this daemon has told the file system of, which is to forget them all.
// Else, and where the node is not known, it returns 0.
func (l *Ledger) Forget(id, count uint64) (given uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.byID[id]
	if !ok {
		return 0
	}
	record := nodeRecord(l.nodes.at(e.place))
	if refs := record.refs(); refs > count {
		record.setRefs(refs - count)
		return 0
	}
	if at := record.longName(); at != 0 {
		l.names.drop(at)
	}
	l.nodes.drop(e.place)
	delete(l.byID, id)
	return e.given
}

// Move notes by which name a node is found from now on, if it is known. All else of it stays.
func (l *Ledger) Move(n Node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.byID[n.ID]; ok {
		l.place(l.nodes.at(e.place), n.Parent, n.Name)
	}
}

// Unheard notes the events of which the watchers of a node have not heard, if it is known.
func (l *Ledger) Unheard(id uint64, events uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.byID[id]; ok {
		binary.NativeEndian.PutUint32(l.nodes.at(e.place)[unheardField:], events)
	}
}

// Node returns the record of a node. given says that this daemon has told the file system of
// it.
func (l *Ledger) Node(id uint64) (n Node, given, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.byID[id]
	if !ok {
		return n, false, false
	}
	return l.read(e), e.given > 0, true
}

// Nodes returns those whose ids are wanted, in no order.
func (l *Ledger) Nodes(wanted func(id uint64) bool) (list []Node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, e := range l.byID {
		if wanted(id) {
			list = append(list, l.read(e))
		}
	}
	return list
}

// read returns the node of an entry. The caller holds mu.
func (l *Ledger) read(e entry) Node {
	record := nodeRecord(l.nodes.at(e.place))
	return Node{
		ID: record.id(), Generation: record.generation(), Parent: record.parent(), Name: l.name(record),
		Number:   binary.NativeEndian.Uint64(record[numberField:]),
		Size:     binary.NativeEndian.Uint64(record[sizeField:]),
		Modified: int64(binary.NativeEndian.Uint64(record[modifiedField:])),
		Unheard:  binary.NativeEndian.Uint32(record[unheardField:]),
	}
}

// IsGiven reports whether this daemon has told the file system of a node.
func (l *Ledger) IsGiven(id uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[id].given > 0
}

func (l *Ledger) name(record nodeRecord) string {
	if at := record.longName(); at != 0 {
		return string(l.names.at(at)[1:][:record.length()])
	}
	return string(record[nameField:][:record.length()])
}

// place writes where a node is found, if the record does not say so already. The caller
// holds mu.
func (l *Ledger) place(record nodeRecord, parent uint64, name string) {
	if record.parent() == parent && record.length() == len(name) && l.name(record) == name {
		return
	}
	long := record.longName()
	binary.NativeEndian.PutUint32(record[lengthField:], 0) // not placed, while the name is neither
	binary.NativeEndian.PutUint64(record[parentField:], parent)
	switch {
	case len(name) <= nodeSize-nameField:
		if long != 0 {
			l.names.drop(long)
		}
		binary.NativeEndian.PutUint32(record[longField:], 0)
		copy(record[nameField:], name)
	case len(name) < nameSize:
		if long == 0 {
			long = l.names.take()
		}
		if long == 0 {
			return
		}
		record2 := l.names.at(long)
		record2[0] = 1
		copy(record2[1:], name)
		binary.NativeEndian.PutUint32(record[longField:], long)
	default:
		return // no name is as long
	}
	binary.NativeEndian.PutUint32(record[lengthField:], uint32(len(name)))
}
