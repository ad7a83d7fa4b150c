package txn_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"clawfs/txn"
)

// texts is a Memory.
type texts struct {
	mu   sync.Mutex // guards the fields below
	all  map[uint32]string
	last uint32
	full bool
}

func newTexts() *texts { return &texts{all: make(map[uint32]string)} }

func (m *texts) Put(id uint32, parts ...[]byte) uint32 {
	text := bytes.Join(parts, nil)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full && len(text) > len(m.all[id]) {
		return 0
	}
	if id == 0 {
		m.last++
		id = m.last
	} else if _, ok := m.all[id]; !ok {
		panic("a text that was removed is written")
	}
	m.all[id] = string(text)
	return id
}

func (m *texts) Remove(id uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.all[id]; !ok {
		panic("a text is removed twice")
	}
	delete(m.all, id)
}

func (m *texts) Text(id uint32, most int) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, ok := m.all[id]
	return []byte(text[:min(most, len(text))]), ok
}

func (m *texts) Texts() []uint32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.all))
}

// count returns how many texts there are, and their bytes.
func (m *texts) count() (n, size int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, text := range m.all {
		size += len(text)
	}
	return len(m.all), size
}

// killed has the store's process be killed, and another one go on.
func (b *bench) killed() {
	b.store.KeepViews()
	b.reborn()
}

func (b *bench) reborn() {
	b.store = txn.New(b.storage, b.config)
	b.store.KeepIn(b.texts)
}

// killedBetween says that the store of each bench is killed before each open while nobody uses a registry: no
// test may tell.
var killedBetween = os.Getenv("CLAWFS_KILLED_BETWEEN") != ""

// between is called before each open.
func (b *bench) between() {
	if b.texts != nil && killedBetween && !b.store.InUse() {
		b.killed()
	}
}

// keptBench is newBench with a memory.
func keptBench(t *testing.T, content string) *bench {
	b := newBench(t, content)
	if b.texts == nil {
		b.texts = newTexts()
		b.store.KeepIn(b.texts)
		b.store.KeepViews()
	}
	return b
}

// Views outlive a kill: a write has the base that it would have had. The base here is no version of the history: the
// writer's own bytes, into which others' were merged.
func TestViewsOutliveAKill(t *testing.T) {
	b := keptBench(t, `{"a":1}`)
	gateway, cli := program(1), program(2)
	b.read(gateway)
	b.read(cli)
	b.save(cli, `{"a":1,"cli":2}`)
	b.save(gateway, `{"a":1,"gateway":1}`)
	b.want(`{"a":1,"cli":2,"gateway":1}`)
	b.killed()
	b.save(gateway, `{"gateway":1}`) // takes a back
	b.want(`{"cli":2,"gateway":1}`)
	b.killed()
	b.killed()
	b.save(gateway, `{}`)
	b.want(`{"cli":2}`)
}

// A process that was told that there is nothing has seen that.
func TestAbsencesOutliveAKill(t *testing.T) {
	b := keptBench(t, "")
	one, other := program(1), program(2)
	b.store.Missed(file, one, 1, b.store.Now())
	b.save(other, `{"other":1}`)
	b.killed()
	b.save(one, `{"one":1}`)
	b.want(`{"other":1,"one":1}`)
}

// What the memory holds is bounded by what the views hold.
func TestKeptViewsAreBounded(t *testing.T) {
	if killedBetween {
		t.Skip("this would read all of them at each kill")
	}
	b := keptBench(t, `{}`)
	gateway := program(1)
	for n := range 90 {
		cli := program(100 + n)
		b.read(cli)
		b.save(cli, fmt.Sprintf(`{"n":%d,"text":"%s"}`, n, strings.Repeat("x", 1<<20)))
		b.kill(cli)
		b.read(gateway)
		b.store.KeepViews()
	}
	if n, size := b.texts.count(); n > 1000 || size > 140<<20 {
		t.Errorf("%d texts of %d MiB", n, size>>20)
	}
}

// Where there is no room, a process that is older than the store is one of which nothing is known: it is not taken
// for one that has seen nothing.
func TestViewsThatHaveNoRoomAreUnknown(t *testing.T) {
	b := keptBench(t, `{"a":1}`)
	b.config.Began = 1 << 40
	gateway := program(1)
	b.read(gateway)
	b.texts.full = true
	b.store.KeepViews()
	b.texts.full = false
	b.read(program(2))
	b.save(program(2), `{"a":1,"b":2}`)
	b.killed()
	b.save(gateway, `{"a":1,"gateway":1}`)
	b.want(`{"a":1,"b":2,"gateway":1}`)
}

