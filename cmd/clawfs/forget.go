package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	iofs "io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"clawfs/backing"
	"clawfs/cmd/clawfs/versions"
	"clawfs/fs"
	"clawfs/fs/mountpoint"
)

// forgetReport is the output of forget --json about a registry.
type forgetReport struct {
	Registry   string   `json:"registry,omitempty"`
	Versions   []uint64 `json:"versions,omitempty"`   // that are gone
	Quarantine []string `json:"quarantine,omitempty"` // ids of copies that are gone
}

// forgetRequest names the versions and copies to be forgotten in a directory.
type forgetRequest struct {
	What []forgetTarget `json:"what,omitempty"`
	Gone bool           `json:"gone,omitempty"` // only of registries that do not exist any more
	Copy string         `json:"copy,omitempty"` // only this one in quarantine
}

// forgetTarget is a registry; a pattern for some; with Gone also a directory, for all below
// it.
type forgetTarget struct {
	Name string `json:"name"`
	Seq  uint64 `json:"seq,omitempty"` // 0: all
}

// forgetAnswer is the daemon's answer.
type forgetAnswer struct {
	Forgotten []forgetReport           `json:"forgotten,omitempty"`
	NoVersion *versions.NoVersionError `json:"noVersion,omitempty"`
	NoCopy    *versions.NoCopyError    `json:"noCopy,omitempty"`
	Error     string                   `json:"error,omitempty"`
}

func newForgetCommand(out streams) *cobra.Command {
	var asJSON, gone bool
	var id string
	cmd := &cobra.Command{
		Use:   "forget [flags] FILE[@N]… | --gone [DIR]… | --quarantined ID [DIR]",
		Short: "Remove old versions and copies in quarantine for good",
		Long: "forget removes version N of a registry, or all of its versions and all copies of it in quarantine.\n" +
			"The content of the registry stays, and so does the log, which holds no values; of a registry that\n" +
			"does not exist any more the log goes, too. FILE may be a pattern, in quotes, as in 'DIR/tmp-*.json'.\n" +
			"It works while the directory is mounted, and while it is not.",
		Annotations: exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted, exitInUse),
		Example: "  clawfs forget ~/.openclaw/agents/main/agent/auth-profiles.json\n" +
			"  clawfs forget --gone ~/.openclaw",
		RunE: func(cmd *cobra.Command, args []string) error {
			root, q, err := newForgetRequest(id, gone, args)
			var usage *usageError
			if errors.As(err, &usage) {
				usage.Command = cmd.CommandPath()
			}
			if err != nil {
				return err
			}
			done, err := forget(root, q)
			if err != nil {
				return err
			}
			return printForgotten(out, asJSON, done)
		},
	}
	cmd.Flags().StringVar(&id, "quarantined", "", "remove the copy with this `ID` in the quarantine of DIR (.)")
	cmd.Flags().BoolVar(&gone, "gone", false, "only the histories of registries that do not exist any more, of all below DIR (.)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a line, for each registry")
	return cmd
}

// newForgetRequest reads the command line. All that it names must be in one directory.
func newForgetRequest(id string, gone bool, args []string) (root string, q forgetRequest, err error) {
	switch {
	case id != "" && len(args) <= 1 && !gone:
		p, err := versions.Locate(first(args, "."))
		return p.Root, forgetRequest{Copy: id}, err
	case id != "" || len(args) == 0 && !gone:
		return "", q, &usageError{Problem: errors.New("forget wants registries, as FILE or FILE@N")}
	case len(args) == 0:
		args = []string{"."}
	}
	q.Gone = gone
	for _, arg := range args {
		var t versions.Target
		if gone {
			t.Place, err = versions.Locate(arg)
		} else {
			t, err = locateVersion(arg)
		}
		if err != nil {
			return "", q, err
		}
		if root != "" && t.Root != root {
			return "", q, &usageError{Problem: fmt.Errorf("%s and %s are two directories: forget one after the other", root, t.Root)}
		}
		root = t.Root
		q.What = append(q.What, forgetTarget{t.Name, t.Seq})
	}
	return root, q, nil
}

func printForgotten(out streams, asJSON bool, done []forgetReport) error {
	gone, copies := 0, 0
	for _, f := range done {
		gone += len(f.Versions)
		copies += len(f.Quarantine)
		if !asJSON {
			continue
		}
		if err := out.printJSON(f); err != nil {
			return err
		}
	}
	if asJSON {
		return nil
	}
	of := ""
	if len(done) > 1 {
		of = " of " + versions.Count(len(done), "registry", "registries")
	}
	out.talk("%s and %s%s forgotten", versions.Count(gone, "version"), versions.Count(copies, "copy in quarantine", "copies in quarantine"), of)
	return nil
}

