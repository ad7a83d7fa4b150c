package fs

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"

	"clawfs/fs/process"
)

// requestOf is the context of a request of a thread.
func requestOf(tid int) context.Context {
	return &fuse.Context{Caller: fuse.Caller{Owner: fuse.Owner{Uid: 7}, Pid: uint32(tid)}}
}

// sleeper starts a process that lives until the test ends.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// A caller has the user of the request, whether or not its process can be told.
func TestCallerOfARequest(t *testing.T) {
	c := callers{process.NewCallers(true)}
	t.Cleanup(c.Close)
	name := process.Program(os.Getpid())
	for way, of := range map[string]func(context.Context) (uid uint32, pid int, program string){
		"of":      func(ctx context.Context) (uint32, int, string) { k := c.of(ctx); return k.UID, k.PID, name + k.Program },
		"named":   func(ctx context.Context) (uint32, int, string) { k := c.named(ctx); return k.UID, k.PID, k.Program },
		"writing": func(ctx context.Context) (uint32, int, string) { k := c.writing(ctx); return k.UID, k.PID, k.Program },
	} {
		if uid, pid, program := of(requestOf(os.Getpid())); uid != 7 || pid != os.Getpid() || program != name {
			t.Errorf("%s: user %d, process %d, program %q", way, uid, pid, program)
		}
		if uid, pid, _ := of(requestOf(1 << 30)); uid != 7 || pid != 0 {
			t.Errorf("%s a thread that can't be told: user %d, process %d", way, uid, pid)
		}
		if uid, pid, _ := of(context.Background()); uid != 0 || pid != 0 {
			t.Errorf("%s no request: user %d, process %d", way, uid, pid)
		}
	}
}
