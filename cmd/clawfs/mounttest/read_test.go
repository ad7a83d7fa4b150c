package mounttest

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// seen is the output of programs/watchful.*.
type seen struct {
	Reads, Versions int
	Wrong           []string
	Last            map[string]int
}

// P2, P3: beside writers of documents of 20 KB to 1 MB no reader sees a torn or
// a short one, nor an older one after a newer one. P4 goes with it: the writers
// merge all the time.
func TestReadersNeverSeeTornOrOlderVersions(t *testing.T) {
	t.Parallel()
	need(t, "node")
	t.Run("bare", func(t *testing.T) {
		wrong := 0
		for _, reader := range readersBesideWriters(t, newDir(t), "1") {
			wrong += len(reader.Wrong)
		}
		if wrong == 0 {
			t.Error("readers in a bare directory see nothing wrong: this test shows nothing")
		}
	})
	t.Run("mount", func(t *testing.T) {
		m := newMount(t)
		for name, reader := range readersBesideWriters(t, m.dir, strconv.Itoa(setting(t, "CLAWFS_SECONDS", 3))) {
			t.Logf("%s: %d reads, %d versions", name, reader.Reads, reader.Versions)
			if len(reader.Wrong) > 0 {
				t.Errorf("P2: %s: %s", name, strings.Join(reader.Wrong, "; "))
			}
			if reader.Versions < 5 {
				t.Errorf("%s saw %d versions only", name, reader.Versions)
			}
		}
		var doc map[string]struct{ Count int }
		if err := json.Unmarshal([]byte(read(t, m.dir, "paced.json")), &doc); err != nil {
			t.Fatal(err)
		}
		for name, value := range doc {
			if want := strings.TrimSpace(read(t, m.dir, name+".last")); want != strconv.Itoa(value.Count) {
				t.Errorf("P4: %s counted to %s, the registry says %d", name, want, value.Count)
			}
		}
	})
}

// readersBesideWriters runs a writer and a reader of either language on one
// registry, and returns the output of the readers. The last count of each writer is in
// a file by its name.
func readersBesideWriters(t *testing.T, dir, seconds string) map[string]seen {
	t.Helper()
	write(t, dir, "paced.json", "{}")
	file := filepath.Join(dir, "paced.json")
	writers := map[string]*process{
		"one": start(t, dir, program(t, "programs/pace.mjs", "in-place", file, "one", seconds)),
		"two": start(t, dir, program(t, "programs/pace.py", "rename", file, "two", seconds)),
	}
	readers := map[string]*process{
		"node":   start(t, dir, program(t, "programs/watchful.mjs", file, seconds)),
		"python": start(t, dir, program(t, "programs/watchful.py", file, seconds)),
	}
	all := make(map[string]seen)
	for name, p := range readers {
		r := p.wait()
		var s seen
		if err := json.Unmarshal([]byte(r.stdout), &s); err != nil {
			t.Errorf("%v: %v", err, r)
		}
		all[name] = s
	}
	for name, p := range writers {
		r := p.wait()
		write(t, dir, name+".last", r.stdout)
		if len(mountsBelow(dir)) > 0 && r.code != 0 {
			t.Errorf("%v", r)
		}
	}
	return all
}

// P2: a reading shows one version from its start to its end, even if the registry changes or
// goes; the next one by the same descriptor shows the newest.
func TestReadingIsPinnedToItsVersion(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	var numbers []string
	for i := range 20000 {
		numbers = append(numbers, strconv.Itoa(i))
	}
	write(t, m.dir, "pinned.json", "["+strings.Join(numbers, ",")+"]\n")
	if out := succeed(t, m.dir, program(t, "programs/pinned.py", "pinned.json")); out != "" {
		t.Errorf("P2: %s", out)
	}
}

// P2: a program that asks for the size and reads so much gets the version of that size, also
// where the kernel has told it, from somebody's look-up, and the daemon has heard nothing of
// it.
func TestSizeThatTheKernelHasTold(t *testing.T) {
	t.Parallel()
	t.Run("bare", func(t *testing.T) {
		sized(t, newDir(t), "rename")
	})
	t.Run("mount", func(t *testing.T) {
		sized(t, newMount(t).dir, "rename", "in-place")
	})
}

