package uring

import (
	"errors"
	"fmt"
	"log"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Server serves one mount over io_uring.
type Server struct {
	plan       Plan
	raw        fuse.RawFileSystem
	handler    handler
	notifier   *Notifier
	logger     *log.Logger
	processors unix.CPUSet // that threads may run on
	device     *os.File    // set by Start
	fd         int         // of device
	interrupts interrupts
	quick      func(Request) bool
	watch      *watch
	relief     []relief  // by queue
	noMore     sync.Once // says why there is no thread more

	begin   chan struct{} // closed by Start
	given   chan struct{} // closed if there is no Start
	ready   chan error    // of a thread that Start waits for
	running sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	entries int        // those included that are being made
	ended   bool       // no more entries are made
}

// protocol is go-fuse's side of it.
type protocol struct{ server *fuse.ProtocolServer }

func (p protocol) handle(in, out [][]byte) (int, bool) {
	size, status := p.server.HandleRequest(in, out)
	return size, status.Ok()
}

// NewServer makes the threads, rings and memory of a server for a file system, before it
// is mounted. Of the options, MaxWrite must be the plan's, and notifications that the file
// system sends go by the notifier. quick tells whether a request is handled without waiting for
// anything, as a rule (nil: none); it is asked by many threads. Start or Close must follow.
// raw.Init is not called, as there is no fuse.Server.
func NewServer(raw fuse.RawFileSystem, o *fuse.MountOptions, plan Plan, notifier *Notifier, quick func(Request) bool) (*Server, error) {
	if o.MaxWrite != plan.MaxWrite {
		return nil, fmt.Errorf("requests of %d bytes, and a plan for %d", o.MaxWrite, plan.MaxWrite)
	}
	options := *o
	options.ExtraCapabilities |= overIOUring
	if quick == nil {
		quick = func(Request) bool { return false }
	}
	logger := o.Logger
	if logger == nil {
		logger = log.Default()
	}
	s := newServer(protocol{fuse.NewProtocolServer(raw, &options)}, plan, notifier, logger, quick)
	s.raw = raw
	if err := s.prepare(); err != nil {
		return nil, err
	}
	return s, nil
}

func newServer(h handler, plan Plan, notifier *Notifier, logger *log.Logger, quick func(Request) bool) *Server {
	return &Server{
		plan: plan, handler: h, notifier: notifier, logger: logger, processors: allowed(), interrupts: interrupts{handler: h},
		begin: make(chan struct{}), given: make(chan struct{}), ready: make(chan error),
		quick: quick, watch: newWatch(), relief: make([]relief, plan.Queues),
	}
}

func (s *Server) log(format string, values ...any) { s.logger.Printf(format, values...) }

// prepare makes the threads that the plan begins with.
func (s *Server) prepare() error {
	for id := range s.plan.Queues {
		s.entries += s.plan.Entries
		s.running.Add(1)
		go s.serveQueue(&thread{server: s, queue: id})
	}
	if err := s.awaitThreads(); err != nil {
		s.Close()
		return err
	}
	return nil
}

// awaitThreads returns when each thread has sent its word.
func (s *Server) awaitThreads() (err error) {
	for range s.plan.Queues {
		if e := <-s.ready; err == nil {
			err = e
		}
	}
	return err
}

// serveQueue is the thread of a queue.
func (s *Server) serveQueue(t *thread) {
	defer s.running.Done()
	defer t.release()
	err := t.prepare(s.plan.Entries)
	s.ready <- err
	if err != nil {
		return
	}
	select {
	case <-s.given:
		return
	case <-s.begin:
	}
	s.watch.add(t)
	err = t.register()
	s.ready <- err
	if err == nil {
		t.run()
	}
}

// Close gives up a server that was not started, or could not be. In that case the mount
// must have been taken away.
func (s *Server) Close() {
	if s.device == nil {
		close(s.given)
		s.running.Wait()
		return
	}
	s.serve()
}

// Start begins to serve a new mount, given by its descriptor of /dev/fuse, before anything
// else has read from it. The descriptor is the server's from then on. After an error the
// mount must be taken away, and then Close called.
func (s *Server) Start(fd int) error {
	unix.CloseOnExec(fd)
	a, err := initialize(fd, s.handler)
	if err == nil && a.payload > s.plan.payload() {
		err = fmt.Errorf("the kernel's requests have up to %d bytes, and a plan for %d", a.payload, s.plan.payload())
	}
	if err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	s.device, s.fd = os.NewFile(uintptr(fd), "/dev/fuse"), fd
	s.notifier.Connect(s.device, a.minor)
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		s.watch.run(s.relieve)
	}()
	close(s.begin)
	if err := s.awaitThreads(); err != nil {
		return fmt.Errorf("the kernel takes no entry: %w", err)
	}
	return nil
}

