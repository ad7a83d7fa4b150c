package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"clawfs/backing"
	"clawfs/backing/cluster"
	"clawfs/cmd/clawfs/listen"
	"clawfs/fs"
	"clawfs/fs/mountpoint"
	"clawfs/fs/takeover"
)

// mountOptions are the flags of mount.
type mountOptions struct {
	registry, ignore, json5, lines []string

	maxSize      size
	readWindow   span
	durability   durability
	keepVersions number
	keepSize     size
	keepGoneSize size
	keepGoneTime span

	onConflict       choice
	rejectStale      bool
	refuseMassDelete bool
	rules            []registryRule // from the configuration only

	transport  choice
	takeover   bool
	config     string
	allowOther bool
	debugFUSE  bool
	checkStore bool
	without    []string // optimizations that are off, see optimizations

	logLevel  choice
	logFormat choice
	logFile   string

	cluster clusterOptions

	metrics    string // address; empty: none
	foreground bool
	readyFD    int // descriptor on which to report that the mount serves; -1: none
	takeoverFD int // descriptor of the supervisor's socket; -1: there is none
	mostDeaths int // of daemons within a minute

	flags *pflag.FlagSet // they set all of these
}

// Optimizations that can be done without, beside those of packages fs and backing: tests run
// with each of them on and off.
const (
	timerSlackName  = "timer-slack"
	processors      = "processors"       // more than cores
	earlyCollection = "early-collection" // of garbage
	parsedDocuments = "parsed-documents" // kept from commit to commit
	knownParts      = "known-parts"      // of a document, which are not parsed again
	batches         = "batches"          // of commits that come at once
	hugePages       = "huge-pages"       // for large documents
)

func optimizations() []string {
	return slices.Concat(fs.Optimizations(), backing.Optimizations(), []string{timerSlackName, processors, earlyCollection, parsedDocuments, knownParts, batches, hugePages})
}

func (o *mountOptions) doesWithout(optimization string) bool {
	return slices.Contains(o.without, optimization)
}

func newMountCommand(out streams) *cobra.Command {
	o := newMountOptions()
	cmd := &cobra.Command{
		Use:   "mount [flags] DIR",
		Short: "Mount clawfs on a directory, in place",
		Long: "mount makes the JSON files below DIR transactional and returns as soon as the mount serves; the\n" +
			"daemon stays in the background until the directory is unmounted. With --foreground it stays itself,\n" +
			"for a service manager, and tells systemd when it is ready.\n\n" +
			"A pattern without a slash is matched against names at any depth, one with a slash against whole\n" +
			"paths below DIR.",
		Args:        oneDirectory,
		Annotations: exitStatus(exitDone, exitFailed, exitUsage, exitInUse, exitNoFUSE),
		Example:     "  clawfs mount ~/.openclaw",
	}
	cmd.Flags().AddFlagSet(o.flags)
	cmd.Flags().SortFlags = false
	completeChoices(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, name := range o.without {
			if !slices.Contains(optimizations(), name) {
				return fmt.Errorf("there is no optimization %q to do without", name)
			}
		}
		if err := o.makeAbsolute(); err != nil {
			return err
		}
		supervises := o.takeover && o.takeoverFD < 0
		if (o.readyFD >= 0 || o.foreground) && !supervises {
			if !o.doesWithout(earlyCollection) {
				limitGarbage()
			}
			if !o.doesWithout(timerSlackName) {
				allowTimerSlack()
			}
			_ = takeover.NameProcess() // without it, commands have a harder time to find the daemon
		}
		if o.takeoverFD >= 0 {
			return runSupervised(cmd.Context(), args[0], o)
		}
		if o.readyFD >= 0 {
			return runDaemon(cmd.Context(), args[0], o)
		}
		if o.foreground {
			return runForeground(cmd.Context(), args[0], o)
		}
		return startDaemon(args[0], o, out)
	}
	return cmd
}

