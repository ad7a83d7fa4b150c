package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// A mutant is one fault. Its number turns it on.
type mutant struct {
	number int
	name   string
}

// A span is text around a node.
type span struct {
	from, to  int // offsets in the file
	open, end string
}

// mutator finds the mutants of a package and rewrites its files.
type mutator struct {
	mutants []mutant
	seen    map[string]int // how often a name was given

	file   string // relative to the module's root
	source []byte
	tokens *token.FileSet
	within string // the function
	spans  []span
}

func newMutator() *mutator { return &mutator{seen: make(map[string]int)} }

// rewrite returns the source of a file with all its mutants in it.
func (m *mutator) rewrite(file string, source []byte) ([]byte, error) {
	m.file, m.source, m.tokens, m.spans = file, source, token.NewFileSet(), nil
	tree, err := parser.ParseFile(m.tokens, file, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, decl := range tree.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil {
			m.within = functionName(fn)
			m.statements(fn.Body)
			m.expressions(fn.Body)
		}
	}
	return m.apply(), nil
}

func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	receiver := fn.Recv.List[0].Type
	for {
		switch t := receiver.(type) {
		case *ast.StarExpr:
			receiver = t.X
		case *ast.IndexExpr:
			receiver = t.X
		case *ast.Ident:
			return t.Name + "." + fn.Name.Name
		default:
			return fn.Name.Name
		}
	}
}

// statements adds the mutants that concern whole statements.
func (m *mutator) statements(body *ast.BlockStmt) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			inverted := m.add("inverted", n.Cond)
			m.add("never", n.Cond)
			m.wrap(n.Cond, fmt.Sprintf("mutantIf(%d, ", inverted), ")")
		case *ast.ForStmt:
			if n.Cond != nil {
				m.wrap(n.Cond, fmt.Sprintf("mutantFalse(%d, ", m.add("never", n.Cond)), ")")
			}
		case *ast.SwitchStmt:
			m.cases(n)
		case *ast.BlockStmt:
			m.drops(n.List)
		case *ast.CaseClause:
			m.drops(n.Body)
		case *ast.CommClause:
			m.drops(n.Body)
		}
		return true
	})
}

// cases has each case of a switch never taken. One with a tag is rewritten to one
// without.
func (m *mutator) cases(s *ast.SwitchStmt) {
	var clauses []*ast.CaseClause
	for _, stmt := range s.Body.List {
		if c := stmt.(*ast.CaseClause); len(c.List) > 0 {
			clauses = append(clauses, c)
		}
	}
	if len(clauses) == 0 || s.Tag != nil && s.Init != nil {
		return
	}
	open, end := "", ")"
	if s.Tag != nil {
		m.wrap(s.Tag, "mutantTag := ", "; ")
		open, end = "mutantTag == (", "))"
	}
	for _, c := range clauses {
		for _, value := range c.List {
			m.wrap(value, fmt.Sprintf("mutantFalse(%d, %s", m.add("never", value), open), end)
		}
	}
}

// drops leaves out single statements of a list.
func (m *mutator) drops(list []ast.Stmt) {
	for _, stmt := range list {
		if !droppable(stmt) {
			continue
		}
		m.wrap(stmt, fmt.Sprintf("if !mutantHere(%d) { ", m.add("dropped", stmt)), " }")
	}
}

func droppable(stmt ast.Stmt) bool {
	switch s := stmt.(type) {
	case *ast.AssignStmt:
		return s.Tok != token.DEFINE
	case *ast.IncDecStmt, *ast.SendStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok == token.CONTINUE || s.Tok == token.BREAK
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		switch f := call.Fun.(type) {
		case *ast.Ident:
			return f.Name != "panic"
		case *ast.SelectorExpr:
			return !strings.HasSuffix(f.Sel.Name, "Lock") && !strings.HasSuffix(f.Sel.Name, "Unlock")
		}
		return true
	}
	return false
}

