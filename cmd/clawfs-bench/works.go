package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// The names of subjects that budgets and plots refer to.
const (
	careful     = "bare: temp, fsync, rename, fsync dir"
	flockGo     = "bare: Go, flock + the same"
	flockJq     = "bare: bash, flock + jq + mv"
	lockfile    = "bare: node, proper-lockfile + write-file-atomic"
	sqlite      = "bare: node, better-sqlite3"
	bbolt       = "bare: Go, bbolt"
	naive       = "bare: Go, in place, no lock"
	oursInPlace = "clawfs: Go, in place"
	oursRename  = "clawfs: Go, temp, rename"
	oursCareful = "clawfs: temp, fsync, rename, fsync dir"
	oursNode    = "clawfs: node, in place"
	loopCareful = "loopback: temp, fsync, rename, fsync dir"
	bareAsItIs  = "bare"
	loopAsItIs  = "loopback"
	oursAsItIs  = "clawfs"
)

// works lists all works. Those of one round are done in this order.
func (b *bench) works() []work {
	var list []work
	for _, size := range []int{1 << 10, 100 << 10, 10 << 20} {
		list = append(list, b.commitWork(size))
	}
	list = append(list, b.loopWork("open", "open-read-close of a registry of 4 KiB", 1), b.loopWork("open", "open-read-close of a registry of 4 KiB", 8),
		b.loopWork("stat", "stat of a registry", 1))
	for _, writers := range b.writers {
		list = append(list, b.appendWork(writers, 1))
	}
	for _, writers := range b.spread {
		list = append(list, b.appendWork(writers, 100))
	}
	return append(list, b.largeWork(), b.streamWork(), b.metadataWork(), b.walWork(), b.floodWork(),
		b.pastWork(), b.manyWork(), b.idleWork(), b.hugeWork(), b.codeWork())
}

func (b *bench) goSubject(name string, p *place, style string) subject {
	return subject{name: name, place: p, client: b.tools.goClient, style: style}
}

func (b *bench) nodeSubject(name string, p *place, style string) subject {
	return subject{name: name, place: p, client: b.tools.node, style: style}
}

// peers are all that take part in commits and appends on the bare disk.
func (b *bench) peers() []subject {
	return []subject{
		b.goSubject(naive, b.bare, "in-place"),
		b.goSubject(flockGo, b.bare, "flock"),
		b.nodeSubject(lockfile, b.bare, "lockfile"),
		{name: flockJq, place: b.bare, client: b.tools.shell},
		b.nodeSubject(sqlite, b.bare, "sqlite"),
		{name: bbolt, place: b.bare, client: b.tools.bbolt},
	}
}

func (b *bench) commitWork(size int) work {
	return work{
		name:     "commit " + bytesOf(size),
		about:    fmt.Sprintf("one writer replaces a document of %s, again and again", bytesOf(size)),
		columns:  []string{"p50 ms", "p95 ms", "client CPU ms", "daemon CPU ms"},
		baseline: careful,
		subjects: append([]subject{
			b.goSubject(careful, b.bare, "careful"),
			b.goSubject(oursInPlace, b.ours, "in-place"),
			b.goSubject(oursRename, b.ours, "rename"),
			b.goSubject(oursCareful, b.ours, "careful"),
			b.nodeSubject(oursNode, b.ours, "in-place"),
			b.goSubject(loopCareful, b.loop, "careful"),
		}, b.peers()...),
		measure: func(ctx context.Context, s subject, dir string) (values, error) {
			file := filepath.Join(dir, "registry.json")
			if s.does(flockJq) { // it edits an existing file
				if err := os.WriteFile(file, seed(size/113), 0o600); err != nil {
					return nil, err
				}
			}
			o, err := b.do(ctx, s, arguments("commit", "--file", file, "--size", size, "--count", b.commits[size]))
			if err != nil {
				return nil, err
			}
			return o.perOp("commit"), nil
		},
	}
}