// newMountOptions returns the defaults, and the flags to change them.
func newMountOptions() *mountOptions {
	o := &mountOptions{
		maxSize:    64 << 20,
		readWindow: span(30 * time.Second),
		// As many as package backing keeps where nobody says anything else.
		keepVersions: 64, keepSize: 64 << 20,
		keepGoneSize: 256 << 20, keepGoneTime: span(90 * 24 * time.Hour),
		onConflict: choice{value: "theirs", allowed: []string{"theirs", "ours", "reject"}},
		transport:  choice{value: fs.DeviceTransport, allowed: fs.Transports()},
		logLevel:   choice{value: "info", allowed: []string{"debug", "info", "warn", "error"}},
		logFormat:  choice{value: formatConsole, allowed: []string{formatConsole, formatJSON}},
		cluster: clusterOptions{
			join:    choice{value: string(cluster.JoinRefuse), allowed: []string{string(cluster.JoinRefuse), string(cluster.JoinMerge), string(cluster.JoinTake), string(cluster.JoinGive)}},
			offline: choice{value: string(cluster.OfflineRefuse), allowed: []string{string(cluster.OfflineRefuse), string(cluster.OfflineAccept)}},
			reads:   choice{value: readsLocal, allowed: []string{readsLocal, readsLatest}},
		},
		readyFD:    -1,
		takeoverFD: -1,
		flags:      pflag.NewFlagSet("mount", pflag.ContinueOnError),
	}
	o.flags.SortFlags = false
	o.register(o.flags)
	return o
}

func (o *mountOptions) register(f *pflag.FlagSet) {
	f.StringArrayVar(&o.registry, "registry", nil, "files that are registries, as a `GLOB`; repeatable (default *.json)")
	f.StringArrayVar(&o.ignore, "ignore", nil, "files and directories that are no registries, as a `GLOB`; repeatable (default node_modules, .git, workspace*)")
	f.StringArrayVar(&o.json5, "json5", nil, "registries in JSON5, as a `GLOB`; repeatable (default openclaw.json, tsconfig.json and others)")
	f.StringArrayVar(&o.lines, "lines", nil, "registries in JSON lines, as a `GLOB`; repeatable")
	f.Var(&o.maxSize, "max-size", "largest registry that is accepted")
	f.Var(&o.readWindow, "read-window", "how long a version that a process has read may serve as the base of its writes")
	f.Var(&o.durability, "durability", "sync each commit before it is acknowledged, or at most once in an interval")
	f.Var(&o.keepVersions, "keep-versions", "older versions in the history of a registry")
	f.Var(&o.keepSize, "keep-size", "disk space for the older versions of a registry; the newest of these is kept in any case")
	f.Var(&o.keepGoneSize, "keep-gone-size", "disk space for the histories of all registries that are gone")
	f.Var(&o.keepGoneTime, "keep-gone-time", "how long the history of a registry that is gone is kept")
	f.Var(&o.onConflict, "on-conflict", "which side wins where two writers changed the same value: the later, the earlier, or neither")
	f.BoolVar(&o.rejectStale, "reject-stale", false, "refuse a write that was not made from the newest version, instead of merging it")
	f.BoolVar(&o.refuseMassDelete, "refuse-mass-delete", false, "refuse a write that drops most of a list that others have changed")
	f.StringVar(&o.cluster.address, "cluster", "", "experimental: share the registries with other hosts, in an order that an etcd keeps, at an `ADDRESS`: etcd://HOST:PORT,.../NAME")
	f.StringVar(&o.cluster.ca, "cluster-ca", "", "`FILE` with the certificates of the authorities that sign for the cluster's members")
	f.StringVar(&o.cluster.cert, "cluster-cert", "", "`FILE` with this host's certificate for the cluster")
	f.StringVar(&o.cluster.key, "cluster-key", "", "`FILE` with the key of that certificate")
	f.StringVar(&o.cluster.secret, "cluster-secret", "", "`FILE` with the secret by which the cluster's values are encrypted, the same on all hosts")
	f.StringVar(&o.cluster.host, "cluster-host", "", "`NAME` of this host in the cluster (default its host name)")
	f.StringArrayVar(&o.cluster.local, "local", nil, "registries of this host alone, as a `GLOB`; repeatable")
	f.Var(&o.cluster.join, "join", "how a registry here joins the cluster's of the same name, if the two have nothing to do with each other")
	f.Var(&o.cluster.offline, "offline", "the treatment of writes while the cluster can't be reached: refused, or made on this host alone and merged later")
	f.Var(&o.cluster.reads, "reads", "the version that a program gets when it opens a registry: the newest of this host, or of the cluster")
	f.Var(&o.transport, "transport", "how the kernel's requests come: by /dev/fuse, by io_uring, or (auto) by io_uring where it can be had")
	f.BoolVar(&o.takeover, "takeover", false, "have another daemon take over when this one dies, instead of leaving a dead mount")
	f.StringVar(&o.config, "config", "", "configuration `FILE` (default /etc/clawfs/config.toml for root, ~/.config/clawfs/config.toml for others)")
	f.BoolVar(&o.allowOther, "allow-other", false, "let other users in, as far as the files' modes allow")
	f.Var(&o.logLevel, "log-level", "least level that is logged")
	f.Var(&o.logFormat, "log-format", "format of log lines")
	f.StringVar(&o.logFile, "log-file", "", "`FILE` to log to (default with --foreground standard error, else /var/log/clawfs/NAME.log for root, ~/.local/state/clawfs/NAME.log for others)")
	f.StringVar(&o.metrics, "metrics", "", "serve Prometheus metrics at an `ADDRESS`: HOST:PORT, or unix:PATH")
	f.BoolVar(&o.foreground, "foreground", false, "stay in the foreground, for a service manager")
	f.BoolVar(&o.debugFUSE, "debug-fuse", false, "log every request of the kernel")
	f.BoolVar(&o.checkStore, "check-store", false, "look for contradictions in memory when the mount ends")
	f.StringSliceVar(&o.without, "without", nil, "`OPTIMIZATIONS` to do without: "+strings.Join(optimizations(), ", "))
	f.IntVar(&o.readyFD, "ready-fd", o.readyFD, "descriptor to report readiness on")
	f.IntVar(&o.takeoverFD, "takeover-fd", o.takeoverFD, "descriptor of a supervisor's socket")
	f.IntVar(&o.mostDeaths, "most-deaths", takeover.DefaultPolicy().Most, "`NUMBER` of daemons that may die within a minute before the mount is given up")
	for _, name := range []string{"debug-fuse", "check-store", "without", "ready-fd", "takeover-fd", "most-deaths"} {
		f.Lookup(name).Hidden = true
	}
}

