package txn_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"clawfs/txn"
)

// Several programs that find a name free, and rename a registry to it, are merged:
// none of them takes the place of a registry that another one has put there meanwhile.
func TestSeveralMoveToAFreeName(t *testing.T) {
	for range 20 {
		b := newBench(t, "")
		var wg sync.WaitGroup
		const movers = 6
		begun := make(chan bool)
		for i := range movers {
			c, own := program(i+1), fmt.Sprintf("own-%d.json", i)
			b.store.Missed(file, c, i+1, b.store.Now())
			writer := txn.Origin{Caller: c, Event: b.store.Next(), At: b.config.Now()}
			b.ok(b.store.Replace(own, c, txn.Replacement{Content: []byte(fmt.Sprintf(`{"p%d":1}`, i)), Via: txn.ViaRename}))
			wg.Go(func() {
				<-begun
				p := txn.Replacement{Via: txn.ViaRename, Lineage: txn.Lineage{Writers: []txn.Origin{writer}}}
				if _, err := b.store.Rename(own, file, c, p, txn.Handles{}); err != nil {
					t.Error(err)
				}
			})
		}
		close(begun)
		wg.Wait()
		var doc map[string]int
		if err := json.Unmarshal([]byte(b.head()), &doc); err != nil || len(doc) != movers {
			t.Fatalf("the registry holds %s (%v), want what %d have put there", b.head(), err, movers)
		}
	}
}

// A transaction goes where its file goes, whenever the file is renamed and in any state of the
// transaction: its commit is where the file is then, and nowhere else.
func TestTransactionGoesWithItsFile(t *testing.T) {
	b := newBench(t, "")
	writer, mover := program(1), program(2)
	tx := b.create(writer, txn.BeginOptions{})
	handles := txn.Handles{IsOpen: func(*txn.Tx) bool { return true }}
	names := []string{file, "second.json", "third.json"}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 200 {
			if _, err := b.store.Rename(names[i%3], names[(i+1)%3], mover, txn.Replacement{Via: txn.ViaRename}, handles); err != nil {
				t.Error(err)
			}
		}
	})
	last := ""
	for i := range 200 {
		last = fmt.Sprintf(`{"n":%d}`, i)
		b.ok(tx.Truncate(writer, 0))
		b.write(tx, writer, last)
		b.ok(tx.Sync(writer))
	}
	wg.Wait()
	tx.Release()
	var found []string
	for _, name := range names {
		if n, err := b.store.Open(name); err == nil {
			found = append(found, string(n.Version().Bytes()))
			n.Release()
		}
	}
	if !slices.Equal(found, []string{last}) {
		t.Errorf("there are %q, want %q by one of the names", found, last)
	}
}
