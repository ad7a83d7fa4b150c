package listen

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestLoopbackRefusesOtherMachines(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.org:0", "localhost.example.org:0"} {
		var e *NotLocalError
		if l, err := Loopback(address); !errors.As(err, &e) {
			t.Errorf("%s: %v, %v", address, l, err)
		}
	}
}

// A program that could open the port in the other family would be asked in our place.
func TestLoopbackTakesThePortInBothFamilies(t *testing.T) {
	other, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6")
	}
	defer other.Close()
	_, port, err := net.SplitHostPort(other.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if l, err := Loopback("127.0.0.1:" + port); err == nil {
		t.Errorf("%v was opened, though the port is in use in IPv6", l[0].Addr())
	}
	for _, address := range []string{":0", "localhost:0", "127.0.0.1:0", "[::1]:0", "127.1.2.3:0"} {
		both, err := Loopback(address)
		if err != nil || len(both) != 2 {
			t.Errorf("%s: %v, %v", address, both, err)
		}
		for _, l := range both {
			if ip := l.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
				t.Errorf("%s opened %v", address, ip)
			}
			l.Close()
		}
	}
}

func TestSocketIsForOneUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	for range 2 { // the second one finds the socket that the first has left
		all, err := Loopback(UnixPrefix + path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode() != os.ModeSocket|0o600 {
			t.Fatalf("%v, %v", info.Mode(), err)
		}
		if l, err := Loopback(UnixPrefix + path); err == nil {
			t.Errorf("%v was taken from whoever listens there", l)
		}
		all[0].(*net.UnixListener).SetUnlinkOnClose(false)
		all[0].Close()
	}
}
