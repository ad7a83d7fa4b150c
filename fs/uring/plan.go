package uring

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Plan says how many entries there are, and how large they are.
type Plan struct {
	Queues   int // the kernel's: one for each possible processor
	Entries  int // of each queue, to begin with
	MaxWrite int // most that one request reads or writes; the payload of an entry takes it
	Most     int // entries of all queues together, when handlers wait
}

// The memory that entries may take. A page is not there before something was written to
// it, so that a mount mostly has a small part of this in memory.
const (
	MemoryLimit = 256 << 20 // for the payloads of the entries that each mount begins with
	ThreadLimit = 256       // each queue has one of them

	defaultEntries = 8
	leastMaxWrite  = 128 << 10
	growth         = 2 // Plan.Most takes so many times MemoryLimit
	mostEntries    = 4096
)

// NewPlan makes a plan for a kernel with so many possible processors (most may not be
// there), and for requests that read or write maxWrite bytes. Where the payloads of eight
// entries a queue would take more than MemoryLimit, the largest request becomes smaller,
// but not less than 128 KiB, and then there are fewer entries. An error says that it is
// too much all the same, or that there are more queues than ThreadLimit.
func NewPlan(processors, maxWrite int) (Plan, error) {
	page := os.Getpagesize()
	p := Plan{Queues: max(processors, 1), Entries: defaultEntries, MaxWrite: max((maxWrite+page-1)/page*page, page)}
	for p.Memory() > MemoryLimit && p.MaxWrite/2 >= leastMaxWrite {
		p.MaxWrite = p.MaxWrite / 2 / page * page
	}
	for p.Memory() > MemoryLimit && p.Entries > 1 {
		p.Entries /= 2
	}
	if p.Memory() > MemoryLimit || p.Queues > ThreadLimit {
		return p, fmt.Errorf("for %d possible processors it would take as many threads, and %d MiB; %d and %d are the limits",
			p.Queues, p.Memory()>>20, ThreadLimit, MemoryLimit>>20)
	}
	p.Most = max(min(growth*MemoryLimit/p.payload(), mostEntries), p.Queues*p.Entries)
	return p, nil
}

// Memory returns the memory of the payloads to begin with.
func (p Plan) Memory() int64 { return int64(p.Queues) * int64(p.Entries) * int64(p.payload()) }

func (p Plan) payload() int { return max(p.MaxWrite, minPayload) }

// PossibleProcessors returns how many processors the kernel has data structures for.
func PossibleProcessors() (int, error) {
	text, err := os.ReadFile("/sys/devices/system/cpu/possible")
	if err != nil {
		return 0, err
	}
	return countProcessors(string(text))
}

// countProcessors counts the processors that a list as "0-3,8" names.
func countProcessors(list string) (n int, err error) {
	for part := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || first < 0 || last < first {
			return 0, fmt.Errorf("%q is no list of processors", list)
		}
		n += last - first + 1
	}
	return n, nil
}

// parameterFile tells whether the kernel's FUSE talks over io_uring.
const parameterFile = "/sys/module/fuse/parameters/enable_uring"

// Check reports why this process can't serve FUSE over io_uring, nil if it can, as far as
// that can be told before a mount.
func Check() error {
	if _, err := os.Stat(parameterFile); os.IsNotExist(err) {
		loadModule()
	}
	return check(parameterFile)
}

// loadModule has the kernel load FUSE, where it is a module that nobody has used since the
// machine's start: it does so at the first use of the device.
func loadModule() {
	if device, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err == nil {
		_ = device.Close()
	}
}

func check(parameter string) error {
	text, err := os.ReadFile(parameter)
	switch {
	case os.IsNotExist(err):
		return fmt.Errorf("the kernel has no FUSE over io_uring: it takes Linux 6.14 with CONFIG_FUSE_IO_URING, and the module fuse")
	case err != nil:
		return err
	case strings.TrimSpace(string(text)) != "Y":
		return fmt.Errorf("it is switched off in the kernel: %s is not Y", parameter)
	}
	failed := make(chan error)
	go func() {
		r, err := newRing()
		if err == nil {
			r.close()
		}
		failed <- err
	}()
	switch err := <-failed; {
	case errors.Is(err, unix.ENOMEM):
		return err
	case err != nil:
		return fmt.Errorf("this process may not use io_uring (kernel.io_uring_disabled, or a seccomp filter as in a container): %w", err)
	}
	return nil
}

// allowed returns the processors that this process may run on.
func allowed() (set unix.CPUSet) {
	if unix.SchedGetaffinity(0, &set) != nil {
		set.Zero()
	}
	return set
}
