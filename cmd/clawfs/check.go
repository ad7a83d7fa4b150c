package main

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"clawfs/backing"
	"clawfs/cmd/clawfs/versions"
	"clawfs/txn"
	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// The problems that check finds. Their spelling is part of the promise of --json.
const (
	problemInvalid  = "invalid"           // the registry is no document
	problemMissing  = "missing"           // the registry is gone, and nobody deleted it through clawfs
	problemUnread   = "unreadable"        // it can't be read
	problemRepeated = "repeated-identity" // elements of a list have the same identity, so that it merges badly
	problemVersion  = "damaged-version"   // the content of a version is not the committed one
)

// problem is something that is wrong with a registry, as --json prints it.
type problem struct {
	Registry string `json:"registry"`
	Problem  string `json:"problem"`
	Seq      uint64 `json:"seq,omitempty"`  // the version that is meant; 0: the live file
	Path     string `json:"path,omitempty"` // where in the document, RFC 6901
	Detail   string `json:"detail"`         // for people; holds no value of a document
}

// spoken is the dialect of a registry that is not in strict JSON, as --json prints it.
type spoken struct {
	Registry string `json:"registry"`
	Dialect  string `json:"dialect"` // json5, lines, plain
}

type checkOptions struct {
	deep   bool
	asJSON bool
	mount  *mountOptions // names the registries, and their dialects
}

func newCheckCommand(out streams) *cobra.Command {
	o := checkOptions{mount: newMountOptions()}
	cmd := &cobra.Command{
		Use:   "check [flags] [FILE|DIR]",
		Short: "Look for registries that are invalid, missing or damaged",
		Long: "check reads a registry, or all registries below a directory, and reports what is wrong: invalid\n" +
			"documents, registries that are missing though no program has removed them, lists in which an\n" +
			"identity occurs twice. It names the registries that are not in strict JSON, with their dialect. With\n" +
			"--deep it also reads every version in the history, and compares it with the digest that was recorded\n" +
			"at its commit. It works the same whether the directory is mounted or not.",
		Args:        atMostOne("a file or a directory"),
		Annotations: exitStatus(exitDone, exitFailed, exitUsage, exitProblems, exitNotMounted),
		Example:     "  clawfs check --deep ~/.openclaw",
		RunE: func(_ *cobra.Command, args []string) error {
			return check(first(args, "."), o, out)
		},
	}
	cmd.Flags().BoolVar(&o.deep, "deep", false, "read all versions, too")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print a JSON object a line")
	for _, name := range []string{"registry", "ignore", "json5", "lines", "config"} {
		cmd.Flags().AddFlag(o.mount.flags.Lookup(name))
	}
	cmd.Flags().SortFlags = false
	return cmd
}

// checker looks at the registries of one directory.
type checker struct {
	versions.Place
	dir   *backing.Dir
	live  *reloadable
	deep  bool
	found func(problem) error
	says  func(spoken) error

	registries, versions, problems int
}

// check reports the problems at a place. The error is a *verdict if
// there are any.
func check(path string, o checkOptions, out streams) error {
	p, err := versions.Locate(path)
	if err != nil {
		return err
	}
	l, err := o.mount.live(p.Root)
	if err != nil {
		return err
	}
	dir, err := p.Look()
	if err != nil {
		return err
	}
	defer dir.Close()
	c := &checker{Place: p, dir: dir, live: l, deep: o.deep, found: func(b problem) error {
		if o.asJSON {
			return out.printJSON(b)
		}
		return out.printProblem(b)
	}}
	c.says = func(s spoken) error {
		if o.asJSON {
			return out.printJSON(s)
		}
		return out.printSpoken(s)
	}
	names, err := c.names()
	if err != nil {
		return err
	}
	for i, name := range names {
		out.progress("checking %d of %d registries", i+1, len(names))
		if err := c.registry(name); err != nil {
			return err
		}
	}
	out.endProgress()
	summary := versions.Count(c.registries, "registry", "registries")
	if c.deep {
		summary += " and " + versions.Count(c.versions, "version")
	}
	out.talk("%s checked, %s found", summary, versions.Count(c.problems, "problem"))
	if c.problems > 0 {
		return &verdict{exitProblems}
	}
	return nil
}

