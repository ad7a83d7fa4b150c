// Command clawfs-bench measures clawfs and its peers in one run: scripts/bench
// builds and installs the programs that it needs and starts it.
//
// Every work is done by all subjects in turn, round after round, in another order each time, so
// that the disk's moods hit all of them. The work of a subject is done by clients in processes
// of their own (the folders client and bbolt). Each speed is given as a ratio to a baseline of
// the same round.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// options are the flags of the command.
type options struct {
	quick bool
	only  string // works to do, a regular expression
	work  string // directory for all that is made; the caller removes it
	tools string // directory with the programs to run, see tools
	top   string // the source tree
	json  string // file for the results
	// against is the revision of clawfs that does every work, too; empty: none does. Its
	// program is tools/against, its source tree againstTop.
	against, againstTop string

	device bool // clawfs is served over io_uring, and does every work by the device, too

	docs string // page whose results are to be replaced; plots go beside it if the run has all their points
}

func run(ctx context.Context) error {
	var o options
	flag.BoolVar(&o.quick, "quick", false, "few rounds and small counts")
	flag.StringVar(&o.only, "only", "", "do only works that match this regular expression")
	flag.StringVar(&o.work, "work", "", "directory to work in, on the disk to measure")
	flag.StringVar(&o.tools, "tools", "", "directory of the programs")
	flag.StringVar(&o.top, "top", ".", "source tree")
	flag.StringVar(&o.json, "json", "", "file to write the results to")
	flag.StringVar(&o.against, "against", "", "revision of clawfs to measure beside")
	flag.BoolVar(&o.device, "device", false, "measure clawfs over io_uring, and by the device beside")
	flag.StringVar(&o.againstTop, "against-top", "", "source tree of that")
	flag.StringVar(&o.docs, "docs", "", "page to write the tables into")
	flag.Parse()
	b, err := newBench(o)
	if err != nil {
		return err
	}
	res := &results{Environment: describe(ctx, b)}
	problems := b.runAll(ctx, res)
	if ctx.Err() != nil { // the page keeps the results of a whole run
		o.docs, problems = "", errors.New("interrupted: what is shown is not all")
	}
	return errors.Join(write(o, res), problems)
}

// write shows the results and keeps them where the flags say.
func write(o options, res *results) error {
	page := render(res)
	fmt.Print(page)
	var err error
	if o.json != "" {
		err = res.save(o.json)
	}
	if o.docs == "" {
		return err
	}
	if res.plottable() { // lines need all their points
		err = errors.Join(err, savePlots(filepath.Join(filepath.Dir(o.docs), "performance"), res))
		page = "![appends per second by writers](performance/appends.svg)\n![time of a commit by size](performance/commits.svg)\n\n" + page
	}
	return errors.Join(err, replaceResults(o.docs, page))
}
