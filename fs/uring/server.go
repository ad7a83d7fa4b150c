package uring

import (
	"errors"
	"fmt"
	"log"
	"os"
	"sync"
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
	queues     []*queue

	begin   chan struct{} // closed by Start
	given   chan struct{} // closed if there is no Start
	ready   chan error    // of a thread that Start waits for
	running sync.WaitGroup

	mu      sync.Mutex // guards threads and ended
	threads int        // those included that are being made
	ended   bool       // no more threads are made
}

// protocol is go-fuse's side of it.
type protocol struct{ server *fuse.ProtocolServer }

func (p protocol) handle(in, out [][]byte) (int, bool) {
	size, status := p.server.HandleRequest(in, out)
	return size, status.Ok()
}

// NewServer makes the threads, rings and memory of a server for a file system, before it
// is mounted. Of the options, MaxWrite must be the plan's, and notifications that the file
// system sends go by the notifier. Start or Close must follow. raw.Init is not called, as
// there is no fuse.Server.
func NewServer(raw fuse.RawFileSystem, o *fuse.MountOptions, plan Plan, notifier *Notifier) (*Server, error) {
	if o.MaxWrite != plan.MaxWrite {
		return nil, fmt.Errorf("requests of %d bytes, and a plan for %d", o.MaxWrite, plan.MaxWrite)
	}
	options := *o
	options.ExtraCapabilities |= overIOUring
	logger := o.Logger
	if logger == nil {
		logger = log.Default()
	}
	s := newServer(protocol{fuse.NewProtocolServer(raw, &options)}, plan, notifier, logger)
	s.raw = raw
	if err := s.prepare(); err != nil {
		return nil, err
	}
	return s, nil
}

func newServer(h handler, plan Plan, notifier *Notifier, logger *log.Logger) *Server {
	return &Server{
		plan: plan, handler: h, notifier: notifier, logger: logger, processors: allowed(), interrupts: interrupts{handler: h},
		begin: make(chan struct{}), given: make(chan struct{}), ready: make(chan error),
	}
}

func (s *Server) log(format string, values ...any) { s.logger.Printf(format, values...) }

// prepare makes the threads that the plan begins with.
func (s *Server) prepare() error {
	for id := range s.plan.Queues {
		s.queues = append(s.queues, &queue{id: id})
	}
	for range s.plan.Entries {
		for _, q := range s.queues {
			q.size.Add(1)
			s.threads++
			s.running.Add(1)
			go s.serveFirst(&thread{server: s, queue: q})
		}
	}
	if err := s.awaitThreads(); err != nil {
		s.Close()
		return err
	}
	return nil
}

// awaitThreads returns when each of the first threads has sent its word.
func (s *Server) awaitThreads() (err error) {
	for range s.plan.Queues * s.plan.Entries {
		if e := <-s.ready; err == nil {
			err = e
		}
	}
	return err
}

// serveFirst is one of the first threads.
func (s *Server) serveFirst(t *thread) {
	defer s.running.Done()
	err := t.prepare()
	s.ready <- err
	if err != nil {
		return
	}
	defer t.release()
	select {
	case <-s.given:
		return
	case <-s.begin:
	}
	err = t.register()
	s.ready <- err
	if err == nil {
		s.over(t.queue, t.run())
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
	s.notifier.connect(s.device, a.minor)
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
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	for {
		s.interrupts.all()
		select {
		case <-done:
			s.notifier.connect(nil, 0)
			_ = s.device.Close()
			return
		case <-time.After(cancelInterval):
		}
	}
}

// over is told why a thread of a queue has ended. The kernel is left with one entry less.
func (s *Server) over(q *queue, err error) {
	if err == unix.ENOTCONN || err == unix.ECONNABORTED || err == unix.ENODEV {
		return
	}
	s.log("a thread of FUSE over io_uring has ended: %v", err)
	q.size.Add(-1)
}

// grow gives a queue more entries, until so many are free as there shall be.
func (s *Server) grow(q *queue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.ended && s.threads < s.plan.Most && q.size.Load()-q.busy.Load() < reserve {
		q.size.Add(1)
		s.threads++
		s.running.Add(1)
		go s.serveLater(q)
	}
}

// serveLater is a thread that has come later.
func (s *Server) serveLater(q *queue) {
	defer s.running.Done()
	t := &thread{server: s, queue: q}
	err := t.prepare()
	if err == nil {
		defer t.release()
		if err = t.register(); err == nil {
			err = t.run()
		}
	}
	s.over(q, err)
}

// Memory returns what the payloads of all entries take if the whole of each has been used.
func (s *Server) Memory() int64 {
	return int64(s.Threads()) * int64(s.plan.payload())
}

// Threads returns how many entries there are, and so threads.
func (s *Server) Threads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.threads
}
