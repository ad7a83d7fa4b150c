package txn_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"clawfs/txn"
	"clawfs/txn/seen"
	"clawfs/txn/txntest"
)

// appender does the same to a store as another one does to its own.
type appender struct {
	*bench
	open []*txn.Tx
}

// do does something at random and says the outcome.
func (a *appender) do(rnd *rand.Rand) string {
	if len(a.open) == 0 || len(a.open) < 4 && rnd.IntN(4) == 0 {
		return a.begin(rnd)
	}
	i := rnd.IntN(len(a.open))
	tx, c := a.open[i], program(i+1)
	line := []string{"{\"n\":1}\n", "2\n", "3\n4\n", "5", "6\n7", "{\n", "\n", "8\n\n9\n", " 1 \r\n", "x\n", "[1,\n2]\n", "\xef\xbb\xbf1\n"}[rnd.IntN(12)]
	switch n := rnd.IntN(20); {
	case n < 12:
		_, err := tx.Append(c, []byte(line))
		return fmt.Sprintf("append %q: %v", line, err)
	case n == 12:
		at := int64(rnd.IntN(12))
		_, err := tx.WriteAt(c, []byte(line), at)
		return fmt.Sprintf("write %q at %d: %v", line, at, err)
	case n == 13:
		at := int64(rnd.IntN(20))
		return fmt.Sprintf("truncate to %d: %v", at, tx.Truncate(c, at))
	case n == 14:
		return fmt.Sprintf("sync: %v", tx.Sync(c))
	case n == 15:
		s, err := a.store.Open(file)
		if err != nil {
			return fmt.Sprint("open: ", err)
		}
		defer s.Release()
		tx.Renew(s)
		return "renew"
	case n == 16:
		return fmt.Sprintf("another one saves %q: %v", line, a.saveErr(program(9), line))
	case n == 17:
		a.storage.Storage.(*txntest.Memory).Foreign(file, []byte(line))
		return "foreign"
	}
	err := tx.Flush(c, txn.Death{})
	tx.Release()
	a.open[i] = a.open[len(a.open)-1]
	a.open = a.open[:len(a.open)-1]
	return fmt.Sprintf("close: %v", err)
}

func (a *appender) begin(rnd *rand.Rand) string {
	tx, err := a.store.Begin(file, program(len(a.open)+1), txn.BeginOptions{Create: true, Truncate: rnd.IntN(4) == 0})
	if err == nil {
		a.open = append(a.open, tx)
	}
	return fmt.Sprintf("begin: %v", err)
}

// state returns the content that all see, and the news that was told.
func (a *appender) state() string {
	var b strings.Builder
	for _, e := range a.events {
		fmt.Fprintf(&b, "%s by %s, version %d of %d bytes, base %s (%s), %d conflicts, error %v\n", e.Outcome, e.Via, e.Seq, e.Size, e.Base.Kind, e.Base.Why, len(e.Conflicts), e.Err)
	}
	a.events = nil
	s, err := a.store.Open(file)
	if err != nil {
		return fmt.Sprint(b.String(), err)
	}
	defer s.Release()
	v := s.Version()
	if !v.Blank() && v.Digest != sha256.Sum256(v.Bytes()) {
		b.WriteString("the digest is wrong\n")
	}
	return fmt.Sprintf("%s%d: %q in %s", b.String(), v.Seq, v.Bytes(), v.Dialect())
}

// Lines that are appended to known ones come to the same as if all lines were parsed.
func TestAddedLinesAreAsIfAllWereParsed(t *testing.T) {
	fast := 0
	for seed := range uint64(1000) {
		settled := seed%3 == 0
		configure := func(cache int64) func(*txn.Config) {
			return func(c *txn.Config) {
				c.DocCache, c.MaxSize = cache, 24+int64(seed%40)
				if settled {
					c.Dialect = func(string) (txn.Dialect, bool) { return txn.Lines, true }
				}
			}
		}
		content := []string{"", "1\n2\n", "1\n2", "{\"n\":1}\n", "{\n}"}[seed%5]
		if settled && content == "{\n}" {
			content = "1"
		}
		one := &appender{bench: newBench(t, content, configure(0))}
		two := &appender{bench: newBench(t, content, configure(-1))}
		a, b := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 1))
		var trace []string
		for range 40 {
			did, should := one.do(a), two.do(b)
			trace = append(trace, did)
			for _, e := range one.events {
				if e.Via == txn.ViaAppend {
					fast++
				}
			}
			if diff := cmp.Diff([]string{should, two.state()}, []string{did, one.state()}); diff != "" {
				t.Fatalf("seed %d, after\n%s\n(-all parsed +added lines parsed)\n%s", seed, strings.Join(trace, "\n"), diff)
			}
		}
		for _, x := range []*appender{one, two} {
			for _, tx := range x.open {
				tx.Release()
			}
		}
	}
	if fast < 1000 {
		t.Errorf("only %d commits of appended lines", fast)
	}
}

// Content that extends another one has the digest of its bytes.
func TestExtendedContent(t *testing.T) {
	text := []byte(strings.Repeat("0123456789abcdef", 20))
	c := seen.NewContent(text[:3])
	for _, end := range []int{3, 4, 64, 65, 127, 128, 300, 320} {
		one, other := c.Extended(text[:end]), c.Extended(append(text[:len(c.Bytes):len(c.Bytes)], "other"...))
		if one.Digest != sha256.Sum256(text[:end]) || other.Digest != sha256.Sum256(other.Bytes) {
			t.Fatalf("%d bytes: the digest is wrong", end)
		}
		c = one
	}
}

// Lines are refused that fit behind the version that their writer knows, and not behind the
// head.
func TestAddedLinesMustFit(t *testing.T) {
	b := newBench(t, "1\n2\n", func(c *txn.Config) { c.MaxSize = 10 })
	p, q := program(1), program(2)
	one, err := b.store.Begin(file, p, txn.BeginOptions{})
	b.ok(err)
	defer one.Release()
	other, err := b.store.Begin(file, q, txn.BeginOptions{})
	b.ok(err)
	defer other.Release()
	_, err = one.Append(p, []byte("33\n"))
	b.ok(err)
	_, err = other.Append(q, []byte("4444\n"))
	b.ok(err)
	b.want("1\n2\n33\n")
	var large *txn.TooLargeError
	if err := other.Flush(q, txn.Death{}); !errors.As(err, &large) {
		t.Errorf("the close says %v", err)
	}
}

// A line costs copies of the log, and no tree of it.
func TestAddedLineCostsNoTree(t *testing.T) {
	if killedBetween {
		t.Skip("this goes with its store")
	}
	if txntest.DoesWithout("parsed-documents") {
		t.Skip("all lines are parsed")
	}
	text := strings.Repeat("{\"n\":[1,2,3]}\n", 20_000)
	perLine := func(cache int64) uint64 {
		b := newBench(t, text, func(c *txn.Config) { c.DocCache = cache })
		p := program(1)
		tx, err := b.store.Begin(file, p, txn.BeginOptions{})
		b.ok(err)
		defer tx.Release()
		const lines = 20
		var before, after runtime.MemStats
		for n := range lines + 1 {
			if n == 1 {
				runtime.ReadMemStats(&before)
			}
			_, err := tx.Append(p, []byte("1\n"))
			b.ok(err)
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / lines
	}
	added, all := perLine(0), perLine(-1)
	t.Logf("a log of %d bytes: %d bytes a line, %d where all is parsed", len(text), added, all)
	if added > 3*uint64(len(text)) || added > all/4 {
		t.Errorf("a log of %d bytes: %d bytes a line, %d where all is parsed", len(text), added, all)
	}
}
