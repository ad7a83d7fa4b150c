package mountpoint

import (
	"os"
	"testing"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// The uppermost mount on a path counts, in any order of the mount table.
func TestUppermost(t *testing.T) {
	disk := &mountinfo.Info{ID: 7, Parent: 1}
	bind := &mountinfo.Info{ID: 3, Parent: 7}
	clawfs := &mountinfo.Info{ID: 5, Parent: 3}
	for _, mounts := range [][]*mountinfo.Info{{disk, bind, clawfs}, {clawfs, bind, disk}, {bind, clawfs, disk}, {clawfs}} {
		if got := uppermost(mounts); got != clawfs {
			t.Errorf("%+v is on top", got)
		}
	}
	if got := uppermost(nil); got != nil {
		t.Errorf("%+v is on nothing", got)
	}
}

func TestEndIsRecognized(t *testing.T) {
	for err, want := range map[error]bool{
		unix.ENOTCONN: true, unix.ECONNABORTED: true, unix.ECANCELED: true, nil: false, unix.EIO: false, unix.ENOENT: false,
		&os.PathError{Op: "stat", Err: unix.ENOTCONN}: true,
	} {
		if got := IsEnd(err); got != want {
			t.Errorf("%v: %t", err, got)
		}
	}
}