// names lists the registries at the place and below it: those that are there and
// those that have a history.
func (c *checker) names() ([]string, error) {
	names := make(map[string]bool)
	err := versions.WalkRegistries(c.Root, c.Path(), c.live.now.Load().patterns, func(name string, err error) error {
		if err == nil {
			names[name] = true
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for name, err := range c.dir.Registries() {
		if err != nil {
			return nil, err
		}
		if c.Holds(name) {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// registry checks one registry. The error is one of printing, or of reading the
// history.
func (c *checker) registry(name string) error {
	c.registries++
	h, content, err := c.read(name)
	switch {
	case h == nil:
	case err == nil && len(content) == 0 && h.Head() == nil: // nobody has filled it yet
	case err == nil:
		err = c.content(name, content, h.Head())
	case !errors.Is(err, iofs.ErrNotExist):
		err = c.report(problem{Registry: name, Problem: problemUnread, Detail: reason(err)})
	case h.Head() != nil:
		err = c.report(problem{Registry: name, Problem: problemMissing, Detail: fmt.Sprintf("last known as version %d", h.Head().Seq)})
	default:
		err = nil // deleted
	}
	if err == nil && c.deep {
		err = c.history(h)
	}
	return err
}

// read reads a registry and its history; the latter is nil where its log can't
// be read. A registry that is not there may have been deleted after the log was
// read: then the log is read again.
func (c *checker) read(name string) (*versions.History, []byte, error) {
	h, err := versions.ReadHistory(c.dir, name)
	if err != nil {
		return nil, nil, err
	}
	content, err := h.Content(0)
	if !errors.Is(err, iofs.ErrNotExist) {
		return h, content, err
	}
	again, readErr := versions.ReadHistory(c.dir, name)
	if readErr != nil {
		return nil, nil, readErr
	}
	return again, nil, err
}

// content checks the content of a registry; last is the record of the head in its log,
// nil where there is none.
func (c *checker) content(name string, content []byte, last *versions.Record) error {
	doc, d, err := c.document(name, content, last)
	if d != txn.Strict {
		if err := c.says(spoken{Registry: name, Dialect: d.String()}); err != nil {
			return err
		}
	}
	if err != nil {
		return c.report(problem{Registry: name, Problem: problemInvalid, Detail: err.Error()})
	}
	for _, w := range merge.Repeats(doc, c.live.Policy(name)) {
		err := c.report(problem{Registry: name, Problem: problemRepeated, Path: w.Path,
			Detail: fmt.Sprintf("%d of %d elements repeat the identity of another", w.Count, w.Of)})
		if err != nil {
			return err
		}
	}
	return nil
}

// document reads the content of a registry in its dialect: that of the configuration, else that
// of its log or its content.
func (c *checker) document(name string, content []byte, last *versions.Record) (*jsondoc.Doc, txn.Dialect, error) {
	d, settled := c.live.Dialect(name)
	if !settled && last != nil {
		d = txn.ParseDialect(last.Dialect)
	}
	known := last != nil && last.Dialect != txn.Plain.String()
	if !settled && d != txn.JSON5 && d != txn.Lines && !known {
		return txn.Told(content)
	}
	doc, err := d.Read(content)
	if err != nil && !settled && d == txn.Strict {
		was := txn.FirstLine(content, last.Digest)
		if was == nil {
			was, _ = c.dir.Version(name, last.Seq)
		}
		if lines := txn.Continued(was, content); lines != nil {
			return lines, txn.Lines, nil
		}
	}
	if err != nil && d == txn.Strict && c.live.included(name, c.load) {
		if five, err := txn.JSON5.Read(content); err == nil {
			return five, txn.JSON5, nil
		}
	}
	return doc, d, err
}

func (c *checker) load(name string) ([]byte, error) {
	b, _, _, err := c.dir.Load(name)
	return b, err
}

// history checks the versions that are kept. One may go, for lack of room, while
// they are read.
func (c *checker) history(h *versions.History) error {
	kept, err := c.dir.Versions(h.Name)
	if err != nil {
		return err
	}
	for _, seq := range kept {
		content, err := c.dir.Version(h.Name, seq)
		detail := ""
		switch r := h.Version(seq); {
		case errors.Is(err, iofs.ErrNotExist):
			continue
		case err != nil:
			detail = reason(err)
		case r != nil && r.Digest != "" && r.Digest != versions.DigestOf(content):
			detail = "its digest is not the one recorded"
		}
		c.versions++
		if detail == "" {
			continue
		}
		if err := c.report(problem{Registry: h.Name, Problem: problemVersion, Seq: seq, Detail: detail}); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) report(p problem) error {
	c.problems++
	return c.found(p)
}

// printSpoken prints a dialect for people.
func (s streams) printSpoken(v spoken) error {
	s.endProgress()
	err := s.printf("%s: %s\n", v.Registry, dialectText(v.Dialect))
	return err
}

// dialectText tells people the meaning of a word for a dialect.
func dialectText(word string) string {
	switch txn.ParseDialect(word) {
	case txn.JSON5:
		return "JSON5"
	case txn.Lines:
		return "JSON lines"
	case txn.Plain:
		return "no document yet, so that anything may replace it; add it to what --ignore names if it is to be none"
	}
	return "JSON"
}

// printProblem prints a problem for people.
func (s streams) printProblem(p problem) error {
	s.endProgress()
	where := p.Registry
	if p.Seq > 0 {
		where = fmt.Sprintf("%s@%d", p.Registry, p.Seq)
	}
	if p.Path != "" {
		where += " at " + p.Path
	}
	err := s.printf("%s: %s, %s\n", where, s.paintOut(red, strings.ReplaceAll(p.Problem, "-", " ")), p.Detail)
	return err
}
