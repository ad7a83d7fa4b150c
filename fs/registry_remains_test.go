package fs

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"clawfs/txn"
	"clawfs/txn/txntest"
)

// ways are how a name ceases to stand for a.json, as it is open.
var ways = map[string]string{
	"replaced":         "[w := open('a.json.tmp', 'w'), w.write('{\"v\":2}'), w.close(), os.rename('a.json.tmp', 'a.json')]",
	"replaced from t":  "[w := open('t', 'w'), w.write('{\"v\":2}'), w.close(), os.rename('t', 'a.json')]",
	"removed":          "os.unlink('a.json')",
	"moved aside":      "os.rename('a.json', 'a.bak')",
	"moved to another": "os.rename('a.json', 'b.json')",
}

// state makes python list the directory as programs find it.
const state = "[[n, oct(os.stat(n).st_mode), os.stat(n).st_uid, os.stat(n).st_mtime_ns == 7, os.listxattr(n), open(n).read()] for n in sorted(os.listdir('.'))]"

// The remains of a file are given up once, though several of its last uses end at once.
func TestRemainsAreGivenUpOnce(t *testing.T) {
	storage := txntest.NewMemory()
	storage.Foreign("a.json", []byte("{}"))
	store := txn.New(storage, txntest.Configured(txn.Config{}))
	last, err := store.Open("a.json")
	if err != nil {
		t.Fatal(err)
	}
	var table registryTable
	rest := &remains{fd: -1, last: last}
	table.settle(rest, rest)
	if err := errors.Join(store.CheckReleased(), store.CheckInvariants()); err != nil {
		t.Error(err)
	}
}

// A program that has a file open whose name has come to stand for another one, or for none,
// changes that file by its descriptor, as in a bare directory.
func TestDescriptorMeansTheFile(t *testing.T) {
	const again = "[w := os.open(f'/dev/fd/{fd}', os.O_%s), os.write(w, b'%s'), os.fstat(w).st_size, os.close(w)] and None"
	mount, bare := aside(t).newClient(), (&mount{t: t, dir: t.TempDir(), stderr: &lockedBuffer{}}).newClient()
	for way, how := range ways {
		for what, does := range map[string]string{
			"mode":           "os.fchmod(fd, 0o600)",
			"mode by /dev":   "os.chmod(f'/dev/fd/{fd}', 0o640)",
			"owner":          "os.fchown(fd, os.getuid(), os.getgid())",
			"times":          "os.utime(fd, ns=(7, 7))",
			"attribute":      "os.setxattr(fd, 'user.x', b'1')",
			"size":           "os.truncate(f'/dev/fd/{fd}', 7)",
			"write":          fmt.Sprintf(again, "WRONLY", `{\"w\":1}`),
			"write anew":     fmt.Sprintf(again, "WRONLY|os.O_TRUNC", `{\"w\":1}`),
			"write no JSON":  fmt.Sprintf(again, "RDWR", "x"),
			"append":         fmt.Sprintf(again, "WRONLY|os.O_APPEND", `[]`),
			"two writers":    "[" + fmt.Sprintf(again, "WRONLY", "a") + ", " + fmt.Sprintf(again, "WRONLY|os.O_APPEND", "b") + "] and None",
			"only looked at": "None",
		} {
			for _, flags := range []string{"RDONLY", "RDWR"} {
				if way == "moved aside" && !strings.Contains("mode by /dev owner times attribute only looked at", what) {
					continue // it is not written
				}
				if way == "moved to another" && (what == "write no JSON" || what == "append" || what == "two writers") {
					continue // it is refused
				}
				var got [2]string
				for i, c := range []*client{mount, bare} {
					c.do("[os.unlink(n) for n in os.listdir('.')] and None")
					c.write("a.json", `{"v":1}  `)
					c.do("(fd := os.open('a.json', os.O_%s)) and os.read(fd, 100) and None", flags)
					c.do("%s and None", how)
					got[i] = c.eval("[%s, %s, [oct(os.fstat(fd).st_mode), os.fstat(fd).st_size, os.fstat(fd).st_nlink, os.fstat(fd).st_mtime_ns == 7, os.listxattr(fd)], os.pread(fd, 100, 0), open(f'/dev/fd/{fd}').read()]", does, state)
					c.do("os.close(fd)")
					got[i] += c.eval(state)
				}
				if got[0] != got[1] {
					t.Errorf("%s, opened %s, then %s:\n%s, in a bare directory\n%s", way, flags, what, got[0], got[1])
				}
			}
		}
	}
}

