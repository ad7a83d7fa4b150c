package commands

import (
	"fmt"
	"math/rand/v2"
)

// The sorts of sequences.
const (
	sortShell    = "shell"     // a person, or a script: nobody else is at work
	sortLone     = "lone"      // one program that lives for the whole sequence, and its children
	sortStranger = "strangers" // a shell, and others that come and go
	sortProgram  = "programs"  // programs that live for several steps, beside a shell
)

var sorts = []string{sortShell, sortLone, sortStranger, sortProgram}

// length is how many steps a sequence has.
const length = 8

// Generate makes the sequence of a seed: the same for the same seed. The sort is
// one of sorts, or "" for the one that the seed chooses.
func Generate(seed int64, sort string) Sequence {
	g := &generator{Rand: rand.New(rand.NewPCG(uint64(seed), 0x636c6177))}
	if chosen := g.weighted([]int{10, 6, 3, 1}); sort == "" {
		sort = sorts[chosen]
	}
	g.each = g.IntN(3) == 0
	q := Sequence{Sort: sort}
	switch sort {
	case sortShell:
		q.AtEnd = g.IntN(8) == 0
		g.shellSteps(&q, nil)
	case sortLone:
		q.AtEnd = g.IntN(8) == 0
		g.loneSteps(&q)
	case sortStranger:
		g.shellSteps(&q, g.strangerStep)
	case sortProgram:
		programs := []string{"py1", "py2"}
		if g.IntN(4) == 0 {
			programs[0] = "node1"
		}
		g.shellSteps(&q, func() Step {
			if g.IntN(4) == 0 {
				return g.strangerStep()
			}
			return g.programStep(g.pick(programs...))
		})
	}
	return q
}

// generator makes steps; the steps made so far decide the next ones that make sense.
type generator struct {
	*rand.Rand
	each         bool // a shell of its own for each command
	git, stashed bool
	tar, backup  bool
	entries      int
}

