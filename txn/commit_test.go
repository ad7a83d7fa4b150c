package txn_test

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"clawfs/txn"
	"clawfs/txn/merge"
	"clawfs/txn/txntest"
)

// behind writes the file behind the store.
func (b *bench) behind(content string) {
	b.storage.Storage.(*txntest.Memory).Foreign(file, []byte(content))
}

// A conflict where the policy rejects is the writer's error, and changes nothing.
func TestAConflictThatIsRefusedIsToldAsOne(t *testing.T) {
	b := newBench(t, `{"a":1}`, func(c *txn.Config) {
		c.Policy = func(string) *merge.Policy { return &merge.Policy{OnConflict: merge.Reject} }
	})
	one, two := program(1), program(2)
	b.read(one)
	b.read(two)
	b.save(one, `{"a":2}`)
	var conflict *merge.ConflictError
	if err := b.saveErr(two, `{"a":3}`); !errors.As(err, &conflict) || len(conflict.Conflicts) != 1 {
		t.Errorf("the second change of one value: %v", err)
	}
	b.want(`{"a":2}`)
}

// Whether content is a document, and in which dialect, hangs on the head that it replaces: that
// may be another one by the time of the commit.
func TestContentIsReadAgainOverAnotherHead(t *testing.T) {
	five := "{// why\n\"a\": 1}"
	for name, row := range map[string]struct {
		first, staged string
		meanwhile     func(b *bench)
		want          string // "" where it is refused as invalid
		dialect       txn.Dialect
	}{
		"JSON5 over what is no document": {
			five, `{a: 2}`, func(b *bench) { b.behind("no document") }, `{a: 2}`, txn.JSON5},
		"JSON5 without a comment over nothing": {
			five, `{a: 2}`, func(b *bench) { b.ok(b.store.Unlink(file, program(2))); b.fire() }, "", 0},
		"JSON5 with one over nothing": {
			five, "{// still\na: 2}", func(b *bench) { b.ok(b.store.Unlink(file, program(2))); b.fire() }, "{// still\na: 2}", txn.JSON5},
		"no document over one": {
			"no document", `still none`, func(b *bench) { b.save(program(2), `{"a":1}`) }, "", 0},
		"no document over what is none either": {
			"no document", `still none`, func(b *bench) { b.behind("none either") }, `still none`, txn.Plain},
		"lines over one line of another program": {
			"", "{\"n\":1}\n{\"n\":2}\n", func(b *bench) { b.ok(b.give("rename", program(2), "{\"n\":9}\n")) }, "", 0},
		"lines over a document that is more than a line": {
			"", "{\"n\":1}\n{\"n\":2}\n", func(b *bench) { b.ok(b.give("rename", program(2), "{\n\"n\": 9\n}\n")) }, "", 0},
		"lines over lines": {
			"{\"n\":1}\n{\"n\":2}\n", "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n", func(b *bench) { b.ok(b.give("append", program(2), "{\"n\":4}\n")) }, "{\"n\":1}\n{\"n\":2}\n{\"n\":4}\n{\"n\":3}\n", txn.Lines},
		"one line over lines": {
			"{\"n\":1}\n", "{\"n\":2}\n", func(b *bench) { b.ok(b.give("append", program(2), "{\"n\":4}\n")) }, "{\"n\":2}\n{\"n\":4}\n", txn.Lines},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "")
			one := program(1)
			if row.first != "" {
				b.behind(row.first)
				b.read(one)
			}
			tx := b.stage(one, row.staged)
			defer tx.Release()
			row.meanwhile(b)
			before := ""
			if row.want == "" {
				if _, err := b.store.Open(file); !errors.Is(err, fs.ErrNotExist) {
					before = b.content(program(9999))
				}
			}
			err := tx.Flush(one, txn.Death{})
			var invalid *txn.InvalidError
			switch {
			case row.want == "" && !errors.As(err, &invalid):
				t.Errorf("it returns %v", err)
			case row.want == "" && before != "":
				b.wantLines(before)
			case row.want != "":
				b.ok(err)
				b.wantLines(row.want)
				if d := b.store.Dialects()[file]; d != row.dialect {
					t.Errorf("it is %v, want %v", d, row.dialect)
				}
				if e := b.last(); row.dialect == txn.Plain && e.Base.Kind != txn.BaseHead {
					t.Errorf("the base is %+v", e.Base)
				}
			}
		})
	}
}

// Lines that were one document's as their writer closed them are added to a line that came
// in the same batch.
func TestLinesAreAddedToALineOfTheirBatch(t *testing.T) {
	b := newBench(t, "")
	b.ok(errors.Join(b.together(b.replace(program(1), "{\"n\":1}\n{\"n\":2}\n"))...))
	b.wantLines("{\"first\":1}\n{\"n\":1}\n{\"n\":2}\n")
}

// Content that is no document may replace a file that is none either, and not a document that
// came in the same batch.
func TestNoDocumentReplacesNoneOfItsBatch(t *testing.T) {
	b := newBench(t, "")
	b.behind("no document")
	b.read(program(1))
	var invalid *txn.InvalidError
	if errs := b.together(b.replace(program(1), "still none")); !errors.As(errs[0], &invalid) {
		t.Errorf("it returns %v", errs)
	}
	b.want(`{"first":1}`)
}