// A descriptor of such a file shows its last content, though another version was shown
// before.
func TestDescriptorShowsWhatTheFileHeldLast(t *testing.T) {
	mount, bare := aside(t).newClient(), (&mount{t: t, dir: t.TempDir(), stderr: &lockedBuffer{}}).newClient()
	for way, how := range ways {
		for _, flags := range []string{"RDONLY", "RDWR"} {
			for i, c := range []*client{mount, bare} {
				c.do("[os.unlink(n) for n in os.listdir('.')] and None")
				c.write("a.json", `{"v":1,"much":"longer"}`)
				c.do("(fd := os.open('a.json', os.O_%s)) and os.read(fd, 100) and None", flags)
				c.write("a.json", `{"v":22}`)
				c.do("%s and None", how)
				if got := c.eval("[os.fstat(fd).st_size, os.pread(fd, 100, 0), os.fstat(fd).st_size, os.lseek(fd, 0, os.SEEK_END), open(f'/dev/fd/{fd}').read()]"); got != `[8,"{\"v\":22}",8,8,"{\"v\":22}"]` {
					t.Errorf("%s, opened %s, client %d: it shows %s", way, flags, i, got)
				}
				c.do("os.close(fd)")
			}
		}
	}
}

// A descriptor of a registry that was renamed to another registry's name goes on showing
// the content written there.
func TestDescriptorFollowsItsFile(t *testing.T) {
	m := aside(t)
	reader, writer := m.newClient(), m.newClient()
	writer.write("a.json", `{"v":1}`)
	for _, target := range []string{"free.json", "taken.json"} {
		writer.write("a.json", `{"v":1}`)
		writer.write("taken.json", `{"v":0}`)
		reader.do("(fd := os.open('a.json', os.O_RDONLY)) and os.read(fd, 100) and None")
		writer.do("os.rename('a.json', %q)", target)
		writer.write(target, `{"v":2,"more":3}`)
		reader.want(`[16,"{\"v\":2,\"more\":3}"]`, "[os.fstat(fd).st_size, os.pread(fd, 100, 0)]")
		reader.do("os.close(fd)")
	}
}

// A file without a name is in memory: it can't grow for ever.
func TestFileWithoutANameIsLimited(t *testing.T) {
	c := aside(t).newClient()
	c.write("a.json", `{}`)
	c.do("(fd := os.open('a.json', os.O_RDONLY), os.unlink('a.json'), w := os.open(f'/dev/fd/{fd}', os.O_RDWR)) and None")
	for _, call := range []string{"os.ftruncate(w, 65 << 20)", "os.truncate(f'/dev/fd/{fd}', 65 << 20)", "os.pwrite(w, b'x', 65 << 20)", "os.posix_fallocate(w, 0, 65 << 20)"} {
		c.want(`"EFBIG"`, "%s", call)
	}
	c.want(`2`, "os.fstat(fd).st_size")
}

// A registry's name may come to stand for a symbolic link between a look-up and the open
// that follows. The kernel is not told that the registry's inode has become one: it would
// answer EIO for ever.
func TestRegistryIsNoLinkAllOfASudden(t *testing.T) {
	c := aside(t).newClient()
	c.write("a.json", `{"v":1}`)
	c.do("(p := os.open('a.json', os.O_PATH), os.symlink('elsewhere', 'l'), os.rename('l', 'a.json')) and None")
	c.want(`["0o100000",7]`, "[oct(os.fstat(p).st_mode & 0o170000), os.fstat(p).st_size]")
	c.do("(os.unlink('a.json')) and None")
	c.write("a.json", `{"v":20}`)
	c.want(`8`, "os.fstat(p).st_size")
}
