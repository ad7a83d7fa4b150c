package txn_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"clawfs/txn"
)

// pipeline is a command line that a shell runs again and again: one program reads
// the registry and ends, and another one, that has read nothing, writes the first
// one's output.
type pipeline struct {
	*bench
	shell txn.Caller
	pid   int
}

func (p *pipeline) child() txn.Caller {
	p.pid++
	c := program(p.pid)
	c.Ancestors = append([]txn.Actor{p.shell.Actor}, p.shell.Ancestors...)
	return c
}

// reader reads the registry and ends.
func (p *pipeline) reader() {
	jq := p.child()
	p.read(jq)
	p.kill(jq)
}

func (p *pipeline) run(content string) {
	p.reader()
	p.write(content)
}

func (p *pipeline) write(content string) {
	cp := p.child()
	p.save(cp, content)
	p.kill(cp)
	p.pass(time.Millisecond)
}

// cpu returns the processor time that this process has used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A writer's cost for the processes that were there in the last minute hardly grows with their
// number, neither where each has written the content it read nor where they read only: by 20
// ns for each at first, and no further than their bound.
func TestDeadProcessesCostNothing(t *testing.T) {
	const block = 50
	rows := []struct {
		name string
		step func(p *pipeline, n int) // happens between two writes that are measured
	}{
		{"who have written", func(p *pipeline, n int) {
			for k := range 10 {
				p.run(fmt.Sprintf(`{"n":%d,"k":%d}`, n, k))
			}
		}},
		{"who have only read", func(p *pipeline, n int) {
			for k := range 10 {
				p.save(program(2), fmt.Sprintf(`{"n":%d,"k":%d}`, n, k))
				p.reader()
			}
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := &pipeline{newBench(t, `{"n":0,"k":0}`), program(1), 10_000}
			var took [6][]time.Duration
			for i := range took {
				for n := range block {
					row.step(p, i*block+n)
					before := cpu(t)
					p.write(fmt.Sprintf(`{"n":%d,"k":-1}`, i*block+n))
					took[i] = append(took[i], cpu(t)-before)
				}
			}
			// The least time is that of a run without a disturbance, such as the garbage
			// collector.
			early, late := slices.Min(took[1]), slices.Min(took[len(took)-1])
			t.Logf("a write beside %d dead processes takes %v, beside %d %v", block*15, early, block*10*len(took), late)
			if late > max(6*early, 400*time.Microsecond) {
				t.Errorf("a write takes %v where it took %v", late, early)
			}
		})
	}
}

// A reading from which nothing was made yet counts, however many others came, and
// had content made from them, since.
func TestASlowPipelineAmongManyLosesNothing(t *testing.T) {
	p := &pipeline{newBench(t, `[{"id":"first"}]`), program(1), 10_000}
	job := program(2) // of the shell, in the background, with children of its own
	job.Ancestors = []txn.Actor{p.shell.Actor}
	slow := &pipeline{p.bench, job, 50_000}
	slow.reader()
	list := []string{`{"id":"first"}`}
	for n := range 200 {
		list = append(list, fmt.Sprintf(`{"id":"w%d"}`, n))
		p.run("[" + strings.Join(list, ",") + "]")
	}
	slow.write(`[{"id":"first"},{"id":"slow"}]`)
	if got := len(p.ids(p.head())); got != 202 {
		t.Errorf("the registry holds %d entries, want 202", got)
	}
}

// Nor does it matter how many others have read the same.
func TestManySlowPipelinesLoseNothing(t *testing.T) {
	b := newBench(t, `[{"id":"first"}]`)
	const scripts = 300
	var pipelines []*pipeline
	for n := range scripts {
		p := &pipeline{b, program(100_000 + n), 200_000 + 10*n}
		p.reader()
		pipelines = append(pipelines, p)
	}
	for n, p := range pipelines {
		p.write(fmt.Sprintf(`[{"id":"first"},{"id":"w%d"}]`, n))
	}
	if got := len(b.ids(b.head())); got != scripts+1 {
		t.Errorf("the registry holds %d entries, want %d", got, scripts+1)
	}
}