// sized runs a program that reads as many bytes as it was told of, while another one replaces
// the file in each of the ways.
func sized(t *testing.T, dir string, ways ...string) {
	t.Helper()
	write(t, dir, "sized.json", "{}")
	args := append([]string{"sized.json", "40"}, ways...)
	if out := succeed(t, dir, program(t, "programs/sized.py", args...)); out != "0 0\n" {
		t.Errorf("P2: torn, and not the newest: %s", strings.TrimSpace(out))
	}
}

// A shell that resets a registry after the programs that it has started have all ended
// replaces the newest version, even if one of them has read an older one last.
func TestResetAfterALateReading(t *testing.T) {
	t.Parallel()
	reset := func(t *testing.T, dir string) {
		line := program(t, "programs/late.py")
		succeed(t, dir, bash(fmt.Sprintf("echo '{}' > reset.json; %s %s reset.json; echo '{}' > reset.json", line[0], line[1])))
		if got := read(t, dir, "reset.json"); got != "{}\n" {
			t.Errorf("P4: the reset left %q", got)
		}
	}
	t.Run("bare", func(t *testing.T) { reset(t, newDir(t)) })
	t.Run("mount", func(t *testing.T) { reset(t, newMount(t).dir) })
}

// A shell has two others run commands, and one of these writes. Then the shell replaces the
// newest version: with a state that it has never seen, and with an earlier one.
func TestResetBesideShellsThatLive(t *testing.T) {
	t.Parallel()
	const shells = `serve() { while read -r line; do eval "$line"; echo; done; }
		coproc A { serve; }; exec 5<&"${A[0]}" 6>&"${A[1]}"
		coproc B { serve; } 2>/dev/null; exec 7<&"${B[0]}" 8>&"${B[1]}"
		a() { echo "$1" >&6; read -r <&5; }; b() { echo "$1" >&8; read -r <&7; }
		b 'echo "{\"l\":[\"a\"]}" >f.json'; cp f.json first
		`
	for name, script := range map[string]string{
		"what a shell that lives has had read": `a 'grep -q . f.json'; b 'echo "{\"l\":[\"a\"],\"b\":2}" >f.json'; echo '{}' >first; cp first f.json; cmp first f.json`,
		"an earlier state": `sed 's/}/,"o":3}/' f.json >t; cp t f.json; grep -q . f.json
			b 'echo "{\"l\":[\"a\",\"b\"],\"o\":3,\"k\":2}" >f.json'; cp first f.json; cmp first f.json`,
	} {
		t.Run(name+", bare", func(t *testing.T) { succeed(t, newDir(t), bash(shells+script)) })
		t.Run(name+", mount", func(t *testing.T) { succeed(t, newMount(t).dir, bash(shells+script)) })
	}
}

// A file that is opened by a descriptor of it is that file, though its name may stand for
// another one by then.
func TestDescriptorThatIsOpenedAgain(t *testing.T) {
	t.Parallel()
	again := func(t *testing.T, dir string) {
		const show = "cat /proc/self/fd/5 /dev/fd/5 /proc/self/fd/6 /dev/fd/6; "
		got := succeed(t, dir, bash("echo 1 >f.json; exec 5<f.json 6<>f.json; for i in 2 3; do echo $i >t; mv t f.json; "+show+"done; "+
			"rm f.json; "+show+"echo 4 >f.json; "+show+"cat f.json"))
		if want := strings.Repeat("1\n", 16) + "4\n"; got != want {
			t.Errorf("opened again it holds %q, want %q", got, want)
		}
	}
	t.Run("bare", func(t *testing.T) { again(t, newDir(t)) })
	t.Run("mount", func(t *testing.T) { again(t, newMount(t).dir) })
}

