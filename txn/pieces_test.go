package txn_test

import (
	"errors"
	"testing"
	"time"

	"clawfs/txn"
)

// add appends a piece to the registry, as a shell's `>>` does.
func (b *bench) add(c txn.Caller, piece string) error {
	b.Helper()
	tx, err := b.store.Begin(file, c, txn.BeginOptions{Create: true, Append: true})
	b.ok(err)
	defer tx.Release()
	_, err = tx.Append(c, []byte(piece))
	b.ok(err)
	return tx.Flush(c, txn.Death{})
}

func (b *bench) refused(err error) {
	b.Helper()
	var invalid *txn.InvalidError
	if !errors.As(err, &invalid) {
		b.Errorf("%v, want to be refused", err)
	}
}

func TestAppendedPiecesMakeOneDocument(t *testing.T) {
	shell := program(1)
	child := program(2)
	child.Ancestors = []txn.Actor{shell.Actor}
	sibling := program(3)
	sibling.Ancestors = []txn.Actor{shell.Actor}
	b := newBench(t, "")
	b.refused(b.saveErr(shell, "[\n"))
	b.refused(b.add(shell, `{"a":1},`))
	b.refused(b.add(child, `{"a":2}`)) // a document by itself
	if n := b.quarantined(); n != 1 {
		t.Errorf("%d copies in quarantine, want one of all pieces", n)
	}
	b.ok(b.add(sibling, `]`))
	b.want("[\n" + `{"a":1},{"a":2}]`)
	if n := b.quarantined(); n != 0 {
		t.Errorf("%d copies in quarantine after the commit", n)
	}
	b.refused(b.add(shell, `x`))
}

func TestPiecesAreForgotten(t *testing.T) {
	shell, stranger := program(1), program(2)
	for name, between := range map[string]func(b *bench){
		"by who is told that they are not there": func(b *bench) {
			n, err := b.store.Open(file)
			b.ok(err)
			n.See(shell)
			n.Release()
		},
		"after a minute": func(b *bench) { b.pass(time.Minute) },
		"by who reads by the descriptor that it writes by": func(b *bench) {
			tx, err := b.store.Begin(file, shell, txn.BeginOptions{})
			b.ok(err)
			_, _ = tx.ReadAt(shell, make([]byte, 8), 0)
			tx.Release()
		},
		"after a minute, by a timer": func(b *bench) { b.fire() },
		"when the file is emptied": func(b *bench) {
			tx := b.open(stranger)
			b.ok(tx.Flush(stranger, txn.Death{}))
			tx.Release()
		},
		"when the file is removed": func(b *bench) { b.ok(b.store.Unlink(file, stranger)) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "")
			b.refused(b.add(shell, `{`))
			between(b)
			b.ok(b.add(shell, `{}`))
			b.want(`{}`)
		})
	}
	b := newBench(t, "")
	b.refused(b.add(shell, `{`))
	b.ok(b.add(stranger, `{}`))
	b.want(`{}`)
}

// A download that was broken off is continued by another program: it writes the rest where
// it belongs, in a file, and does not look at the beginning of that.
func TestRestIsWrittenBehindPieces(t *testing.T) {
	first, second := program(1), program(2)
	first.Ancestors, second.Ancestors = []txn.Actor{{PID: 7, Start: 7}}, []txn.Actor{{PID: 7, Start: 7}}
	for name, c := range map[string]struct {
		grow, off int64
		text      string
	}{
		"the rest":                   {0, 7, `2]`},
		"with room made before":      {9, 7, `2]`},
		"from the start is all anew": {0, 0, `[3]`},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "")
			b.refused(b.saveErr(first, `[1,    `))
			tx, err := b.store.Begin(file, second, txn.BeginOptions{})
			b.ok(err)
			if c.grow > 0 {
				b.ok(tx.Truncate(second, c.grow))
			}
			_, err = tx.WriteAt(second, []byte(c.text), c.off)
			b.ok(err)
			b.ok(tx.Flush(second, txn.Death{}))
			tx.Release()
			if c.off > 0 {
				b.want(`[1,    2]`)
			} else {
				b.want(c.text)
			}
		})
	}
}

func TestAppendToAnEmptyFile(t *testing.T) {
	b := newBench(t, "")
	c := program(1)
	tx := b.open(c)
	b.ok(tx.Flush(c, txn.Death{}))
	tx.Release()
	b.ok(b.add(c, `{}`))
	b.want(`{}`)
}

func TestRefusedAgainIsOneCopy(t *testing.T) {
	b := newBench(t, `{}`)
	c := program(1)
	replace := func(c txn.Caller, content string) string {
		b.refused(b.store.Replace(file, c, txn.Replacement{Content: []byte(content), Via: txn.ViaRename}))
		return b.last().Copy
	}
	first := replace(c, `{"a":`)
	for range 9 {
		if id := replace(c, `{"a":`); id != first {
			t.Errorf("the copy is %q, want %q", id, first)
		}
	}
	replace(c, `{"b":`)
	replace(program(2), `{"a":`)
	if n := b.quarantined(); n != 3 {
		t.Errorf("%d copies, want one for each content and writer: 3", n)
	}
	b.ok(b.storage.Discard(first))
	if id := replace(c, `{"a":`); id == first || b.quarantined() != 3 {
		t.Errorf("what was taken out of quarantine is not there again")
	}

	// A copy that stands for two refusals stays when one of them is mended.
	tx := b.stage(c, `{"a":`)
	b.refused(tx.Flush(c, txn.Death{}))
	_, err := tx.Append(c, []byte(`1}`))
	b.ok(err)
	b.ok(tx.Flush(c, txn.Death{}))
	tx.Release()
	if n := b.quarantined(); n != 3 {
		t.Errorf("%d copies after one refusal was mended, want 3", n)
	}
}
