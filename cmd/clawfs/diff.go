package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"clawfs/txn"
	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// difference is one place in which two documents differ, as diff --json prints
// it.
type difference struct {
	Registry string          `json:"registry"`
	Change   string          `json:"change"`         // added, removed, changed; reordered: a list, nothing else is said of it
	From     *string         `json:"from,omitempty"` // RFC 6901, where it is in the first document
	To       *string         `json:"to,omitempty"`   // … and in the second
	Old      json.RawMessage `json:"old,omitempty"`
	New      json.RawMessage `json:"new,omitempty"`
}

func newDiffCommand(out streams) *cobra.Command {
	var asJSON bool
	codes := exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted)["exit"]
	cmd := &cobra.Command{
		Use:   "diff [flags] FILE@A [[FILE]@B]",
		Short: "Compare two versions of a registry by what they say",
		Long: "diff compares a version of a registry with another one, or with what it holds now. @B alone is a\n" +
			"version of the same registry. The places that differ are shown as JSON pointers: a line with - for what\n" +
			"was there, one with + for what came. Elements of lists are matched as merging matches them; the order\n" +
			"of members, white space and the spelling of numbers make no difference.",
		Annotations: map[string]string{"exit": strings.Replace(codes, exitMeaning(exitFailed), "they differ, or it failed", 1)},
		Example:     "  clawfs diff ~/.openclaw/openclaw.json@3 @7",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return &usageError{Command: cmd.CommandPath(), Problem: errors.New("diff wants one or two versions, as FILE@N")}
			}
			from, err := locateVersion(args[0])
			if err != nil {
				return err
			}
			to := target{place: from.place}
			if len(args) > 1 {
				if to, err = locateOther(args[1], from.place); err != nil {
					return err
				}
			}
			return diff(from, to, asJSON, out)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a line")
	return cmd
}

// diff prints in what two versions differ. The error is a *verdict if they do.
func diff(from, to target, asJSON bool, out streams) error {
	a, err := from.document()
	if err != nil {
		return err
	}
	b, err := to.document()
	if err != nil {
		return err
	}
	a, b = inOneDialect(a, b)
	changes := differences(a, b)
	if len(changes) == 0 {
		return nil
	}
	if !asJSON {
		fmt.Fprintf(out.stdout, "--- %s\n+++ %s\n", from, to)
	}
	for _, d := range changes {
		d.Registry = to.name
		if asJSON {
			err = out.printJSON(d)
		} else {
			err = out.printDifference(d)
		}
		if err != nil {
			return err
		}
	}
	return &verdict{exitFailed}
}

// document reads and parses a version. JSON5, which takes JSON as well, and JSON lines
// let registries be compared whose dialect this command does not know.
func (t target) document() (*jsondoc.Doc, error) {
	s, err := t.find()
	if err != nil {
		return nil, err
	}
	doc, err := txn.JSON5.Read([]byte(s.Content))
	if err != nil {
		if lines, linesErr := txn.Lines.Read([]byte(s.Content)); linesErr == nil {
			return lines, nil
		}
		return nil, fmt.Errorf("%s is no document: %w", t, err)
	}
	return doc, nil
}

// inOneDialect reads one line as JSON lines where the other document is that.
func inOneDialect(a, b *jsondoc.Doc) (*jsondoc.Doc, *jsondoc.Doc) {
	if a.Grammar() == b.Grammar() {
		return a, b
	}
	x, errX := txn.Lines.Read(a.Source())
	y, errY := txn.Lines.Read(b.Source())
	if errX != nil || errY != nil {
		return a, b
	}
	return x, y
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// differences returns the places in which two documents differ, in the order of
// the second one, what was removed behind what is around it.
func differences(a, b *jsondoc.Doc) []difference {
	wanted := make(map[jsondoc.Value]string)
	delta := merge.Compare(a, b, nil)
	for from, to := range delta.Changes() {
		wanted[from], wanted[to] = "", ""
	}
	delete(wanted, jsondoc.Value{})
	point(a.Root(), "", wanted)
	point(b.Root(), "", wanted)
	var out []difference
	for from, to := range delta.Changes() {
		d := difference{Change: "changed"}
		if path, ok := wanted[from]; ok {
			d.From, d.Old = &path, from.AppendJSON(nil)
		} else {
			d.Change = "added"
		}
		if path, ok := wanted[to]; ok {
			d.To, d.New = &path, to.AppendJSON(nil)
		} else {
			d.Change = "removed"
		}
		out = append(out, d)
	}
	if delta.Reordered() {
		out = append(out, difference{Change: "reordered"})
	}
	return out
}

// point writes into wanted, for each value in it at or below v, the path to it.
func point(v jsondoc.Value, path string, wanted map[jsondoc.Value]string) {
	if _, ok := wanted[v]; ok {
		wanted[v] = path
		return // what is below is not told apart
	}
	for i, e := range v.Elements() {
		point(e, fmt.Sprintf("%s/%d", path, i), wanted)
	}
	for m := range v.Members() {
		point(m.Value, path+"/"+pointerEscape.Replace(m.Name()), wanted)
	}
}

// printDifference prints a place for people.
func (s streams) printDifference(d difference) error {
	if d.From == nil && d.To == nil {
		_, err := fmt.Fprintln(s.stdout, s.paintOut(yellow, "the elements of a list are in another order"))
		return err
	}
	if d.From != nil {
		if _, err := fmt.Fprintln(s.stdout, s.paintOut(red, fmt.Sprintf("- %s %s", orRoot(*d.From), d.Old))); err != nil {
			return err
		}
	}
	if d.To != nil {
		if _, err := fmt.Fprintln(s.stdout, s.paintOut(green, fmt.Sprintf("+ %s %s", orRoot(*d.To), d.New))); err != nil {
			return err
		}
	}
	return nil
}
