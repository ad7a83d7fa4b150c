package backing

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// number returns the number of a name, as a look at it tells.
func (b *bench) number(name string) uint64 {
	b.Helper()
	st, err := statAt(b.d.root, name)
	b.must(err)
	if st == nil {
		b.Fatalf("there is no %s", name)
	}
	return b.d.numbers.OfKnown(st.ino, st.birth)
}

// rename commits a temporary file as a registry does that is renamed onto it, and returns the
// number that the temporary file had. The leftovers go.
func (b *bench) rename(name string, seq uint64) uint64 {
	b.Helper()
	temp := filepath.Join(b.path, "temp")
	content := fmt.Sprintf("renamed %d", seq)
	b.write("temp", content)
	file, err := os.Open(temp)
	b.must(err)
	defer file.Close()
	st, err := statFD(int(file.Fd()))
	b.must(err)
	number := b.d.numbers.Of(st.ino, st.birth)
	_, ok, err := b.d.Commit(name, b.stamp(name), seq, seq-1, []byte(content), sha256.Sum256([]byte(content)), moment(seq), file)
	if !ok || err != nil {
		b.Fatal(ok, err)
	}
	b.d.numbers.Drop(st.ino, st.birth)
	b.must(os.Remove(temp))
	return number
}

func (b *bench) wantNumber(name string, want uint64) {
	b.Helper()
	if got := b.number(name); got != want {
		b.Errorf("%s has the number %d, want %d", name, got, want)
	}
}

// A number goes over with each commit, and is the same for the next process, whether
// this one was killed or not.
func TestNumberGoesOver(t *testing.T) {
	b := newBench(t, Options{Durability: None})
	b.write("a", "foreign")
	first := b.number("a")
	stamp := b.stamp("a")
	for seq := uint64(2); seq < 5; seq++ {
		stamp = b.commit("a", stamp, seq, seq-1, fmt.Sprint(seq))
		b.wantNumber("a", first)
	}
	renamed := b.rename("a", 5)
	if renamed == first {
		t.Fatal("a temporary file has the number of a registry")
	}
	b.wantNumber("a", renamed)
	b.commit("a", b.stamp("a"), 6, 5, "in place")
	b.wantNumber("a", renamed)
	b.reopen()
	b.wantNumber("a", renamed)
	b.close()
	b.open()
	b.wantNumber("a", renamed)
	b.must(os.Rename(b.path+"/a", b.path+"/plain"))
	b.wantNumber("plain", renamed)
	b.must(os.Rename(b.path+"/plain", b.path+"/b"))
	b.wantNumber("b", renamed)
}

// The file system hands out the inode number of a file that is gone at once: no two names have
// one number for that, whichever numbers are known, and to whom.
func TestNoNumberTwice(t *testing.T) {
	b := newBench(t, Options{Durability: None, KeepVersions: 2})
	handedOut, inodes := 0, map[uint64]bool{}
	live := map[string]uint64{}
	for i := uint64(1); i <= 300; i++ {
		name := fmt.Sprintf("r%d", i%3)
		if i <= 3 {
			b.commit(name, "", 1, 0, "v1")
			live[name] = b.number(name)
			continue
		}
		b.write("seen", "before the rename")
		st, err := statAt(b.d.root, "seen")
		b.must(err)
		if inodes[st.ino] {
			handedOut++
		}
		inodes[st.ino] = true
		for other, number := range live {
			if got := b.number("seen"); got == number {
				t.Fatalf("%d: a temporary file has the number %d of %s", i, got, other)
			}
		}
		b.d.numbers.Drop(st.ino, st.birth)
		b.must(os.Remove(b.path + "/seen"))
		live[name] = b.rename(name, i)
		if i%50 == 0 {
			b.reopen()
		}
		all := map[uint64]bool{}
		for other, number := range live {
			b.wantNumber(other, number)
			all[number] = true
		}
		if len(all) != len(live) {
			t.Fatalf("%d: one number twice: %v", i, live)
		}
	}
	if handedOut == 0 {
		t.Skip("this file system hands out no inode number again")
	}
	for i := range b.d.numbers.retired {
		b.d.numbers.retired[i].at = time.Time{}
	}
	b.rename("r0", 301)
	// Other makers of files there take inodes away, whose notes stay until they come again.
	if n, limit := len(b.d.numbers.notes), 3*20+3*(300-handedOut); n > limit {
		t.Errorf("%d files are noted, %d inode numbers were handed out again: want at most %d", n, handedOut, limit)
	}
}

