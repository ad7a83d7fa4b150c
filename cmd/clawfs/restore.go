package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"clawfs/cmd/clawfs/versions"
	"clawfs/txn"
)

type restoreOptions struct {
	id     string // of a copy in quarantine
	repair bool
	yes    bool
	asJSON bool
}

func newRestoreCommand(out streams) *cobra.Command {
	var o restoreOptions
	cmd := &cobra.Command{
		Use:   "restore [flags] FILE@N | --quarantined ID [DIR] | --repair FILE",
		Short: "Make an old version, or a copy in quarantine, the newest",
		Long: "restore replaces the content of a registry by one of its versions, or by a copy in quarantine. That\n" +
			"is a commit of its own, which can be undone in the same way. Content that another program writes at\n" +
			"the same time is merged with it. It works the same whether the directory is mounted or not.\n\n" +
			"With --repair it proposes a valid document in place of an invalid one, and prints it. Nothing is\n" +
			"changed unless --yes says so.",
		Annotations: exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted, exitInUse, exitRefused),
		Example:     "  clawfs restore ~/.openclaw/openclaw.json@3",
		RunE: func(cmd *cobra.Command, args []string) error {
			return restore(cmd, args, o, out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.id, "quarantined", "", "restore the copy with this `ID` in the quarantine of DIR (.)")
	f.BoolVar(&o.repair, "repair", false, "propose a valid document in place of an invalid one")
	f.BoolVar(&o.yes, "yes", false, "commit the document that --repair proposes")
	f.BoolVar(&o.asJSON, "json", false, "print the commit as a JSON object, as log does")
	return cmd
}

// restore puts the selected content in place of its registry's content.
func restore(cmd *cobra.Command, args []string, o restoreOptions, out streams) error {
	p, s, err := choose(cmd, args, o)
	if err != nil {
		return err
	}
	content := []byte(s.Content)
	if o.repair {
		if content, err = repaired(s, p.Path()); err != nil {
			return err
		}
		if !o.yes {
			out.talk("nothing is changed; to take this, add --yes")
			return out.printContent(string(content))
		}
	}
	if err := os.MkdirAll(filepath.Dir(p.Path()), 0o700); err != nil {
		return err
	}
	note := txn.Note{Restored: s.Seq, FromQuarantine: s.Quarantine}
	if err := newEngine().Commit(&versions.Commit{Place: p, Content: content, Intent: txn.Intent{Note: note}}); err != nil {
		return err
	}
	return tell(p, "restored", o.asJSON, out)
}

// choose finds the content that is to be restored and where it belongs.
func choose(cmd *cobra.Command, args []string, o restoreOptions) (versions.Place, *versions.Content, error) {
	s, err := find(cmd, args, o.id)
	if err != nil {
		return versions.Place{}, nil, err
	}
	if o.id != "" {
		p, err := versions.Locate(first(args, "."))
		p.Name = s.Registry
		if p.Name == "" && err == nil {
			err = fmt.Errorf("it is not known which registry %s was meant for", o.id)
		}
		return p, s, err
	}
	t, err := locateVersion(args[0])
	if err == nil && t.Seq == 0 && !o.repair {
		err = &usageError{Command: cmd.CommandPath(), Problem: errors.New("restore wants a version, as FILE@N")}
	}
	return t.Place, s, err
}

// repaired proposes a document in place of content that is none.
func repaired(s *versions.Content, path string) ([]byte, error) {
	text, err := versions.Repair(s.Content)
	switch {
	case errors.Is(err, versions.ErrValid):
		return nil, fmt.Errorf("%s is a valid document, there is nothing to repair", path)
	case err != nil:
		return nil, &failure{Code: exitFailed, Message: "no repair is known for " + path, Hint: "clawfs log " + quote(path)}
	}
	return text, nil
}

// tell prints the newest record of the registry; done is the word for the change.
func tell(p versions.Place, done string, asJSON bool, out streams) error {
	r, err := p.Last()
	if err != nil {
		return err
	}
	switch {
	case r == nil:
		out.talk("%s is %s", p.Path(), done)
	case asJSON:
		return out.printJSON(r)
	case r.Outcome == txn.Unchanged.String():
		out.talk("%s holds that already, as version %d", p.Path(), r.Seq)
	default:
		out.talk("%s is %s, as version %d", p.Path(), done, r.Seq)
	}
	return nil
}
