package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"clawfs/cmd/clawfs/versions"
	"clawfs/txn/jsondoc"
)

func newDiffCommand(out streams) *cobra.Command {
	var asJSON bool
	codes := exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted)["exit"]
	cmd := &cobra.Command{
		Use:   "diff [flags] FILE@A [[FILE]@B]",
		Short: "Compare the values in two versions of a registry",
		Long: "diff compares a version of a registry with another one, or with the newest. @B alone is a version of\n" +
			"the same registry. It shows the places that differ as JSON pointers: a line with - is a value that\n" +
			"was there, one with + a value that came, one with > an element that was moved. Elements of lists are\n" +
			"matched as merging matches them; the order of members, white space and the spelling of numbers make\n" +
			"no difference.",
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
			to := versions.Target{Place: from.Place}
			if len(args) > 1 {
				if to, err = locateOther(args[1], from.Place); err != nil {
					return err
				}
			}
			return diff(from, to, asJSON, out)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a line")
	return cmd
}

// diff prints the differences between two versions. The error is a *verdict if there are any.
func diff(from, to versions.Target, asJSON bool, out streams) error {
	a, err := document(from)
	if err != nil {
		return err
	}
	b, err := document(to)
	if err != nil {
		return err
	}
	changes := versions.Compare(a, b, nil)
	if len(changes) == 0 {
		return nil
	}
	if !asJSON {
		if err := out.printf("--- %s\n+++ %s\n", from, to); err != nil {
			return err
		}
	}
	for _, d := range changes {
		d.Registry = to.Name
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

// document reads and parses a version.
func document(t versions.Target) (*jsondoc.Doc, error) {
	c, err := t.Read()
	if err != nil {
		return nil, err
	}
	doc, err := c.Document()
	if err != nil {
		return nil, fmt.Errorf("%s is no document: %w", t, err)
	}
	return doc, nil
}

// printDifference prints a place for people.
func (s streams) printDifference(d versions.Difference) error {
	if d.Change == versions.Moved {
		err := s.printf("%s\n", s.paintOut(yellow, fmt.Sprintf("> %s was %s", *d.To, *d.From)))
		return err
	}
	if d.From != nil {
		if err := s.printf("%s\n", s.paintOut(red, fmt.Sprintf("- %s %s", orRoot(*d.From), d.Old))); err != nil {
			return err
		}
	}
	if d.To != nil {
		if err := s.printf("%s\n", s.paintOut(green, fmt.Sprintf("+ %s %s", orRoot(*d.To), d.New))); err != nil {
			return err
		}
	}
	return nil
}
