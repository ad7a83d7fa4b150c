package takeover_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A daemon is killed while it does a request: the caller has its answer from the next one, by
// the descriptor that it had open.
func TestRequestInFlightIsAnswered(t *testing.T) {
	p, _ := newPlace(t, "hold")
	var out bytes.Buffer
	cat := exec.Command("cat", filepath.Join(p.mountpoint(), "f"))
	cat.Stdout, cat.Stderr = &out, &out
	if err := cat.Start(); err != nil {
		t.Fatal(err)
	}
	p.awaits(t, "reads", 1)
	signalTo(t, p.said("daemons")[0], unix.SIGKILL)
	if err := cat.Wait(); err != nil || out.String() != "generation 2, resent true\n" {
		t.Errorf("%v: %s", err, out.String())
	}
}

// Requests wait while there is no daemon, and one that comes after it has died is no resent one.
func TestRequestsWaitForTheNextDaemon(t *testing.T) {
	p, _ := newPlace(t)
	signalTo(t, p.said("daemons")[0], unix.SIGKILL)
	if got := p.cat(t); !strings.HasPrefix(got, "generation 2") {
		t.Error(got)
	}
	if got := p.cat(t); got != "generation 2, resent false\n" {
		t.Error(got)
	}
}

// A daemon that hangs is killed, and the next one takes over.
func TestHangingDaemonIsReplaced(t *testing.T) {
	p, _ := newPlace(t, asked)
	stopped := p.stopsDaemon(t)
	var by int
	got := p.cat(t)
	if _, err := fmt.Sscanf(got, "generation %d,", &by); err != nil || by <= stopped {
		t.Errorf("the daemon of generation %d was stopped: %s", stopped, got)
	}
}

// A supervisor that dies is replaced by the daemon, and the new one holds the same things
// as the former.
func TestSupervisorIsReplaced(t *testing.T) {
	p, first := newPlace(t)
	signalTo(t, p.said("supervisors")[0], unix.SIGKILL)
	_ = first.Wait()
	holdsDevice(t, p.awaits(t, "supervisors", 2)[1])
	if got := p.cat(t); got != "generation 1, resent false\n" {
		t.Error(got)
	}
	signalTo(t, p.said("daemons")[0], unix.SIGKILL)
	if got := p.cat(t); !strings.HasPrefix(got, "generation 2") {
		t.Error(got)
	}
	signalTo(t, p.said("supervisors")[1], unix.SIGTERM)
	p.isGone(t, p.said("daemons")[1])
}

// A daemon that dies again and again is given up, and its mount is taken away.
func TestMountIsGivenUp(t *testing.T) {
	p, supervisor := newPlace(t)
	p.say("fail", "yes")
	signalTo(t, p.said("daemons")[0], unix.SIGKILL)
	if err := supervisor.Wait(); err == nil {
		t.Error("the supervisor ended as if all were well")
	}
	if got := p.said("daemons"); len(got) != deathsAtMost {
		t.Errorf("there were daemons %q", got)
	}
	if got := p.cat(t); !strings.Contains(got, "No such file") {
		t.Error(got)
	}
}

// The end of the mount is that of both processes.
func TestUnmountEndsBoth(t *testing.T) {
	p, supervisor := newPlace(t)
	if err := unix.Unmount(p.mountpoint(), 0); err != nil {
		t.Fatal(err)
	}
	if err := supervisor.Wait(); err != nil {
		t.Error(err)
	}
	p.isGone(t, p.said("daemons")[0])
}
