package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/coreos/go-systemd/v22/unit"
	"github.com/spf13/cobra"

	"clawfs/fs/mountpoint"
)

//go:embed units
var unitTemplates embed.FS

type serviceOptions struct {
	system bool
	mount  bool   // a mount unit instead of a service
	before string // the unit that needs the mount
}

// installation holds the files that make systemd serve a directory. The fields are those
// of the templates.
type installation struct {
	Dir      string // absolute, free of symbolic links
	Where    string // Dir as a unit file has it
	Program  string
	System   bool
	Before   string
	WantedBy string
	Unit     string // the unit that is enabled

	files []unitFile
}

// unitFile is a file of systemd's.
type unitFile struct {
	Path, Text string
	shared     bool // by all directories
}

func newServiceCommand(out streams) *cobra.Command {
	var o serviceOptions
	var user bool
	cmd := &cobra.Command{
		Use:   "service",
		Short: "Have systemd mount a directory at every start",
		Long: "service makes systemd mount a directory before the programs that write there start. It is a service\n" +
			"of the user's own, or with --system one of root's, which lets other users in as far as the files'\n" +
			"modes allow. With --mount it is a mount unit, as fstab makes them, which needs the program as\n" +
			"/sbin/mount.fuse.clawfs.",
		Args:        cobra.ArbitraryArgs,
		Annotations: exitStatus(exitDone, exitFailed, exitUsage),
		Example:     "  clawfs service install ~/.openclaw",
		RunE: func(cmd *cobra.Command, args []string) error {
			return &usageError{Command: cmd.CommandPath(), Problem: errors.New("service wants one of install, uninstall, print, and a directory")}
		},
	}
	f := cmd.PersistentFlags()
	f.BoolVar(&user, "user", false, "a service of this user's own (the default)")
	f.BoolVar(&o.system, "system", false, "a service of the system's")
	f.BoolVar(&o.mount, "mount", false, "a mount unit of the system's")
	f.StringVar(&o.before, "before", "openclaw-gateway.service", "`UNIT` that needs the mount")
	for _, c := range []struct {
		name, short, example string
		run                  func(*installation, streams) error
	}{
		{"install", "Write the units and start the mount", "  clawfs service install ~/.openclaw", (*installation).install},
		{"uninstall", "Stop the mount and remove what install has written", "  clawfs service uninstall ~/.openclaw", (*installation).uninstall},
		{"print", "Print what install would write", "  clawfs service print --mount /srv/openclaw", (*installation).print},
	} {
		cmd.AddCommand(&cobra.Command{
			Use: c.name + " [flags] DIR", Short: c.short, Args: oneDirectory, Example: c.example,
			Annotations: exitStatus(exitDone, exitFailed, exitUsage),
			RunE: func(cmd *cobra.Command, args []string) error {
				if user && (o.system || o.mount) {
					return &usageError{Command: cmd.CommandPath(), Problem: errors.New("a service is the user's or the system's, not both")}
				}
				i, err := newInstallation(args[0], o)
				if err != nil {
					return err
				}
				return c.run(i, out)
			},
		})
	}
	return cmd
}

// newInstallation returns the files that are needed to serve a directory.
func newInstallation(name string, o serviceOptions) (*installation, error) {
	m, err := mountpoint.Find(name)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	i := &installation{Dir: m.Dir, Where: strings.ReplaceAll(m.Dir, "%", "%%"), Program: program, System: o.system || o.mount,
		Before: o.before, WantedBy: "default.target", Unit: "clawfs@" + unit.UnitNamePathEscape(m.Dir) + ".service"}
	units := "/etc/systemd/system"
	if i.System {
		i.WantedBy = "multi-user.target"
	} else if units, err = userUnits(os.Getenv); err != nil {
		return nil, err
	}
	if o.mount {
		i.Unit = unit.UnitNamePathEscape(m.Dir) + ".mount"
		err = i.add("clawfs.mount", filepath.Join(units, i.Unit), false)
	} else {
		err = i.add("clawfs@.service", filepath.Join(units, "clawfs@.service"), true)
	}
	if err != nil {
		return nil, err
	}
	dropIn := "clawfs-" + unit.UnitNamePathEscape(m.Dir) + ".conf"
	return i, i.add("requires.conf", filepath.Join(units, o.before+".d", dropIn), false)
}

// userUnits returns where a user keeps units.
func userUnits(getenv func(string) string) (string, error) {
	config := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(config) { // the specification wants relative paths ignored
		home := getenv("HOME")
		if home == "" {
			return "", errors.New("HOME is not set, so there is no place for the units")
		}
		config = filepath.Join(home, ".config")
	}
	return filepath.Join(config, "systemd/user"), nil
}

// add makes one of the files.
func (i *installation) add(name, path string, shared bool) error {
	t, err := template.ParseFS(unitTemplates, "units/"+name)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, i); err != nil {
		return err
	}
	i.files = append(i.files, unitFile{Path: path, Text: text.String(), shared: shared})
	return nil
}

// print shows the files.
func (i *installation) print(out streams) error {
	for n, f := range i.files {
		if n > 0 {
			fmt.Fprintln(out.stdout)
		}
		if err := out.printf("# %s\n%s", f.Path, painted(f.Text)); err != nil {
			return err
		}
	}
	return nil
}

// install writes the files and starts the unit, and says so.
func (i *installation) install(out streams) error {
	for _, f := range i.files {
		if err := os.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(f.Path, []byte(f.Text), 0o644); err != nil {
			return err
		}
		out.talk("wrote %s", f.Path)
	}
	if err := i.systemctl("daemon-reload"); err != nil {
		return err
	}
	if err := i.systemctl("enable", "--now", i.Unit); err != nil {
		return err
	}
	out.talk("%s is mounted now and at every start, by %s", i.Dir, i.Unit)
	return nil
}

// uninstall stops the unit and removes the files, those that other directories
// need aside.
func (i *installation) uninstall(out streams) error {
	if err := i.systemctl("disable", "--now", i.Unit); err != nil {
		return err
	}
	for _, f := range i.files {
		if f.shared && i.shared(f.Path) {
			continue
		}
		if err := os.Remove(f.Path); errors.Is(err, iofs.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		_ = os.Remove(filepath.Dir(f.Path)) // if it is empty now
		out.talk("removed %s", f.Path)
	}
	return i.systemctl("daemon-reload")
}

// shared reports whether the service of another directory is enabled.
func (i *installation) shared(path string) bool {
	others, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.wants", "clawfs@?*.service"))
	return err == nil && len(others) > 0
}

// systemctl has systemd do something. Its own words go into the error.
func (i *installation) systemctl(args ...string) error {
	if !i.System {
		args = append([]string{"--user"}, args...)
	}
	text, err := exec.Command("systemctl", args...).CombinedOutput()
	if err == nil {
		return nil
	}
	why := err.Error()
	if first, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n"); first != "" {
		why = first
	}
	return &failure{Code: exitFailed, Message: "systemctl " + strings.Join(args, " ") + " failed: " + why,
		Hint: "journalctl " + map[bool]string{false: "--user ", true: ""}[i.System] + "--unit " + i.Unit}
}
