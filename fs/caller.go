package fs

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// callers tells which process a request comes from. A request carries the id of
// a thread, in the mounter's pid namespace; 0 stands for a process that can't be
// told.
//
// A process is told from a later one with the same id by the inode number of
// its pidfd, which the kernel never uses again (since 6.9). Older kernels have one
// inode for all: there the table of living processes counts up.
//
// Nothing here may wait for the caller: it can be in the middle of an exec, with
// locks held that many files below /proc want.
type callers struct {
	living *processTable // nil: the kernel tells processes apart
	held   heldThreads

	mu    sync.Mutex // guards known
	known map[txn.Actor]knownProcess
}

// knownProcess has the facts about a process that never change.
type knownProcess struct {
	ancestors []txn.Actor // nearest first
	executed  bool        // it has executed a program; until then a forked process is a copy of its parent
}

// maxKnown bounds the processes that are remembered.
const maxKnown = 1024

func newCallers() *callers {
	c := &callers{known: make(map[txn.Actor]knownProcess)}
	if !pidfdsDiffer() {
		c.living = newProcessTable()
	}
	return c
}

// actorOf returns the process that a request comes from.
func (c *callers) actorOf(ctx context.Context) txn.Actor {
	a, _ := c.processOf(threadOf(ctx))
	return a
}

// of returns the process that a request comes from, with what it descends from.
func (c *callers) of(ctx context.Context) txn.Caller {
	caller := c.byThread(threadOf(ctx))
	if from, ok := fuse.FromContext(ctx); ok {
		caller.UID = from.Uid
	}
	return caller
}

// byThread is of for a thread, which may have ended.
func (c *callers) byThread(tid int) txn.Caller {
	a, parent := c.processOf(tid)
	caller := txn.Caller{Actor: a}
	if a.Known() {
		caller.Ancestors = c.ancestors(a, parent)
	}
	return caller
}

// named returns of, with the name of the program.
func (c *callers) named(ctx context.Context) txn.Caller {
	caller := c.of(ctx)
	if caller.Known() {
		caller.Program = programName(caller.PID)
	}
	return caller
}

// writing returns named, with the facts that are of interest about a writer. It is not to
// be used for requests that come while the caller executes another program.
func (c *callers) writing(ctx context.Context) txn.Caller { return c.describe(c.of(ctx), "") }

// describe adds to a caller the facts that are of interest about a writer. program is its
// program's name; empty: the kernel is asked.
func (c *callers) describe(caller txn.Caller, program string) txn.Caller {
	if caller.Known() {
		if caller.Program = program; program == "" {
			caller.Program = programName(caller.PID)
		}
		caller.Forked = c.hasOnlyForked(caller.Actor)
	}
	return caller
}

// hasOnlyForked reports whether a process was forked and has not executed a program since.
// One of its threads must be in a request that is no part of an exec.
func (c *callers) hasOnlyForked(a txn.Actor) bool {
	c.mu.Lock()
	executed := c.known[a].executed
	c.mu.Unlock()
	if executed {
		return false
	}
	forked, err := hasOnlyForked(a.PID)
	if err != nil || forked {
		return forked
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, ok := c.known[a]; ok {
		k.executed = true
		c.known[a] = k
	}
	return false
}

func threadOf(ctx context.Context) int {
	if caller, ok := fuse.FromContext(ctx); ok {
		return int(caller.Pid)
	}
	return 0
}

// programName returns what the kernel calls a process.
func programName(pid int) string {
	name, err := readProc("/proc/" + strconv.Itoa(pid) + "/comm")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}

// processOf returns the process that a thread belongs to, and its parent's id.
func (c *callers) processOf(tid int) (a txn.Actor, parent int) {
	if tid <= 0 {
		return txn.Actor{}, 0
	}
	if c.living != nil {
		t, ok := threadInfo(tid)
		if !ok {
			return txn.Actor{}, 0
		}
		return txn.Actor{PID: t.process, Start: c.living.serial(t.process)}, t.parent
	}
	t, ok := c.held.get(tid)
	if !ok {
		return txn.Actor{}, 0
	}
	return txn.Actor{PID: t.process, Start: t.inode}, t.parent
}

// ancestors walks up from a process's parent, up to the first process of all,
// which everything descends from.
func (c *callers) ancestors(a txn.Actor, parent int) []txn.Actor {
	c.mu.Lock()
	k, ok := c.known[a]
	c.mu.Unlock()
	if ok {
		return k.ancestors
	}
	var list []txn.Actor
	for parent > 1 && len(list) < maxAncestors {
		var up txn.Actor
		up, parent = c.processOf(parent)
		if !up.Known() {
			break
		}
		list = append(list, up)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxKnown {
		clear(c.known)
	}
	c.known[a] = knownProcess{ancestors: list}
	return list
}

// maxAncestors bounds how far kin is looked for.
const maxAncestors = 32

// Boot returns a text that identifies this boot of the system, for txn.Config: within it
// no two processes are the same Actor. It is empty where the kernel does not tell
// processes apart, so that an Actor means nothing to another daemon.
func Boot() string {
	if !pidfdsDiffer() {
		return ""
	}
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// Began returns a number for txn.Config: the Start of each process that is older than this
// one is less. It is 0 where the kernel does not tell processes apart.
func Began() uint64 {
	if !pidfdsDiffer() {
		return 0
	}
	inode, _ := pidfdInode(os.Getpid())
	return inode
}

// Alive reports whether a process that package fs has told still runs.
func Alive(a txn.Actor) bool {
	fd, err := unix.PidfdOpen(a.PID, 0)
	if err != nil {
		return err != unix.ESRCH && err != unix.EINVAL
	}
	defer closeFD(fd)
	if isPidfs(fd) && inodeOf(fd) != a.Start {
		return false
	}
	return !hasEnded(fd)
}

// hasEnded reports whether the process of a pidfd has ended, waited for or not.
func hasEnded(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&(unix.POLLIN|unix.POLLHUP) != 0
}

// isAncestor reports whether a process is among those that a caller descends
// from.
func isAncestor(a txn.Actor, of txn.Caller) bool {
	for _, up := range of.Ancestors {
		if up == a {
			return true
		}
	}
	return false
}
