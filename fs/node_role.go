package fs

import (
	"fmt"
	"path"
	"strings"
)

// role is the part that a file plays: a registry, a plain file, a name of
// clawfs's own.
type role uint8

const (
	rolePlain    role = iota // passed through to the backing directory
	roleRegistry             // a JSON document under transactions
	roleOwn                  // clawfs's own: .clawfs and the files below it
)

// String returns the name of the role.
func (r role) String() string {
	switch r {
	case roleRegistry:
		return "registry"
	case roleOwn:
		return "own"
	}
	return "plain"
}

// ownName is the directory in the root where clawfs keeps its own files.
const ownName = ".clawfs"

// DefaultRegistry, DefaultIgnore and DefaultJSON5 return the patterns that hold
// where none are given. By default no file is settled to be JSON lines.
func DefaultRegistry() []string { return []string{"*.json"} }

// DefaultIgnore names directories in which tools keep JSON with comments.
func DefaultIgnore() []string { return []string{"node_modules/", ".git/", "workspace*/"} }

// DefaultJSON5 names the files that their programs read as JSON with comments and more:
// those of OpenClaw, TypeScript, VS Code and gemini-cli.
func DefaultJSON5() []string {
	return []string{
		"openclaw.json", "tsconfig.json", "tsconfig.*.json", "jsconfig.json", "devcontainer.json", "settings.json",
		".vscode/*.json",
	}
}

// PatternError says that a pattern is malformed.
type PatternError struct{ Pattern string }

// Error names the pattern.
func (e *PatternError) Error() string { return fmt.Sprintf("malformed pattern %q", e.Pattern) }

// Patterns tell the roles of files by their paths. A path is a registry if a
// registry pattern matches it and no ignore pattern matches it or a directory above
// it. They don't change and may be used concurrently.
type Patterns struct {
	registry, ignore, json5, lines []Pattern

	anyName bool // a registry pattern with a slash: the last component tells nothing
}

// NewPatterns compiles patterns; nil stands for the defaults. The error is a
// *PatternError.
func NewPatterns(registry, ignore, json5, lines []string) (*Patterns, error) {
	c := &Patterns{}
	for _, list := range []struct {
		to       *[]Pattern
		given    []string
		defaults []string
	}{
		{&c.registry, registry, DefaultRegistry()},
		{&c.ignore, ignore, DefaultIgnore()},
		{&c.json5, json5, DefaultJSON5()},
		{&c.lines, lines, nil},
	} {
		if list.given == nil {
			list.given = list.defaults
		}
		for _, glob := range list.given {
			p, err := NewPattern(glob)
			if err != nil {
				return nil, err
			}
			*list.to = append(*list.to, *p)
		}
	}
	for _, p := range c.registry {
		c.anyName = c.anyName || p.whole
	}
	return c, nil
}

// classify returns the role of a regular file by its path below the root, which
// has no leading slash and no "." or ".." in it.
func (c *Patterns) classify(name string) role {
	switch {
	case name == ownName || strings.HasPrefix(name, ownName+"/"):
		return roleOwn
	case !matchAny(c.registry, name, false) || c.ignored(name):
		return rolePlain
	}
	return roleRegistry
}

// Registry reports whether a regular file by this path below the root, which has
// no leading slash and no "." or ".." in it, is a registry.
func (c *Patterns) Registry(name string) bool { return c.classify(name) == roleRegistry }

// Ignores reports whether no file below a directory, by its path below the root, is
// a registry, since the directory or one above it is ignored.
func (c *Patterns) Ignores(dir string) bool {
	return c.ignored(dir) || matchAny(c.ignore, dir, true)
}

// JSON5 reports whether a registry by this path is written in JSON5.
func (c *Patterns) JSON5(name string) bool { return matchAny(c.json5, name, false) }

// Lines reports whether a registry by this path is written in JSON lines.
func (c *Patterns) Lines(name string) bool { return matchAny(c.lines, name, false) }

// mayBeRegistry reports whether a file by this name, without its directory,
// could be a registry. It is asked for each lookup.
func (c *Patterns) mayBeRegistry(base string) bool {
	return c.anyName || matchAny(c.registry, base, false)
}

// ignored reports whether an ignore pattern matches the path or a directory
// above it.
func (c *Patterns) ignored(name string) bool {
	for i := 0; i < len(name); i++ {
		if name[i] == '/' && matchAny(c.ignore, name[:i], true) {
			return true
		}
	}
	return matchAny(c.ignore, name, false)
}

func matchAny(patterns []Pattern, name string, dir bool) bool {
	for i := range patterns {
		if p := &patterns[i]; (dir || !p.dirOnly) && p.Match(name) {
			return true
		}
	}
	return false
}

// Pattern is a compiled glob in the syntax of path.Match. Without a slash it is
// matched against the last component of a path, with one (a leading one included)
// against the whole path below the root. One that ends in a slash is meant for
// directories only.
type Pattern struct {
	glob           string
	prefix, suffix string // around the star, if simple
	simple, star   bool   // a literal with a star in front or behind needs no interpreter
	whole          bool   // matched against the whole path
	dirOnly        bool
}

// NewPattern compiles a glob. The error is a *PatternError.
func NewPattern(glob string) (*Pattern, error) {
	p := &Pattern{whole: strings.Contains(strings.TrimSuffix(glob, "/"), "/")}
	g, dirOnly := strings.CutSuffix(glob, "/")
	g = strings.TrimPrefix(g, "/")
	if _, err := path.Match(g, ""); err != nil || g == "" {
		return nil, &PatternError{Pattern: glob}
	}
	p.glob, p.dirOnly = g, dirOnly
	p.prefix, p.suffix, p.star = strings.Cut(g, "*")
	p.simple = !p.whole && !strings.ContainsAny(p.prefix+p.suffix, `*?[\`)
	return p, nil
}

// Match reports whether the pattern matches a path below the root.
func (p *Pattern) Match(name string) bool {
	if !p.whole {
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	switch {
	case p.simple && !p.star:
		return name == p.glob
	case p.simple:
		return len(name) >= len(p.prefix)+len(p.suffix) && strings.HasPrefix(name, p.prefix) && strings.HasSuffix(name, p.suffix)
	}
	ok, _ := path.Match(p.glob, name) // NewPattern has checked the syntax
	return ok
}
