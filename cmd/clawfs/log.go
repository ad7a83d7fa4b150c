package main

import (
	"cmp"
	"fmt"
	iofs "io/fs"
	"os"
	"slices"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"clawfs/cmd/clawfs/versions"
	"clawfs/txn"
)

type logOptions struct {
	limit  int // 0: none
	base   bool
	asJSON bool
}

func newLogCommand(out streams) *cobra.Command {
	var o logOptions
	cmd := &cobra.Command{
		Use:   "log [flags] [FILE|DIR]",
		Short: "Show the transactions of a registry",
		Long: "log shows the transactions of a registry, or of all registries below a directory, the newest last:\n" +
			"the time and the outcome of each, the version and the size that it left, its writer, and its\n" +
			"conflicts with the side that won. It works the same whether the directory is mounted or not, and\n" +
			"never shows a value of a document.",
		Args:        atMostOne("a file or a directory"),
		Annotations: exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted),
		Example:     "  clawfs log --limit 20 ~/.openclaw/agents/main/agent/models.json",
		RunE: func(_ *cobra.Command, args []string) error {
			return showLog(first(args, "."), o, out)
		},
	}
	cmd.Flags().IntVarP(&o.limit, "limit", "n", 0, "show the newest `N` only")
	cmd.Flags().BoolVar(&o.base, "base", false, "show the base of each, the other candidates, and the rules that decided a merge, by path")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print a JSON object a line")
	return cmd
}

// showLog prints the records of a registry or of a directory.
func showLog(path string, o logOptions, out streams) error {
	p, err := versions.Locate(path)
	if err != nil {
		return err
	}
	dir, err := p.Look()
	if err != nil {
		return err
	}
	defer dir.Close()
	histories, err := p.Histories(dir)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(p.Path()); err != nil && len(histories) == 0 {
		return &iofs.PathError{Op: "log", Path: path, Err: iofs.ErrNotExist}
	}
	known := make(map[string]*versions.History, len(histories))
	var records []versions.Record
	for _, h := range histories {
		known[h.Name] = h
		records = append(records, newest(h.Records, o.limit)...)
	}
	slices.SortStableFunc(records, func(a, b versions.Record) int { return a.Time.Compare(b.Time) })
	for _, r := range newest(records, o.limit) {
		r.User = versions.UserName(r.UID)
		if o.asJSON {
			err = out.printRecordJSON(r, r.More)
		} else {
			err = out.printRecord(r, known[r.Registry], o.base)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// newest returns the last n records, all of them if n is 0.
func newest(records []versions.Record, n int) []versions.Record {
	if n > 0 && len(records) > n {
		return records[len(records)-n:]
	}
	return records
}

// printRecord prints a record for people: a line, and one for each conflict and each further
// fact.
func (s streams) printRecord(r versions.Record, h *versions.History, base bool) error {
	version := r.Registry
	if r.Seq > 0 {
		version = fmt.Sprintf("%s@%d", r.Registry, r.Seq)
	}
	line := fmt.Sprintf("%s  %s  %-7s  %s  by %s", r.Time.Local().Format("2006-01-02 15:04:05"),
		s.paintOut(outcomeColour(r), fmt.Sprintf("%-9s", r.Became())), humanize.IBytes(uint64(max(r.Size, 0))), harmless(version), harmless(r.Writer()))
	more := r.Says()
	if r.Base != nil && (base || r.Kept > 0) {
		more = append(more, baseLines(r.Base, h, base)...)
	}
	if base {
		more = append(more, ruleLines(&r)...)
	}
	if err := s.printf("%s\n", painted(line)); err != nil {
		return err
	}
	for _, m := range more {
		if err := s.printf("    %s\n", m); err != nil {
			return err
		}
	}
	return nil
}

func outcomeColour(r versions.Record) int {
	switch r.Became() {
	case txn.Rejected.String(), txn.Aborted.String():
		return red
	case "recovered", "adopted", "deleted":
		return yellow
	}
	return green
}

// baseLines name the merge base and the reason for it; with all, also those against the others.
func baseLines(b *txn.BaseRecord, h *versions.History, all bool) []string {
	line := "base: " + string(b.Kind) + numbered(h, b.Digest)
	if b.Why != "" {
		line += ", " + string(b.Why)
	}
	lines := []string{line}
	if !all {
		return lines
	}
	for _, c := range b.Candidates {
		what := "read"
		if c.Write {
			what = "written"
		}
		line := fmt.Sprintf("candidate: %s%s, %d leaves away", what, numbered(h, c.Digest), c.Leaves)
		if c.Struck != "" {
			line += ", struck: " + c.Struck
		}
		lines = append(lines, line)
	}
	return lines
}

// ruleLines name the rules of merging that decided, and the places.
func ruleLines(r *versions.Record) []string {
	var lines []string
	for _, a := range r.Rules {
		lines = append(lines, fmt.Sprintf("rule at %s: %s", orRoot(a.Path), a.Rule))
	}
	if r.MoreRules > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", r.MoreRules))
	}
	return lines
}

// numbered names the version with a digest; the start of the digest where it is
// none, as that of the content that a program wrote before it was merged.
func numbered(h *versions.History, digest string) string {
	if digest == "" {
		return ""
	}
	if seq := h.NumberOf(digest); seq > 0 {
		return fmt.Sprintf(" @%d", seq)
	}
	return " " + digest[:min(12, len(digest))]
}

func orRoot(path string) string { return cmp.Or(path, "the root") }
