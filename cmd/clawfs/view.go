package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"clawfs/backing"
	"clawfs/cmd/clawfs/listen"
	"clawfs/cmd/clawfs/versions"
	"clawfs/cmd/clawfs/view"
	"clawfs/fs/mountpoint"
)

// viewMemory is the memory that the page tries to get along with, in bytes.
const viewMemory = 60 << 20

func newViewCommand(out streams) *cobra.Command {
	var open bool
	var address string
	cmd := &cobra.Command{
		Use:   "view [flags] [DIR]",
		Short: "Show changes and histories in a browser",
		Long: "view serves a page on this machine, for this user alone, until it is interrupted: the registries of\n" +
			"a directory with their changes and writers, any two versions side by side, and the content that was\n" +
			"refused. It shows changes as they happen. Without DIR it shows all mounts of the user. It works on a\n" +
			"directory that is not mounted, too.\n\n" +
			"The address that it prints lets in one browser, once. The file that it names on standard error does\n" +
			"so again and again, until view ends.",
		Args:              atMostOne("a directory"),
		ValidArgsFunction: completeMounts,
		Annotations:       exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted),
		Example:           "  clawfs view --open ~/.openclaw",
		RunE: func(cmd *cobra.Command, args []string) error {
			return serveView(cmd.Context(), first(args, ""), address, open, out)
		},
	}
	cmd.Flags().BoolVar(&open, "open", false, "open the page in the user's browser")
	cmd.Flags().StringVar(&address, "listen", "127.0.0.1:0", "serve at this `ADDRESS`: HOST:PORT of this machine, or unix:PATH")
	return cmd
}

// serveView serves the page on a directory, or on all mounts, until a signal comes.
func serveView(ctx context.Context, dir, address string, open bool, out streams) error {
	sources, err := newViewSources(dir)
	if err != nil {
		return err
	}
	if path, ok := strings.CutPrefix(address, listen.UnixPrefix); ok {
		if path, err = filepath.Abs(path); err != nil {
			return err
		}
		address = listen.UnixPrefix + path
	}
	if err := os.Chdir("/"); err != nil { // the mount must not be kept busy
		return err
	}
	debug.SetMemoryLimit(viewMemory)
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return view.Serve(ctx, view.Options{
		Listen: address, Sources: sources, Engine: sources.engine(), Talk: out.talk,
		Ready: func(a view.Address) error {
			fmt.Fprintln(out.stdout, a.URL)
			if a.Socket != "" {
				out.talk("PORT is the one that you forward to %s, as by ssh -L PORT:%s HOST", a.Socket, a.Socket)
			} else {
				out.talk("works once; for another browser open %s", a.File)
			}
			out.talk("Ctrl-C ends it")
			if !open {
				return nil
			}
			return openBrowser(a.File)
		},
	})
}

// openBrowser opens a file in the user's browser. It does not wait for that.
func openBrowser(file string) error {
	cmd := exec.Command("xdg-open", file)
	if err := cmd.Start(); err != nil {
		return &failure{Code: exitFailed, Message: "no browser can be opened: " + err.Error(), Hint: "clawfs view, and open the address that it prints"}
	}
	go func() { _ = cmd.Wait() }()
	return nil
}

// viewSources are the sources of the page's facts.
type viewSources struct {
	root string // the only directory that is shown; "" for all mounts
	also string // … and a directory that need not be mounted; "" for none

	bare sync.Map // where daemons have directories open, by their paths; a mount may be another one by now
}

// newViewSources returns the sources for a directory; "" stands for all mounts, with the
// working directory if there is a history of it. Errors: *versions.NotKeptError, or those of
// mountpoint.Find.
func newViewSources(dir string) (*viewSources, error) {
	if dir != "" {
		root, err := rootOf(dir)
		s := &viewSources{root: root}
		if err == nil {
			err = s.check()
		}
		return s, err
	}
	here, err := rootOf(".")
	if err != nil {
		here = ""
	}
	s := &viewSources{also: here}
	dirs, err := s.Dirs()
	if err == nil && len(dirs) == 0 {
		err = &failure{Code: exitNotMounted, Message: "clawfs is mounted nowhere, and this directory has no history", Hint: "clawfs view DIR"}
	}
	return s, err
}

// check returns early the error that would keep the only directory from being shown. A dead
// mount does not: the page says so.
func (s *viewSources) check() error {
	dirs, err := s.Dirs()
	if err != nil || dirs[0].State == view.Dead {
		return err
	}
	dir, err := s.Look(dirs[0])
	if err != nil {
		return err
	}
	return dir.Close()
}

