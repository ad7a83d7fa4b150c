package backing

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"clawfs/backing/backingtest"
)

// powerCut has a process commit, and takes the power away under it. Answers to the process
// afterwards do not count: where the power is really gone there are none, while on a file
// system that was shut down the sync of a directory whose change has been thrown away already
// may succeed (xfs).
func (c *tally) powerCut(t *testing.T, d *backingtest.Disk, durability string, how uint32) {
	t.Helper()
	l := startLoad(t, d.Dir, durability, 0)
	wait := time.Duration(20+rand.IntN(200)) * time.Millisecond
	var grace time.Duration // how old an acknowledgement must be to count
	if durability == "interval" {
		grace = 10 * loadInterval // the interval, and a moment for the sync itself on a busy machine
		wait += grace
	}
	l.running(t, wait)
	failed := time.Now()
	d.Fail(how)
	if err := l.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	l.wait(t)
	d.Remount()
	c.check(t, d.Dir, l, failed.Add(-grace))
}

// The power fails under load. Acknowledged commits are there afterwards, on each file system,
// whether the log was flushed last or not.
func TestPowerFailure(t *testing.T) {
	for _, kind := range []string{"ext4", "xfs"} {
		for _, durability := range []string{"fsync", "interval"} {
			t.Run(kind+" "+durability, func(t *testing.T) {
				d := backingtest.NewPowerDisk(t, kind)
				c := &tally{fault: fmt.Sprintf("power failure under load, --durability=%s (%s)", durability, kind)}
				for i := range rounds(t, "CLAWFS_POWER", 2) {
					c.powerCut(t, d, durability, [...]uint32{backingtest.FlushNothing, backingtest.FlushLog}[i%2])
				}
				c.report(t)
			})
		}
	}
}

// The control: without the sync of the directory the same failures lose
// acknowledged writes. If they don't, the tests above show nothing.
func TestPowerFailureNoticesAMissingSync(t *testing.T) {
	for _, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			d := backingtest.NewPowerDisk(t, kind)
			c := &tally{fault: fmt.Sprintf("control: power failure without the directory's fsync (%s)", kind)}
			for c.lost == 0 && c.tried < 20 || c.tried < rounds(t, "CLAWFS_POWER", 1) {
				c.powerCut(t, d, "no directory fsync", backingtest.FlushNothing)
			}
			t.Logf("FAULT|%s|%d|%d|%d|%d|%d", c.fault, c.tried, c.acknowledged, c.lost, c.invalid, c.unkept)
			if c.lost == 0 {
				t.Error("nothing was lost in 20 failures")
			}
		})
	}
}

// A disk that is dead says so: no commit is acknowledged on it, and the earlier ones are there
// when it comes back.
func TestDeadDisk(t *testing.T) {
	d := backingtest.NewPowerDisk(t, "ext4")
	b := &bench{T: t, path: d.Dir}
	b.open()
	stamp := b.commits("a", 2)
	d.Fail(backingtest.FlushNothing)
	if _, ok, err := b.try("a", stamp, 3, 2, "v3"); err == nil || ok && !uncertain(err) {
		t.Errorf("Commit on a dead disk: ok=%v, %v", ok, err)
	}
	if _, err := b.d.Quarantine("a", []byte("x"), []byte("{}")); err == nil {
		t.Error("Quarantine on a dead disk: no error")
	}
	_ = b.d.Close()
	d.Remount()
	b.open()
	defer b.close()
	b.wantLive("a", "v2")
	b.wantKept("a", "1:v1")
}

func uncertain(err error) bool {
	var u *UncertainError
	return errors.As(err, &u)
}
