package main

import (
	"sync/atomic"

	"go.uber.org/zap"

	"clawfs/fs"
	"clawfs/txn"
	"clawfs/txn/merge"
)

// reloadable holds the settings that can change while the mount serves: how registries are
// merged, and their dialects.
type reloadable struct {
	dir string // absolute, free of symbolic links
	now atomic.Pointer[settings]
}

// settings are the compiled options about registries. They are immutable.
type settings struct {
	options  *mountOptions
	patterns *fs.Patterns
	all      merge.Policy // of registries that no rule is for
}

// newSettings compiles options. The error is a *fs.PatternError.
func newSettings(o *mountOptions) (*settings, error) {
	patterns, err := fs.NewPatterns(o.registry, o.ignore, o.json5, o.lines)
	if err != nil {
		return nil, err
	}
	onConflict, err := word("on-conflict", o.onConflict.value, merge.TakeTheirs, merge.TakeOurs, merge.Reject)
	if err != nil {
		return nil, err
	}
	return &settings{
		options:  o,
		patterns: patterns,
		all:      merge.Policy{OnConflict: onConflict, RefuseMassDelete: o.refuseMassDelete},
	}, nil
}

// live returns the settings of a directory by the options and the configuration.
func (o *mountOptions) live(dir string) (*reloadable, error) {
	c, err := o.configured(dir)
	if err != nil {
		return nil, err
	}
	s, err := newSettings(c)
	if err != nil {
		return nil, err
	}
	l := &reloadable{dir: dir}
	l.now.Store(s)
	return l, nil
}

// Policy returns how to merge a registry.
func (l *reloadable) Policy(name string) *merge.Policy {
	s := l.now.Load()
	if len(s.options.rules) == 0 {
		return &s.all
	}
	p := s.all
	for _, r := range s.options.rules {
		if r.registry == nil || r.registry.Match(name) {
			p.Rules = append(p.Rules, r.rule)
		}
	}
	return &p
}

// Dialect returns the language of a registry, if options or configuration say it.
func (l *reloadable) Dialect(name string) (d txn.Dialect, settled bool) {
	switch p := l.now.Load().patterns; {
	case p.Lines(name):
		return txn.Lines, true
	case p.JSON5(name):
		return txn.JSON5, true
	}
	return txn.Strict, false
}

// Registry reports whether a file of that name is a registry.
func (l *reloadable) Registry(name string) bool { return l.now.Load().patterns.Registry(name) }

// included reports whether an OpenClaw configuration includes a registry.
func (l *reloadable) included(name string, load func(string) ([]byte, error)) bool {
	return isIncluded(l.dir, name, load)
}

// reload reads the configuration of a directory again. An error in it leaves everything as it
// was.
func (l *reloadable) reload(given *mountOptions, dir string, log *zap.Logger) {
	old := l.now.Load()
	again, err := given.live(dir)
	if err != nil {
		log.Error("configuration not read again", zap.Error(err))
		return
	}
	now := again.now.Load()
	l.now.Store(now)
	log.Info("configuration read again", zap.String("dir", dir))
	if later := old.options.fixedChanges(now.options); len(later) > 0 {
		log.Warn("configuration keys changed that are in force from the next mount on", zap.Strings("keys", later))
	}
}

// fixedChanges names the flags that differ in other options and can't change
// while the mount serves.
func (o *mountOptions) fixedChanges(other *mountOptions) []string {
	var names []string
	for _, name := range []string{"registry", "ignore", "max-size", "read-window", "durability", "keep-versions", "keep-size", "keep-gone-size", "keep-gone-time", "reject-stale", "transport",
		"cluster", "cluster-ca", "cluster-cert", "cluster-key", "cluster-secret", "cluster-host", "local", "offline", "reads"} {
		if o.flags.Lookup(name).Value.String() != other.flags.Lookup(name).Value.String() {
			names = append(names, name)
		}
	}
	return names
}
