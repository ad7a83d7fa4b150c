package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// pastWork shows the cost of a commit where much has happened before: each time
// a registry with a past takes turns with a new one in the same mount.
func (b *bench) pastWork() work {
	s := b.goSubject(oursInPlace, b.ours, "in-place")
	return work{
		name:    "the past",
		about:   fmt.Sprintf("p50 of a commit of 4 KiB: a new registry, one with %d commits behind it; and of an append to one that %d dead processes have appended to, and to a new one of the same content", b.history, b.dead),
		columns: []string{"new ms", "history ms", "the same content ms", "dead processes ms"},
		once:    true, subjects: []subject{s},
		measure: func(ctx context.Context, s subject, dir string) (values, error) {
			long := filepath.Join(dir, "history-%d.json")
			if _, err := b.do(ctx, s, arguments("commit", "--file", fmt.Sprintf(long, 1), "--size", 4<<10, "--count", b.history)); err != nil {
				return nil, err
			}
			history, err := b.alternate(ctx, s, long, "commit", "--size", 4<<10)
			if err != nil {
				return nil, err
			}
			visited := filepath.Join(dir, "visited-%d.json")
			if err := os.WriteFile(fmt.Sprintf(visited, 1), seed(1), 0o600); err != nil {
				return nil, err
			}
			for n := range b.dead {
				if _, err := b.do(ctx, s, arguments("append", "--file", fmt.Sprintf(visited, 1), "--id", fmt.Sprintf("w%d", n))); err != nil {
					return nil, err
				}
			}
			content, err := os.ReadFile(fmt.Sprintf(visited, 1))
			if err != nil {
				return nil, err
			}
			if err := os.WriteFile(fmt.Sprintf(visited, 0), content, 0o600); err != nil {
				return nil, err
			}
			dead, err := b.alternate(ctx, s, visited, "append")
			return values{"new ms": history[0], "history ms": history[1], "the same content ms": dead[0], "dead processes ms": dead[1]}, err
		},
	}
}

// alternate does a work on two registries by turns and returns the median of each
// in milliseconds.
func (b *bench) alternate(ctx context.Context, s subject, pattern, work string, more ...any) (medians [2]float64, err error) {
	o, err := b.do(ctx, s, append(arguments(work, "--file", pattern, "--files", 2, "--count", 2*b.commits[1<<10]), arguments(more...)...))
	if err != nil {
		return medians, err
	}
	var parts [2][]int64
	for i, d := range o.Series[work] {
		parts[i%2] = append(parts[i%2], d)
	}
	return [2]float64{quantile(parts[0], 0.5) / 1e6, quantile(parts[1], 0.5) / 1e6}, nil
}

// manyWork compares a mount with many registries to one with none.
func (b *bench) manyWork() work {
	return work{
		name:    "many registries",
		about:   fmt.Sprintf("a directory with %d registries: time to mount, memory, and a commit in it beside one in an empty mount", b.many),
		columns: []string{"mount s", "RSS empty MB", "RSS MB", "commit empty ms", "commit ms"},
		once:    true, subjects: []subject{b.goSubject(oursInPlace, b.ours, "in-place")},
		measure: b.measureMany,
	}
}

func (b *bench) measureMany(ctx context.Context, s subject, _ string) (v values, err error) {
	crowd := filepath.Join(b.work, s.place.name+"-crowd-1")
	if err := os.Mkdir(crowd, 0o700); err != nil {
		return nil, err
	}
	for n := range b.many {
		if err := os.WriteFile(filepath.Join(crowd, fmt.Sprintf("r%d.json", n)), seed(1), 0o600); err != nil {
			return nil, err
		}
	}
	empty, err := b.mountLike(ctx, s.place, s.place.name+"-crowd-0")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, empty.unmount()) }()
	start := time.Now()
	crowded, err := b.mountLike(ctx, s.place, s.place.name+"-crowd-1")
	if err != nil {
		return nil, err
	}
	took := time.Since(start)
	defer func() { err = errors.Join(err, crowded.unmount()) }()
	before, err := empty.status("VmRSS")
	if err != nil {
		return nil, err
	}
	after, err := crowded.status("VmRSS")
	if err != nil {
		return nil, err
	}
	commits, err := b.alternate(ctx, s, filepath.Join(b.work, s.place.name+"-crowd-%d", "new.json"), "commit", "--size", 4<<10)
	return values{"mount s": took.Seconds(), "RSS empty MB": before / 1024, "RSS MB": after / 1024, "commit empty ms": commits[0], "commit ms": commits[1]}, err
}