func (g *generator) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g *generator) weighted(weights []int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := g.IntN(sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// file is the name of a registry: mostly the same one, so that the steps have to
// do with each other.
func (g *generator) file() string {
	return []string{"a.json", "b.json", "state/c.json"}[g.weighted([]int{14, 4, 1})]
}

// id is the name of an entry that nobody has added yet.
func (g *generator) id() string {
	g.entries++
	return fmt.Sprintf("x%d", g.entries)
}

// shellSteps makes steps of a shell, and now and then one of others.
func (g *generator) shellSteps(q *Sequence, other func() Step) {
	q.Steps = append(q.Steps, g.by(byShell, g.put("a.json")))
	if g.IntN(5) == 0 {
		q.Steps = append(q.Steps, g.by(byShell, Step{Class: classPut, Text: `mkdir -p state; cp "$K/default.json" state/c.json`}))
	}
	for len(q.Steps) < length {
		switch {
		case other != nil && g.IntN(3) == 0:
			q.Steps = append(q.Steps, other())
		case g.IntN(40) == 0:
			q.Steps = append(q.Steps, Step{Who: byDaemon, Class: classRestart, Text: "again"})
		default:
			q.Steps = append(q.Steps, g.by(g.who(), g.command()))
		}
	}
}

// who is one shell for all commands, or one for each. They are not mixed: the commands
// of the shell do not know the writes of a sibling of it.
func (g *generator) who() string {
	if g.each {
		return byOwn
	}
	return byShell
}

func (g *generator) by(who string, s Step) Step {
	s.Who = who
	return s
}

// strangerStep is a step of others in between: add, change, or only look.
func (g *generator) strangerStep() Step {
	f := g.file()
	switch g.IntN(6) {
	case 0:
		return g.by(byStranger, g.look(f))
	case 1:
		return g.by(byStranger, Step{Class: classEdit, Text: jqMove(f, fmt.Sprintf(`.entries += [{"id":"%s"}]`, g.id()))})
	case 2:
		return g.by(byStranger, g.edit(f))
	}
	return g.by(byStranger, Step{Class: classEdit, Text: python("load "+f, "add "+g.id(), "save "+f+" "+g.pick("inplace", "rename", "rplus"))})
}

// programStep is a line for a program that lives for several steps.
func (g *generator) programStep(who string) Step {
	f := g.file()
	switch g.IntN(6) {
	case 0:
		return Step{Who: who, Class: classMemory, Text: "peek " + f}
	case 1:
		return Step{Who: who, Class: classMemory, Text: "load " + f}
	case 2:
		return Step{Who: who, Class: classMemory, Text: g.change() + "; save " + f + " " + g.way()}
	}
	return Step{Who: who, Class: classMemory, Text: "load " + f + "; " + g.change() + "; save " + f + " " + g.way()}
}

func (g *generator) way() string {
	return []string{"inplace", "rename", "rplus", "unlink", "backup"}[g.weighted([]int{6, 5, 2, 2, 1})]
}

// change is an operation of edit.py on its memory.
func (g *generator) change() string {
	switch g.IntN(12) {
	case 0, 1:
		return "add " + g.id()
	case 2:
		return "drop " + g.pick("e0", "e1", "x1", "x2")
	case 3:
		return "pop"
	case 4, 5:
		return "mark " + g.pick("j1", "j2") + " " + g.pick("running", "ready")
	case 6:
		return "unmark " + g.pick("j1", "j2")
	case 7, 8:
		return "done " + g.pick("j1", "j2")
	case 9:
		return g.pick("set debug true", "set debug false")
	case 10:
		return "set port " + g.pick("80", "85")
	}
	return g.pick("bump", "clear", `set welcome "hi"`, "unset welcome", "unset port")
}

// loneSteps makes steps of one program that does everything itself.
func (g *generator) loneSteps(q *Sequence) {
	who := []string{"py1", "node1", "async1"}[g.weighted([]int{6, 1, 1})]
	say := func(class, text string) { q.Steps = append(q.Steps, Step{Who: who, Class: class, Text: text}) }
	f, way := "a.json", g.way()
	say(classMemory, "reset; save "+f+" "+way)
	for len(q.Steps) < length {
		if g.IntN(4) == 0 {
			way = g.way()
		}
		if g.IntN(60) == 0 {
			q.Steps = append(q.Steps, Step{Who: byDaemon, Class: classRestart, Text: "again"})
		}
		save := "save " + f + " " + way
		switch g.IntN(20) {
		case 0, 1:
			say(classMemory, "load "+f)
		case 2, 3:
			say(classMemory, "peek "+f)
		case 4, 5, 6:
			say(classMemory, g.change()+"; "+save)
		case 7, 8:
			say(classMemory, "load "+f+"; "+g.change()+"; "+save)
		case 9, 10:
			job := g.pick("j1", "j2")
			say(classMemory, "mark "+job+"; "+save)
			say(classMemory, "done "+job+"; "+save)
		case 11:
			say(classMemory, "peek "+f+"; load "+f+"; "+g.change()+"; "+save)
		case 12:
			say(classOver, "reset; "+save)
		case 13:
			say(classOver, "peek "+f+"; unlink "+f+"; reset; "+save)
		case 14:
			say(classMemory, "keep; "+g.change()+"; "+save)
			say(classMemory, "back; "+save)
		case 15:
			say(classMemory, save)
		case 16:
			say(classMemory, g.pick("exists "+f, "list", "size "+f, "move "+f+" b.json", "move b.json "+f, "copy "+f+" b.json", "copy b.json "+f, "unlink "+f))
		default:
			// Not saved over: the child is another author, whose entry would be merged.
			say(classMemory, "child load "+f+", add "+g.id()+", save "+f+"; load "+f)
			if g.IntN(2) == 0 {
				say(classOver, "reset; "+save)
			} else {
				say(classMemory, g.change()+"; "+save)
			}
		}
	}
	q.Steps = q.Steps[:length]
}
