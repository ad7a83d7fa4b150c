package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// tools are the programs that scripts/bench has put into one directory, and the
// clients that are scripts.
type tools struct {
	clawfs, against string // against is clawfs of the revision to measure beside
	loopback        string
	rawfuse         string
	goClient, bbolt client
	node, shell     client
	python          client
}

// client is a program to run, with its first arguments.
type client []string

func toolsIn(o options) tools {
	in := func(name string) string { return filepath.Join(o.tools, name) }
	script := func(name string) string { return filepath.Join(o.top, "cmd", "clawfs-bench", "client", name) }
	return tools{
		clawfs: in("clawfs"), against: in("against"), loopback: in("loopback"), rawfuse: in("rawfuse"), goClient: client{in("client")}, bbolt: client{in("bbolt")},
		node: client{"node", script("client.mjs")}, shell: client{script("client.sh")}, python: client{"python3", script("client.py")},
	}
}

// result is the line that a client prints; client/main.go has the meaning of each field.
type result struct {
	Ops    int                `json:"ops"`
	Failed int                `json:"failed"`
	Nanos  int64              `json:"nanos"`
	CPU    int64              `json:"cpu"`
	Series map[string][]int64 `json:"series"`
}

// outcome is the result of a group of clients together.
type outcome struct {
	result               // the sum of all; Nanos from the common start to the last one's end
	daemon time.Duration // CPU time of the daemon meanwhile
}

// patience is how long a group may take. One that takes longer has failed.
const patience = 4 * time.Minute

// running is a client that has been started.
type running struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// do runs clients at the same time, one for each list of arguments, and starts
// their work when all are ready.
func (b *bench) do(ctx context.Context, s subject, argsOfEach ...[]string) (*outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var group []*running
	defer func() {
		cancel() // ends those that are still at work
		for _, r := range group {
			_ = r.cmd.Wait()
		}
	}()
	for _, args := range argsOfEach {
		r, err := b.start(ctx, s, args)
		if err != nil {
			return nil, err
		}
		group = append(group, r)
	}
	for _, r := range group {
		if line, err := r.out.ReadString('\n'); err != nil || line != "ready\n" {
			return nil, fmt.Errorf("%v does not get ready: %q, %w", r.cmd.Args, line, errors.Join(err, ctx.Err()))
		}
	}
	return s.together(group)
}

func (b *bench) start(ctx context.Context, s subject, args []string) (*running, error) {
	all := slices.Concat(s.client, args)
	if s.style != "" {
		all = append(all, "--style", s.style)
	}
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	cmd.Env = append(os.Environ(), "BENCH_MODULES="+b.options.tools)
	cmd.Stderr = os.Stderr
	// A client may have children of its own: they end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &running{cmd, in, bufio.NewReader(out)}, cmd.Start()
}

// together gives the start signal and collects the results.
func (s subject) together(group []*running) (*outcome, error) {
	total := &outcome{result: result{Series: make(map[string][]int64)}}
	before, start := s.place.cpu(), time.Now()
	for _, r := range group {
		if _, err := io.WriteString(r.in, "go\n"); err != nil {
			return nil, err
		}
	}
	for _, r := range group {
		var one result
		if err := json.NewDecoder(r.out).Decode(&one); err != nil {
			return nil, fmt.Errorf("%v gave no result: %w", r.cmd.Args, err)
		}
		total.Ops += one.Ops
		total.Failed += one.Failed
		total.CPU += one.CPU
		for name, list := range one.Series {
			total.Series[name] = append(total.Series[name], list...)
		}
	}
	total.Nanos, total.daemon = int64(time.Since(start)), s.place.cpu()-before
	return total, nil
}
