package main

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"clawfs/backing"
	"clawfs/cmd/clawfs/listen"
	"clawfs/cmd/clawfs/versions"
	"clawfs/fs"
	"clawfs/fs/mountpoint"
)

// Every row of the table from errors to exit codes is met, by its own error and
// by that error wrapped.
func TestClassify(t *testing.T) {
	cases := []struct {
		err  error
		want failure
	}{
		{&usageError{Command: "clawfs mount", Problem: errors.New("unknown flag: --x")},
			failure{Code: 2, Message: "unknown flag: --x", Hint: "clawfs mount --help"}},
		{&configError{Path: "c.toml", Line: 7, Problem: "unknown key"}, failure{Code: 2, Message: "c.toml:7: unknown key"}},
		{&mountpoint.MissingError{Path: "/a b"}, failure{Code: 2, Message: "there is no directory /a b", Hint: "mkdir -p '/a b'"}},
		{&mountpoint.NotDirectoryError{Path: "/f"}, failure{Code: 2, Message: "/f is not a directory", Hint: "name the directory that holds the registries"}},
		{&mountpoint.MountedError{Path: "/d"}, failure{Code: 5, Message: "/d is mounted already", Hint: "clawfs unmount /d"}},
		{&mountpoint.DeadMountError{Path: "/d", Type: "fuse.sshfs"}, failure{Code: 5, Message: "on /d there is a dead mount of type fuse.sshfs", Hint: "umount -l /d"}},
		{&fs.PatternError{Pattern: "["}, failure{Code: 2, Message: `malformed pattern "["`, Hint: "clawfs mount --help"}},
		{&backing.LockedError{Dir: "/d", PID: 12}, failure{Code: 5, Message: "/d is in use by another clawfs (process 12)", Hint: "unmount it where it is mounted, by clawfs unmount"}},
		{&backing.FormatError{Dir: "/d", Found: "clawfs 9", Wanted: 1},
			failure{Code: 1, Message: `/d/.clawfs has format "clawfs 9"; this clawfs knows format 1`, Hint: "use the version of clawfs that made it, or a newer one"}},
		{&notMountedError{Dir: "/d"}, failure{Code: 4, Message: "clawfs is not mounted on /d", Hint: "clawfs mount /d"}},
		{&busyError{Dir: "/d", Holders: []holder{{PID: 3, Program: "vi", Use: "/d/a"}}},
			failure{Code: 5, Message: "/d is still in use: vi (3) has /d/a", Hint: "clawfs unmount --force /d"}},
		{&mountpoint.UnmountError{Path: "/d", Said: "fusermount3: failed to open /etc/mtab: No such file or directory"},
			failure{Code: 1, Message: "/d can't be unmounted: fusermount3: failed to open /etc/mtab: No such file or directory", Hint: "sudo ln -s ../proc/self/mounts /etc/mtab"}},
		{&mountpoint.UnmountError{Path: "/d", Said: "why"}, failure{Code: 1, Message: "/d can't be unmounted: why", Hint: "sudo umount /d"}},
		{&stuckError{PID: 4}, failure{Code: 1, Message: "the daemon, process 4, does not end", Hint: "see its log, then: kill -9 4"}},
		{&versions.DeadError{Dir: "/d"}, failure{Code: 4, Message: "the daemon of the mount on /d is gone", Hint: "clawfs mount /d"}},
		{&versions.StoppedError{Dir: "/d", PID: 7}, failure{Code: 1, Message: "the daemon of /d, process 7, is stopped", Hint: "kill -CONT 7"}},
		{&versions.NotKeptError{Path: "/x/y"}, failure{Code: 4, Message: "clawfs was never mounted on /x/y or above it", Hint: "name a registry, or a directory, below one that clawfs was mounted on"}},
		{&versions.NoVersionError{Name: "a.json", Seq: 3, Kept: []uint64{5, 6, 7}},
			failure{Code: 1, Message: "there is no version 3 of a.json; the oldest that is kept is 5, the newest 7", Hint: "clawfs log shows which versions there were"}},
		{&versions.NoCopyError{ID: "x", Dir: "/d"}, failure{Code: 1, Message: "there is no copy x in the quarantine of /d", Hint: "clawfs quarantine /d"}},
		{&versions.RefusedError{Path: "/d/a.json", Cause: errors.New("busy")}, failure{Code: 7, Message: "/d/a.json was refused: busy", Hint: "see clawfs log /d/a.json"}},
		{&clusterError{Problem: "cannot join etcd://a/n", Err: errors.New("why"), Hint: "wait"}, failure{Code: 1, Message: "cannot join etcd://a/n: why", Hint: "wait"}},
		{&fs.TakeoverError{Reason: "why"}, failure{Code: 6, Message: "no other daemon could take over: why", Hint: "mount without --takeover"}},
		{&fs.NotRegistryError{Path: "/d/a"}, failure{Code: 1, Message: "/d/a is not a registry", Hint: "clawfs mount --help says which files are registries"}},
		{&fs.OldDaemonError{Dir: "/d", Request: "undo"}, failure{Code: 1, Message: "the daemon of the mount on /d is of an older version, which knows no undo", Hint: "clawfs unmount /d && clawfs mount /d"}},
		{&versions.MovedError{Path: "/d/a.json"}, failure{Code: 1, Message: "somebody else has changed /d/a.json meanwhile", Hint: "see clawfs log /d/a.json, then try again"}},
		{&versions.GoneError{Path: "/d/a.json", Last: 3}, failure{Code: 1, Message: "/d/a.json is gone; its last version was 3", Hint: "clawfs undo /d/a.json brings it back"}},
		{&versions.NothingError{Path: "/d/a.json"}, failure{Code: 1, Message: "no change of /d/a.json is recorded", Hint: "clawfs log /d/a.json"}},
		{&versions.LostError{Path: "/d/a.json", Seq: 7, Missing: 6, Since: 4, Until: 7},
			failure{Code: 1, Message: "version 6 of /d/a.json, which version 7 was made from, is not kept", Hint: "clawfs undo --since 4 /d/a.json@7 undoes all changes after version 4"}},
		{&versions.LostError{Path: "/d/a.json", Seq: 2, Missing: 2}, failure{Code: 1, Message: "version 2 of /d/a.json is not kept", Hint: "clawfs log shows which versions there were"}},
		{&versions.OrderError{Path: "/d/a.json", Seq: 2, Since: 5},
			failure{Code: 1, Message: "version 2 of /d/a.json came before version 5: nothing since then is part of it", Hint: "clawfs log /d/a.json"}},
		{&versions.NotThereError{Path: "/d/a.json", Seq: 7, Place: "/x"},
			failure{Code: 1, Message: `version 7 of /d/a.json has changed nothing at "/x" that was there before`, Hint: "clawfs diff /d/a.json@6 @7"}},
		{&versions.NoConflictError{Target: versions.Target{Place: versions.Place{Root: "/d", Name: "a.json"}, Seq: 7}, Any: true},
			failure{Code: 1, Message: "a.json@7 had no conflict", Hint: "clawfs log /d/a.json"}},
		{&versions.NotDocumentError{Path: "/d/a.json", Err: errors.New("why")}, failure{Code: 1, Message: "/d/a.json is no document: why", Hint: "clawfs restore puts a whole version back"}},
		{&fs.OldDaemonError{Dir: "/d", Request: "put"}, failure{Code: 1, Message: "the daemon of the mount on /d is of an older version, which knows no put", Hint: "clawfs unmount /d && clawfs mount /d"}},
		{&servedError{Dir: "/d"}, failure{Code: 5, Message: "/d is mounted, and its daemon relies on the history", Hint: "clawfs unmount /d"}},
		{&silentError{Dir: "/d"}, failure{Code: 1, Message: "the daemon of /d can't be asked", Hint: "ask as root: sudo clawfs status /d"}},
		{&unsupervisedError{Dir: "/d"}, failure{Code: 1, Message: "/d was mounted without --takeover, so that no other version can take it over", Hint: "clawfs unmount /d && clawfs mount --takeover /d"}},
		{&metricsError{Address: "x", Err: errors.New("why")},
			failure{Code: 1, Message: "metrics can't be served at x: why", Hint: "give another address, as --metrics 127.0.0.1:9464 or --metrics unix:PATH"}},
		{&fs.TransportError{Reason: "why"}, failure{Code: 6, Message: "io_uring can't be had: why", Hint: "clawfs mount --transport auto takes the device instead"}},
		{&listen.NotLocalError{Address: "0.0.0.0:1"}, failure{Code: 2, Message: "0.0.0.0:1 is no address of this machine alone", Hint: "give an address as 127.0.0.1:8080 or unix:PATH"}},
		{&mountpoint.NoFUSEError{Problem: "there is no /dev/fuse", Cure: "modprobe fuse"}, failure{Code: 6, Message: "there is no /dev/fuse", Hint: "modprobe fuse"}},
	}
	met := make([]bool, len(rules()))
	for _, c := range cases {
		if diff := cmp.Diff(&c.want, classify(c.err)); diff != "" {
			t.Errorf("%T (-want +got):\n%s", c.err, diff)
		}
		if got := classify(fmt.Errorf("wrapped: %w", c.err)); got.Code != c.want.Code || got.Hint != c.want.Hint {
			t.Errorf("%T wrapped: %+v", c.err, got)
		}
		for i, r := range rules() {
			met[i] = met[i] || r.is(c.err)
		}
	}
	for i, ok := range met {
		if !ok {
			t.Errorf("no case for row %d of the table", i)
		}
	}
}