// A handle without unsaved bytes is no other task of its process, and none of the
// candidates; nor is one that was opened later.
func TestAnIdleHandleIsNoTask(t *testing.T) {
	b := newBench(t, `["a"]`)
	p, x := program(1), program(2)
	idle, err := b.store.Begin(file, p, txn.BeginOptions{})
	b.ok(err)
	defer idle.Release()
	b.read(p)
	b.save(p, `["b"]`)
	b.read(x)
	b.save(x, `["b","x"]`)
	b.save(p, `["a","c"]`)
	b.want(`["a","c","x"]`)
	if e := b.last(); len(e.Base.Candidates) > 1 {
		t.Errorf("candidates are %+v", e.Base.Candidates)
	}

	b = newBench(t, `{}`)
	b.read(p)
	earlier, err := b.store.Begin(file, p, txn.BeginOptions{})
	b.ok(err)
	defer earlier.Release()
	later, err := b.store.Begin(file, p, txn.BeginOptions{})
	b.ok(err)
	defer later.Release()
	for _, w := range []struct {
		tx      *txn.Tx
		content string
	}{{later, `{"q":"x"}`}, {earlier, `{"q":"x","p":"y"}`}} {
		b.ok(w.tx.Truncate(p, 0))
		_, err := w.tx.WriteAt(p, []byte(w.content), 0)
		b.ok(err)
	}
	b.ok(earlier.Flush(p, txn.Death{}))
	if e := b.last(); e.Base.Kind == txn.BaseInFlight || len(e.Base.Candidates) > 1 {
		t.Errorf("the base is %+v", e.Base)
	}
}

// A registry whose log does not reach back to its first version was no brief one.
func TestARegistryWithoutItsFirstRecordIsNotBrief(t *testing.T) {
	for first, want := range map[string]txn.Swept{
		`{"time":"2027-01-15T08:00:00Z","seq":1}`:            {Brief: 1},
		`{"time":"2027-01-15T08:00:00Z","seq":5}`:            {Kept: 1},
		`{"time":"2027-01-15T08:00:00Z","seq":1,"parent":1}`: {Kept: 1},
		`{"time":"2027-01-15T07:58:00Z","seq":1}`:            {Kept: 1},
		`none`: {Kept: 1},
	} {
		b := newBench(t, "")
		for _, line := range []string{first, `{"time":"2027-01-15T08:00:01Z","parent":5}`} {
			b.ok(b.storage.Record(file, []byte(line)))
		}
		if swept, err := b.store.Sweep(txn.Limits{Room: 1 << 30, Age: 1 << 62}, nil); err != nil || swept != want {
			t.Errorf("%s: swept %+v, %v", first, swept, err)
		}
	}
}

// Entries that a transaction took from another one of its process, in flight, are in the
// registry only once it is committed itself.
func TestWhatWasTakenIsTakenBackIfTheCommitFails(t *testing.T) {
	b := newBench(t, `{}`)
	p := program(1)
	b.read(p)
	earlier := b.stage(p, `{"q":"x"}`)
	defer earlier.Release()
	later := b.stage(p, `{"q":"x","p":"y"}`)
	defer later.Release()
	b.storage.fail = errors.New("disk on fire")
	if err := later.Flush(p, txn.Death{}); !errors.Is(err, b.storage.fail) {
		t.Errorf("it returns %v", err)
	}
	b.storage.fail = nil
	b.ok(earlier.Flush(p, txn.Death{}))
	b.want(`{"q":"x"}`)

	// Once it is committed, it is there with the other one's change, and the event says so.
	b = newBench(t, `{}`)
	b.read(p)
	earlier = b.stage(p, `{"q":"x"}`)
	defer earlier.Release()
	later = b.stage(p, `{"q":"x","p":"y"}`)
	defer later.Release()
	b.ok(later.Flush(p, txn.Death{}))
	if e := b.last(); e.Base.Kind != txn.BaseInFlight {
		t.Errorf("the base is %+v", e.Base)
	}
	b.ok(earlier.Flush(p, txn.Death{}))
	b.want(`{"q":"x","p":"y"}`)
}

// A time that is set for content that is refused is none of the head, though its bytes are
// the same.
func TestARefusedRequestSetsNoTime(t *testing.T) {
	set := time.Unix(1_000_000_000, 0)
	b := newBench(t, `{"first":0}`)
	errs := b.together(b.replace(program(1), `{"first":1}`, func(p *txn.Replacement) { p.NoReplace, p.Time = true, set }))
	if !errors.Is(errs[0], fs.ErrExist) {
		t.Errorf("it returns %v", errs)
	}
	v, err := b.store.Open(file)
	b.ok(err)
	if v.Version().Time.Equal(set) {
		t.Error("the head has the time that was set for what was refused")
	}
}

// Nor does one that is refused since it was for another head, though its bytes are those that
// the batch leaves.
func TestARequestForAnotherHeadSetsNoTime(t *testing.T) {
	const content = `{"first":1,"v":2}`
	set := time.Unix(1_000_000_000, 0)
	b := newBench(t, `{"first":0}`)
	two := program(2)
	refused := b.stage(two, content)
	defer refused.Release()
	refused.Intend(txn.Intent{Over: digest(`{"first":1}`)})
	refused.SetTime(set)
	errs := b.together(b.replace(program(1), content), func() error { return refused.Flush(two, txn.Death{}) })
	var stale *txn.StaleError
	if errs[0] != nil || !errors.As(errs[1], &stale) {
		t.Fatalf("they return %v", errs)
	}
	b.want(content)
	s, err := b.store.Open(file)
	b.ok(err)
	defer s.Release()
	if s.Version().Time.Equal(set) {
		t.Error("the version has the time of a request that was refused")
	}
}
