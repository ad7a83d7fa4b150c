package jsondoc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"clawfs/txn/jsondoc"
)

// registryText makes a registry of models of about so many bytes, on one line or
// as programs print it with an indentation of two blanks.
func registryText(size int, pretty bool) []byte {
	const entry = `{"id":"model-%d","name":"Model \"%d\"","provider":"p%d","enabled":%t,"cost":{"input":%d.25,"output":0.0000%d},"tags":["chat","tools","caf\u00e9"],"limits":null}`
	var b strings.Builder
	b.WriteString(`{"version":42,"models":[`)
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		text := fmt.Sprintf(entry, i, i, i%7, i%2 == 0, i%97, i%89)
		if pretty {
			text = strings.NewReplacer(",\"", ",\n      \"", ":", ": ").Replace(text)
		}
		b.WriteString(text)
	}
	b.WriteString("]}\n")
	return []byte(b.String())
}

// BenchmarkParseBeside parses registries, and times encoding/json with the same
// text. Metrics: megabytes in a second of processor time, and the tree's bytes
// for each byte of the text.
func BenchmarkParseBeside(b *testing.B) {
	for _, c := range []struct {
		name   string
		size   int
		pretty bool
	}{{"10MB", 10 << 20, false}, {"10MB-pretty", 10 << 20, true}, {"100MB", 100 << 20, false}} {
		text := registryText(c.size, c.pretty)
		b.Run(c.name+"/Parse", func(b *testing.B) {
			var d *jsondoc.Doc
			measure(b, len(text), func() (err error) {
				d, err = jsondoc.Parse(text, jsondoc.JSON, jsondoc.Limits{})
				return err
			})
			b.ReportMetric(float64(d.MemSize())/float64(len(text)), "tree/text")
		})
		b.Run(c.name+"/JSON5", func(b *testing.B) {
			measure(b, len(text), func() error {
				_, err := jsondoc.Parse(text, jsondoc.JSON5, jsondoc.Limits{})
				return err
			})
		})
		b.Run(c.name+"/encoding-json-Valid", func(b *testing.B) {
			measure(b, len(text), func() error {
				if !json.Valid(text) {
					return errors.New("not valid")
				}
				return nil
			})
		})
		b.Run(c.name+"/encoding-json-Unmarshal", func(b *testing.B) {
			measure(b, len(text), func() error {
				var v any
				return json.Unmarshal(text, &v)
			})
		})
	}
}

// measure runs f on a text of so many bytes. It reports processor time beside
// the time on the wall, which on a shared machine says little.
func measure(b *testing.B, size int, f func() error) {
	b.SetBytes(int64(size))
	b.ReportAllocs()
	start, runs := processorTime(b), 0
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
		runs++
	}
	used := processorTime(b) - start
	b.ReportMetric(float64(size)*float64(runs)/1e6/used.Seconds(), "cpu-MB/s")
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