// goesOn has the store be killed, and a transaction go on with its staged bytes.
func (b *bench) goesOn(tx *txn.Tx, mark uint64, c txn.Caller) *txn.Tx {
	b.Helper()
	data, _, _ := tx.Staged()
	data = slices.Clone(data)
	if !tx.Save() {
		b.Fatal("it can't be saved")
	}
	b.killed()
	again, err := b.store.Begin(file, c, txn.BeginOptions{})
	b.ok(err)
	if _, ok := again.Restore(mark, func(size int) []byte { return data[:size] }); !ok {
		b.Fatal("it does not go on")
	}
	if !again.Rejoin(func(uint64) *txn.Tx { return nil }) {
		b.Fatal("it misses others")
	}
	again.SetMark(mark)
	return again
}

// A transaction goes on over a kill, however its bytes were staged, and is merged as it would have been.
func TestTransactionsOutliveAKill(t *testing.T) {
	writer, other := program(1), program(2)
	write := func(b *bench, tx *txn.Tx, at int64, text string) {
		_, err := tx.WriteAt(writer, []byte(text), at)
		b.ok(err)
	}
	for _, test := range []struct {
		name   string
		begins func(b *bench) *txn.Tx
		goes   func(b *bench, tx *txn.Tx)
		want   string
	}{
		{"truncated", func(b *bench) *txn.Tx {
			b.read(writer)
			tx := b.open(writer)
			write(b, tx, 0, `{"a":1,`)
			return tx
		}, func(b *bench, tx *txn.Tx) { write(b, tx, 7, `"w":1}`) }, `{"a":1,"o":1,"w":1}`},
		{"in the middle", func(b *bench) *txn.Tx {
			b.read(writer)
			tx, err := b.store.Begin(file, writer, txn.BeginOptions{})
			b.ok(err)
			write(b, tx, 5, `2`)
			return tx
		}, func(b *bench, tx *txn.Tx) {
			write(b, tx, 6, `,"w":1}`)
		}, `{"a":2,"o":1,"w":1}`},
		{"after a commit that was merged", func(b *bench) *txn.Tx {
			b.read(writer)
			tx := b.open(writer)
			write(b, tx, 0, `{"a":1,"x":1}`)
			b.read(other)
			b.save(other, `{"a":1,"y":1}`)
			b.ok(tx.Flush(writer, txn.Death{}))
			return tx
		}, func(b *bench, tx *txn.Tx) {
			p := make([]byte, 20)
			if n, _ := tx.ReadAt(writer, p, 0); string(p[:n]) != `{"a":1,"x":1}` {
				b.Errorf("it shows %s", p[:n])
			}
			write(b, tx, 0, `{"a":1,"x":2}`)
		}, `{"a":1,"y":1,"x":2,"o":1}`},
		{"nothing staged", func(b *bench) *txn.Tx {
			tx, err := b.store.Begin(file, writer, txn.BeginOptions{})
			b.ok(err)
			_, _ = tx.ReadAt(writer, make([]byte, 9), 0)
			return tx
		}, func(b *bench, tx *txn.Tx) { write(b, tx, 0, `{"a":3}`) }, `{"a":3,"o":1}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := keptBench(t, `{"a":1}`)
			tx := test.begins(b)
			tx.SetMark(7)
			tx = b.goesOn(tx, 7, writer)
			content := b.read(other)
			b.save(other, content[:len(content)-1]+`,"o":1}`)
			tx = b.goesOn(tx, 7, writer)
			test.goes(b, tx)
			b.ok(tx.Flush(writer, txn.Death{}))
			tx.Release()
			b.want(test.want)
		})
	}
}

// A commit that the store before has made, and not told, is none to be made again.
func TestCommitThatWasMadeIsKnown(t *testing.T) {
	b := keptBench(t, `{"a":1}`)
	writer := program(1)
	b.read(writer)
	tx := b.stage(writer, `{"a":1,"w":1}`)
	tx.SetMark(7)
	again := b.goesOn(tx, 7, writer)
	b.behind(`{"a":1,"w":1}`)
	again.WasCommitted()
	if !again.Clean() {
		t.Error("something is staged")
	}
	again.Release()
	b.read(program(2))
	b.save(program(2), `{"a":1,"w":1,"o":1}`)
	b.save(writer, `{"a":1}`) // takes w back
	b.want(`{"a":1,"o":1}`)
}
