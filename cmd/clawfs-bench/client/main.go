// Command client is an ordinary Go program whose work on files scripts/bench
// measures: it knows nothing of clawfs and behaves the same on every file
// system.
//
//	client WORK [FLAGS]     work is one of those in the table below
//
// It prepares itself, prints "ready", waits for a line on standard input, does
// its work, and prints one line of JSON: a result. The clients in other languages,
// in this folder, keep to the same protocol.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// task is the values of the flags: each work reads those that it needs.
type task struct {
	style     string        // how files are written, see styles
	file      string        // the file worked on; may hold a %d for the number of a registry
	files     int           // how many registries file stands for
	id        string        // told into the ids of entries
	first     int           // the registry to begin with
	count     int           // how often
	size      int           // bytes of a document or file
	rate      float64       // operations per second by the clock; 0: as fast as it goes
	duration  time.Duration // how long, for works without a count
	overtaken bool          // another program commits between each read and write
}

// result is the line that a client prints. Times are in nanoseconds.
type result struct {
	Ops    int                `json:"ops"`
	Failed int                `json:"failed"` // operations that reported an error
	Nanos  int64              `json:"nanos"`  // from the start signal to the end
	CPU    int64              `json:"cpu"`    // this process's share of it
	Series map[string][]int64 `json:"series"` // single operations, in order
}

// work prepares and returns the part that is measured.
type work func(t *task) (func(r *result) error, error)

var works = map[string]work{
	"commit":   prepareCommit,
	"append":   prepareAppend,
	"open":     prepareOpen,
	"stat":     prepareStat,
	"large":    prepareLarge,
	"stream":   prepareStream,
	"metadata": prepareMetadata,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || works[args[0]] == nil {
		return fmt.Errorf("unknown work: %q", args)
	}
	t, err := parse(args[1:])
	if err != nil {
		return err
	}
	measured, err := works[args[0]](t)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return fmt.Errorf("no start signal: %w", err)
	}
	r := &result{Series: make(map[string][]int64)}
	cpu, start := cpuTime(), time.Now()
	err = measured(r)
	r.Nanos, r.CPU = int64(time.Since(start)), cpuTime()-cpu
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func parse(args []string) (*task, error) {
	t := &task{}
	f := flag.NewFlagSet("client", flag.ContinueOnError)
	f.StringVar(&t.style, "style", "in-place", "how files are written")
	f.StringVar(&t.file, "file", "", "file to work on")
	f.IntVar(&t.files, "files", 1, "number of registries that a %d in --file stands for")
	f.StringVar(&t.id, "id", "w", "prefix of the ids of entries")
	f.IntVar(&t.first, "first", 0, "registry to begin with")
	f.IntVar(&t.count, "count", 1, "number of operations")
	f.IntVar(&t.size, "size", 0, "bytes of a document")
	f.Float64Var(&t.rate, "rate", 0, "operations per second")
	f.DurationVar(&t.duration, "duration", time.Second, "how long to go on")
	f.BoolVar(&t.overtaken, "overtaken", false, "let another program commit between read and write")
	return t, f.Parse(args)
}

// note adds the time since start to a series.
func (r *result) note(series string, start time.Time) {
	r.Series[series] = append(r.Series[series], int64(time.Since(start)))
}

// cpuTime is the processor time that this process has used so far, in nanoseconds.
func cpuTime() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		return 0
	}
	return ts.Nano()
}