// The file of an older version may become the next one's, against any note of it.
func TestFileThatIsUsedAgain(t *testing.T) {
	var n Numbers
	n.init(7, 2)
	n.carry(100, 1, 55, 0)
	n.retire(100, 1)
	n.carry(100, 1, 66, 55)
	n.retired[0].at = time.Time{}
	n.carry(101, 1, 77, 0)
	if got := n.Of(100, 1); got != 66 {
		t.Errorf("it has the number %d", got)
	}
	n.retire(100, 1)
	n.retired[0].at = time.Time{}
	n.carry(102, 1, 88, 0)
	if got := n.Of(100, 1); got != 100 {
		t.Errorf("once it is replaced it has the number %d", got)
	}
}

// As long as the kernel knows a number nobody else gets it, though its file is gone.
func TestHeldNumberIsNotGiven(t *testing.T) {
	b := newBench(t, Options{Durability: None})
	b.write("a", "1")
	st, err := statAt(b.d.root, "a")
	b.must(err)
	held := b.number("a")
	b.d.numbers.Hold(held)
	if got := b.d.numbers.Of(st.ino, st.birth+1); got == held {
		t.Error("a later file on the inode has a number that is held")
	}
	b.d.numbers.LetGo(held)
	if got := b.d.numbers.Of(st.ino, st.birth+2); got != held {
		t.Errorf("%d, want %d, which nobody holds any more", got, held)
	}
}

// Names of one file have one number, and a commit leaves them that.
func TestLinkedNamesKeepTheirNumber(t *testing.T) {
	b := newBench(t, Options{Durability: None})
	b.commit("a", "", 1, 0, "v1")
	b.must(os.Link(b.path+"/a", b.path+"/b"))
	first := b.number("a")
	b.wantNumber("b", first)
	b.commit("a", b.stamp("a"), 2, 1, "v2")
	b.wantNumber("a", first)
	b.wantNumber("b", first)
}

// Whenever the process is killed, the file in place has its number: the former, or that of the
// file that was to take its place.
func TestNumberAfterAKill(t *testing.T) {
	for _, how := range []string{"in place", "by rename"} {
		steps := []string{"never"}
		for i := 0; i < len(steps); i++ {
			h := &hook{at: steps[i], off: true, do: func() error { panic("killed") }}
			b := newBench(t, Options{Durability: None, reach: h.reach})
			b.commit("a", "", 1, 0, "v1")
			b.rename("a", 2)
			before := b.number("a")
			b.write("temp", "v3")
			temp := b.number("temp")
			file, err := os.Open(b.path + "/temp")
			b.must(err)
			h.off = false
			func() {
				defer func() { _ = recover() }()
				if how == "by rename" {
					_, _, _ = b.d.Commit("a", b.stamp("a"), 3, 2, []byte("v3"), sha256.Sum256([]byte("v3")), moment(3), file)
				} else {
					b.commit("a", b.stamp("a"), 3, 2, "v3")
				}
			}()
			h.off = true
			_ = file.Close()
			b.reopen()
			want := before
			if how == "by rename" && b.live("a") == "v3" {
				want = temp
			}
			if got := b.number("a"); got != want {
				t.Errorf("%s, killed at %q: %s has the number %d, want %d", how, steps[i], b.live("a"), got, want)
			}
			if b.number("temp") == b.number("a") {
				t.Errorf("%s, killed at %q: the temporary file and the registry have one number", how, steps[i])
			}
			if i == 0 {
				steps = append(steps, slices.Compact(h.seen)...)
			}
		}
		if len(steps) < 8 {
			t.Errorf("steps: %q", steps)
		}
	}
}

