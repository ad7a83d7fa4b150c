package process

import (
	"strconv"
	"strings"
	"sync"

	"clawfs/txn/seen"
)

// Callers finds the process that a thread belongs to, with the facts that are known of it. It
// may be used by several goroutines at once.
type Callers struct {
	living *serials // nil: the kernel tells processes apart
	held   heldThreads

	mu    sync.Mutex // guards known
	known map[seen.Actor]knownProcess
}

// knownProcess has the facts about a process that never change.
type knownProcess struct {
	ancestors []seen.Actor // nearest first
	executed  bool         // it has executed a program; until then a forked process is a copy of its parent
}

// maxKnown bounds the processes that are remembered.
const maxKnown = 1024

// NewCallers returns Callers that have been asked nothing yet. With hold they keep the
// pidfds of the threads that were asked about lately; Close gives them up.
func NewCallers(hold bool) *Callers {
	c := &Callers{known: make(map[seen.Actor]knownProcess)}
	c.held.none = !hold
	if !pidfdsDiffer() {
		c.living = newSerials()
	}
	return c
}

// Close gives up all descriptors that are held.
func (c *Callers) Close() {
	c.held.close()
	if c.living != nil {
		c.living.close()
	}
}

// Actor returns the process of a thread; the zero Actor where it can't be told.
func (c *Callers) Actor(tid int) seen.Actor {
	a, _ := c.processOf(tid)
	return a
}

// Caller returns the process of a thread, with the processes that it descends from. The
// name of its program, its user, and whether it has only forked are left out.
func (c *Callers) Caller(tid int) seen.Caller {
	a, parent := c.processOf(tid)
	caller := seen.Caller{Actor: a}
	if a.Known() {
		caller.Ancestors = c.ancestors(a, parent)
	}
	return caller
}

// Describe adds to a caller the facts that are of interest about a writer: the name of its
// program, and whether it has only forked. program is the name; empty: the kernel is
// asked. One of the caller's threads must be in a request that is no part of an exec.
func (c *Callers) Describe(caller seen.Caller, program string) seen.Caller {
	if caller.Known() {
		if caller.Program = program; program == "" {
			caller.Program = Program(caller.PID)
		}
		caller.Forked = c.hasOnlyForked(caller.Actor)
	}
	return caller
}

// hasOnlyForked reports whether a process was forked and has not executed a program since.
// One of its threads must be in a request that is no part of an exec.
func (c *Callers) hasOnlyForked(a seen.Actor) bool {
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

// Program returns the kernel's name for the program of a process; empty where the process
// is gone.
func Program(pid int) string {
	name, err := readProc("/proc/" + strconv.Itoa(pid) + "/comm")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}

// processOf returns the process that a thread belongs to, and its parent's id.
func (c *Callers) processOf(tid int) (a seen.Actor, parent int) {
	if tid <= 0 {
		return seen.Actor{}, 0
	}
	if c.living != nil {
		t, ok := threadInfo(tid)
		if !ok {
			return seen.Actor{}, 0
		}
		return seen.Actor{PID: t.process, Start: c.living.of(t.process)}, t.parent
	}
	t, ok := c.held.get(tid)
	if !ok {
		return seen.Actor{}, 0
	}
	return seen.Actor{PID: t.process, Start: t.inode}, t.parent
}

// ancestors walks up from a process's parent, up to the first process of all, which every
// process descends from.
func (c *Callers) ancestors(a seen.Actor, parent int) []seen.Actor {
	c.mu.Lock()
	k, ok := c.known[a]
	c.mu.Unlock()
	if ok {
		return k.ancestors
	}
	var list []seen.Actor
	for parent > 1 && len(list) < maxAncestors {
		var up seen.Actor
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
