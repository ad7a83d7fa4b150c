package view

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"clawfs/cmd/clawfs/listen"
	"clawfs/cmd/clawfs/versions"
)

// Options give the page its sources, and say how it is reached.
type Options struct {
	Listen string // HOST:PORT of the loopback, or unix:PATH
	Sources
	Engine *versions.Engine // explains and commits

	Ready func(Address) error              // told where the page is, when it is there
	Talk  func(format string, args ...any) // takes texts that are no facts
}

// Address is how a browser comes to the page.
type Address struct {
	URL    string // works once
	File   string // leads there, each time with another token
	Socket string // that must be forwarded to a port first; "" where none must
}

// patience is how long a browser may take for a request's headers.
const patience = 10 * time.Second

// mostConnections is how many browsers' connections are held at once. Each may be a stream of
// events. Every user of the machine can open some.
const mostConnections = 256

// Server is the page.
type Server struct {
	o    Options
	host string // the name by which browsers call us
	door *door
	hub  hub

	indexes sync.Map      // of directories, by their paths: *index
	heavy   chan struct{} // holds a value while large documents are in hand
	doing   chan struct{} // … while something is committed

	connections atomic.Int64 // that are open
}

// Serve serves the page until ctx ends. Errors: *listen.NotLocalError, or the system's.
func Serve(ctx context.Context, o Options) error {
	listeners, err := listen.Loopback(o.Listen)
	if err != nil {
		return err
	}
	s := &Server{o: o, host: "clawfs-" + random()[:16] + ".localhost", heavy: make(chan struct{}, 1), doing: make(chan struct{}, 1)}
	s.hub.init()
	at := s.address(listeners[0])
	s.door, err = openDoor(at.URL)
	if err != nil {
		return errors.Join(err, closeAll(listeners))
	}
	defer s.door.close()
	at.URL, at.File = s.door.entrance(), s.door.path
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler: s.guarded(s.pages()), ReadHeaderTimeout: patience, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnState:   s.count,
		ErrorLog:    log.New(io.Discard, "", 0), // it would tell of the mistakes of browsers
	}
	go s.follow(ctx)
	return s.serve(ctx, cancel, server, listeners, at)
}

// count counts connections, and closes one that is too many.
func (s *Server) count(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if s.connections.Add(1) > mostConnections {
			_ = c.Close()
		}
	case http.StateClosed, http.StateHijacked:
		s.connections.Add(-1)
	}
}

// serve accepts browsers until ctx ends or no address answers any more.
func (s *Server) serve(ctx context.Context, cancel func(), server *http.Server, listeners []net.Listener, at Address) error {
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- server.Serve(l) }()
	}
	err := s.o.Ready(at)
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	cancel() // ends the streams
	limit, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	if server.Shutdown(limit) != nil {
		_ = server.Close()
	}
	return err
}

// address returns how a browser calls a listener, without a token.
func (s *Server) address(l net.Listener) Address {
	if l.Addr().Network() == "unix" {
		return Address{URL: "http://" + s.host + ":PORT", Socket: l.Addr().String()}
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return Address{URL: "http://" + net.JoinHostPort(s.host, port)}
}

func closeAll(listeners []net.Listener) error {
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