// A fault in the file costs no more than the line that it is in, and is put right.
func TestDamagedNumbers(t *testing.T) {
	lines := func(change func(string) string) func(path, text string) error {
		return func(path, text string) error { return os.WriteFile(path, []byte(change(text)), 0o600) }
	}
	instead := func(make func(path string) error) func(path, text string) error {
		return func(path, _ string) error { return errors.Join(os.Remove(path), make(path)) }
	}
	for name, damage := range map[string]func(path, text string) error{
		"gone":         lines(func(string) string { return "" }),
		"cut short":    lines(func(s string) string { return s[:len(s)-3] }),
		"no lines":     lines(func(string) string { return strings.Repeat("\x00", 5000) }),
		"empty line":   lines(func(s string) string { return s + "\n" }),
		"other kinds":  lines(func(s string) string { return s + "?1 2 3\n+1\n-\n=zz zz\n+999999999999999 1 1\n" }),
		"all is wrong": lines(func(s string) string { return strings.ReplaceAll(s, "+", "-") }),
		"a link":       instead(func(path string) error { return os.Symlink("elsewhere", path) }),
		"a pipe":       instead(func(path string) error { return unix.Mkfifo(path, 0o600) }),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Options{Durability: None})
			b.commits("a", 3)
			b.commits("b", 3)
			b.rename("a", 4)
			path := filepath.Join(b.path, Name, numbersName)
			text, err := os.ReadFile(path)
			b.must(err)
			b.crash()
			b.must(damage(path, string(text)))
			b.open()
			if b.number("a") == b.number("b") {
				t.Error("two files have one number")
			}
			renamed := b.rename("a", 5)
			b.reopen()
			b.wantNumber("a", renamed)
		})
	}
}