// P2: a mapping shows one whole version, also by a descriptor that is open for writing and
// has read another one.
func TestMappingByADescriptorForWriting(t *testing.T) {
	t.Parallel()
	maps := func(t *testing.T, dir string) {
		if out := succeed(t, dir, program(t, "programs/remaps.py", "f.json")); out != "{\"short\": 1}\n" {
			t.Errorf("P2: mapped is %q", out)
		}
	}
	t.Run("bare", func(t *testing.T) { maps(t, newDir(t)) })
	t.Run("mount", func(t *testing.T) { maps(t, newMount(t).dir) })
}

// The times of two versions always differ: OpenClaw and others keep the content that they
// have read while the time is the same.
func TestTimesOfVersionsDiffer(t *testing.T) {
	t.Parallel()
	need(t, "node")
	m := newMount(t, "--durability", "interval")
	write(t, m.dir, "times.json", "[]")
	if out := succeed(t, m.dir, program(t, "programs/times.mjs", "times.json", "400")); out != "0\n" {
		t.Errorf("the time did not increase %s times of 400", strings.TrimSpace(out))
	}
}

// A registry that is replaced all the time is always there.
func TestRegistryIsThereWhileItIsReplaced(t *testing.T) {
	t.Parallel()
	m := newMount(t, "--durability", "interval")
	for _, name := range []string{"replaced.json", "sub/replaced.json", "plain"} {
		succeed(t, m.dir, bash(fmt.Sprintf("mkdir -p sub; echo [] > %s", name)))
		file := filepath.Join(m.dir, name)
		seconds := strconv.Itoa(setting(t, "CLAWFS_SECONDS", 3))
		var writers, readers []*process
		for range 2 {
			writers = append(writers, start(t, m.dir, program(t, "programs/renames.sh", file, seconds)))
			readers = append(readers, start(t, m.dir, program(t, "programs/opens.py", file, seconds)))
		}
		total := 0
		for _, p := range readers {
			r := p.wait()
			var found struct {
				Opens  int
				Errors map[string]int
			}
			if err := json.Unmarshal([]byte(r.stdout), &found); err != nil {
				t.Fatalf("%v", r)
			}
			total += found.Opens
			if len(found.Errors) > 0 {
				t.Errorf("%s: %v in %d opens", name, found.Errors, found.Opens)
			}
		}
		for _, p := range writers {
			if r := p.wait(); r.code != 0 {
				t.Errorf("%v", r)
			}
		}
		t.Logf("%s: %d opens", name, total)
	}
}

// P2: a program that copies a registry while others make it longer and shorter copies one
// version, and comes to an end: with as many bytes as fstat has told (node), and as many as
// copy_file_range gives (cp).
func TestCopiesOfWhatChangesComeToAnEnd(t *testing.T) {
	t.Parallel()
	need(t, "node")
	m := newMount(t, "--durability", "interval")
	write(t, m.dir, "copied.json", "{}")
	var started []*process
	for range 5 {
		started = append(started,
			start(t, m.dir, program(t, "programs/copies.mjs", "copied.json", "100")),
			start(t, m.dir, program(t, "programs/copies.sh", "copied.json", "12")))
	}
	for _, p := range started {
		if r := p.wait(); r.code != 0 {
			t.Errorf("%v", r)
		}
	}
}

// A lock on a registry keeps programs apart, though another program changes the registry
// meanwhile: the registry's inode stays that of its name.
func TestLocksOnRegistries(t *testing.T) {
	t.Parallel()
	m := newMount(t, "--durability", "interval")
	write(t, m.dir, "locked.json", `{"n": 0}`)
	const processes, turns = 5, 6
	var started []*process
	for range processes {
		started = append(started, start(t, m.dir, program(t, "programs/locked.sh", "locked.json", strconv.Itoa(turns))))
	}
	for _, p := range started {
		if r := p.wait(); r.code != 0 {
			t.Errorf("%v", r)
		}
	}
	var doc struct{ N int }
	if err := json.Unmarshal([]byte(read(t, m.dir, "locked.json")), &doc); err != nil || doc.N != processes*turns {
		t.Errorf("counted to %d, want %d: %v", doc.N, processes*turns, err)
	}
}
