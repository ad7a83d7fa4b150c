package main

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"path/filepath"

	"github.com/kaptinlin/jsonrepair"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"clawfs/fs"
	"clawfs/fs/mountpoint"
	"clawfs/txn"
	"clawfs/txn/jsondoc"
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
		Long: "restore replaces what a registry holds by one of its versions, or by a copy in quarantine. That is a\n" +
			"commit of its own, which can be undone in the same way, and what another program writes at the same\n" +
			"time is merged with it. It works the same whether the directory is mounted or not.\n\n" +
			"With --repair it proposes a valid document in place of one that is not, and prints it. Nothing is\n" +
			"changed unless --yes says so.",
		Annotations: exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted, exitInUse, exitRefused),
		Example:     "  clawfs restore ~/.openclaw/openclaw.json@3",
		RunE: func(cmd *cobra.Command, args []string) error {
			return restore(cmd, args, o, out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.id, "quarantined", "", "restore the copy with this `ID` in the quarantine of DIR (.)")
	f.BoolVar(&o.repair, "repair", false, "propose a valid document in place of one that is not")
	f.BoolVar(&o.yes, "yes", false, "accept what --repair proposes")
	f.BoolVar(&o.asJSON, "json", false, "print the commit as a JSON object, as log does")
	return cmd
}

// restore puts the selected content in place of what its registry holds.
func restore(cmd *cobra.Command, args []string, o restoreOptions, out streams) error {
	p, s, err := choose(cmd, args, o)
	if err != nil {
		return err
	}
	content := []byte(s.Content)
	if o.repair {
		if content, err = repaired(s, p.path()); err != nil {
			return err
		}
		if !o.yes {
			out.talk("nothing is changed; to take this, add --yes")
			_, err := out.stdout.Write(content)
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(p.path()), 0o700); err != nil {
		return err
	}
	if err := p.put(content, p.write); err != nil {
		return err
	}
	return p.tell("restored", o.asJSON, out)
}

// choose finds the content that is to be restored and where it belongs.
func choose(cmd *cobra.Command, args []string, o restoreOptions) (place, *shown, error) {
	s, err := find(cmd, args, o.id)
	if err != nil {
		return place{}, nil, err
	}
	if o.id != "" {
		p, err := locate(first(args, "."))
		p.name = s.Registry
		if p.name == "" && err == nil {
			err = fmt.Errorf("it is not known which registry %s was meant for", o.id)
		}
		return p, s, err
	}
	t, err := locateVersion(args[0])
	if err == nil && t.seq == 0 && !o.repair {
		err = &usageError{Command: cmd.CommandPath(), Problem: errors.New("restore wants a version, as FILE@N")}
	}
	return t.place, s, err
}

// repaired proposes a document in place of content that is none. The proposal is
// checked as a commit would be.
func repaired(s *shown, path string) ([]byte, error) {
	valid := func(text string) bool {
		_, err := jsondoc.Parse([]byte(text), jsondoc.JSON, jsondoc.Limits{})
		return err == nil
	}
	if valid(s.Content) {
		return nil, fmt.Errorf("%s is a valid document, there is nothing to repair", path)
	}
	text, err := jsonrepair.Repair(s.Content)
	if err != nil || !valid(text) {
		return nil, &failure{Code: exitFailed, Message: "no repair is known for " + path, Hint: "clawfs log " + quote(path)}
	}
	return []byte(text), nil
}

// put makes content what the registry holds: by a commit of its own where nothing is
// mounted, else in the way given. The error is a *refusedError where clawfs refuses it.
func (p place) put(content []byte, through func([]byte) error) error {
	mounted, err := p.mounted()
	if err != nil {
		return err
	}
	if !mounted {
		err = p.commit(content)
		var came *mountpoint.MountedError
		if !errors.As(err, &came) {
			return err
		}
		// A mount has come in between.
	}
	return through(content)
}

// write puts content in place by way of the mount, as any program does.
func (p place) write(content []byte) error {
	// What a process has read is what it is taken to have changed. Without a
	// reading of its own that would be what its relatives have read, which may be
	// anything. So it reads the head: what differs from that is what it wants.
	if _, err := os.ReadFile(p.path()); err != nil && !errors.Is(err, iofs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(p.path(), os.O_WRONLY|os.O_TRUNC|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return p.fill(f, content)
}

// fill writes content to the registry, which was opened through the mount, and closes it.
func (p place) fill(f *os.File, content []byte) error {
	_, err := f.Write(content)
	err = errors.Join(err, f.Close())
	for _, refusal := range []error{unix.EINVAL, unix.EBUSY, unix.EFBIG} {
		if errors.Is(err, refusal) {
			return &refusedError{Path: p.path(), Cause: refusal}
		}
	}
	return err
}

// commit puts content in place where nothing is mounted. The error is a
// *mountpoint.MountedError where something is.
func (p place) commit(content []byte) error {
	l, err := newMountOptions().live(p.root)
	if err != nil {
		return err
	}
	o := l.now.Load().options
	dir, err := openBacking(p.root, o, zap.NewNop())
	if err != nil {
		return err
	}
	defer dir.Close()
	if !l.now.Load().patterns.Registry(p.name) {
		return &fs.NotRegistryError{Path: p.path()}
	}
	store := txn.New(dir, storeConfig(o, l, nil))
	self := txn.Caller{Actor: txn.Actor{PID: os.Getpid(), Start: 1}, Program: "clawfs", UID: uint32(os.Geteuid())}
	tx, err := store.Begin(p.name, self, txn.BeginOptions{Truncate: true, Create: true})
	if err != nil {
		return err
	}
	defer tx.Release()
	tx.Put()
	if _, err = tx.WriteAt(self, content, 0); err == nil {
		err = tx.Flush(self, txn.Death{})
	}
	var invalid *txn.InvalidError
	var large *txn.TooLargeError
	if errors.As(err, &invalid) || errors.As(err, &large) {
		return &refusedError{Path: p.path(), Cause: err}
	}
	return err
}

// tell says what became of the registry; done is the word for it.
func (p place) tell(done string, asJSON bool, out streams) error {
	dir, err := p.look()
	if err != nil {
		return err
	}
	defer dir.Close()
	h, err := readHistory(dir, p.name)
	if err != nil {
		return err
	}
	r := h.head()
	switch {
	case r == nil:
		out.talk("%s is %s", p.path(), done)
	case asJSON:
		r.User = userName(r.UID)
		return out.printJSON(r)
	case r.Outcome == txn.Unchanged.String():
		out.talk("%s holds that already, as version %d", p.path(), r.Seq)
	default:
		out.talk("%s is %s, as version %d", p.path(), done, r.Seq)
	}
	return nil
}
