package scripts_test

import (
	"bufio"
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The layout of the tree is a promise to its reader (docs/ARCHITECTURE.md):
// imports go one way, and nothing grows past the length that can be read at a
// sitting.
const (
	module           = "clawfs"
	maxFileLines     = 500
	maxFunctionLines = 80
)

// rule lists the packages that those below a path may import: of this module only
// the ones in own (a trailing "/..." takes everything below), of all else none in
// not.
type rule struct {
	pkg      string
	own, not []string
}

// The first rule whose pkg matches decides. A package that none matches is an
// error: a new package needs its place in the picture.
var importRules = []rule{
	{pkg: "txn/jsondoc/...", own: nil, not: system},
	{pkg: "txn/roundtrip", own: []string{"txn/jsondoc"}, not: system},
	{pkg: "txn/merge/...", own: []string{"txn/jsondoc", "txn/roundtrip"}, not: system},
	{pkg: "txn/seen", own: []string{"txn/jsondoc", "txn/merge"}, not: system},
	{pkg: "txn/txntest", own: []string{"txn/..."}, not: adapters},
	{pkg: "txn", own: []string{"txn/jsondoc", "txn/merge", "txn/seen"}, not: system},
	{pkg: "backing/backingtest", own: []string{"backing", "txn/..."}, not: adapters},
	{pkg: "backing/cluster/enginetest", own: []string{"backing/cluster"}, not: adapters},
	{pkg: "backing/cluster/etcd", own: []string{"backing/cluster"}, not: adapters},
	{pkg: "backing/cluster/etcd/etcdtest", own: nil, not: adapters},
	{pkg: "backing/cluster", own: []string{"txn"}, not: append([]string{"go.etcd.io/...", "os"}, adapters...)},
	{pkg: "backing", own: nil, not: adapters},
	{pkg: "fs/process", own: []string{"txn/seen"}, not: adapters},
	{pkg: "fs/mountpoint", own: nil, not: adapters},
	{pkg: "fs/...", own: []string{"fs/...", "txn/..."}},
	{pkg: "cmd/...", own: []string{"fs/...", "txn/...", "backing", "backing/cluster/...", "cmd/..."}, not: []string{"github.com/hanwen/go-fuse/..."}},
}

var (
	adapters = []string{"github.com/hanwen/go-fuse/..."}
	system   = []string{
		"os", "os/...", "syscall", "log", "log/...", "net", "net/...", "unsafe",
		"golang.org/x/sys/...", "github.com/hanwen/go-fuse/...", "go.uber.org/zap/...", "go.uber.org/zap",
	}
)

func TestImportsGoOneWay(t *testing.T) {
	if diff := cmp.Diff([]string(nil), importViolations(importRules, listImports(t))); diff != "" {
		t.Errorf("imports against the layout (+):\n%s", diff)
	}
}

// The check itself is worth nothing unless it can fail.
func TestImportRulesNoticeViolations(t *testing.T) {
	got := importViolations(importRules, map[string][]string{
		"txn":         {"txn/merge", "fmt", "os"},
		"txn/jsondoc": {"golang.org/x/sys/unix"},
		"backing":     {"txn"},
		"fs":          {"txn", "backing", "github.com/hanwen/go-fuse/v2/fs"},
		"fs/process":  {"txn/seen", "txn"},
		"cmd/clawfs":  {"fs", "github.com/hanwen/go-fuse/v2/fuse"},
		"elsewhere":   {"fmt"},
	})
	want := []string{
		"backing imports txn",
		"cmd/clawfs imports github.com/hanwen/go-fuse/v2/fuse",
		"elsewhere has no place in the layout",
		"fs imports backing",
		"fs/process imports txn",
		"txn imports os",
		"txn/jsondoc imports golang.org/x/sys/unix",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// importViolations returns one sentence for each import that the rules don't
// allow, sorted. Packages of this module are named relative to its root.
func importViolations(rules []rule, imports map[string][]string) []string {
	var found []string
	for pkg, list := range imports {
		i := slices.IndexFunc(rules, func(r rule) bool { return covers(r.pkg, pkg) })
		if i < 0 {
			found = append(found, pkg+" has no place in the layout")
			continue
		}
		for _, imp := range list {
			_, own := imports[imp]
			own = own || slices.ContainsFunc(rules, func(r rule) bool { return covers(r.pkg, imp) })
			if coversAny(rules[i].not, imp) || own && !coversAny(rules[i].own, imp) {
				found = append(found, pkg+" imports "+imp)
			}
		}
	}
	slices.Sort(found)
	return found
}

func coversAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return covers(p, pkg) })
}

// covers reports whether a pattern of a rule takes in a package: "a" only a,
// "a/..." a and everything below.
func covers(pattern, pkg string) bool {
	dir, below := strings.CutSuffix(pattern, "/...")
	return pkg == dir || below && strings.HasPrefix(pkg, dir+"/")
}

// listImports asks the go command for the imports of every package of this
// module that is more than tests; the module's own are named relative to its root.
func listImports(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-f", `{{if .GoFiles}}{{.ImportPath}}{{range .Imports}} {{.}}{{end}}{{end}}`, module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	imports := make(map[string][]string)
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		for i, f := range fields {
			fields[i] = strings.TrimPrefix(f, module+"/")
		}
		imports[fields[0]] = fields[1:]
	}
	if len(imports) == 0 {
		t.Fatal("go list found no package")
	}
	return imports
}

func TestNothingOutgrowsItsReader(t *testing.T) {
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, problem := range sizeProblems(t, path, src) {
			t.Error(problem)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSizeLimitsNoticeViolations(t *testing.T) {
	src := "package p\n\nfunc init() {}\n\nfunc long() {\n" + strings.Repeat("\t_ = 0\n", maxFunctionLines) + "}\n" +
		strings.Repeat("//\n", maxFileLines)
	want := []string{
		"p.go: 586 lines, more than 500",
		"p.go:3: init runs before anything can look: not used here",
		"p.go:5: long has 82 lines, more than 80",
	}
	if diff := cmp.Diff(want, sizeProblems(t, "p.go", []byte(src))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// sizeProblems returns a sentence for the file if it is too long, for each
// function that is too long, and for each init function.
func sizeProblems(t *testing.T, path string, src []byte) []string {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var problems []string
	if n := bytes.Count(src, []byte("\n")); n > maxFileLines {
		problems = append(problems, fmt.Sprintf("%s: %d lines, more than %d", path, n, maxFileLines))
	}
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		first, last := files.Position(fn.Pos()).Line, files.Position(fn.End()).Line
		if fn.Name.Name == "init" && fn.Recv == nil {
			problems = append(problems, fmt.Sprintf("%s:%d: init runs before anything can look: not used here", path, first))
		}
		if n := last - first + 1; n > maxFunctionLines {
			problems = append(problems, fmt.Sprintf("%s:%d: %s has %d lines, more than %d", path, first, fn.Name.Name, n, maxFunctionLines))
		}
	}
	return problems
}

// Every package has a comment that says its task and the rules that always hold in it.
func TestPackagesHaveADocComment(t *testing.T) {
	out, err := exec.Command("go", "list", "-e", "-f", `{{if and .GoFiles (not .Doc)}}{{.ImportPath}}{{end}}`, module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	if missing := strings.Fields(string(out)); len(missing) > 0 {
		t.Errorf("packages without a doc comment: %v", missing)
	}
}
