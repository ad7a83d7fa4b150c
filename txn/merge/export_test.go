package merge

// NamesOfShort returns Names that keep the keys of short lists, too.
func NamesOfShort() *Names {
	n := NewNames()
	n.least = 1
	return n
}

// Kept returns how many lists there are of which keys are kept.
func (n *Names) Kept() int { return len(n.lists) }
