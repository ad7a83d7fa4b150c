package merge_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// adversary makes three versions of a list of n elements for which a simple
// alignment takes n² steps.
type adversary struct {
	name string
	make func(n int) (base, head, theirs []string)
}

func numbered(n int, format string) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(format, i)
	}
	return list
}

func shuffled(list []string, seed uint64) []string {
	list = slices.Clone(list)
	r := rand.New(rand.NewPCG(seed, seed))
	r.Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] })
	return list
}

func reversed(list []string) []string {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

var adversaries = []adversary{
	{"reversed", func(n int) (b, o, t []string) {
		b = numbered(n, `{"role":"user","content":"m%d"}`)
		return b, reversed(b), append(reversed(b), `{"role":"user","content":"new"}`)
	}},
	{"shuffled", func(n int) (b, o, t []string) {
		b = numbered(n, `{"role":"user","content":"m%d"}`)
		return b, shuffled(b, 1), shuffled(b, 2)
	}},
	{"shuffled and keyed", func(n int) (b, o, t []string) {
		b = numbered(n, `{"id":"m%d","on":true}`)
		return b, shuffled(b, 1), shuffled(b, 2)
	}},
	{"periodic", func(n int) (b, o, t []string) {
		for i := range n {
			b = append(b, fmt.Sprint(i%7))
			o = append(o, fmt.Sprint((i+1)%5))
			t = append(t, fmt.Sprint((i+2)%3))
		}
		return b, append(o, "1"), append(t, "1", "2")
	}},
	{"all equal", func(n int) (b, o, t []string) {
		b = slices.Repeat([]string{`{"role":"user"}`}, n)
		return b, b[:n-n/3], append(slices.Clone(b), b[:n/2]...)
	}},
	{"one insertion in front", func(n int) (b, o, t []string) {
		b = numbered(n, `{"role":"user","content":"m%d"}`)
		return b, append([]string{`{"role":"bot"}`}, b...), append([]string{`{"role":"system"}`}, b...)
	}},
	{"gaps of ordinary size rewritten", func(n int) (b, o, t []string) {
		for i := range n {
			if i%32 == 0 {
				stays := fmt.Sprintf(`{"n":%d}`, i)
				b, o, t = append(b, stays), append(o, stays, stays+" "), append(t, stays)
				continue
			}
			element := `{"role":"user","content":"%s%d","list":[%d,1,2,3],"map":{"a":%d,"b":1}}`
			b = append(b, fmt.Sprintf(element, "m", i, i, i))
			o = append(o, fmt.Sprintf(element, "o", i, -i, i))
			t = append(t, fmt.Sprintf(element, "t", i, i, -i))
		}
		return b, o, t
	}},
	{"the same added everywhere", func(n int) (b, o, t []string) {
		for i := range n {
			b = append(b, fmt.Sprint(i))
			o = append(o, fmt.Sprint(i), "0.5", "0.5")
			t = append(t, fmt.Sprint(i), "0.5")
		}
		return b, o, t
	}},
	{"replaced on both sides", func(n int) (b, o, t []string) {
		b = numbered(n, `{"id":"b%d"}`)
		for i := range n {
			if i%2 == 0 {
				o, t = append(o, b[i]), append(t, fmt.Sprintf(`{"id":"t%d"}`, i))
			} else {
				o, t = append(o, fmt.Sprintf(`{"id":"o%d"}`, i)), append(t, b[i])
			}
		}
		return b, o, t
	}},
	{"everything rewritten", func(n int) (b, o, t []string) {
		b = numbered(n, `{"role":"user","content":"m%d","n":1,"m":2}`)
		return b, numbered(n+1, `{"role":"user","content":"o%d","n":1,"m":2}`), numbered(n+2, `{"role":"user","content":"t%d","n":1,"m":2}`)
	}},
}

func (a adversary) docs(n int) (b, o, t *jsondoc.Doc) {
	base, head, theirs := a.make(n)
	list := func(l []string) *jsondoc.Doc { return parse("[" + strings.Join(l, ",\n") + "]") }
	return list(base), list(head), list(theirs)
}

// Eight times the elements cost about eight times the time, however they are
// arranged: a quadratic step somewhere would make it sixty-four times.
func TestCostIsNearLinear(t *testing.T) {
	const few, times, bound = 2000, 8, 32
	for _, a := range adversaries {
		t.Run(a.name, func(t *testing.T) {
			small, large := mergeTime(t, a, few), mergeTime(t, a, few*times)
			t.Logf("%d elements %v, %d elements %v", few, small, few*times, large)
			if large > bound*small {
				t.Errorf("%d elements take %v, %d take %v", few, small, few*times, large)
			}
		})
	}
}

// mergeTime returns the processor time of one merge, the lesser of two, none
// taken for less than the clock can tell.
func mergeTime(t *testing.T, a adversary, n int) time.Duration {
	b, o, th := a.docs(n)
	least := time.Hour
	for range 2 {
		start := processorTime(t)
		if _, err := merge.Merge(b, o, th, nil); err != nil {
			t.Fatal(err)
		}
		least = min(least, processorTime(t)-start)
	}
	return max(least, 3*time.Millisecond)
}

func processorTime(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
