package mounttest

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// All ways in which programs write, copy, move and remove files (testdata/ways)
// have the same outcome below a mount as on the file system: the output and the exit
// codes of the programs, and then contents, modes, owners, links and
// attributes. One program at a time: P7 leaves no room for a difference.
func TestWaysOfWriting(t *testing.T) {
	t.Parallel()
	ways, err := filepath.Glob("testdata/ways/*")
	if err != nil || len(ways) == 0 {
		t.Fatal(err, len(ways))
	}
	bare, m := newDir(t), newMount(t)
	m.leavesEmpty = true // as the file system has it
	for _, way := range ways {
		name := filepath.Base(way)
		t.Run(name, func(t *testing.T) {
			if first, ok := needsOf(name); ok {
				need(t, first...)
			}
			want := outcomeOf(t, filepath.Join(bare, name), name)
			if problems := withoutEmpty(problemsIn(filepath.Join(bare, name))); len(problems) > 0 {
				t.Fatalf("this way leaves invalid registries on any file system: %q", problems)
			}
			got := outcomeOf(t, filepath.Join(m.dir, name), name)
			if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("(-file system +mount):\n%s", diff)
			}
		})
	}
}

// needsOf names the programs of a way that not every machine has.
func needsOf(name string) ([]string, bool) {
	needs, ok := map[string][]string{
		"append-blank.sh":       {"node"},
		"ed.sh":                 {"ex"},
		"git.sh":                {"git"},
		"inherited.sh":          {"node"},
		"jq-in-two-steps.sh":    {"jq", "sponge"},
		"metadata-rename.sh":    {"setfattr"},
		"metadata.sh":           {"setfattr", "setfacl"},
		"chmod.sh":              {"setfattr"},
		"perl.sh":               {"perl"},
		"stdout-of-programs.sh": {"node", "jq"},
		"truncate.sh":           {"node"},
		"vim.sh":                {"vim"},
	}[name]
	if strings.HasSuffix(name, ".mjs") {
		needs, ok = append(needs, "node"), true
	}
	return needs, ok
}

// outcomeOf runs a way in a new directory and tells all that came of it.
func outcomeOf(t *testing.T, dir, way string) string {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "f.json", "{\n  \"models\": [\n    { \"id\": \"a\" }\n  ]\n}\n")
	write(t, dir, "g.json", `{"other":true}`)
	if err := os.Chmod(filepath.Join(dir, "f.json"), 0o640); err != nil {
		t.Fatal(err)
	}
	r := run(t, dir, program(t, "ways/"+way))
	return fmt.Sprintf("exit %d\n%s%s%s", r.code, r.stdout, strings.ReplaceAll(r.stderr, dir, "DIR"), tree(t, dir))
}

// tree lists all that a program can see in a directory, times and git's own files aside.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".git" {
			return filepath.SkipDir
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%q %v %d:%d", name, fs.FileMode(st.Mode&0o7777)|d.Type(), st.Uid, st.Gid)
		switch d.Type() {
		case 0:
			fmt.Fprintf(&b, " links %d, %d bytes", st.Nlink, st.Size)
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %s", short(string(text)))
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " to %s", target)
		}
		for _, attribute := range attributes(t, path) {
			fmt.Fprintf(&b, " %s", attribute)
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// attributes lists the extended attributes of a file, those that the kernel's
// security modules make aside.
func attributes(t *testing.T, path string) []string {
	t.Helper()
	names := make([]byte, 4096)
	n, err := unix.Llistxattr(path, names)
	if err != nil {
		t.Fatal(path, err)
	}
	var all []string
	for _, name := range bytes.Split(bytes.Trim(names[:n], "\x00"), []byte{0}) {
		if len(name) == 0 || bytes.HasPrefix(name, []byte("security.")) {
			continue
		}
		value := make([]byte, 4096)
		n, err := unix.Lgetxattr(path, string(name), value)
		if err != nil {
			t.Fatal(path, err)
		}
		all = append(all, fmt.Sprintf("%s=%q", name, value[:n]))
	}
	slices.Sort(all)
	return all
}

// A writable shared mapping is refused or part of the transaction: its bytes reach nobody
// unvalidated.
func TestSharedMappingReachesNobodyUnvalidated(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	write(t, m.dir, "models.json", headBefore)
	for _, test := range []struct{ mode, committed string }{
		{"valid", strings.ReplaceAll(headBefore, "claude", "CLAUDE")},
		{"invalid", headBefore},
	} {
		write(t, m.dir, "models.json", headBefore)
		out := succeed(t, m.dir, program(t, "programs/mapped.py", test.mode, "models.json"))
		got := read(t, m.dir, "models.json")
		switch {
		case out == "ENODEV\n" && got == headBefore:
		case strings.HasPrefix(out, "mapped") && got == test.committed:
		default:
			t.Errorf("%s: %q, then the head is %s", test.mode, out, short(got))
		}
	}
}
