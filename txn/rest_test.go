package txn_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"clawfs/txn"
)

// fakeRest is a file that has lost a registry's name.
type fakeRest struct {
	saved  []string
	fault  error
	closed int
}

func (f *fakeRest) Save(content []byte) error {
	if f.fault != nil {
		return f.fault
	}
	f.saved = append(f.saved, string(content))
	return nil
}

func (f *fakeRest) Close() error {
	f.closed++
	return nil
}

// Content that a program writes after it has removed the registry's name goes to the file, if
// that has other names: once for each content, a document or not.
func TestForsakenTransactionSavesToTheOtherNames(t *testing.T) {
	b := newBench(t, `[]`)
	writer, rest := program(1), &fakeRest{}
	tx := b.stage(writer, `[1]`)
	b.ok(b.store.UnlinkName(file, writer, func() txn.Rest { return rest }))
	b.ok(tx.Flush(writer, txn.Death{}))
	b.ok(tx.Sync(writer))
	_, err := tx.WriteAt(writer, []byte(`,`), 2)
	b.ok(err)
	b.ok(tx.Flush(writer, txn.Death{}))
	tx.Release()
	if diff := cmp.Diff([]string{`[1]`, `[1,`}, rest.saved); diff != "" || rest.closed != 1 {
		t.Errorf("closed %d times; (-want +got):\n%s", rest.closed, diff)
	}
}

// A file that can't be written is no success, and the content is in quarantine.
func TestForsakenTransactionThatCanNotBeSaved(t *testing.T) {
	b := newBench(t, `[]`)
	writer, rest := program(1), &fakeRest{fault: errors.New("full")}
	tx := b.stage(writer, `[1]`)
	b.ok(b.store.UnlinkName(file, writer, func() txn.Rest { return rest }))
	if err := tx.Flush(writer, txn.Death{}); !errors.Is(err, rest.fault) {
		t.Errorf("the close says %v", err)
	}
	tx.Release()
	if e := b.last(); e.Outcome != txn.Rejected || e.Copy == "" {
		t.Errorf("the last event is %+v", e)
	}
}

// Another program's removal leaves the writer a transaction of the name, and content that
// was not written is not saved.
func TestOnlyAForsakenTransactionThatWroteIsSaved(t *testing.T) {
	b := newBench(t, `[]`)
	writer, other, rest := program(1), program(2), &fakeRest{}
	tx := b.stage(writer, `[1]`)
	b.ok(b.store.UnlinkName(file, other, func() txn.Rest { return rest }))
	b.ok(tx.Flush(writer, txn.Death{}))
	tx.Release()
	b.want(`[1]`)
	tx, err := b.store.Begin(file, other, txn.BeginOptions{})
	b.ok(err)
	b.ok(b.store.UnlinkName(file, other, func() txn.Rest { return rest }))
	b.ok(tx.Flush(other, txn.Death{}))
	tx.Release()
	if len(rest.saved) > 0 || rest.closed != 1 {
		t.Errorf("saved %q, closed %d times", rest.saved, rest.closed)
	}
}
