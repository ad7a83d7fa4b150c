package backing

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"clawfs/backing/backingtest"
)

// On a full disk nothing that was there is lost or spoiled, every commit that finds no room
// says so, refused content is kept in the space set aside for it, and everything works again as
// soon as there is room.
func TestFullDisk(t *testing.T) {
	for _, kind := range backingtest.FullDisks() {
		t.Run(kind.Name, func(t *testing.T) {
			c := &tally{fault: fmt.Sprintf("full disk, %s (%s)", unix.ErrnoName(kind.Full), kind.Name)}
			dir := kind.Make(t)
			for range rounds(t, "CLAWFS_FULL", 2) {
				c.fillUp(t, dir, kind.Full)
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
	backingtest.Fill(t, dir)
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
	backingtest.Empty(t, dir)
	b.commit("a", b.stamp("a"), seq+1, seq, "again")
	c.acknowledged++
	b.wantLive("a", "again")
	b.wantTidy()
	b.discardAll()
	c.tried++
}

// inspect counts the contents that are lost on a full disk: the live file's,
// and refused ones that are not in quarantine.
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