// forget has the daemon do it where the directory is mounted.
func forget(root string, q forgetRequest) ([]forgetReport, error) {
	m, err := mountpoint.Find(root)
	switch {
	case err != nil:
		return nil, err
	case m.IsDead():
		return nil, &versions.DeadError{Dir: root}
	case m.IsClawfs():
		return askToForget(m, q)
	}
	dir, err := backing.Open(root, backing.Options{
		Opened: func(fd int) error { return mountpoint.CheckBare(fd, root) },
	})
	var came *mountpoint.MountedError
	if errors.As(err, &came) {
		return forget(root, q)
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return (&forgetter{dir: dir, remove: unserved{dir}, root: root}).forget(q)
}

// askToForget asks the daemon of a mount.
func askToForget(m mountpoint.Point, q forgetRequest) ([]forgetReport, error) {
	text, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	conn, err := ask(m, askForget+" "+string(text))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var a forgetAnswer
	err = json.NewDecoder(conn).Decode(&a)
	switch {
	case errors.Is(err, io.EOF): // an older version does not know the question
		return nil, &servedError{Dir: m.Dir}
	case err != nil:
		return nil, err
	case a.NoVersion != nil:
		return nil, a.NoVersion
	case a.NoCopy != nil:
		return nil, a.NoCopy
	case a.Error != "":
		return nil, errors.New(a.Error)
	}
	return a.Forgotten, nil
}

// answerForget is the daemon's side of askToForget.
func (s *servedDir) answerForget(c *conversation) {
	var q forgetRequest
	var a forgetAnswer
	err := json.Unmarshal([]byte(c.argument), &q)
	if err == nil {
		a.Forgotten, err = (&forgetter{dir: s.dir, remove: s.store, root: s.path}).forget(q)
	}
	if err != nil && !errors.As(err, &a.NoVersion) && !errors.As(err, &a.NoCopy) {
		a.Error = err.Error()
	}
	_ = c.send(a)
}

// remover removes versions of a registry, all where none is named; of one that does not
// exist any more everything, then. It returns the versions that are gone.
type remover interface {
	Forget(name string, seqs ...uint64) ([]uint64, error)
}

// unserved removes where no store is in charge.
type unserved struct{ dir *backing.Dir }

// Forget is remover's.
func (u unserved) Forget(name string, seqs ...uint64) ([]uint64, error) {
	if len(seqs) > 0 {
		return seqs, u.dir.Forget(name, seqs...)
	}
	seqs, err := u.dir.Versions(name)
	if err == nil {
		err = u.dir.Forget(name, seqs...)
	}
	if err == nil {
		_, err = u.dir.Erase(name)
	}
	return seqs, err
}

// forgetter forgets in a directory.
type forgetter struct {
	dir    *backing.Dir
	remove remover
	root   string
}

func (f *forgetter) forget(q forgetRequest) ([]forgetReport, error) {
	if q.Copy != "" {
		err := f.dir.Discard(q.Copy)
		if errors.Is(err, iofs.ErrNotExist) {
			err = &versions.NoCopyError{ID: q.Copy, Dir: f.root}
		}
		return []forgetReport{{Quarantine: []string{q.Copy}}}, err
	}
	copies, err := f.copies()
	if err != nil {
		return nil, err
	}
	var done []forgetReport
	for _, t := range q.What {
		names := []string{t.Name}
		if q.Gone || isPattern(t.Name) {
			if names, err = f.match(t.Name, q.Gone, copies); err != nil {
				return nil, err
			}
		}
		for _, name := range names {
			gone, err := f.forgetOne(name, t.Seq, copies[name])
			if err != nil {
				return nil, err
			}
			done = append(done, gone)
		}
	}
	return done, nil
}

// copies returns the ids of the copies in quarantine, by registry.
func (f *forgetter) copies() (map[string][]string, error) {
	list, err := versions.Place{Root: f.root}.Copies(f.dir)
	if err != nil {
		return nil, err
	}
	ids := make(map[string][]string)
	for _, c := range list {
		ids[c.Registry] = append(ids[c.Registry], c.ID)
	}
	delete(ids, "")
	return ids, nil
}

func isPattern(name string) bool { return strings.ContainsAny(name, `*?[`) }

// match returns the registries that something is kept of and that a pattern matches, or
// that are in a directory; with gone only those that do not exist any more.
func (f *forgetter) match(name string, gone bool, copies map[string][]string) ([]string, error) {
	pattern, err := fs.NewPattern("/" + name)
	if err != nil && name != "" {
		return nil, err
	}
	within := versions.Place{Name: name}
	matches := func(candidate string) bool {
		return gone && within.Holds(candidate) || candidate == name || pattern != nil && pattern.Match(candidate)
	}
	found := make(map[string]bool)
	for candidate, err := range f.dir.Registries() {
		if err != nil {
			return nil, err
		}
		found[candidate] = matches(candidate)
	}
	for candidate := range copies {
		found[candidate] = matches(candidate)
	}
	for candidate, matched := range found {
		stamp, err := "", error(nil)
		if matched && gone {
			stamp, err = f.dir.Stamp(candidate)
		}
		if !matched || stamp != "" || err != nil { // nothing says of the last that it is gone
			delete(found, candidate)
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// forgetOne removes one version of a registry, or all and the copies in quarantine.
func (f *forgetter) forgetOne(name string, seq uint64, copies []string) (forgetReport, error) {
	gone := forgetReport{Registry: name}
	var err error
	if seq > 0 {
		kept, err := f.dir.Versions(name)
		if err != nil {
			return gone, err
		}
		if !slices.Contains(kept, seq) {
			return gone, &versions.NoVersionError{Name: name, Seq: seq, Kept: kept}
		}
		gone.Versions, err = f.remove.Forget(name, seq)
		return gone, err
	}
	if gone.Versions, err = f.remove.Forget(name); err != nil {
		return gone, err
	}
	for _, id := range copies {
		if err := f.dir.Discard(id); err != nil && !errors.Is(err, iofs.ErrNotExist) {
			return gone, err
		}
		gone.Quarantine = append(gone.Quarantine, id)
	}
	return gone, nil
}
