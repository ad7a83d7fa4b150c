package merge_test

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"clawfs/txn/merge"
)

// Before the result is written there may be room made for it, and nothing holds the base any more.
// The room is about as much as the result takes.
func TestBaseIsGarbageBeforeTheResultIsWritten(t *testing.T) {
	list := func(more string) string {
		return `{"a":{"b":1,"c":[` + strings.Repeat(`{"id":"x","of":{"d":1}},`, 20) + more + `{"id":"y","of":{"d":2}}]},"l":[` + strings.Repeat("1,", 99) + `2]}`
	}
	var gone atomic.Bool
	base := parse(list(""))
	base.Keep(merge.NewNames())
	runtime.SetFinalizer(base, func(any) { gone.Store(true) })
	head, theirs := parse(list(`{"id":"head"},`)), parse(list(`{"id":"theirs"},`))
	head.Keep(merge.NewNames())
	theirs.Keep(merge.NewNames())
	room := 0
	var given []byte
	res, err := merge.MergeInRoom(base, head, theirs, nil, func(bytes int) []byte {
		room = bytes
		for n := 0; n < 100 && !gone.Load(); n++ {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
		given = make([]byte, 0, bytes)
		return given
	})
	switch {
	case err != nil:
		t.Fatal(err)
	case res.Outcome != merge.Merged:
		t.Fatalf("it is %v: this test shows nothing", res.Outcome)
	case !gone.Load():
		t.Error("the base is still held")
	case &res.Text[0] != &given[:1][0]:
		t.Error("the result is not in the room that was made")
	case len(res.Text) > room || cap(res.Text) > room+room/2+1024:
		t.Errorf("room for %d bytes, but the result has %d, in %d", room, len(res.Text), cap(res.Text))
	}
}