// rootOf returns the directory with a history that a path is, or lies in.
func rootOf(path string) (string, error) {
	m, err := mountpoint.Find(path)
	if err != nil {
		return "", err
	}
	if m.IsClawfs() {
		return m.Dir, nil
	}
	p, err := versions.Locate(path)
	return p.Root, err
}

// Dirs lists the directories that are shown.
func (s *viewSources) Dirs() ([]view.Dir, error) {
	if s.root != "" {
		m, err := mountpoint.Find(s.root)
		return []view.Dir{viewDir(m)}, err
	}
	mounts, err := mountpoint.All()
	if err != nil {
		return nil, err
	}
	var dirs []view.Dir
	also := s.also
	for _, m := range mounts {
		uid, ok := m.Owner()
		if self := os.Geteuid(); self != 0 && (!ok || uid != self) {
			continue
		}
		dirs = append(dirs, viewDir(m))
		if m.Dir == also {
			also = ""
		}
	}
	if also != "" {
		dirs = append(dirs, view.Dir{Path: also, State: view.Unmounted})
	}
	return dirs, nil
}

func viewDir(m mountpoint.Point) view.Dir {
	d := view.Dir{Path: m.Dir, State: view.Unmounted}
	switch {
	case m.IsDead():
		d.State = view.Dead
	case m.IsClawfs():
		d.State = view.Serving
	}
	return d
}

// Status asks a daemon for its counts.
func (s *viewSources) Status(ctx context.Context, d view.Dir) view.Status {
	m, err := mountpoint.Find(d.Path)
	if err != nil {
		return view.Status{State: view.Silent}
	}
	got := statusOf(ctx, m)
	out := view.Status{
		State: got.State, PID: got.PID, Version: got.Version, Since: got.Since, Memory: got.Memory, Open: got.Open,
		Commits: got.Commits, Merged: got.Merged, Conflicts: got.Conflicts, Refused: got.Rejected + got.Aborted,
	}
	if got.State == stateServing {
		out.Past = pastOf(m)
	}
	return out
}

// pastOf asks a daemon for its last hour; nil where it is too old to know.
func pastOf(m mountpoint.Point) []view.Minute {
	conn, err := ask(m, askPast)
	if err != nil {
		return nil
	}
	defer conn.Close()
	var past []pastMinute
	if conn.SetReadDeadline(time.Now().Add(askPatience)) != nil || json.NewDecoder(conn).Decode(&past) != nil {
		return nil
	}
	out := make([]view.Minute, len(past))
	for i, p := range past {
		out[i] = view.Minute{
			Start: p.Start, Commits: uint64(p.Commits), Merged: uint64(p.Merged), Conflicts: uint64(p.Conflicts), Refused: uint64(p.Refused),
			Median: seconds(p.Median), Slow: seconds(p.P99),
		}
	}
	return out
}

// Watch has a daemon tell of the transactions that end.
func (s *viewSources) Watch(ctx context.Context, d view.Dir, told func(name string)) error {
	m, err := mountpoint.Find(d.Path)
	if err != nil {
		return err
	}
	conn, err := ask(m, askWatch)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	for lines := json.NewDecoder(conn); ; {
		var r versions.Record
		if err := lines.Decode(&r); err != nil {
			return err
		}
		told(r.Registry)
	}
}

// Look opens a directory: where it can, the one behind the mount, since a reading through the mount
// is one of a program that may mean to write.
func (s *viewSources) Look(d view.Dir) (*backing.Dir, error) {
	return versions.Place{Root: s.behind(d)}.Look()
}

// engine returns the engine that commits in the directories, and looks at them as the page does.
func (s *viewSources) engine() *versions.Engine {
	e := newEngine()
	e.Look = func(p versions.Place) (*backing.Dir, error) {
		m, err := mountpoint.Find(p.Root)
		if err != nil {
			return nil, err
		}
		return s.Look(viewDir(m))
	}
	return e
}

// There finds the registries that are there.
func (s *viewSources) There(d view.Dir, found func(name string)) error {
	l, err := newMountOptions().live(d.Path)
	if err != nil {
		return err
	}
	root := s.behind(d)
	return versions.WalkRegistries(root, root, l.now.Load().patterns, func(name string, err error) error {
		if err == nil {
			found(name)
		}
		return nil
	})
}

// behind returns where the directory behind a mount is; the directory itself where nothing is
// mounted, or its daemon is another user's.
func (s *viewSources) behind(d view.Dir) string {
	m, err := mountpoint.Find(d.Path) // the state in d may be an older one
	if err != nil || !m.IsClawfs() {
		return d.Path
	}
	if at, ok := s.bare.Load(d.Path); ok && isBareOf(at.(string), m) {
		return at.(string)
	}
	at, err := bareOf(m)
	if err != nil {
		return d.Path
	}
	s.bare.Store(d.Path, at)
	return at
}
