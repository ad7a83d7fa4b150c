package main

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"time"

	"github.com/spf13/cobra"

	"clawfs/backing"
)

// shown is a version, or a copy in quarantine, as show --json prints it.
type shown struct {
	Registry   string    `json:"registry"`
	Seq        uint64    `json:"seq,omitempty"`        // 0: the head, where it is not recorded
	Quarantine string    `json:"quarantine,omitempty"` // id of the copy
	Time       time.Time `json:"time,omitzero"`        // when it was committed, or refused
	Digest     string    `json:"digest"`               // SHA-256
	Size       int       `json:"size"`                 // bytes
	Content    string    `json:"content"`
}

func newShowCommand(out streams) *cobra.Command {
	var asJSON bool
	var id string
	cmd := &cobra.Command{
		Use:   "show [flags] FILE@N | --quarantined ID [DIR]",
		Short: "Print a version of a registry, or a copy in quarantine",
		Long: "show prints a version of a registry byte for byte: FILE@7 is version 7, FILE or FILE@head what the\n" +
			"registry holds now. With --quarantined it prints a copy of what was refused or aborted.",
		Annotations: exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted),
		Example:     "  clawfs show ~/.openclaw/openclaw.json@3",
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := find(cmd, args, id)
			switch {
			case err != nil:
				return err
			case asJSON:
				return out.printJSON(s)
			}
			_, err = fmt.Fprint(out.stdout, s.Content)
			return err
		},
	}
	cmd.Flags().StringVar(&id, "quarantined", "", "print the copy with this `ID` in the quarantine of DIR (.)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

// find reads the version FILE@N that the only argument names, or the copy with
// an id in the quarantine of the directory that it names.
func find(cmd *cobra.Command, args []string, id string) (*shown, error) {
	if id != "" && len(args) <= 1 {
		p, err := locate(first(args, "."))
		if err != nil {
			return nil, err
		}
		return p.findCopy(id)
	}
	if len(args) != 1 {
		return nil, &usageError{Command: cmd.CommandPath(), Problem: fmt.Errorf("%s wants one version, as FILE@N", cmd.Name())}
	}
	t, err := locateVersion(args[0])
	if err != nil {
		return nil, err
	}
	return t.find()
}

// find reads a version. Errors: *noVersionError, or the system's.
func (t target) find() (*shown, error) {
	dir, err := t.look()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	h, err := readHistory(dir, t.name)
	if err != nil {
		return nil, err
	}
	content, err := h.content(t.seq)
	if err != nil {
		return nil, err
	}
	return h.shown(t.seq, content), nil
}

// shown tells what is known of content that is, or was, in the registry.
func (h *history) shown(seq uint64, content []byte) *shown {
	s := &shown{Registry: h.name, Seq: seq, Digest: digestOf(content), Size: len(content), Content: string(content)}
	if seq == 0 {
		s.Seq = h.numberOf(s.Digest)
	}
	if r := h.version(s.Seq); r != nil {
		s.Time = r.Time
	}
	return s
}

// findCopy reads a copy in quarantine.
func (p place) findCopy(id string) (*shown, error) {
	dir, err := p.look()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	content, meta, err := dir.ReadQuarantine(id)
	if errors.Is(err, iofs.ErrNotExist) {
		return nil, &noCopyError{ID: id, Dir: p.root}
	}
	if err != nil {
		return nil, err
	}
	c := newCopyRecord(backing.Quarantined{ID: id, Size: int64(len(content)), Meta: meta})
	return &shown{Registry: c.Registry, Quarantine: id, Time: c.Time, Digest: digestOf(content), Size: len(content), Content: string(content)}, nil
}

// copyRecord is a copy in quarantine as --json shows it: its id and what is known
// of the write that it comes from.
type copyRecord struct {
	ID string `json:"id"`
	record
}

func newCopyRecord(q backing.Quarantined) copyRecord {
	var meta struct {
		Name string `json:"name"`
		record
	}
	c := copyRecord{ID: q.ID}
	if readRecord(q.Meta, &meta, &meta.record) == nil {
		c.record = meta.record
	}
	c.Registry, c.Size, c.Quarantine = meta.Name, q.Size, ""
	return c
}
