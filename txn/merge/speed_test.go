package merge_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// three makes three versions of a registry of models of about so many bytes
// each: both sides have changed, added and removed some.
func three(size int) (texts [3]string) {
	for side := range texts {
		var b strings.Builder
		b.WriteString(`{"version":42,"models":[`)
		comma := ""
		for i := 0; b.Len() < size; i++ {
			name := "a model"
			switch {
			case side > 0 && i%1000 == side:
				name = fmt.Sprintf("changed by side %d", side)
			case side > 0 && i%1000 == 10+side:
				continue
			case side > 0 && i%1000 == 20+side:
				fmt.Fprintf(&b, `%s{"id":"new-%d-%d"}`, comma, side, i)
			}
			fmt.Fprintf(&b, `%s{"id":"model-%d","name":%q,"provider":"p%d","enabled":%t,"cost":{"input":%d.25,"output":0.0001},"tags":["chat","tools"],"limits":null}`,
				comma, i, name, i%7, i%2 == 0, i%97)
			comma = ","
		}
		b.WriteString("]}\n")
		texts[side] = b.String()
	}
	return texts
}

// BenchmarkMergeBeside parses theirs and merges it, as a commit does whose head
// is parsed already: the sizes are those of each document. Metrics: processor
// time, which on a shared machine says more than the time on the wall; the bytes
// that are alive behind the merge, the three texts and trees and the result, for
// each byte of the three texts.
func BenchmarkMergeBeside(b *testing.B) {
	for _, size := range []int{10, 100} {
		texts := three(size << 20)
		base, head := parse(texts[0]), parse(texts[1])
		b.Run(fmt.Sprintf("%dMB", size), func(b *testing.B) {
			b.ReportAllocs()
			start, runs := processorTime(b), 0
			var theirs *jsondoc.Doc
			var res *merge.Result
			for b.Loop() {
				theirs = parse(texts[2])
				var err error
				if res, err = merge.Merge(base, head, theirs, nil); err != nil {
					b.Fatal(err)
				}
				runs++
			}
			b.ReportMetric(float64((processorTime(b)-start).Milliseconds())/float64(runs), "cpu-ms/op")
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapAlloc)/float64(len(texts[0])+len(texts[1])+len(texts[2])), "alive/texts")
			runtime.KeepAlive(theirs)
			runtime.KeepAlive(res)
		})
	}
}

// BenchmarkMergeAdversary merges lists that are made to be slow, 20,000 elements
// each.
func BenchmarkMergeAdversary(b *testing.B) {
	for _, a := range adversaries {
		base, head, theirs := a.docs(20_000)
		b.Run(strings.ReplaceAll(a.name, " ", "-"), func(b *testing.B) {
			b.SetBytes(int64(len(base.Source()) + len(head.Source()) + len(theirs.Source())))
			b.ReportAllocs()
			start, runs := processorTime(b), 0
			for b.Loop() {
				runs++
				if _, err := merge.Merge(base, head, theirs, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((processorTime(b)-start).Milliseconds())/float64(runs), "cpu-ms/op")
		})
	}
}
