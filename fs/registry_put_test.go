package fs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	iofs "io/fs"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"clawfs/txn"
)

func digestOf(content string) *string {
	if content == "" {
		return &content
	}
	sum := sha256.Sum256([]byte(content))
	s := hex.EncodeToString(sum[:])
	return &s
}

// A change that was intended for one head is done to that head, or refused at the close, and by
// unlink.
func TestIntendIsForOneHead(t *testing.T) {
	m := inPlace(t)
	path := filepath.Join(m.dir, "a.json")
	intend := func(over, content string) error {
		f, err := Intend(m.dir, "a.json", txn.Intent{Over: digestOf(over)})
		if err != nil {
			return err
		}
		err = f.Truncate(0)
		if err == nil {
			_, err = f.WriteString(content)
		}
		return errors.Join(err, f.Close())
	}
	holds := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("it holds %s, %v, want %s", got, err, want)
		}
	}
	for _, step := range []struct {
		over, content string
		want          error
		holds         string
	}{
		{`[0]`, `[1]`, iofs.ErrNotExist, ""},
		{"", `[1]`, nil, `[1]`},
		{"", `[2]`, unix.EBUSY, `[1]`},
		{`[0]`, `[2]`, unix.EBUSY, `[1]`},
		{`[1]`, `[2`, unix.EINVAL, `[1]`},
		{`[1]`, `[2]`, nil, `[2]`},
	} {
		if err := intend(step.over, step.content); !errors.Is(err, step.want) {
			t.Errorf("%s over %q: %v, want %v", step.content, step.over, err, step.want)
		}
		if step.holds != "" {
			holds(step.holds)
		}
	}
	for _, step := range []struct {
		over string
		want error
	}{{`[1]`, unix.EBUSY}, {`[2]`, nil}} {
		f, err := Intend(m.dir, "a.json", txn.Intent{Over: digestOf(step.over)})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Remove(path), f.Close()); !errors.Is(err, step.want) {
			t.Errorf("unlink over %s: %v, want %v", step.over, err, step.want)
		}
		if step.want != nil {
			holds(`[2]`)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, iofs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// Where the request is not known, or is none, that is told.
func TestIntendWhereItCannotBe(t *testing.T) {
	m := inPlace(t)
	var plain *NotRegistryError
	if _, err := Intend(m.dir, "a.txt", txn.Intent{}); !errors.As(err, &plain) {
		t.Errorf("a plain file: %v", err)
	}
	f, err := Intend(m.dir, "a.json", txn.Intent{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	arg := [intentSize]byte{'{'}
	if err := control(f, ioctlIntend, unsafe.Pointer(&arg)); !errors.Is(err, unix.EINVAL) {
		t.Errorf("no JSON: %v", err)
	}
	reading, err := os.Open(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	if err := control(reading, ioctlIntend, unsafe.Pointer(&arg)); err == nil {
		t.Error("a file that is open for reading has taken it")
	}
	var old *OldDaemonError
	if _, err := Intend(t.TempDir(), "a.json", txn.Intent{}); !errors.As(err, &old) {
		t.Errorf("no mount: %v", err)
	}
}
