package txn_test

import (
	"errors"
	"io/fs"
	"slices"
	"sync"
	"testing"

	"clawfs/txn"
	"clawfs/txn/merge"
)

// putErr replaces the content of the registry, as a process.
func (b *bench) putErr(c txn.Caller, content string) error {
	b.Helper()
	tx, err := b.store.Begin(file, c, txn.BeginOptions{Create: true})
	b.ok(err)
	defer tx.Release()
	tx.Put()
	b.ok(tx.Truncate(c, 0))
	_, err = tx.WriteAt(c, []byte(content), 0)
	b.ok(err)
	return tx.Flush(c, txn.Death{})
}

// A put is there to the byte, against any views and any policy.
func TestPutReplacesWhateverWasSeen(t *testing.T) {
	reject := func(c *txn.Config) {
		c.RejectStale = true
		c.Policy = func(string) *merge.Policy { return &merge.Policy{OnConflict: merge.Reject, RefuseMassDelete: true} }
	}
	const content = `{"v": 3.0}`
	for name, edit := range map[string]func(*txn.Config){"merging": func(*txn.Config) {}, "strict": reject} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, `{"v":1,"a":1}`, edit)
			putter, other := program(1), program(2)
			b.read(putter)
			b.read(other)
			b.save(other, `{"v":2,"a":1,"b":1}`)
			b.ok(b.putErr(putter, content))
			b.want(content)
			if e := b.last(); e.Via != txn.ViaPut || e.Outcome != txn.Committed || e.Base.Kind != txn.BaseHead || e.Parent != 2 {
				t.Errorf("observed %+v", e)
			}
		})
	}
}

// Others go on from their own views: their saves are merged with the put content.
func TestViewsOutliveAPut(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	putter, other := program(1), program(2)
	b.read(other)
	b.ok(b.putErr(putter, `{"put":1}`))
	b.save(other, `{"a":1,"mine":1}`)
	b.want(`{"put":1,"mine":1}`)
	b.ok(b.putErr(putter, `{}`))
	b.save(other, `{"a":1,"mine":1,"more":1}`)
	b.want(`{"more":1}`)
}

// A put that is refused leaves the state that it found: nothing, where it has made the
// file, and the file of somebody else, empty or not.
func TestRefusedPutLeavesWhatWasThere(t *testing.T) {
	var invalid *txn.InvalidError
	p := program(1)
	b := newBench(t, "")
	for _, content := range []string{"[", ""} {
		if err := b.putErr(p, content); !errors.As(err, &invalid) {
			t.Fatalf("put %q: %v", content, err)
		}
		if _, err := b.store.Open(file); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after %q: %v", content, err)
		}
	}

	tx := b.open(program(2)) // makes an empty file
	b.ok(tx.Flush(program(2), txn.Death{}))
	tx.Release()
	if err := b.putErr(p, "["); !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	s, err := b.store.Open(file)
	b.ok(err)
	s.Release()

	b.ok(b.putErr(p, `[1]`))
	if err := b.putErr(p, "["); !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	b.want("[1]")
}

// A file that a put has made and somebody else fills meanwhile is his.
func TestRefusedPutLeavesWhatOthersWrite(t *testing.T) {
	p, other := program(1), program(2)
	b := newBench(t, "")
	tx, err := b.store.Begin(file, p, txn.BeginOptions{Create: true})
	b.ok(err)
	tx.Put()
	_, err = tx.WriteAt(p, []byte("["), 0)
	b.ok(err)
	its := b.stage(other, `[2]`)
	if tx.Flush(p, txn.Death{}) == nil {
		t.Error("an invalid document was taken")
	}
	tx.Release()
	b.ok(its.Flush(other, txn.Death{}))
	its.Release()
	b.want("[2]")
}

// Content that was committed in the same batch, and acknowledged, is in the history: nobody
// else has it.
func TestPutKeepsWhatItReplaces(t *testing.T) {
	b := newBench(t, `[0]`)
	b.storage.gate, b.storage.entered = make(chan struct{}), make(chan struct{}, 3)
	var wg sync.WaitGroup
	start := func(f func(c txn.Caller, content string) error, pid int, content string) {
		wg.Go(func() {
			if err := f(program(pid), content); err != nil {
				t.Error(err)
			}
		})
	}
	start(b.saveErr, 1, `[1]`)
	<-b.storage.entered
	start(b.saveErr, 2, `[2]`)
	b.waitQueued(1)
	start(b.putErr, 3, `[3]`)
	b.waitQueued(2)
	close(b.storage.gate)
	wg.Wait()
	b.want(`[3]`)
	var kept []string
	versions, err := b.storage.Versions(file)
	b.ok(err)
	for _, seq := range versions {
		content, err := b.storage.Version(file, seq)
		b.ok(err)
		kept = append(kept, string(content))
	}
	if !slices.Contains(kept, `[2]`) {
		t.Errorf("the history has %q", kept)
	}
}
