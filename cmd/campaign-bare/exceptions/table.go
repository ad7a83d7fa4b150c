package exceptions

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
)

// Heading is the title of the section of docs/SEMANTICS.md that holds the table.
const Heading = "Where a registry differs from a bare file"

// Limit is the share of the compared things that all rows together may not excuse.
const Limit = 0.02

// The testers that a row can name. Tests are no tester: a difference that a test shows, and
// that the programs of the testers do not make.
const (
	Commands = "commands"
	Calls    = "calls"
	Tests    = "tests"
	both     = "both"
)

// Row is one line of the table: one difference that is wanted.
type Row struct {
	Name    string // the key of its predicate
	Differs string // the difference
	Tester  string // commands, calls, both or tests
	Reason  string
}

// Table is the rows that one tester goes by, and the count of their excuses.
type Table struct {
	rows []Row

	mu       sync.Mutex // guards the fields below
	excused  map[string]int
	compared int
}

// Open reads the table of a file such as docs/SEMANTICS.md and keeps the rows of
// one tester. The names are those of the predicates that the tester has: they
// must be the keys of these rows, each of them.
func Open(path, tester string, names []string) (*Table, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rows, err := Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return New(rows, tester, names)
}

// New makes the table of one tester out of all rows. The names are as for Open.
func New(rows []Row, tester string, names []string) (*Table, error) {
	t := &Table{excused: make(map[string]int)}
	var problems []error
	for _, r := range rows {
		if r.Tester != tester && r.Tester != both {
			continue
		}
		t.rows = append(t.rows, r)
		if !slices.Contains(names, r.Name) {
			problems = append(problems, fmt.Errorf("the row `%s` has no predicate among the %s", r.Name, tester))
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(t.rows, func(r Row) bool { return r.Name == name }) {
			problems = append(problems, fmt.Errorf("the predicate `%s` of the %s has no row", name, tester))
		}
	}
	return t, errors.Join(problems...)
}

// Parse reads the rows out of the text of a page: those of the table below the
// heading, with any number before the heading.
func Parse(text string) ([]Row, error) {
	var rows []Row
	here := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "## ") {
			here = strings.HasSuffix(line, Heading)
		}
		if !here || !strings.HasPrefix(line, "| `") {
			continue
		}
		r, err := parseRow(line)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(rows, func(other Row) bool { return other.Name == r.Name }) {
			return nil, fmt.Errorf("two rows are named `%s`", r.Name)
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no table below the heading %q", Heading)
	}
	return rows, nil
}

func parseRow(line string) (Row, error) {
	cells := strings.Split(strings.Trim(line, "|"), "|")
	if len(cells) != 4 {
		return Row{}, fmt.Errorf("a row has %d columns, not 4: %s", len(cells), line)
	}
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	r := Row{Name: strings.Trim(cells[0], "`"), Differs: cells[1], Tester: cells[2], Reason: cells[3]}
	if r.Name == "" || r.Differs == "" || r.Reason == "" {
		return Row{}, fmt.Errorf("a row has an empty column: %s", line)
	}
	if !slices.Contains([]string{Commands, Calls, both, Tests}, r.Tester) {
		return Row{}, fmt.Errorf("the row `%s` is for %q, not for %s, %s, %s or %s", r.Name, r.Tester, Commands, Calls, both, Tests)
	}
	return r, nil
}

// Compared counts things that were compared: commands, or calls.
func (t *Table) Compared(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.compared += n
}

// Excuse counts one thing that a row excused.
func (t *Table) Excuse(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.excused[name]++
}

// Report prints how much each row has excused. The error says that it was too much.
func (t *Table) Report(out io.Writer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := 0
	for _, r := range t.rows {
		n := t.excused[r.Name]
		all += n
		fmt.Fprintf(out, "excused by %-28s %7d of %d\n", r.Name, n, t.compared)
	}
	if t.compared > 0 && float64(all) >= Limit*float64(t.compared) {
		return fmt.Errorf("the rows of the table excuse %d of %d, which is not less than %g %%", all, t.compared, 100*Limit)
	}
	return nil
}
