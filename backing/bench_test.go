package backing_test

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"clawfs/backing"
)

// BenchmarkCommit measures a durable commit against the calls of a careful
// program on the bare disk: write a temporary file, sync it, rename it, sync
// the directory. The two take turns, so that the disk's moods hit both. The
// budget for the ratio of the medians is 1.5.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{4 << 10, 256 << 10} {
		b.Run(byteCount(size), func(b *testing.B) {
			dir := b.TempDir()
			for _, sub := range []string{"bare", "ours"} {
				if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
					b.Fatal(err)
				}
			}
			d, err := backing.Open(filepath.Join(dir, "ours"), backing.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer d.Close()
			content := bytes.Repeat([]byte("x"), size)
			digest := sha256.Sum256(content)
			var bare, ours []time.Duration
			stamp, seq := "", uint64(0)
			for b.Loop() {
				start := time.Now()
				replaceBare(b, filepath.Join(dir, "bare"), content)
				middle := time.Now()
				var ok bool
				seq++
				stamp, ok, err = d.Commit("a.json", stamp, seq, seq-1, content, digest, time.Unix(int64(seq), 0), nil)
				if err != nil || !ok {
					b.Fatal(ok, err)
				}
				bare, ours = append(bare, middle.Sub(start)), append(ours, time.Since(middle))
			}
			report(b, bare, ours)
		})
	}
}

func byteCount(n int) string {
	if n >= 1<<20 {
		return string(rune('0'+n>>20)) + "MiB"
	}
	return map[int]string{4 << 10: "4KiB", 256 << 10: "256KiB"}[n]
}

func replaceBare(b *testing.B, dir string, content []byte) {
	temporary := filepath.Join(dir, "a.json.tmp")
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := f.Write(content); err != nil {
		b.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	f.Close()
	if err := os.Rename(temporary, filepath.Join(dir, "a.json")); err != nil {
		b.Fatal(err)
	}
	parent, err := os.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	if err := parent.Sync(); err != nil {
		b.Fatal(err)
	}
	parent.Close()
}

func report(b *testing.B, bare, ours []time.Duration) {
	slices.Sort(bare)
	slices.Sort(ours)
	at := func(d []time.Duration, percent int) float64 { return float64(d[len(d)*percent/100]) / 1000 }
	b.ReportMetric(at(bare, 50), "bare-p50-µs")
	b.ReportMetric(at(ours, 50), "ours-p50-µs")
	b.ReportMetric(at(bare, 95), "bare-p95-µs")
	b.ReportMetric(at(ours, 95), "ours-p95-µs")
	b.ReportMetric(at(ours, 50)/at(bare, 50), "ratio")
}
