package main

import (
	"context"
	"fmt"
	"path/filepath"
)

// everywhere is a Go client on the bare disk, on the loopback example and on
// clawfs. On mounts its style tells it to read past the kernel's cache.
func (b *bench) everywhere() []subject {
	return []subject{
		b.goSubject(bareAsItIs, b.bare, "cached"),
		b.goSubject(loopAsItIs, b.loop, "uncached"),
		b.goSubject(oursAsItIs, b.ours, "uncached"),
	}
}

func (b *bench) streamWork() work {
	return work{
		name:     "plain stream",
		about:    fmt.Sprintf("a plain file of %s written with one fsync, then read through the mount out of the disk's cache", bytesOf(b.stream)),
		columns:  []string{"write ms", "read ms", "daemon CPU ms"},
		baseline: loopAsItIs, subjects: b.everywhere(),
		measure: func(ctx context.Context, s subject, dir string) (values, error) {
			return b.steps(ctx, s, arguments("stream", "--file", filepath.Join(dir, "file.bin"), "--size", b.stream), "write", "read")
		},
	}
}

func (b *bench) metadataWork() work {
	steps := []string{"create", "stat", "readdir", "rename", "unlink"}
	w := work{
		name:     "plain metadata",
		about:    fmt.Sprintf("%d empty plain files in one directory; time for all of them", b.files),
		baseline: loopAsItIs, subjects: b.everywhere(),
		measure: func(ctx context.Context, s subject, dir string) (values, error) {
			return b.steps(ctx, s, arguments("metadata", "--file", dir, "--count", b.files), steps...)
		},
	}
	for _, step := range steps {
		w.columns = append(w.columns, step+" ms")
	}
	w.columns = append(w.columns, "daemon CPU ms")
	return w
}

// steps runs a client that does its steps once each.
func (b *bench) steps(ctx context.Context, s subject, args []string, names ...string) (values, error) {
	o, err := b.do(ctx, s, args)
	if err != nil {
		return nil, err
	}
	v := values{"daemon CPU ms": o.daemon.Seconds() * 1e3}
	for _, name := range names {
		v[name+" ms"] = quantile(o.Series[name], 0.5) / 1e6
	}
	return v, nil
}

func (b *bench) walWork() work {
	python := func(name string, p *place) subject { return subject{name: name, place: p, client: b.tools.python} }
	return work{
		name:     "SQLite in WAL mode",
		about:    fmt.Sprintf("python's sqlite3, synchronous=FULL, %d transactions of one insert, on a plain file", b.inserts),
		columns:  []string{"p50 ms", "p95 ms", "client CPU ms", "daemon CPU ms"},
		baseline: bareAsItIs,
		subjects: []subject{python(bareAsItIs, b.bare), python(loopAsItIs, b.loop), python(oursAsItIs, b.ours)},
		measure: func(ctx context.Context, s subject, dir string) (values, error) {
			o, err := b.do(ctx, s, arguments("sqlite", "--file", filepath.Join(dir, "state.sqlite"), "--count", b.inserts))
			if err != nil {
				return nil, err
			}
			if o.Failed > 0 {
				return nil, fmt.Errorf("%d rows are missing", o.Failed)
			}
			return o.perOp("transaction"), nil
		},
	}
}
