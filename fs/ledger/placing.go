package ledger

// Placing has the digests of the content that a commit is about to put in place, and of the content before. Several
// requests may be committed at once, so that it is the content of none of them. The zero value is none.
type Placing struct{ Content, Before [32]byte }

const digestSize = 32

func readPlacing(from []byte) (p Placing) {
	copy(p.Content[:], from[:digestSize])
	copy(p.Before[:], from[digestSize:])
	return p
}

func (p *Placing) write(to []byte) {
	copy(to[digestSize:], p.Before[:])
	copy(to[:digestSize], p.Content[:])
}

// PlacesStaged notes that the bytes staged by a handle are about to be put in place.
func (l *Ledger) PlacesStaged(number uint64, p Placing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if record, ok := l.handle(number); ok {
		p.write(record[handlePlaceField:])
	}
}

// PlacedStaged notes whether that was done: then nothing is staged any more.
func (l *Ledger) PlacedStaged(number uint64, done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if record, ok := l.handle(number); ok {
		if done {
			putTruth(record[handleStageField:], false)
		}
		(&Placing{}).write(record[handlePlaceField:])
	}
}

// PlacesIntended notes that the content of a request is about to be put in place.
func (l *Ledger) PlacesIntended(unique uint64, p Placing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if place, ok := l.intended[unique]; ok {
		p.write(l.intents.at(place)[intentPlaces:])
	}
}

// PlacedIntended notes whether that was done.
func (l *Ledger) PlacedIntended(unique uint64, done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if place, ok := l.intended[unique]; ok {
		record := intentRecord(l.intents.at(place))
		if done {
			record.setOutcome(Placed)
		}
		(&Placing{}).write(record[intentPlaces:])
	}
}

// TellsNothing notes that a request puts something in place by a way that does not say so before.
func (l *Ledger) TellsNothing(unique uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if place, ok := l.intended[unique]; ok {
		putTruth(l.intents.at(place)[tellsField:], false)
	}
}