func (b *bench) idleWork() work {
	return work{
		name:    "idle daemon",
		about:   fmt.Sprintf("a fresh mount, nobody at it for %v", b.wait),
		columns: []string{"RSS MB", "wake-ups"},
		once:    true, subjects: []subject{b.goSubject(oursAsItIs, b.ours, "-")},
		measure: func(ctx context.Context, s subject, _ string) (v values, err error) {
			p, err := b.mountLike(ctx, s.place, s.place.name+"-idle")
			if err != nil {
				return nil, err
			}
			defer func() { err = errors.Join(err, p.unmount()) }()
			if err := pause(ctx, 3*time.Second); err != nil { // the work that mounting has started shall end
				return nil, err
			}
			before, err := p.switches()
			if err != nil {
				return nil, err
			}
			if err := pause(ctx, b.wait); err != nil {
				return nil, err
			}
			after, err := p.switches()
			if err != nil {
				return nil, err
			}
			rss, err := p.status("VmRSS")
			return values{"RSS MB": rss / 1024, "wake-ups": after - before}, err
		},
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// hugeWork shows that a registry of 100 MB works, and the memory that it takes.
func (b *bench) hugeWork() work {
	return work{
		name:    "huge registry",
		about:   fmt.Sprintf("a document of %s written in place, read and overtaken by another program, in a mount of its own with --max-size 128MiB", bytesOf(b.huge)),
		columns: []string{"write ms", "merged write ms", "read ms", "peak RSS MB", "peak RSS / document"},
		once:    true, subjects: []subject{b.goSubject(oursInPlace, b.ours, "in-place")},
		measure: b.measureHuge,
	}
}

func (b *bench) measureHuge(ctx context.Context, s subject, _ string) (v values, err error) {
	s.place, err = b.mountLike(ctx, s.place, s.place.name+"-huge", "--max-size", "128MiB")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.place.unmount()) }()
	file := filepath.Join(s.place.dir, "huge.json")
	written, err := b.do(ctx, s, arguments("commit", "--file", file, "--size", b.huge, "--count", 2))
	if err != nil {
		return nil, err
	}
	merged, err := b.do(ctx, s, arguments("large", "--file", file, "--count", 1, "--overtaken"))
	if err != nil {
		return nil, err
	}
	peak, err := s.place.status("VmHWM")
	return values{
		"write ms": quantile(written.Series["commit"], 0.5) / 1e6, "merged write ms": quantile(merged.Series["write"], 0.5) / 1e6,
		"read ms": quantile(merged.Series["read"], 0.5) / 1e6, "peak RSS MB": peak / 1024, "peak RSS / document": peak * 1024 / float64(b.huge),
	}, err
}

// codeWork runs the benchmarks of the parser and of the merge. They need no
// mount.
func (b *bench) codeWork() work {
	return work{
		name:    "parse and merge",
		about:   "in memory: go test -bench of txn/jsondoc and txn/merge",
		columns: []string{"parse MB/s", "merge ms"},
		once:    true, subjects: []subject{b.goSubject(oursAsItIs, b.ours, "-")},
		measure: func(ctx context.Context, s subject, _ string) (values, error) {
			cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^Benchmark(Parse|Merge)$", "./txn/jsondoc", "./txn/merge")
			cmd.Dir = s.place.top
			out, err := cmd.CombinedOutput()
			if err != nil {
				return nil, fmt.Errorf("%w\n%s", err, out)
			}
			speed, err1 := figure(out, `BenchmarkParse\S*\s.*?([0-9.]+) MB/s`)
			nanos, err2 := figure(out, `BenchmarkMerge\S*\s.*?([0-9.]+) ns/op`)
			return values{"parse MB/s": speed, "merge ms": nanos / 1e6}, errors.Join(err1, err2)
		},
	}
}

// figure finds a number in the output of a benchmark.
func figure(out []byte, pattern string) (float64, error) {
	m := regexp.MustCompile(pattern).FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("nothing like %s in\n%s", pattern, out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}
