package txn_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"clawfs/txn"
	"clawfs/txn/seen"
)

// However many names a program asks for that are not there, few are remembered, the
// latest ones.
func TestFewMissedRegistriesAreRemembered(t *testing.T) {
	b := newBench(t, "")
	p := program(1)
	const names = 20_000
	for n := range names {
		b.store.Missed(fmt.Sprintf("%d.json", n), p, 1, b.store.Now()+1)
	}
	if got := b.store.InMemory(); got > 4096 {
		t.Errorf("%d registries are in memory", got)
	}
}

// A registry that a listing lacks was seen to be missing, and so was each one below a directory
// that is not there: contents that two programs then make are merged.
func TestNothingIsSeenInDirectories(t *testing.T) {
	const name = "sub/models.json"
	for way, miss := range map[string]func(b *bench, c txn.Caller){
		"a directory that is not there": func(b *bench, c txn.Caller) { b.store.MissedBelow("sub", c, 7, b.store.Now()+1) },
		"a listing":                     func(b *bench, c txn.Caller) { b.store.Listed("sub", c, b.store.Now()+1) },
	} {
		t.Run(way, func(t *testing.T) {
			b := newBench(t, "")
			p, q := program(1), program(2)
			b.store.MissedBelow("sub", program(3), 7, b.store.Now()+1)
			miss(b, p)
			miss(b, q)
			for _, c := range []txn.Caller{p, q} {
				tx, err := b.store.Begin(name, c, txn.BeginOptions{Create: true, Truncate: true})
				b.ok(err)
				b.put(tx, c, fmt.Sprintf(`[{"id":"%d"}]`, c.PID))
			}
			s, err := b.store.Open(name)
			b.ok(err)
			defer s.Release()
			if got := b.ids(string(s.Version().Bytes())); len(got) != 2 {
				t.Errorf("the registry holds %v", got)
			}
		})
	}
}

// The kernel may ask twice for one open, and a busy machine takes its time over it. An earlier
// answer counts: the program has found the registry, and replaces it.
func TestTheKernelAsksTwice(t *testing.T) {
	for _, tt := range []struct {
		between time.Duration // the two answers
		want    string
	}{{1500 * time.Millisecond, `["q","p"]`}, {3 * time.Second, `["p"]`}} {
		b := newBench(t, "")
		p, q := program(1), program(2)
		who := func() txn.Caller { return p }
		b.store.Missed(file, p, 7, b.store.Now())
		b.save(q, `["q"]`)
		b.store.Found(file, 7, who)
		b.pass(tt.between)
		b.store.Found(file, 7, who)
		tx, err := b.store.Begin(file, p, txn.BeginOptions{Create: true, Truncate: true, Thread: 7})
		b.ok(err)
		b.put(tx, p, `["p"]`)
		b.want(tt.want)
	}
}

// An answer to another task of the process is no part of a call.
func TestAnotherTaskAsks(t *testing.T) {
	b := newBench(t, "")
	p, q := program(1), program(2)
	who := func() txn.Caller { return p }
	b.store.Missed(file, p, 3, b.store.Now())
	b.save(q, `["q"]`)
	b.store.Found(file, 2, who)
	b.store.Found(file, 1, who)
	tx, err := b.store.Begin(file, p, txn.BeginOptions{Create: true, Truncate: true, Thread: 1})
	b.ok(err)
	b.put(tx, p, `["p"]`)
	b.want(`["p"]`)
}

// A program that was told of nothing, and creates a registry that is not there yet, is alone.
func TestWhoWasToldOfNothingIsAlone(t *testing.T) {
	b := newBench(t, "")
	p := program(1)
	b.store.Missed(file, p, 1, b.store.Now())
	b.save(p, `["p"]`)
	if why := b.last().Base.Why; why != seen.Alone {
		t.Errorf("its base was chosen because %q", why)
	}
}