func TestClassifyOthers(t *testing.T) {
	if got := classify(errors.New("boom")); got.Code != exitFailed || got.Message != "boom" || got.Hint != "" {
		t.Errorf("an error of no known kind: %+v", got)
	}
	reported := &failure{Code: 5, Message: "m", Hint: "h"}
	if got := classify(fmt.Errorf("wrapped: %w", reported)); got != reported {
		t.Errorf("what the daemon reported: %+v", got)
	}
	if got := classify(&notMountedError{Dir: "/d", Type: "nfs"}); got.Message != "the mount on /d is not of clawfs but of nfs" || got.Hint != "umount /d" {
		t.Errorf("a mount of something else: %+v", got)
	}
}

// Exit codes that commands name in their help have a meaning of their own.
func TestExitMeanings(t *testing.T) {
	seen := map[string]int{}
	for _, code := range exitCodes() {
		meaning := exitMeaning(code)
		if other, dup := seen[meaning]; dup {
			t.Errorf("%d and %d both mean %q", other, code, meaning)
		}
		seen[meaning] = code
	}
}

func TestFailOutput(t *testing.T) {
	cases := []struct {
		name   string
		colour bool
		f      failure
		want   string
	}{
		{"plain", false, failure{Message: "it broke", Hint: "mend it"}, "error: it broke\nhint: mend it\n"},
		{"no hint", false, failure{Message: "it broke"}, "error: it broke\n"},
		{"colour", true, failure{Message: "it broke", Hint: "mend it"}, "\x1b[31merror:\x1b[0m it broke\n\x1b[36mhint:\x1b[0m mend it\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			streams{stderr: &b, colour: c.colour}.fail(&c.f)
			if b.String() != c.want {
				t.Errorf("got %q, want %q", b.String(), c.want)
			}
		})
	}
}

func TestQuote(t *testing.T) {
	for path, want := range map[string]string{
		"/home/a/.openclaw": "/home/a/.openclaw",
		"/a b":              "'/a b'",
		"/it's":             `'/it'\''s'`,
		"":                  "''",
		"~/x":               "'~/x'",
		"-x":                "'-x'",
		"/$HOME":            "'/$HOME'",
		"/a\x1b[31m'é":      `$'/a\x1b\x5b31m\x27\xc3\xa9'`,
	} {
		if got := quote(path); got != want {
			t.Errorf("quote(%q) = %s, want %s", path, got, want)
		}
	}
}