// Serve serves until the mount is gone and the last request was handled.
func (s *Server) Serve() {
	s.serve()
	s.raw.OnUnmount()
}

// cancelInterval is how often requests are interrupted that have begun when the connection
// had ended.
const cancelInterval = 20 * time.Millisecond

func (s *Server) serve() {
	s.serveDevice()
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	close(s.watch.stop)
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	for {
		s.interrupts.all()
		select {
		case <-done:
			s.notifier.Connect(nil, 0)
			_ = s.device.Close()
			return
		case <-time.After(cancelInterval):
		}
	}
}

// over is told why an entry has ended.
func (s *Server) over(err error) {
	if err != unix.ENOTCONN && err != unix.ECONNABORTED && err != unix.ENODEV {
		s.log("an entry of FUSE over io_uring has ended: %v", err)
	}
}

// handle handles the request in an entry.
func (s *Server) handle(e *entry) {
	opcode := e.opcode()
	s.interrupts.begin(&e.now, e.unique())
	if !e.serve(s.handler) {
		s.log("a request of FUSE over io_uring makes no sense, or its answer does not: operation %d", opcode)
	}
	e.now.Store(0)
}

// allot reports whether there may be so many more entries, which then count.
func (s *Server) allot(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.entries+n > s.plan.Most {
		return false
	}
	s.entries += n
	return true
}

// follow gives a queue another thread, where one has no room for an entry more. It reports
// whether there may be as many entries.
func (s *Server) follow(like *thread) bool {
	if !s.allot(reserve) {
		return false
	}
	s.running.Add(1)
	go s.serveMore(&thread{server: s, queue: like.queue, careful: like.careful}, reserve)
	return true
}

// mostRelief is how many threads may come to the relief of a queue.
const mostRelief = 16

// relief is the state of these threads for one queue.
type relief struct {
	threads, busy atomic.Int32
	careful       bool // there is a careful thread, too; the watch's
}

// relieve gives the queue of a thread that is stuck two entries more when that is noticed,
// since the kernel takes the newest first, and later if none is free. Each has a thread of its
// own, which handles everything itself. When those are all stuck as well, as on a disk that
// does not answer, the last one is careful.
func (s *Server) relieve(stuck *thread, first bool) {
	r := &s.relief[stuck.queue]
	switch {
	case !first && r.busy.Load() < r.threads.Load():
		return
	case r.threads.Load() >= mostRelief:
		if !r.careful {
			r.careful = s.follow(&thread{queue: stuck.queue, careful: true})
		}
		return
	}
	for range reserve {
		if r.threads.Load() >= mostRelief || !s.allot(1) {
			return
		}
		r.threads.Add(1)
		s.running.Add(1)
		go s.serveMore(&thread{server: s, queue: stuck.queue, relief: true}, 1)
	}
}

// serveMore is a thread that a queue gets later.
func (s *Server) serveMore(t *thread, entries int) {
	defer s.running.Done()
	defer t.release()
	err := t.prepare(entries)
	if err == nil {
		err = t.register()
	}
	if err != nil {
		s.allot(-entries)
		if t.relief { // another one may be more lucky
			s.relief[t.queue].threads.Add(-1)
		}
		s.noMore.Do(func() { s.over(err) })
		return
	}
	if !t.relief {
		s.watch.add(t)
	}
	t.run()
}

// Memory returns the memory of the payloads of all entries if the whole of each has been
// used.
func (s *Server) Memory() int64 { return int64(s.Entries()) * int64(s.plan.payload()) }

// Entries returns how many entries there are.
func (s *Server) Entries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries
}
