package takeover

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// The daemon's side of an upgrade.

// Waits reports whether the daemon is to wait before it touches anything, since another one
// still serves. It looks whether it can take over, and says so by Able or Unable.
func (k *Keeper) Waits() bool { return k.begin.Waits }

// Able says that the daemon can take over, and returns when it is to do so, or with an error that
// says that it is to end.
func (k *Keeper) Able() error {
	k.say(message{Able: true})
	return <-k.goes
}

// Unable says why the daemon can't take over. The text is JSON. anew says that it could serve the
// directory if that were mounted anew.
func (k *Keeper) Unable(why json.RawMessage, anew bool) {
	k.say(message{Unable: &unable{Why: why, Anew: anew}})
}

// ProtocolError says that the supervisor is of a version that speaks otherwise.
type ProtocolError struct{ Found int }

// Error names both protocols.
func (e *ProtocolError) Error() string {
	return fmt.Sprintf("the supervisor of the mount speaks protocol %d, and this version %d", e.Found, protocol)
}

// CheckProtocol looks whether the daemon understands its supervisor. The error is a *ProtocolError.
func (k *Keeper) CheckProtocol() error {
	if k.begin.Protocol != protocol {
		return &ProtocolError{Found: k.begin.Protocol}
	}
	return nil
}

// goesOn has Able return, if the daemon waits.
func (k *Keeper) goesOn(err error) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	waited := k.waits
	if k.waits {
		k.waits = false
		k.goes <- err
	}
	return waited
}

// leaves ends the work of a daemon that is to be replaced.
func (k *Keeper) leaves() {
	k.leave()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.left = true
	_ = send(k.conn, message{Left: true})
}

// Upgrade is a wish to have the mount served by another program: that of the process at the other end of
// a socket.
type Upgrade struct {
	Restart bool `json:"restart"` // where that can't take over: have this daemon end, and mount anew
}

// Upgrade has the supervisor hand the mount over to the program of the process at the other end of a
// connection, and tell that process the outcome by it, as one JSON object (Upgraded).
func (k *Keeper) Upgrade(wish Upgrade, asker *net.UnixConn) error {
	f, err := asker.File()
	if err != nil {
		return err
	}
	defer f.Close()
	k.mu.Lock()
	defer k.mu.Unlock()
	return send(k.conn, message{Upgrade: &wish}, int(f.Fd()))
}

// Outcome is that of an upgrade.
type Outcome string

// The outcomes of an upgrade.
const (
	HandedOver    Outcome = "handed over"  // no request has failed
	MountedAnew   Outcome = "mounted anew" // as the other program could not take over
	AlreadyServes Outcome = "serves already"
	Refused       Outcome = "refused" // the former program goes on
)

// Upgraded tells the outcome of an upgrade.
type Upgraded struct {
	Outcome Outcome         `json:"outcome"`
	PID     int             `json:"pid,omitempty"`     // of the daemon that serves now
	Why     json.RawMessage `json:"why,omitempty"`     // the words of the daemon that can't take over, or of the one that could not mount
	Reason  string          `json:"reason,omitempty"`  // … or the supervisor's own
	Seconds float64         `json:"seconds,omitempty"` // in which requests waited, or the directory was not mounted
}

// NegotiationError says that another version of the program has agreed on something else with
// the kernel than this one would.
type NegotiationError struct{}

// Error says so.
func (*NegotiationError) Error() string {
	return "the daemon before has agreed on another form of requests with the kernel than this version would"
}

// CheckAnswer looks whether a file system with these options answers the kernel's INIT as the first
// daemon did. The error is a *NegotiationError where it does not.
func CheckAnswer(c *Connection, o *fuse.MountOptions) error {
	s := NewServer(fuse.NewDefaultRawFileSystem(), o, func() {}, func(uint64) {})
	answer, err := s.initialize(c.Init)
	if err != nil {
		return fmt.Errorf("cannot take over: %w", err)
	}
	return sameAnswer(c, answer)
}

func sameAnswer(c *Connection, answer []byte) error {
	if !bytes.Equal(answer, c.Answer) {
		return &NegotiationError{}
	}
	return nil
}
