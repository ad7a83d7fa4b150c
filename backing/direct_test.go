package backing

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// inFile has a Dir write content to a new file, and returns its content and how many pages
// of that the page cache has.
func inFile(t *testing.T, o Options, content []byte) (text []byte, cached uint64) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "f")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := &Dir{o: o.withDefaults()}
	if err := d.writeContent(int(f.Fd()), content); err != nil {
		t.Fatal(err)
	}
	var st unix.Cachestat_t
	if err := unix.Cachestat(uint(f.Fd()), &unix.CachestatRange{}, &st, 0); err != nil {
		t.Skipf("this kernel does not tell what it caches: %v", err)
	}
	if text, err = os.ReadFile(name); err != nil {
		t.Fatal(err)
	}
	return text, st.Cache
}

// Content of any length and at any place in memory is written whole.
func TestContentIsWrittenWhole(t *testing.T) {
	memory := bytes.Repeat([]byte("0123456789abcde\n"), 64<<10)
	for _, o := range []Options{{}, {Durability: None}, {leastDirect: 1}, {leastDirect: 1, Without: []string{DirectWrites}}} {
		for _, size := range []int{0, 1, 4095, 4096, 4097, 65537, 1<<20 - 1} {
			for _, from := range []int{0, 1, 512} {
				if from+size > len(memory) {
					continue
				}
				content := memory[from : from+size]
				if text, _ := inFile(t, o, content); !bytes.Equal(text, content) {
					t.Errorf("%d bytes from %d on are %d, not the same", size, from, len(text))
				}
			}
		}
	}
}

// Large content takes no place in the page cache but for its end, where commits are synced.
func TestLargeContentIsNotCached(t *testing.T) {
	large := make([]byte, 1<<20+100)
	if _, cached := inFile(t, Options{}, large); cached > 128 {
		f, err := os.OpenFile(t.TempDir(), os.O_RDWR|unix.O_TMPFILE|unix.O_DIRECT, 0o600)
		if err != nil {
			t.Skipf("the file system has no direct writes: %v", err)
		}
		f.Close()
		t.Errorf("%d of 257 pages are cached", cached)
	}
	for name, o := range map[string]Options{
		"without":  {Without: []string{DirectWrites}},
		"unsynced": {Durability: None},
	} {
		if _, cached := inFile(t, o, large); cached < 257 {
			t.Errorf("%s: %d pages are cached", name, cached)
		}
	}
	if _, cached := inFile(t, Options{}, large[:100<<10]); cached < 25 {
		t.Errorf("of 100 KiB %d pages are cached", cached)
	}
}
