package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// options are the values of the command line.
type options struct {
	tests   []string // packages whose tests are run, beside the mutated one
	args    []string // further arguments of each test binary
	known   string
	again   string
	one     int // of so many mutants one is tried
	workers int
	list    bool
	pkg     string
	files   []string
}

func main() {
	o := options{}
	list := func(to *[]string) func(string) error {
		return func(s string) error { *to = append(*to, strings.Split(s, ",")...); return nil }
	}
	flag.Func("tests", "packages whose tests are run, too, with commas between them", list(&o.tests))
	flag.Func("args", "arguments for test binaries that know them, with commas between them", list(&o.args))
	flag.StringVar(&o.known, "known", "", "the file that names known survivors")
	flag.StringVar(&o.again, "again", "", "a file with the names of those to try, instead of a sample")
	flag.IntVar(&o.one, "one-of", 1, "try one mutant of so many, always the same ones")
	flag.IntVar(&o.workers, "workers", max(1, runtime.NumCPU()/2), "how many are tried at a time")
	flag.BoolVar(&o.list, "list", false, "print the names of all, and try none")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: mutate [flags] PACKAGE [FILE…]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	o.pkg, o.files = flag.Arg(0), flag.Args()[1:]
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.one < 1 || o.workers < 1 {
		fmt.Fprintln(os.Stderr, "mutate: --one-of and --workers are numbers above 0")
		os.Exit(2)
	}
	unknown, err := run(ctx, o, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	if unknown > 0 {
		os.Exit(1)
	}
}

// run tries the mutants of a package, tells of each survivor, and returns how many
// are not known.
func run(ctx context.Context, o options, out io.Writer) (unknown int, err error) {
	known, err := readNames(o.known)
	if err != nil {
		return 0, err
	}
	again, err := readNames(o.again)
	if err != nil {
		return 0, err
	}
	b, err := buildBench(ctx, o)
	if err != nil {
		return 0, err
	}
	defer b.remove()
	if o.list {
		for _, m := range b.mutants {
			fmt.Fprintln(out, m.name)
		}
		return 0, nil
	}
	if err := b.measure(ctx); err != nil {
		return 0, err
	}
	chosen := slices.DeleteFunc(slices.Clone(b.mutants), func(m mutant) bool {
		return o.again != "" && !again[m.name] || o.again == "" && !drawn(m.name, o.one)
	})
	fmt.Fprintf(out, "%s: %d of %d mutants are tried\n", o.pkg, len(chosen), len(b.mutants))
	survivors := b.tryAll(ctx, chosen, o.workers, out)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	for _, m := range survivors {
		if !known[m.name] {
			unknown++
		}
	}
	fmt.Fprintf(out, "%s: %d of %d caught (%.1f %%), %d survive, %d of these are not known\n", o.pkg,
		len(chosen)-len(survivors), len(chosen), 100*float64(len(chosen)-len(survivors))/float64(max(1, len(chosen))), len(survivors), unknown)
	return unknown, nil
}

// drawn reports whether a mutant is in a sample.
func drawn(name string, oneOf int) bool {
	h := fnv.New32a()
	h.Write([]byte(name))
	return h.Sum32()%uint32(oneOf) == 0
}

// readNames returns the lines of a file, none without one.
func readNames(path string) (map[string]bool, error) {
	names := make(map[string]bool)
	if path == "" {
		return names, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		names[strings.TrimSpace(lines.Text())] = true
	}
	return names, lines.Err()
}

// tryAll returns the mutants that survive, and prints them as they are found.
func (b *bench) tryAll(ctx context.Context, mutants []mutant, workers int, out io.Writer) []mutant {
	var mu sync.Mutex // guards survivors, tried and out
	var survivors []mutant
	tried := 0
	todo := make(chan mutant)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for m := range todo {
				caught := b.caught(ctx, m) || ctx.Err() != nil
				mu.Lock()
				if !caught {
					survivors = append(survivors, m)
					fmt.Fprintln(out, m.name)
				}
				if tried++; tried%25 == 0 {
					fmt.Fprintf(os.Stderr, "%d of %d are tried, %d survive\n", tried, len(mutants), len(survivors))
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range mutants {
		todo <- m
	}
	close(todo)
	wg.Wait()
	return survivors
}