// expressions adds the mutants that concern parts of expressions.
func (m *mutator) expressions(body *ast.BlockStmt) {
	condition := make(map[ast.Expr]bool) // mutated as a whole already
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.DeclStmt:
			decl, ok := n.Decl.(*ast.GenDecl)
			return !ok || decl.Tok != token.CONST
		case *ast.IfStmt:
			condition[n.Cond] = true
		case *ast.ForStmt:
			condition[n.Cond] = true
		case *ast.SwitchStmt:
			for _, clause := range n.Body.List {
				for _, value := range clause.(*ast.CaseClause).List {
					condition[value] = n.Tag == nil
				}
			}
		case *ast.BinaryExpr:
			m.binary(n, condition)
		}
		return true
	})
}

func (m *mutator) binary(n *ast.BinaryExpr, condition map[ast.Expr]bool) {
	switch n.Op {
	case token.LAND, token.LOR:
		constant := map[token.Token]string{token.LAND: "mutantTrue", token.LOR: "mutantFalse"}[n.Op]
		for _, operand := range []ast.Expr{n.X, n.Y} {
			condition[operand] = true
			m.wrap(operand, fmt.Sprintf("%s(%d, ", constant, m.add("without", operand)), ")")
		}
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		if !condition[n] {
			m.wrap(n, fmt.Sprintf("mutantNot(%d, ", m.add("inverted", n)), ")")
		}
	}
}

// add adds a mutant and returns its number; the first one is 1.
func (m *mutator) add(kind string, n ast.Node) int {
	text := strings.Join(strings.Fields(string(m.source[m.offset(n.Pos()):m.offset(n.End())])), " ")
	name := fmt.Sprintf("%s %s: %s: %s", filepath.ToSlash(m.file), m.within, kind, text)
	if m.seen[name]++; m.seen[name] > 1 {
		name += fmt.Sprintf(" #%d", m.seen[name])
	}
	m.mutants = append(m.mutants, mutant{len(m.mutants) + 1, name})
	return len(m.mutants)
}

func (m *mutator) offset(p token.Pos) int { return m.tokens.Position(p).Offset }

// wrap puts text around a node.
func (m *mutator) wrap(n ast.Node, open, end string) {
	m.spans = append(m.spans, span{m.offset(n.Pos()), m.offset(n.End()), open, end})
}

// apply returns the file with all spans in it. They are nested, as nodes are: of those
// that begin at one place the longest comes first, of those that end there the shortest.
func (m *mutator) apply() []byte {
	opening, ending := slices.Clone(m.spans), slices.Clone(m.spans)
	slices.SortStableFunc(opening, func(a, b span) int { return cmp.Or(a.from-b.from, b.to-a.to) })
	slices.Reverse(ending)
	slices.SortStableFunc(ending, func(a, b span) int { return cmp.Or(a.to-b.to, b.from-a.from) })
	var out []byte
	for at := 0; at <= len(m.source); at++ {
		for ; len(ending) > 0 && ending[0].to == at; ending = ending[1:] {
			out = append(out, ending[0].end...)
		}
		for ; len(opening) > 0 && opening[0].from == at; opening = opening[1:] {
			out = append(out, opening[0].open...)
		}
		if at < len(m.source) {
			out = append(out, m.source[at])
		}
	}
	return out
}

// support is the source of the functions that the mutants call.
func support(pkg string, mutants int) []byte {
	return fmt.Appendf(nil, `package %s

import (
	"os"
	"strconv"
	"sync/atomic"
)

var (
	mutantOn, _   = strconv.Atoi(os.Getenv("MUTANT"))
	mutantTrace   = os.Getenv("MUTANT_TRACE")
	mutantReached [%d]atomic.Bool
)

func mutantHere(n int) bool {
	if mutantTrace != "" && !mutantReached[n].Swap(true) {
		f, err := os.OpenFile(mutantTrace, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		f.WriteString(strconv.Itoa(n) + "\n")
		f.Close()
	}
	return n == mutantOn
}

func mutantIf(n int, c bool) bool    { inverted, never := mutantHere(n), mutantHere(n+1); return inverted != c && !never }
func mutantNot(n int, c bool) bool   { return mutantHere(n) != c }
func mutantTrue(n int, c bool) bool  { return mutantHere(n) || c }
func mutantFalse(n int, c bool) bool { return !mutantHere(n) && c }
`, pkg, mutants+1)
}
