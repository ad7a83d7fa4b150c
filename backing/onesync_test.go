package backing

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// One sync is enough only where the mount proves it.
func TestOneSyncIsProved(t *testing.T) {
	asRoot(t)
	for _, c := range []struct {
		name    string
		other   string // prepares the other device
		mkfs    string
		options string
		want    bool
	}{
		{name: "ext4", mkfs: "mkfs.ext4 -q -F IMAGE", want: true},
		{name: "ext4, journal in writeback mode", mkfs: "mkfs.ext4 -q -F IMAGE", options: "data=writeback"},
		{name: "ext4, contents in the journal", mkfs: "mkfs.ext4 -q -F IMAGE", options: "data=journal"},
		{name: "ext4, not flushed", mkfs: "mkfs.ext4 -q -F IMAGE", options: "nobarrier"},
		{name: "ext4 without a journal", mkfs: "mkfs.ext4 -q -F -O ^has_journal IMAGE"},
		{name: "ext4, journal on another device", other: "mke2fs -q -F -O journal_dev -b 4096 OTHER", mkfs: "mkfs.ext4 -q -F -b 4096 -J device=OTHER IMAGE"},
		{name: "ext3", mkfs: "mkfs.ext3 -q -F IMAGE"},
		{name: "ext2", mkfs: "mkfs.ext2 -q -F IMAGE"},
		{name: "xfs", mkfs: "mkfs.xfs -q -f IMAGE", want: true},
		{name: "xfs, log on another device", mkfs: "mkfs.xfs -q -f -l logdev=OTHER IMAGE", options: "logdev=OTHER"},
		{name: "xfs, contents on another device", mkfs: "mkfs.xfs -q -f -r rtdev=OTHER IMAGE", options: "rtdev=OTHER"},
		{name: "btrfs", mkfs: "mkfs.btrfs -q IMAGE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			image, other := loopDevice(t), ""
			if strings.Contains(c.other+c.mkfs, "OTHER") {
				other = loopDevice(t)
			}
			names := strings.NewReplacer("IMAGE", image, "OTHER", other)
			for _, command := range []string{c.other, c.mkfs} {
				if args := strings.Fields(names.Replace(command)); len(args) > 0 {
					if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
						t.Skipf("%s: %v %s", command, err, out)
					}
				}
			}
			dir := t.TempDir()
			kind, _, _ := strings.Cut(strings.TrimPrefix(c.mkfs, "mkfs."), " ")
			args := []string{"-t", kind, "-o", strings.TrimPrefix(names.Replace(c.options+",rw"), ","), image, dir}
			if out, err := exec.Command("mount", args...).CombinedOutput(); err != nil {
				t.Skipf("mount: %v %s", err, out)
			}
			t.Cleanup(func() {
				if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
					t.Error(err)
				}
			})
			for _, without := range [][]string{nil, {OneSync}} {
				want := c.want && without == nil
				if got := syncsOnce(t, dir, without...); got != want {
					t.Errorf("one sync without %v: %v, want %v", without, got, want)
				}
			}
		})
	}
	for _, dir := range []string{"/dev/shm", "/proc"} {
		fd, err := unix.Open(dir, unix.O_PATH, 0)
		if err != nil {
			t.Fatal(err)
		}
		if syncsAll(fd) {
			t.Errorf("%s: one sync", dir)
		}
		unix.Close(fd)
	}
}

// syncsOnce reports whether commits below a directory make do with one sync.
func syncsOnce(t *testing.T, dir string, without ...string) bool {
	t.Helper()
	b := &bench{T: t, path: dir, o: Options{Without: without}}
	b.open()
	defer b.close()
	return reflect.ValueOf(b.d.syncContent).Pointer() == reflect.ValueOf(writeOut).Pointer()
}

// loopDevice makes a block device of 320 MiB in a file.
func loopDevice(t *testing.T) string {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 320<<20); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("losetup", "--find", "--show", image).Output()
	if err != nil {
		t.Skip("losetup: ", err)
	}
	device := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if out, err := exec.Command("losetup", "--detach", device).CombinedOutput(); err != nil {
			t.Errorf("losetup: %v %s", err, out)
		}
	})
	return device
}

func TestMountOptionsAreRead(t *testing.T) {
	const text = "22 27 0:21 / /proc rw,relatime - proc proc rw\n" +
		"43 27 7:0 / /a\\040b rw,relatime shared:1 master:2 - ext4 /dev/loop0 rw,discard\n" +
		"44 27 7:1 / /x rw - xfs /dev/loop1 rw,logdev=/dev/loop2,noquota\n" +
		"45 27 7:2 / /y rw - ext4\n"
	for id, want := range map[uint64]mountOf{
		43: {"7:0", "ext4", []string{"rw", "discard"}},
		44: {"7:1", "xfs", []string{"rw", "logdev=/dev/loop2", "noquota"}},
		45: {}, 46: {}, 4: {},
	} {
		got, ok := findMount([]byte(text), id)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(mountOf{})); diff != "" || ok != (want.kind != "") {
			t.Errorf("%d: %v (-want +got):\n%s", id, ok, diff)
		}
	}
	for journal, want := range map[string]bool{"loop0-8": true, "loop0": false, "loop0-": false, "loop01-8": false, "loop0-8x": false} {
		if got := isJournalIn(journal, "loop0"); got != want {
			t.Errorf("%s: %v", journal, got)
		}
	}
	if slices.ContainsFunc([]string{"rw", "logbufs=8"}, isElsewhere) || !isElsewhere("rtdev=/dev/x") {
		t.Error("options of xfs are misread")
	}
}
