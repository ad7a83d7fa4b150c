package txn_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"clawfs/txn"
	"clawfs/txn/txntest"
)

// A gateway that reads a large registry each time when others have changed it keeps no more of
// it in memory than the bound allows, and its last write.
func TestViewsAreBoundedInBytes(t *testing.T) {
	document := func(n int) string {
		return fmt.Sprintf(`{"n":%d,"text":"%s"}`, n, strings.Repeat("x", 1<<20))
	}
	b := newBench(t, document(0))
	gateway := program(1)
	b.save(gateway, `{"mine":1}`)
	for n := range 100 {
		cli := program(100 + n)
		b.read(cli)
		b.save(cli, document(n))
		b.kill(cli)
		b.read(gateway)
		b.pass(10 * time.Millisecond)
	}
	if size := b.store.ViewBytes(file); size > 2*(64<<20)+(4<<20) {
		t.Errorf("views hold %d MiB", size>>20)
	}
	b.save(gateway, `{"mine":2}`)
	b.want(fmt.Sprintf(`{"n":%d,"text":"%s","mine":2}`, 99, strings.Repeat("x", 1<<20)))
}

// The base of a large document is not held beside it.
func TestViewsOfLargeDocumentsAreBounded(t *testing.T) {
	b := newBench(t, `{}`)
	gateway := program(1)
	for n := range 4 {
		b.save(gateway, fmt.Sprintf(`{"n":%d,"text":"%s"}`, n, strings.Repeat("x", 36<<20)))
	}
	if size := b.store.ViewBytes(file); size > 64<<20 {
		t.Errorf("views hold %d MiB", size>>20)
	}
}

// Trees of documents that nobody uses go.
func TestParsedDocumentsGoWhenIdle(t *testing.T) {
	if txntest.DoesWithout("parsed-documents") {
		t.Skip("this is about what is switched off")
	}
	b := newBench(t, `[]`)
	b.save(program(1), `[1]`)
	if b.store.CachedDocs() == 0 {
		t.Fatal("nothing is kept: this test shows nothing")
	}
	b.fire()
	b.fire()
	if n := b.store.CachedDocs(); n != 0 {
		t.Errorf("%d trees are kept", n)
	}
}

// Of documents that take much more than may be kept, one tree stays after a commit: that of the
// head, also where a merge has looked at another one last.
func TestOneTreeStaysOfVeryLargeDocuments(t *testing.T) {
	if txntest.DoesWithout("parsed-documents") {
		t.Skip("this is about what is switched off")
	}
	wanted := 0
	b := newBench(t, `{"a":1}`, func(c *txn.Config) {
		c.DocCache = 1
		c.Collect = func(int) { wanted++ }
	})
	one, other := program(1), program(2)
	b.read(one)
	b.read(other)
	b.save(one, `{"a":1,"b":2}`)
	if n := b.store.CachedDocs(); n != 1 {
		t.Errorf("after a commit %d trees are kept", n)
	}
	if wanted != 0 {
		t.Error("a commit that merges nothing collects garbage")
	}
	b.save(other, `{"a":1,"c":3}`)
	b.want(`{"a":1,"b":2,"c":3}`)
	if n := b.store.CachedDocs(); n != 1 {
		t.Errorf("after a merge %d trees are kept", n)
	}
	if wanted != 2 {
		t.Errorf("a merge collects garbage %d times: once before the text is written, once before it is parsed", wanted)
	}
}