// perOp gives the columns of works that measure single operations.
func (o *outcome) perOp(series string) values {
	ops := float64(max(o.Ops, 1))
	return values{
		"p50 ms": quantile(o.Series[series], 0.50) / 1e6, "p95 ms": quantile(o.Series[series], 0.95) / 1e6,
		"p99 ms": quantile(o.Series[series], 0.99) / 1e6, "max ms": quantile(o.Series[series], 1) / 1e6,
		"client CPU ms": float64(o.CPU) / 1e6 / ops, "daemon CPU ms": o.daemon.Seconds() * 1e3 / ops,
		"ops /s": float64(o.Ops-o.Failed) / (float64(o.Nanos) / 1e9),
	}
}

// loopWork has clients repeat something cheap on a file of 4 KiB. On the floors it is what the
// kernel and the transport take alone.
func (b *bench) loopWork(name, about string, clients int) work {
	plain := b.goSubject("clawfs: plain file", b.ours, "plain")
	w := work{
		name: name, about: about, columns: []string{"each µs", "p99 µs", "client CPU µs", "daemon CPU µs"}, baseline: bareAsItIs,
		subjects: []subject{b.goSubject(bareAsItIs, b.bare, "-"), b.goSubject(loopAsItIs, b.loop, "-"), b.goSubject(oursAsItIs, b.ours, "-"), plain},
	}
	for _, p := range b.floors {
		w.subjects = append(w.subjects, b.goSubject(p.name, p, "-"))
	}
	if clients > 1 {
		w.name, w.about, w.columns[0] = fmt.Sprintf("%s by %d", name, clients), fmt.Sprintf("%s, by %d at once", about, clients), "ops /s"
	}
	w.measure = func(ctx context.Context, s subject, dir string) (values, error) {
		const size = 4 << 10
		file := filepath.Join(dir, "registry.json")
		if s.does(plain.name) {
			file = filepath.Join(dir, "plain.txt")
		}
		content := append(seed(32), make([]byte, size)...)[:size]
		for i := len(seed(32)); i < size; i++ {
			content[i] = ' '
		}
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return nil, err
		}
		args := arguments(name, "--file", file, "--size", size, "--duration", b.spin)
		o, err := b.do(ctx, s, slices.Repeat([][]string{args}, clients)...)
		if err != nil {
			return nil, err
		}
		ops := float64(o.Ops)
		return values{
			"each µs": float64(o.Nanos) / 1e3 / ops, "ops /s": ops / (float64(o.Nanos) / 1e9), "p99 µs": quantile(o.Series["each"], 0.99) / 1e3,
			"client CPU µs": float64(o.CPU) / 1e3 / ops, "daemon CPU µs": o.daemon.Seconds() * 1e6 / ops,
		}, nil
	}
	return w
}

// writersName is the name of an append work.
func writersName(writers, files int) string {
	if files == 1 {
		return fmt.Sprintf("append, %d writers", writers)
	}
	return fmt.Sprintf("append, %d writers, %d registries", writers, files)
}

func (b *bench) appendWork(writers, files int) work {
	each := max(b.appends/writers, b.least)
	return work{
		name:     writersName(writers, files),
		about:    fmt.Sprintf("%d processes add %d entries each to %d registries of 50 entries: read, change, write", writers, each, files),
		columns:  []string{"ops /s", "p50 ms", "p99 ms", "lost", "errors", "client CPU ms", "daemon CPU ms"},
		baseline: flockGo,
		subjects: append([]subject{b.goSubject(oursInPlace, b.ours, "in-place"), b.goSubject(oursRename, b.ours, "rename"),
			b.nodeSubject(oursNode, b.ours, "in-place")}, b.peers()...),
		measure: func(ctx context.Context, s subject, dir string) (values, error) {
			return b.appendTo(ctx, s, dir, writers, files, "--count", each)
		},
	}
}

// appendTo has writers add entries to registries in a directory and counts
// the entries that are there afterwards.
func (b *bench) appendTo(ctx context.Context, s subject, dir string, writers, files int, more ...any) (values, error) {
	pattern := filepath.Join(dir, "r%d.json")
	for n := range files {
		if err := os.WriteFile(fmt.Sprintf(pattern, n), seed(50), 0o600); err != nil {
			return nil, err
		}
	}
	var each [][]string
	for i := range writers {
		each = append(each, append(arguments("append", "--file", pattern, "--files", files, "--first", i*files/writers,
			"--id", fmt.Sprintf("w%d", i)), arguments(more...)...))
	}
	o, err := b.do(ctx, s, each...)
	if err != nil {
		return nil, err
	}
	found, err := b.countAdded(ctx, s, pattern, files)
	if err != nil {
		return nil, err
	}
	v := o.perOp("append")
	v["lost"], v["errors"] = float64(o.Ops-o.Failed-found), float64(o.Failed)
	return v, nil
}

