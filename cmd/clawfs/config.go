package main

import (
	"bytes"
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/pflag"

	"clawfs/fs"
	"clawfs/txn/merge"
)

// configFile is the configuration as it is written: a table for each directory.
type configFile struct {
	Directory map[string]configSection `toml:"directory"`
}

// configSection is the section of the file for one directory. The keys are those of mount's flags.
// A key that is not there is left to flags and defaults.
type configSection struct {
	Registry         []string     `toml:"registry"`
	Ignore           []string     `toml:"ignore"`
	JSON5            []string     `toml:"json5"`
	Lines            []string     `toml:"lines"`
	MaxSize          *string      `toml:"max-size"`
	ReadWindow       *string      `toml:"read-window"`
	Durability       *string      `toml:"durability"`
	KeepVersions     *int         `toml:"keep-versions"`
	KeepSize         *string      `toml:"keep-size"`
	KeepGoneSize     *string      `toml:"keep-gone-size"`
	KeepGoneTime     *string      `toml:"keep-gone-time"`
	OnConflict       *string      `toml:"on-conflict"`
	RejectStale      *bool        `toml:"reject-stale"`
	RefuseMassDelete *bool        `toml:"refuse-mass-delete"`
	Transport        *string      `toml:"transport"`
	Cluster          *string      `toml:"cluster"`
	ClusterCA        *string      `toml:"cluster-ca"`
	ClusterCert      *string      `toml:"cluster-cert"`
	ClusterKey       *string      `toml:"cluster-key"`
	ClusterSecret    *string      `toml:"cluster-secret"`
	ClusterHost      *string      `toml:"cluster-host"`
	Local            []string     `toml:"local"`
	Offline          *string      `toml:"offline"`
	Reads            *string      `toml:"reads"`
	Rules            []configRule `toml:"rule"`
}

// configRule says how to merge the values at some paths of some registries.
type configRule struct {
	Registry   string   `toml:"registry"` // a pattern as those of --registry; empty: all
	Path       string   `toml:"path"`     // see merge.Rule
	Identity   []string `toml:"identity"`
	OnConflict string   `toml:"on-conflict"`
	As         string   `toml:"as"`
}

// registryRule is a configRule that has been checked.
type registryRule struct {
	registry *fs.Pattern // nil: all
	rule     merge.Rule
}

// defaultConfigFile returns where the configuration is unless told otherwise.
func defaultConfigFile(uid int, getenv func(string) string) string {
	if uid == 0 {
		return "/etc/clawfs/config.toml"
	}
	dir := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) { // the specification wants relative paths ignored
		dir = filepath.Join(getenv("HOME"), ".config")
	}
	return filepath.Join(dir, "clawfs/config.toml")
}

// configured returns the options of a command line completed by those of a
// directory in the configuration file. Flags that were given have precedence.
// It can be called again when the file has changed. The error is a *configError.
func (o *mountOptions) configured(dir string) (*mountOptions, error) {
	c := newMountOptions()
	if err := c.flags.Parse(o.flagsGiven()); err != nil {
		return nil, err
	}
	return c, c.configure(dir)
}

func (o *mountOptions) configure(dir string) error {
	file := o.config
	if file == "" {
		file = defaultConfigFile(os.Geteuid(), os.Getenv)
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, iofs.ErrNotExist) && o.config == "" {
		return nil
	}
	if err != nil {
		return &configError{Path: file, Problem: "cannot be read: " + reason(err)}
	}
	c, err := parseConfig(file, text)
	if err != nil {
		return err
	}
	for name, section := range c.Directory {
		applies, err := isDirectory(name, dir, os.Getenv("HOME"))
		if err == nil && applies {
			err = section.apply(o)
		}
		if err != nil {
			return &configError{Path: file, Problem: fmt.Sprintf("directory %q: %v", name, err)}
		}
	}
	return nil
}

// reason is the innermost cause of an error of the file system.
func reason(err error) string {
	var e *iofs.PathError
	if errors.As(err, &e) {
		err = e.Err
	}
	return err.Error()
}

// parseConfig reads the text of a configuration file. The error is a
// *configError; that of an unknown key, a wrong type or bad syntax has its line.
func parseConfig(file string, text []byte) (*configFile, error) {
	var c configFile
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&c)
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch {
	case err == nil:
		return &c, nil
	case errors.As(err, &unknown):
		first := unknown.Errors[0]
		line, _ := first.Position()
		return nil, &configError{Path: file, Line: line, Problem: "unknown key " + strings.Join(first.Key(), ".")}
	case errors.As(err, &wrong):
		line, _ := wrong.Position()
		return nil, &configError{Path: file, Line: line, Problem: strings.TrimPrefix(wrong.Error(), "toml: ")}
	}
	return nil, &configError{Path: file, Problem: err.Error()}
}