// flagsGiven returns the flags of the command line, in a form that can be parsed again.
func (o *mountOptions) flagsGiven() []string {
	var args []string
	o.flags.VisitAll(func(f *pflag.Flag) {
		if !f.Changed {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			args = append(args, "--"+f.Name+"="+v)
		}
	})
	return args
}

// makeAbsolute makes the paths among the options independent of the working
// directory, which the daemon gives up.
func (o *mountOptions) makeAbsolute() error {
	if path, ok := strings.CutPrefix(o.metrics, listen.UnixPrefix); ok {
		path, err := filepath.Abs(path)
		if err != nil {
			return fmt.Errorf("cannot tell where %s is: %w", o.metrics, err)
		}
		if err := o.flags.Set("metrics", listen.UnixPrefix+path); err != nil {
			return err
		}
	}
	for _, file := range []*string{&o.logFile, &o.config, &o.cluster.ca, &o.cluster.cert, &o.cluster.key, &o.cluster.secret} {
		if *file == "" {
			continue
		}
		path, err := filepath.Abs(*file)
		if err != nil {
			return fmt.Errorf("cannot tell where %s is: %w", *file, err)
		}
		*file = path
	}
	return nil
}

// checkMountpoint finds the mountpoint that a name stands for, and whether clawfs can be
// mounted there, changing nothing. A dead mount is no obstacle. Errors:
// *mountpoint.MountedError, *mountpoint.MissingError, *mountpoint.NotDirectoryError,
// *mountpoint.NoFUSEError, or the system's.
func checkMountpoint(name string, o *mountOptions) (mountpoint.Point, error) {
	m, err := mountpoint.Find(name)
	switch {
	case err != nil:
		return m, err
	case m.IsDead():
		return m, nil
	case m.IsClawfs():
		return m, &mountpoint.MountedError{Path: m.Dir}
	}
	return m, checkFUSE(m.Dir, o.allowOther)
}

// runForeground serves the mount until it is unmounted or told to end, logging
// to standard error unless a file is given.
func runForeground(ctx context.Context, name string, o *mountOptions) error {
	log := os.Stderr
	if o.logFile != "" {
		f, err := openLog(o.logFile)
		if err != nil {
			return err
		}
		defer f.Close()
		log = f
		if err := keepCrashes(f); err != nil {
			return err
		}
	}
	if o.takeover {
		return superviseForeground(name, o, log)
	}
	logger, err := newLogger(log, o.logFormat.value, o.logLevel.value, o.logFile == "" && underJournal())
	if err != nil {
		return err
	}
	return serve(ctx, name, o, logger, managed())
}
