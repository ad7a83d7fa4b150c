package ledger

import (
	"slices"
	"strings"
	"testing"
)

// A note has its former text or its new one, of any length.
func TestNotesOutliveTheirDaemon(t *testing.T) {
	l := newLedger(t)
	short, long := strings.Repeat("s", shortNote), strings.Repeat("l", 3*shortNote)
	gone, id := l.Put(0, []byte(long)), l.Put(0, []byte("first"))
	l.Remove(gone)
	for _, text := range []string{"second", short, long, "third", long + long, long, "last"} {
		if got := l.Put(id, []byte(text)); got != id {
			t.Fatalf("%d is %d", id, got)
		}
		l = next(t, l)
		if got, ok := l.Text(id, 1<<20); !ok || string(got) != text {
			t.Fatalf("%.10q, %t, want %.10q", got, ok, text)
		}
		if got, _ := l.Text(id, 3); string(got) != text[:3] {
			t.Errorf("the beginning is %q", got)
		}
	}
	if ids := l.Texts(); !slices.Equal(ids, []uint32{id}) {
		t.Errorf("%v, want %d alone", ids, id)
	}
	if _, ok := l.Text(gone, 1); ok {
		t.Error("a note that was removed is there")
	}
	if again := l.Put(0, []byte("again")); again != gone {
		t.Errorf("the place of %d is not used", gone)
	}
}

// A new text does not touch the place of the former one.
func TestNotesAreNotOverwritten(t *testing.T) {
	for _, was := range []uint64{1, 2, 3, 4} {
		for _, length := range []int{1, shortNote, shortNote + 1, longNote} {
			if notePlace(length, was) == was {
				t.Errorf("%d bytes go to place %d, where the former text is", length, was)
			}
		}
	}
	for place := uint64(1); place < 4; place++ {
		room := int64(shortNote)
		if place > 2 {
			room = longNote
		}
		if at, next := notePlaceAt(5, place), notePlaceAt(5, place+1); next < at+room {
			t.Errorf("places %d and %d overlap", place, place+1)
		}
	}
	if end := notePlaceAt(5, 4) + longNote; end > noteRoomOf(6) {
		t.Error("rooms overlap")
	}
}

func TestStagedBytesOutliveTheirDaemon(t *testing.T) {
	l := newLedger(t)
	number := l.Add(Handle{Node: 10, Kind: Registry})
	if !l.Fill(number, []byte("abcdef")) || !l.Stage(number, 2, []byte("XY")) || !l.Cut(number, 5) || !l.Stage(number, 7, []byte("z")) {
		t.Fatal("there is no room")
	}
	l = next(t, l)
	if got, want := string(l.Staged(number, 8)), "abXYe\x00\x00z"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := string(l.Staged(number, 2)); got != "ab" {
		t.Errorf("%q", got)
	}
	l.Drop(number)
	if l.Staged(number, 1) != nil || l.Stage(number, 0, []byte("a")) {
		t.Error("a handle that was released has bytes")
	}
	other := l.Add(Handle{Node: 11, Kind: Registry})
	if !l.Cut(other, 3) || string(l.Staged(other, 3)) != "\x00\x00\x00" {
		t.Errorf("another handle has %q", l.Staged(other, 3))
	}
}

func TestPlacingsOutliveTheirDaemon(t *testing.T) {
	l := newLedger(t)
	number := l.Add(Handle{Node: 10, Kind: Registry, Staged: true})
	l.Intend(Intent{Unique: 2, Op: 12, Dir: 1, Name: "a", Tells: true})
	l.Intend(Intent{Unique: 4, Op: 12, Dir: 1, Name: "b", Tells: true})
	p := Placing{Content: [32]byte{1}, Before: [32]byte{2}}
	l.PlacesStaged(number, p)
	l.PlacesIntended(2, p)
	l.PlacesIntended(4, p)
	l.PlacedIntended(4, true)
	l.TellsNothing(4)
	l = next(t, l)
	if h, _ := l.Handle(number); h.Places != p || !h.Staged {
		t.Errorf("%+v", h)
	}
	for _, i := range l.Intents() {
		want := Intent{Unique: 2, Op: 12, Dir: 1, Name: "a", Tells: true, Places: p}
		if i.Unique == 4 {
			want = Intent{Unique: 4, Op: 12, Dir: 1, Name: "b", Placed: true}
		}
		if i != want {
			t.Errorf("%+v, want %+v", i, want)
		}
	}
	l.PlacedStaged(number, true)
	l = next(t, l)
	if h, _ := l.Handle(number); h.Places != (Placing{}) || h.Staged {
		t.Errorf("%+v, though it was put in place", h)
	}
}

func TestThreadsThatLookAgainAreKnown(t *testing.T) {
	l := newLedger(t)
	l.LooksAgain(7, true)
	l.LooksAgain(8, true)
	l.LooksAgain(8, false)
	l.LooksAgain(7+againPlaces, false) // another thread of the same place
	l = next(t, l)
	if all := l.LookingAgain(); len(all) != 1 || !all[7] {
		t.Errorf("%v, want 7", all)
	}
}