// isDirectory reports whether the name of a section means a directory. Names are
// compared as they stand: to follow links could lead into other mounts.
func isDirectory(name, dir, home string) (bool, error) {
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		name = filepath.Join(home, rest)
	}
	if !filepath.IsAbs(name) {
		return false, errors.New("must be an absolute path, or one that starts with ~/")
	}
	return filepath.Clean(name) == dir, nil
}

// apply sets the options that the section has and no flag was given for.
func (s *configSection) apply(o *mountOptions) error {
	for name, value := range s.settings() {
		f := o.flags.Lookup(name)
		if value == nil || f.Changed {
			continue
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			if err := list.Replace(value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			continue
		}
		if err := f.Value.Set(value[0]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for i, r := range s.Rules {
		checked, err := r.check()
		if err != nil {
			return fmt.Errorf("rule %d: %w", i+1, err)
		}
		o.rules = append(o.rules, checked)
	}
	return nil
}

// settings returns the values of the section, by the name of the flag.
func (s *configSection) settings() map[string][]string {
	one := func(v *string) []string {
		if v == nil {
			return nil
		}
		return []string{*v}
	}
	truth := func(v *bool) []string {
		if v == nil {
			return nil
		}
		return []string{fmt.Sprint(*v)}
	}
	number := func(v *int) []string {
		if v == nil {
			return nil
		}
		return []string{strconv.Itoa(*v)}
	}
	return map[string][]string{
		"registry":           s.Registry,
		"ignore":             s.Ignore,
		"json5":              s.JSON5,
		"lines":              s.Lines,
		"max-size":           one(s.MaxSize),
		"read-window":        one(s.ReadWindow),
		"durability":         one(s.Durability),
		"keep-versions":      number(s.KeepVersions),
		"keep-size":          one(s.KeepSize),
		"keep-gone-size":     one(s.KeepGoneSize),
		"keep-gone-time":     one(s.KeepGoneTime),
		"on-conflict":        one(s.OnConflict),
		"reject-stale":       truth(s.RejectStale),
		"refuse-mass-delete": truth(s.RefuseMassDelete),
		"transport":          one(s.Transport),
		"cluster":            one(s.Cluster),
		"cluster-ca":         one(s.ClusterCA),
		"cluster-cert":       one(s.ClusterCert),
		"cluster-key":        one(s.ClusterKey),
		"cluster-secret":     one(s.ClusterSecret),
		"cluster-host":       one(s.ClusterHost),
		"local":              s.Local,
		"offline":            one(s.Offline),
		"reads":              one(s.Reads),
	}
}

// check turns the words of a rule into values of fs and merge.
func (r *configRule) check() (registryRule, error) {
	out := registryRule{rule: merge.Rule{Path: r.Path, Identity: r.Identity}}
	var err error
	if r.Registry != "" {
		if out.registry, err = fs.NewPattern(r.Registry); err != nil {
			return out, fmt.Errorf("registry: %w", err)
		}
	}
	if out.rule.OnConflict, err = word("on-conflict", r.OnConflict, merge.TakeTheirs, merge.TakeOurs, merge.Reject); err != nil {
		return out, err
	}
	if out.rule.As, err = word("as", r.As, treatments()...); err != nil {
		return out, err
	}
	var bad *merge.PolicyError
	if err := (&merge.Policy{Rules: []merge.Rule{out.rule}}).Validate(); errors.As(err, &bad) {
		return out, errors.New(bad.Problem)
	}
	return out, nil
}

func treatments() []merge.Treatment {
	return []merge.Treatment{merge.AsValue, merge.AsCounter, merge.AsStamp, merge.AsAtomic, merge.AsSet, merge.AsSequence, merge.AsLog}
}

// word returns the one of some values that is written as text; the zero value
// for no text.
func word[T fmt.Stringer](key, text string, values ...T) (T, error) {
	var none T
	if text == "" {
		return none, nil
	}
	words := make([]string, len(values))
	for i, v := range values {
		if v.String() == text {
			return v, nil
		}
		words[i] = v.String()
	}
	return none, fmt.Errorf("%s must be one of %s", key, strings.Join(words, ", "))
}