// A content that is written again without a look is refused as a stale one where stale
// writes are.
func TestWrittenAgainWithoutALookIsStale(t *testing.T) {
	b := newBench(t, "", func(c *txn.Config) { c.RejectStale = true })
	shell, other := program(1), program(2)
	b.save(shell, `["a"]`)
	b.store = txn.New(b.storage, b.config)
	b.redirect(shell, `["b"]`)
	b.read(other)
	b.save(other, `["b","x"]`)
	tx := b.open(shell)
	_ = tx.Flush(shell, txn.Death{})
	_, err := tx.WriteAt(shell, []byte(`["b"]`), 0)
	b.ok(err)
	if err := tx.Flush(shell, txn.Death{}); err == nil {
		t.Error("the stale write was taken")
	}
	tx.Release()
}

// An answer counts for its own subject: not for a call that it was a part of, not for another
// directory, not for one that is deeper than a listing goes.
func TestWhatAnAnswerIsAbout(t *testing.T) {
	for name, c := range map[string]struct {
		told   func(b *bench, p txn.Caller)
		merged bool
	}{
		"the registry": {func(b *bench, p txn.Caller) { b.store.Missed(file, p, 7, b.store.Now()+1) }, true},
		"a call of its own": {func(b *bench, p txn.Caller) {
			b.store.Missed(file, p, 7, b.store.Now()+1)
			b.store.PartOfCall(file, p, 7)
		}, false},
		"another thread's call": {func(b *bench, p txn.Caller) {
			b.store.Missed(file, p, 7, b.store.Now()+1)
			b.store.PartOfCall(file, p, 8)
		}, true},
		"another name": {func(b *bench, p txn.Caller) {
			b.store.Missed("other.json", p, 7, b.store.Now()+1)
			b.store.PartOfCall("none.json", p, 7)
		}, false},
		"its directory":         {func(b *bench, p txn.Caller) { b.store.Listed("", p, b.store.Now()+1) }, true},
		"another directory":     {func(b *bench, p txn.Caller) { b.store.Listed("sub", p, b.store.Now()+1) }, false},
		"a directory not there": {func(b *bench, p txn.Caller) { b.store.MissedBelow("sub", p, 7, b.store.Now()+1) }, false},
		"told to nobody":        {func(b *bench, p txn.Caller) { b.store.Listed("", txn.Caller{UID: 7}, b.store.Now()+1) }, false},
		"told to somebody else": {func(b *bench, p txn.Caller) { b.store.Listed("", program(9), b.store.Now()+1) }, false},
		"nothing at all": {func(b *bench, p txn.Caller) {
			b.store.PartOfCall(file, p, 7)
			b.store.Found(file, 7, func() txn.Caller { return p })
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "")
			p := program(1)
			c.told(b, p)
			b.save(program(2), `["q"]`)
			b.save(p, `["p"]`)
			want := `["p"]`
			if c.merged {
				want = `["q","p"]`
			}
			b.want(want)
		})
	}
}

// However many directories are asked for, few answers are remembered: the newest.
func TestFewAnswersAboutDirectoriesAreRemembered(t *testing.T) {
	if killedBetween {
		t.Skip("this goes with its store")
	}
	b := newBench(t, "")
	p, late := program(1), program(3)
	for n := range 3000 {
		b.store.MissedBelow(fmt.Sprint("dir", n), p, 7, b.store.Now()+1)
	}
	b.store.Listed("", late, b.store.Now()+1)
	b.save(program(2), `["q"]`)
	b.save(late, `["p"]`)
	b.want(`["q","p"]`)
}

// A program that makes a directory after it was told that there is none was told so for the
// making.
func TestADirectoryThatIsMadeIsNotMissed(t *testing.T) {
	for made, want := range map[bool]string{true: `["p"]`, false: `["q","p"]`} {
		b := newBench(t, "")
		p, q := program(1), program(2)
		b.store.MissedBelow("sub", p, 7, b.store.Now()+1)
		if made {
			b.store.MadeDir("sub", 7)
		}
		b.store.MadeDir("sub", 8)
		b.store.MadeDir("other", 7)
		for _, c := range []txn.Caller{q, p} {
			tx, err := b.store.Begin("sub/models.json", c, txn.BeginOptions{Create: true, Truncate: true})
			b.ok(err)
			b.put(tx, c, map[int]string{1: `["p"]`, 2: `["q"]`}[c.PID])
		}
		s, err := b.store.Open("sub/models.json")
		b.ok(err)
		if got := string(s.Version().Bytes()); got != want {
			t.Errorf("made %v: it holds %s, want %s", made, got, want)
		}
		s.Release()
	}
}

