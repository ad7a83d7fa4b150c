package process

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"clawfs/txn/seen"
)

// chain starts a shell that starts a shell that waits, and returns their ids.
func chain(t *testing.T) (outer, inner int) {
	t.Helper()
	cmd := exec.Command("bash", "-c", `bash -c 'echo $$; read -r _; :'; :`)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if inner, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid, inner
}

func TestCallerOfAChain(t *testing.T) {
	c := NewCallers(true)
	outer, inner := chain(t)
	caller := c.Describe(c.Caller(inner), "")
	if caller.PID != inner || caller.Program != "bash" {
		t.Errorf("the caller is told as %+v", caller)
	}
	if len(caller.Ancestors) < 2 || caller.Ancestors[0].PID != outer || caller.Ancestors[1].PID != os.Getpid() {
		t.Fatalf("%d descends from %+v, want %d, %d first", inner, caller.Ancestors, outer, os.Getpid())
	}
	if self := c.Actor(os.Getpid()); !caller.DescendsFrom(self) || caller.DescendsFrom(caller.Actor) {
		t.Error("this process is no ancestor, or the caller is its own")
	}
	if again := c.Caller(inner); again.Actor != caller.Actor {
		t.Errorf("one process is told as %+v and %+v", caller.Actor, again.Actor)
	}
}

// A request carries the id of a thread.
func TestCallerOfAThread(t *testing.T) {
	c := NewCallers(true)
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil || len(tasks) < 2 {
		t.Fatalf("%d threads, %v", len(tasks), err)
	}
	want := c.Actor(os.Getpid())
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Actor(tid); got != want {
			t.Errorf("thread %d is told as %+v, want %+v", tid, got, want)
		}
	}
}

func TestCallerThatCannotBeTold(t *testing.T) {
	c := NewCallers(true)
	for _, tid := range []int{0, -1, 1 << 30} {
		if caller := c.Describe(c.Caller(tid), ""); caller.Known() || caller.Program != "" || len(caller.Ancestors) > 0 {
			t.Errorf("told as %+v", caller)
		}
	}
}

// On older kernels the table of living processes tells callers apart.
func TestCallersOfOlderKernels(t *testing.T) {
	c := &Callers{known: make(map[seen.Actor]knownProcess), living: newSerials()}
	t.Cleanup(c.Close)
	outer, inner := chain(t)
	caller := c.Caller(inner)
	if caller.PID != inner || caller.Start == 0 || len(caller.Ancestors) < 2 || caller.Ancestors[0].PID != outer {
		t.Errorf("the caller is told as %+v", caller)
	}
	if again := c.Caller(inner); again.Actor != caller.Actor {
		t.Errorf("one process is told as %+v and %+v", caller.Actor, again.Actor)
	}
}

// A shell's child is a copy of its parent until it executes a program, and never again.
func TestForkedProcessIsToldUntilItExecutes(t *testing.T) {
	c := NewCallers(true)
	cmd := exec.Command("bash", "-c", "(echo $BASHPID; read -r; exec sleep 600); exit")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Kill(pid, unix.SIGKILL)
		_ = cmd.Wait()
	})
	for range 2 {
		if !c.Describe(c.Caller(pid), "").Forked || c.Describe(c.Caller(cmd.Process.Pid), "").Forked {
			t.Error("before it executes a program it is not told as forked, or its parent is")
		}
	}
	_, _ = io.WriteString(in, "\n")
	await(t, "it has executed a program", func() bool { return Program(pid) == "sleep" })
	for range 2 {
		if c.Describe(c.Caller(pid), "").Forked {
			t.Error("it is told as forked after it has executed a program")
		}
	}
	if !c.known[c.Actor(pid)].executed {
		t.Error("it is asked again and again whether it has executed a program")
	}
}

func TestKnownCallersAreBounded(t *testing.T) {
	c := NewCallers(true)
	for i := range maxKnown {
		c.known[seen.Actor{PID: i + 1, Start: 1}] = knownProcess{}
	}
	c.Caller(os.Getpid())
	if len(c.known) != 1 {
		t.Errorf("%d processes are remembered", len(c.known))
	}
}

// A later process with the id of an earlier one is another one, though the earlier one's
// pidfd is held.
func TestCallerWithAnIDOfBefore(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	if !pidfdsDiffer() {
		t.Skip("this kernel does not tell processes apart")
	}
	c := NewCallers(true)
	t.Cleanup(c.Close)
	for range 100 {
		first := sleeper(t)
		pid := first.Process.Pid
		before := c.Actor(pid)
		if again := c.Actor(pid); again != before || before.PID != pid {
			t.Fatalf("one process is told as %+v and %+v", before, again)
		}
		if err := first.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = first.Wait()
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0); err != nil {
			t.Skip(err)
		}
		second := sleeper(t)
		if second.Process.Pid != pid {
			continue // somebody else has it
		}
		if after := c.Actor(pid); after == before || after.PID != pid {
			t.Errorf("two processes are told as %+v and %+v", before, after)
		}
		return
	}
	t.Skip("no id came back")
}

// No more threads are held than there are slots.
func TestHeldThreadsAreBounded(t *testing.T) {
	c := NewCallers(true)
	t.Cleanup(c.Close)
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := descriptors()
	for range 3 * manyHeld {
		s := sleeper(t)
		c.Actor(s.Process.Pid)
		_ = s.Process.Kill()
		_ = s.Wait()
	}
	if grown := descriptors() - before; grown > manyHeld+8 {
		t.Errorf("%d descriptors more", grown)
	}
}
