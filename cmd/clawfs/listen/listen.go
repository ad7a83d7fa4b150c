// Package listen opens the addresses at which a clawfs answers: a TCP port, or a
// socket for one user alone.
//
// What always holds here: a socket has mode 0600 from the moment at which it can be
// found, and Loopback opens nothing that another machine reaches.
package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// UnixPrefix tells an address that is the path of a socket.
const UnixPrefix = "unix:"

// NotLocalError says that others than this machine could reach an address.
type NotLocalError struct{ Address string }

// Error names the address.
func (e *NotLocalError) Error() string {
	return fmt.Sprintf("%s is no address of this machine alone", e.Address)
}

// At opens an address: HOST:PORT, or unix:PATH for this user alone.
func At(address string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, UnixPrefix); ok {
		return socket(path)
	}
	return net.Listen("tcp", address)
}

// Loopback opens an address that only this machine reaches: HOST:PORT, where HOST is
// one of the loopback or empty, or unix:PATH for this user alone. A port is opened in IPv4 and IPv6 both, since a
// browser may try either. The error is a *NotLocalError for any other host.
func Loopback(address string) ([]net.Listener, error) {
	if path, ok := strings.CutPrefix(address, UnixPrefix); ok {
		l, err := socket(path)
		return []net.Listener{l}, err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip, err := netip.ParseAddr(host); host != "" && host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return nil, &NotLocalError{Address: address}
	}
	const tries = 10 // a free port of IPv4 may be in use in IPv6
	for range tries {
		var both []net.Listener
		if both, err = loopback(port); err == nil || port != "0" {
			return both, err
		}
	}
	return nil, err
}

// loopback opens a port in IPv4 and IPv6, as far as the machine has them.
func loopback(port string) ([]net.Listener, error) {
	four, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", port))
	if err != nil && !isMissing(err) {
		return nil, err
	}
	if four == nil {
		six, err := net.Listen("tcp6", net.JoinHostPort("::1", port))
		return []net.Listener{six}, err
	}
	_, port, err = net.SplitHostPort(four.Addr().String())
	if err != nil {
		return nil, errors.Join(err, four.Close())
	}
	six, err := net.Listen("tcp6", net.JoinHostPort("::1", port))
	switch {
	case err == nil:
		return []net.Listener{four, six}, nil
	case isMissing(err):
		return []net.Listener{four}, nil
	}
	return nil, errors.Join(err, four.Close())
}

// isMissing reports whether an error says that the machine lacks a family of
// addresses.
func isMissing(err error) bool {
	return errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EPROTONOSUPPORT)
}

// socket opens a socket for this user alone. One that nobody listens at any more is
// replaced.
func socket(path string) (net.Listener, error) {
	if conn, err := net.Dial("unix", path); err == nil {
		return nil, errors.Join(errors.New("somebody listens there"), conn.Close())
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		_ = os.Remove(path)
	}
	// Linux gives the file the mode that the socket has when it is bound.
	narrow := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if notDone := c.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), 0o600) }); notDone != nil {
			return notDone
		}
		return err
	}}
	return narrow.Listen(context.Background(), "unix", path)
}