// A program that puts somebody else's file in the registry's place knows that there is one, though
// it was told before that there is none: what it saves then is all that is there.
func TestWhoHasPutAFileThereKnowsOfIt(t *testing.T) {
	by := func(b *bench, q txn.Caller, content string) txn.Replacement {
		return txn.Replacement{Content: []byte(content), Via: txn.ViaRename, Lineage: txn.Lineage{Writers: []txn.Origin{{Caller: q, Event: b.store.Next(), At: b.config.Now()}}}}
	}
	for way, place := range map[string]func(b *bench, q, p txn.Caller){
		"a registry is moved to the free name": func(b *bench, q, p txn.Caller) {
			b.ok(b.store.Replace("other.json", q, by(b, q, `["q"]`)))
			b.ok(b.rename("other.json", file, p))
		},
		"a file that is no registry is moved": func(b *bench, q, p txn.Caller) {
			b.ok(b.store.Replace(file, p, by(b, q, `["q"]`)))
		},
	} {
		t.Run(way, func(t *testing.T) {
			b := newBench(t, "")
			p, q := program(1), program(2)
			b.store.Listed("", p, b.store.Now()+1)
			place(b, q, p)
			b.ok(b.store.Replace("mine.json", p, by(b, p, `["p"]`)))
			b.ok(b.rename("mine.json", file, p))
			b.want(`["p"]`)
			b.save(p, `["p2"]`)
			b.want(`["p2"]`)
		})
	}
}

// A program that looks in one thread and reads the placeholder in another has one task. So has a
// child whose parent has looked, too.
func TestWhoLooksTwiceHasOneTask(t *testing.T) {
	p, child := program(1), program(2)
	child.Ancestors, child.Forked = []txn.Actor{p.Actor}, true
	for way, writer := range map[string]txn.Caller{"reads the placeholder": p, "its parent has looked": child} {
		t.Run(way, func(t *testing.T) {
			b := newBench(t, `[]`)
			b.read(p)
			b.ok(b.store.Unlink(file, program(3)))
			b.store.Missed(file, p, p.PID, b.store.Now())
			b.store.Missed(file, writer, writer.PID, b.store.Now())
			tx := b.create(writer, txn.BeginOptions{})
			if _, err := tx.ReadAt(writer, make([]byte, 10), 0); err != io.EOF {
				t.Error(err)
			}
			b.put(tx, writer, `["a","b"]`)
			b.save(writer, `["a"]`)
			if why := b.last().Base.Why; why != seen.Alone {
				t.Errorf("its base was chosen because %q", why)
			}
		})
	}
}

// A shell that was told of nothing is no author of its own: what its child has created is known to
// the next one, which has only been forked when it opens the file.
func TestAForkOfAShellKnowsWhatTheFamilyHasMade(t *testing.T) {
	b := newBench(t, "")
	shell, cp, fork := program(1), program(2), program(3)
	cp.Ancestors, fork.Ancestors, fork.Forked = []txn.Actor{shell.Actor}, []txn.Actor{shell.Actor}, true
	b.store.Missed(file, shell, 1, b.store.Now())
	b.save(cp, `["a","b"]`)
	b.save(fork, `["c"]`)
	b.want(`["c"]`)
}

// A shell that has listed the directory before the registry was there writes a file, has a child create
// the registry, and moves the file there: alone, it means its content.
func TestAFileFromBeforeTheFamilysRegistry(t *testing.T) {
	b := newBench(t, "")
	shell, cp, mv := program(1), program(2), program(3)
	cp.Ancestors, mv.Ancestors = []txn.Actor{shell.Actor}, []txn.Actor{shell.Actor}
	b.store.Listed("", shell, b.store.Now())
	origin := txn.Origin{Caller: shell, Event: b.store.Next(), At: b.config.Now()}
	b.save(cp, `["a","b"]`)
	b.kill(cp)
	b.ok(b.store.Replace(file, mv, txn.Replacement{Content: []byte(`["c"]`), Via: txn.ViaRename, Lineage: txn.Lineage{Writers: []txn.Origin{origin}}}))
	b.want(`["c"]`)
}
