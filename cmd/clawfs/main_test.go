package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"clawfs/fs/mountpoint"
	"clawfs/fs/uring"
	"clawfs/txn/txntest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"clawfs": main, "mount.fuse.clawfs": main})
}

// The scripts run the whole program on real mounts, one behaviour each.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUpScript,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"await": await},
		Condition: func(name string) (bool, error) {
			return name == "root" && os.Geteuid() == 0 || name == "ring" && uring.Check() == nil, nil
		},
	})
}

// await PATTERN PROGRAM [ARGUMENT…] runs a program again and again until its
// output, or its standard error, matches.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await PATTERN PROGRAM [ARGUMENT…]")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		err = ts.Exec(args[1], args[2:]...)
		if pattern.MatchString(ts.ReadFile("stdout")) || pattern.MatchString(ts.ReadFile("stderr")) {
			return
		}
	}
	ts.Fatalf("%q never came (%v)", args[0], err)
}

// setUpScript opens the way to the script's directory for an ordinary user, as
// whom root runs some commands, and has the script's leftovers taken away.
func setUpScript(env *testscript.Env) error {
	env.Defer(func() { takeAway(env.T().(testing.TB), env.WorkDir) })
	if without := os.Getenv(txntest.WithoutVariable); without != "" {
		env.Setenv(txntest.WithoutVariable, without)
	}
	for _, dir := range []string{filepath.Dir(env.WorkDir), env.WorkDir} {
		if err := os.Chmod(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// takeAway detaches mounts of clawfs below a directory and ends their daemons.
func takeAway(t testing.TB, dir string) {
	mounts, err := mountpoint.All()
	if err != nil {
		t.Error(err)
	}
	for _, m := range mounts {
		if !strings.HasPrefix(m.Dir, dir+"/") {
			continue
		}
		d := findDaemon(m.Mount)
		if err := m.Detach(true); err != nil {
			t.Errorf("%s stays mounted: %v", m.Dir, err)
		}
		if d != nil {
			if err := unix.PidfdSendSignal(d.fd, unix.SIGKILL, nil, 0); err != nil {
				t.Errorf("the daemon of %s stays: %v", m.Dir, err)
			}
			d.close()
		}
	}
}
