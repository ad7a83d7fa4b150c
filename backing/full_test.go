package backing

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// fullDisk is a small file system, and the error that it gives when it is full.
type fullDisk struct {
	name string
	full unix.Errno
	make func(t *testing.T) string // mounts one and returns where
}

func fullDisks() []fullDisk {
	return []fullDisk{
		{"tmpfs", unix.ENOSPC, func(t *testing.T) string { return mountTmpfs(t, "size=16m") }},
		{"tmpfs without inodes", unix.ENOSPC, func(t *testing.T) string { return mountTmpfs(t, "size=64m,nr_inodes=100") }},
		{"ext4", unix.ENOSPC, func(t *testing.T) string { return newDisk(t, "ext4", 24, "-F", "-m", "0").dir }},
		{"btrfs with a quota", unix.EDQUOT, quotaDir},
	}
}

// quotaDir makes a btrfs with a subvolume that may hold 24 MiB.
func quotaDir(t *testing.T) string {
	d := newDisk(t, "btrfs", 256)
	sub := filepath.Join(d.dir, "sub")
	for _, args := range [][]string{
		{"quota", "enable", d.dir}, {"subvolume", "create", sub}, {"qgroup", "limit", "24M", sub},
	} {
		if out, err := exec.Command("btrfs", args...).CombinedOutput(); err != nil {
			t.Skipf("btrfs %s: %v %s", strings.Join(args, " "), err, out)
		}
	}
	return sub
}

// fill writes files until there is no room for another byte, or another file.
func fill(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, "filler"), 0o700); err != nil {
		t.Fatal(err)
	}
	for size, i := 1<<20, 0; size > 0 && i < 10_000; i++ {
		path := filepath.Join(dir, "filler", fmt.Sprint(i))
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
		if err == nil {
			_, err = f.Write(make([]byte, size))
			err = errors.Join(err, f.Sync(), f.Close())
		}
		if err != nil {
			size /= 4
		}
	}
}

func empty(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, "filler")); err != nil {
		t.Fatal(err)
	}
	unix.Sync()
}

// On a full disk nothing that was there is lost or spoiled, every commit that
// finds no room says so, what is refused is kept in the space set aside for it,
// and everything works again as soon as there is room.
func TestFullDisk(t *testing.T) {
	for _, kind := range fullDisks() {
		t.Run(kind.name, func(t *testing.T) {
			c := &tally{fault: fmt.Sprintf("full disk, %s (%s)", unix.ErrnoName(kind.full), kind.name)}
			dir := kind.make(t)
			for range rounds(t, "CLAWFS_FULL", 2) {
				c.fillUp(t, dir, kind.full)
			}
			c.report(t)
		})
	}
}

func (c *tally) fillUp(t *testing.T, dir string, full unix.Errno) {
	b := &bench{T: t, path: dir, o: Options{KeepVersions: 4}}
	b.open()
	defer func() { b.close() }()
	big := strings.Repeat("x", 200_000)
	stamp := b.stamp("a")
	seq, live := uint64(1), "v"
	if seqs, err := b.d.Versions("a"); err == nil && len(seqs) > 0 {
		seq = seqs[len(seqs)-1] + 2
	}
	stamp = b.commit("a", stamp, seq, 0, live)
	fill(t, dir)
	var refused []string
	for i := 0; len(refused) == 0 && i < 1000; i++ {
		content := fmt.Sprintf("%d %s", i, big)
		next, ok, err := b.try("a", stamp, seq+1, seq, content)
		switch {
		case ok && (err == nil || uncertain(err)):
			stamp, live, seq = next, content, seq+1
			if err == nil {
				c.acknowledged++
			}
		case errors.Is(err, full):
			refused = append(refused, content)
		default:
			t.Fatalf("ok=%v, %v, want %v", ok, err, full)
		}
	}
	if len(refused) == 0 {
		t.Fatal("the disk was never full")
	}
	for _, content := range refused {
		if _, err := b.d.Quarantine("a", []byte(content), []byte(`{}`)); err != nil {
			t.Logf("Quarantine on a full disk: %v", err)
			c.unkept++
		}
	}
	c.inspect(b, live, refused)
	b.crash()
	b.open() // a full disk must not keep anybody from mounting
	c.inspect(b, live, refused)
	empty(t, dir)
	b.commit("a", b.stamp("a"), seq+1, seq, "again")
	c.acknowledged++
	b.wantLive("a", "again")
	b.wantTidy()
	list, err := b.d.ListQuarantine()
	b.must(err)
	for _, q := range list {
		b.must(b.d.Discard(q.ID))
	}
	c.tried++
}

// inspect looks for what must be there on a full disk.
func (c *tally) inspect(b *bench, live string, refused []string) {
	b.Helper()
	if got := b.live("a"); got != live {
		c.lost++
		b.Logf("the registry holds %d bytes, want %d", len(got), len(live))
	}
	kept := map[string]bool{}
	for _, content := range b.quarantined() {
		kept[content] = true
	}
	for _, content := range refused {
		if !kept[content] {
			c.unkept++
		}
	}
}