// countAdded asks the subject itself if it keeps its entries in a database.
func (b *bench) countAdded(ctx context.Context, s subject, pattern string, files int) (int, error) {
	if s.name == sqlite || s.name == bbolt {
		o, err := b.do(ctx, s, arguments("count", "--file", pattern))
		if err != nil {
			return 0, err
		}
		return o.Ops, nil
	}
	total := 0
	for n := range files {
		found, err := addedIn(fmt.Sprintf(pattern, n))
		if err != nil {
			return 0, err
		}
		total += found
	}
	return total, nil
}

func (b *bench) floodWork() work {
	const writers, sessions, rate = 4, 10, 100.0
	return work{
		name:     "session flood",
		about:    fmt.Sprintf("%d processes add %g messages a second to %d sessions for %v; latency from each message's time", writers, rate, sessions, b.flood),
		columns:  []string{"p50 ms", "p95 ms", "p99 ms", "max ms", "ops /s", "lost", "errors", "client CPU ms", "daemon CPU ms"},
		baseline: flockGo, once: true,
		subjects: []subject{b.goSubject(oursInPlace, b.ours, "in-place"), b.nodeSubject(oursNode, b.ours, "in-place"),
			b.goSubject(flockGo, b.bare, "flock"), b.nodeSubject(lockfile, b.bare, "lockfile"), b.nodeSubject(sqlite, b.bare, "sqlite")},
		measure: func(ctx context.Context, s subject, dir string) (values, error) {
			return b.appendTo(ctx, s, dir, writers, sessions, "--count", int(b.flood.Seconds()*rate/writers), "--rate", rate/writers)
		},
	}
}

// largeWork keeps the reading and the writing of a large registry apart.
func (b *bench) largeWork() work {
	overtaken := b.goSubject("clawfs: in place, another program commits in between", b.ours, "in-place")
	return work{
		name:     "large registry",
		about:    fmt.Sprintf("one entry added to a registry of %d entries, reading and writing the whole", b.entries),
		columns:  []string{"write ms", "read ms", "daemon CPU ms"},
		baseline: careful,
		subjects: []subject{
			b.goSubject(careful, b.bare, "careful"), b.goSubject(oursInPlace, b.ours, "in-place"), overtaken,
			b.goSubject(oursRename, b.ours, "rename"), b.goSubject(loopCareful, b.loop, "careful"),
			b.nodeSubject(sqlite, b.bare, "sqlite"), {name: bbolt, place: b.bare, client: b.tools.bbolt},
		},
		measure: func(ctx context.Context, s subject, dir string) (values, error) {
			file := filepath.Join(dir, "registry.json")
			args := arguments("large", "--file", file, "--count", b.large)
			switch {
			case s.does(sqlite), s.does(bbolt):
				args = arguments("append", "--file", file, "--count", b.large, "--size", b.entries)
			case s.does(overtaken.name):
				args = append(args, "--overtaken")
			}
			if err := os.WriteFile(file, seed(b.entries), 0o600); err != nil {
				return nil, err
			}
			o, err := b.do(ctx, s, args)
			if err != nil {
				return nil, err
			}
			v := values{"write ms": quantile(append(o.Series["write"], o.Series["append"]...), 0.5) / 1e6, "daemon CPU ms": o.daemon.Seconds() * 1e3 / float64(o.Ops)}
			if reads := o.Series["read"]; len(reads) > 0 {
				v["read ms"] = quantile(reads, 0.5) / 1e6
			}
			return v, nil
		},
	}
}

// arguments spells a client's arguments.
func arguments(list ...any) []string {
	var args []string
	for _, a := range list {
		args = append(args, fmt.Sprint(a))
	}
	return args
}

func bytesOf(n int) string {
	switch {
	case n >= 1<<20:
		return strconv.Itoa(n>>20) + " MB"
	default:
		return strconv.Itoa(n>>10) + " KB"
	}
}