// A full disk fails no commit for the sake of a number, and missing lines are made good.
func TestNumbersThatCannotBeWritten(t *testing.T) {
	b := newBench(t, Options{Durability: None})
	b.commits("a", 2)
	b.rename("a", 3)
	closeFD(b.d.numbers.file)
	fd, err := unix.Open("/dev/full", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	b.must(err)
	b.d.numbers.file = fd
	renamed := b.rename("a", 4)
	b.wantNumber("a", renamed)
	b.commit("a", b.stamp("a"), 5, 4, "v5")
	b.reopen()
	b.wantNumber("a", renamed)
}

// The file does not grow with the number of commits.
func TestNumbersStaySmall(t *testing.T) {
	b := newBench(t, Options{Durability: None, KeepVersions: 1})
	stamp := ""
	for seq := uint64(1); seq < 3*fewNumberLines; seq++ {
		stamp = b.commit("a", stamp, seq, seq-1, "v"+fmt.Sprint(seq))
		if seq == 1 {
			b.rename("a", 2)
			seq, stamp = 2, b.stamp("a")
		}
	}
	info, err := os.Stat(filepath.Join(b.path, Name, numbersName))
	b.must(err)
	if info.Size() > 3*fewNumberLines*40 || info.Size() == 0 {
		t.Errorf("%d bytes", info.Size())
	}
	want := b.number("a")
	b.reopen()
	b.wantNumber("a", want)
}

// The note of a staged file goes with the file, if that never becomes live.
func TestNoteOfAFileThatIsDiscarded(t *testing.T) {
	h := &hook{at: "exchange"}
	b := newBench(t, Options{reach: h.reach})
	stamp := b.commits("a", 2)
	before := len(b.d.numbers.notes)
	h.do = func() error { return unix.EIO }
	if _, ok, err := b.try("a", stamp, 3, 2, "v3"); ok || !errors.Is(err, unix.EIO) {
		t.Fatal(ok, err)
	}
	if now := len(b.d.numbers.notes); now != before {
		t.Errorf("%d notes, %d before", now, before)
	}
}

// All numbers are such that JavaScript tells them apart, with room for one bit.
func TestBaseNumbers(t *testing.T) {
	var n Numbers
	n.init(7, 2)
	seen := map[uint64]bool{}
	for _, dev := range []uint64{7, 8} {
		for _, ino := range []uint64{0, 1, 2, 3, 1 << 40, 1<<50 - 1, 1 << 50, 1<<64 - 1} {
			number := n.Base(dev, ino)
			if number >= 1<<52 || number <= reservedNumber || seen[number] {
				t.Errorf("device %d, inode %d: %d", dev, ino, number)
			}
			if dev == 7 && ino > 2 && ino < 1<<50 && number != ino {
				t.Errorf("inode %d has the number %d", ino, number)
			}
			seen[number] = true
		}
	}
}

// A registry that is created empty like a file that goes on to live elsewhere takes the
// number of that along; one that the file itself becomes has its own. Neither leaves a
// note when it is removed empty.
func TestNumberOfAnEmptyFile(t *testing.T) {
	b := newBench(t, Options{Durability: None})
	b.write("temp", "")
	temp, err := os.Open(b.path + "/temp")
	b.must(err)
	defer temp.Close()
	number := b.number("temp")
	stamp, ok, err := b.d.Create("a", temp)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	b.wantNumber("a", number)
	st, err := statAt(b.d.root, "temp")
	b.must(err)
	b.d.numbers.Drop(st.ino, st.birth)
	b.must(os.Remove(b.path + "/temp"))
	b.reopen()
	b.wantNumber("a", number)
	b.commit("a", stamp, 1, 0, "filled")
	b.wantNumber("a", number)

	fd, err := unix.Open(b.path, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err == unix.EOPNOTSUPP {
		t.Skip("this file system has no files without a name")
	}
	b.must(err)
	nameless := os.NewFile(uintptr(fd), "nameless")
	defer nameless.Close()
	st, err = statFD(fd)
	b.must(err)
	number = b.d.numbers.OfKnown(st.ino, st.birth)
	stamp, ok, err = b.d.Create("b", nameless)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	b.wantNumber("b", number)
	if ok, err := b.d.Remove("b", stamp, 0); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, noted := b.d.numbers.notes[st.ino]; noted {
		t.Error("a number is noted of a file that is gone")
	}
}

// A line that says nothing, or that another program has damaged, gives no number to a file.
func TestLinesOfNumbers(t *testing.T) {
	line := func(sign string, numbers ...uint64) string {
		for _, x := range numbers {
			sign += strconv.FormatUint(x, 36) + " "
		}
		return strings.TrimRight(sign, " ") + "\n"
	}
	good := line("+", 5, 1, givenNumbers) + line("+", 6, 1, givenNumbers+7) + line("-", 6) + line("-", 99)
	for text, whole := range map[string]bool{
		"": true, good: true, good + line("=", givenNumbers+70): true,
		good + line("-", 5, 1, 8): false, good + line("=", 5, 1, 8): false, good + line("*", 5, 1, 8): false,
		good + line("-", 5, 1): false, good + line("+", 5): false, good + line("=", 1, 2): false, good + line("*", givenNumbers+70): false,
		good + "+5 !\n": false, good + "+5 1 z": false, good + "\n": false,
	} {
		var n Numbers
		n.init(7, 2)
		if got := n.read([]byte(text)); got != whole {
			t.Errorf("%q is whole: %v", text, got)
		}
		if text == "" || text == good+"+5 1 z" {
			continue
		}
		if number := n.give(5, 1); number != givenNumbers {
			t.Errorf("%q: the file has the number %d, not the noted one", text, number)
		}
		if number := n.give(6, 1); number != 6 {
			t.Errorf("%q: the file has the number %d, though its note is gone", text, number)
		}
		want := uint64(givenNumbers + 8)
		if strings.HasSuffix(text, line("=", givenNumbers+70)) {
			want = givenNumbers + 70
		}
		if n.next != want {
			t.Errorf("%q: the next number is %d, want %d", text, n.next, want)
		}
	}
}

// A file system may not tell when a file was born.
func TestNumberWithoutABirth(t *testing.T) {
	var n Numbers
	n.init(7, 2)
	if number := n.give(5, 0); number != 5 {
		t.Errorf("the file has the number %d, not its own", number)
	}
}
