package main

import (
	"errors"
	iofs "io/fs"
	"slices"

	"github.com/spf13/cobra"

	"clawfs/backing"
	"clawfs/fs"
)

// forgotten is what forget --json prints.
type forgotten struct {
	Registry   string   `json:"registry,omitempty"`
	Versions   []uint64 `json:"versions,omitempty"`   // that are gone
	Quarantine []string `json:"quarantine,omitempty"` // ids of copies that are gone
}

func newForgetCommand(out streams) *cobra.Command {
	var asJSON bool
	var id string
	cmd := &cobra.Command{
		Use:   "forget [flags] FILE[@N] | --quarantined ID [DIR]",
		Short: "Remove old versions and copies in quarantine for good",
		Long: "forget removes version N of a registry, or all of its versions and all copies of it in quarantine. What\n" +
			"the registry holds now stays, and so does the log, which holds no values. Since the daemon counts on\n" +
			"what it keeps, the directory must not be mounted.",
		Annotations: exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted, exitInUse),
		Example:     "  clawfs forget ~/.openclaw/agents/main/agent/auth-profiles.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if id != "" && len(args) <= 1 {
				p, err := locate(first(args, "."))
				if err != nil {
					return err
				}
				return p.forget(out, asJSON, func(dir *backing.Dir) (forgotten, error) { return forgetCopy(dir, id, p.root) })
			}
			if len(args) != 1 {
				return &usageError{Command: cmd.CommandPath(), Problem: errors.New("forget wants one registry, as FILE or FILE@N")}
			}
			t, err := locateVersion(args[0])
			if err != nil {
				return err
			}
			return t.forget(out, asJSON, t.forgetVersions)
		},
	}
	cmd.Flags().StringVar(&id, "quarantined", "", "remove the copy with this `ID` in the quarantine of DIR (.)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

// forget opens the directory for changing it, has something removed, and tells
// what.
func (p place) forget(out streams, asJSON bool, remove func(*backing.Dir) (forgotten, error)) error {
	mounted, err := p.mounted()
	if err != nil {
		return err
	}
	if mounted {
		return &servedError{Dir: p.root}
	}
	dir, err := backing.Open(p.root, backing.Options{
		Opened: func(root int) error { return fs.CheckBare(root, p.root) },
	})
	var came *fs.MountedError
	if errors.As(err, &came) {
		return &servedError{Dir: p.root}
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	gone, err := remove(dir)
	if err != nil {
		return err
	}
	if asJSON {
		return out.printJSON(gone)
	}
	out.talk("%s and %s forgotten", count(len(gone.Versions), "version"), count(len(gone.Quarantine), "copy in quarantine", "copies in quarantine"))
	return nil
}

// forgetVersions removes one version, or all and the copies in quarantine.
func (t target) forgetVersions(dir *backing.Dir) (forgotten, error) {
	gone := forgotten{Registry: t.name}
	kept, err := dir.Versions(t.name)
	if err != nil {
		return gone, err
	}
	if t.seq > 0 {
		if !slices.Contains(kept, t.seq) {
			return gone, &noVersionError{Name: t.name, Seq: t.seq, Kept: kept}
		}
		gone.Versions = []uint64{t.seq}
		return gone, dir.Forget(t.name, t.seq)
	}
	gone.Versions = kept
	if err := dir.Forget(t.name, kept...); err != nil {
		return gone, err
	}
	copies, err := dir.ListQuarantine()
	if err != nil {
		return gone, err
	}
	for _, q := range copies {
		if newCopyRecord(q).Registry != t.name {
			continue
		}
		if err := dir.Discard(q.ID); err != nil {
			return gone, err
		}
		gone.Quarantine = append(gone.Quarantine, q.ID)
	}
	return gone, nil
}

func forgetCopy(dir *backing.Dir, id, root string) (forgotten, error) {
	err := dir.Discard(id)
	if errors.Is(err, iofs.ErrNotExist) {
		err = &noCopyError{ID: id, Dir: root}
	}
	return forgotten{Quarantine: []string{id}}, err
}
