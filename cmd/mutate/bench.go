package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	together    = time.Second // tests run together as long as they take no more of a processor
	memoryLimit = 4 << 20     // KiB of address space for one test binary
)

// bench is where mutants are tried: test binaries that have all of them.
type bench struct {
	work    string
	args    map[string][]string // by binary
	mutants []mutant
	tests   []*test
}

// test is one top-level test of a binary.
type test struct {
	binary, dir, name string
	took              time.Duration // of a processor
	reaches           map[int]bool
}

// pkgInfo is the output of `go list` for a package.
type pkgInfo struct {
	Dir, Name string
	Module    struct{ Dir string }
	GoFiles   []string
}

// buildBench compiles the tests with all mutants of the package.
func buildBench(ctx context.Context, o options) (_ *bench, err error) {
	b := &bench{args: make(map[string][]string)}
	if b.work, err = os.MkdirTemp("", "mutate-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.remove()
		}
	}()
	info, err := listPackage(ctx, o.pkg)
	if err != nil {
		return nil, err
	}
	overlay, err := b.mutate(info, o.files)
	if err != nil {
		return nil, err
	}
	for i, pkg := range append([]string{o.pkg}, o.tests...) {
		if err := b.addTests(ctx, overlay, pkg, filepath.Join(b.work, fmt.Sprintf("%d.test", i)), o.args); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *bench) remove() { os.RemoveAll(b.work) }

func listPackage(ctx context.Context, pkg string) (*pkgInfo, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-json=Dir,Name,Module,GoFiles", pkg).Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", pkg, err)
	}
	info := &pkgInfo{}
	return info, json.Unmarshal(out, info)
}

// mutate writes the package's files with all mutants, and returns the overlay that
// puts them in place of the real ones. Without names all files are mutated.
func (b *bench) mutate(info *pkgInfo, files []string) (overlay string, err error) {
	m := newMutator()
	replace := make(map[string]string)
	put := func(path string, source []byte) error {
		replace[path] = filepath.Join(b.work, filepath.Base(path))
		return os.WriteFile(replace[path], source, 0o600)
	}
	for _, name := range info.GoFiles {
		if len(files) > 0 && !slices.Contains(files, name) {
			continue
		}
		path := filepath.Join(info.Dir, name)
		source, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		relative, err := filepath.Rel(info.Module.Dir, path)
		if err != nil {
			return "", err
		}
		if source, err = m.rewrite(relative, source); err != nil {
			return "", err
		}
		if err := put(path, source); err != nil {
			return "", err
		}
	}
	b.mutants = m.mutants
	if len(b.mutants) == 0 {
		return "", errors.New("there is nothing to mutate")
	}
	if err := put(filepath.Join(info.Dir, "mutants.go"), support(info.Name, len(m.mutants))); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(b.work, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// addTests compiles the tests of a package and lists them.
func (b *bench) addTests(ctx context.Context, overlay, pkg, binary string, args []string) error {
	info, err := listPackage(ctx, pkg)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go test -c %s: %w\n%s", pkg, err, out)
	}
	b.args[binary] = knownArgs(ctx, binary, args)
	list := exec.CommandContext(ctx, binary, "-test.list", "^(Test|Fuzz|Example)")
	list.Dir = info.Dir
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", pkg, err)
	}
	for _, name := range strings.Fields(string(out)) {
		b.tests = append(b.tests, &test{binary: binary, dir: info.Dir, name: name})
	}
	return nil
}

// measure runs each test by itself, without a mutant.
func (b *bench) measure(ctx context.Context) error {
	trace := filepath.Join(b.work, "trace")
	for _, t := range b.tests {
		if err := os.RemoveAll(trace); err != nil {
			return err
		}
		took, out, err := b.execute(ctx, 10*time.Minute, []*test{t}, "MUTANT_TRACE="+trace)
		if err != nil {
			return fmt.Errorf("%s without a mutant: %w\n%s", t.name, err, out)
		}
		t.took, t.reaches = took, make(map[int]bool)
		text, err := os.ReadFile(trace)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		for _, line := range strings.Fields(string(text)) {
			n, err := strconv.Atoi(line)
			if err != nil {
				return err
			}
			t.reaches[n] = true
		}
	}
	slices.SortStableFunc(b.tests, func(x, y *test) int { return cmp.Compare(x.took, y.took) })
	return nil
}

// caught reports whether a test fails with a mutant, or does not end.
func (b *bench) caught(ctx context.Context, m mutant) bool {
	for _, group := range b.groups(m) {
		limit := 3 * time.Second
		for _, t := range group {
			limit += 5 * t.took
		}
		if _, _, err := b.execute(ctx, limit, group, fmt.Sprint("MUTANT=", m.number)); err != nil {
			return true
		}
	}
	return false
}

// groups returns the tests that reach a mutant, as they are run: the fast ones first,
// several of one binary together.
func (b *bench) groups(m mutant) [][]*test {
	var groups [][]*test
	open := make(map[string]int) // by binary, its last group
	sums := make(map[string]time.Duration)
	for _, t := range b.tests {
		if !t.reaches[m.number] {
			continue
		}
		i, ok := open[t.binary]
		if !ok || sums[t.binary]+t.took > together {
			i, sums[t.binary] = len(groups), 0
			open[t.binary] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], t)
		sums[t.binary] += t.took
	}
	return groups
}

// execute runs tests of one binary to the first failure, and returns how much time of a
// processor they took. A test that takes more memory than the limit, or hangs, is ended
// together with all that it has started.
func (b *bench) execute(ctx context.Context, limit time.Duration, tests []*test, env string) (time.Duration, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*limit) // other processes work, too
	defer cancel()
	names := make([]string, len(tests))
	for i, t := range tests {
		names[i] = t.name
	}
	args := append([]string{"-c", fmt.Sprintf(`ulimit -v %d -t %d; exec "$@"`, memoryLimit, int(limit.Seconds())), "sh", tests[0].binary,
		"-test.failfast", "-test.run", "^(" + strings.Join(names, "|") + ")$"}, b.args[tests[0].binary]...)
	cmd := exec.CommandContext(ctx, "bash", args...)
	cmd.Dir = tests[0].dir
	cmd.Env = append(os.Environ(), env)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return 0, nil, err
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), out.Bytes(), err
}

// knownArgs returns those of some arguments that a binary knows.
func knownArgs(ctx context.Context, binary string, args []string) []string {
	help, _ := exec.CommandContext(ctx, binary, "-help").CombinedOutput() // it ends with exit code 0 or 2
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool {
		name, _, _ := strings.Cut(arg, "=")
		return !bytes.Contains(help, []byte("  "+name+" "))
	})
}
