package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"clawfs/cmd/clawfs/versions"
)

// planOptions are those of the commands that show their changes before they make them.
type planOptions struct {
	head   uint64 // the version that is to be the newest; 0: any
	wins   choice
	yes    bool
	asJSON bool
}

// The words for the winner where a later version has changed the same place.
const (
	winsNobody = "refuse"
	winsLater  = "keep"
	winsUndone = "undo"
)

// planAttempts bounds how often a command begins anew because others have written.
const planAttempts = 10

// addTo adds the flags.
func (o *planOptions) addTo(cmd *cobra.Command) {
	o.wins = choice{value: winsNobody, allowed: []string{winsNobody, winsLater, winsUndone}}
	f := cmd.Flags()
	f.BoolVar(&o.yes, "yes", false, "commit the result that is shown")
	f.Uint64Var(&o.head, "head", 0, "only if version `N`, which was shown, is still the newest")
	f.Var(&o.wins, "on-conflict", "`WHAT` to do where a later version has changed the same place: refuse, keep what is there now, or undo it all the same")
	f.BoolVar(&o.asJSON, "json", false, "print the differences as diff does, and the commit as log does")
	f.SortFlags = false
}

func (o *planOptions) winner() versions.Winner {
	switch o.wins.value {
	case winsLater:
		return versions.Later
	case winsUndone:
		return versions.Undone
	}
	return versions.Nobody
}

func newUndoCommand(out streams) *cobra.Command {
	var o planOptions
	var with versions.UndoOptions
	cmd := &cobra.Command{
		Use:   "undo [flags] FILE[@N]",
		Short: "Undo one change of a registry and leave later ones",
		Long: "undo takes back the changes of version N, and leaves those of later versions. FILE alone is the\n" +
			"newest change: undo brings back a registry that was removed. It shows the result first; nothing is\n" +
			"changed unless --yes says so. It is a commit of its own, which can be undone in turn, and works the\n" +
			"same whether the directory is mounted or not.\n\n" +
			"Where a later version has changed the same place undo refuses, and shows both changes, unless\n" +
			"--on-conflict decides between them. If N is the first version the file goes.",
		Annotations:       exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted, exitInUse, exitRefused),
		Example:           "  clawfs undo ~/.openclaw/openclaw.json@7",
		ValidArgsFunction: completeFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{Command: cmd.CommandPath(), Problem: errors.New("undo wants one registry, as FILE or FILE@N")}
			}
			t, err := locateVersion(args[0])
			if err != nil {
				return err
			}
			with.Wins = o.winner()
			engine := newEngine()
			return carryOut(engine, func() (*versions.Plan, error) { return engine.Undo(t, with) }, &o, out)
		},
	}
	o.addTo(cmd)
	cmd.Flags().StringArrayVar(&with.Paths, "at", nil, "only the change at `PATH`, as diff shows it; repeatable")
	cmd.Flags().Uint64Var(&with.Since, "since", 0, "undo all changes after version `N`, not the last one alone")
	return cmd
}

// carryOut shows the changes of a plan and, if that is wanted, makes them. Where somebody has
// written meanwhile it begins anew: nothing is merged unseen.
func carryOut(engine *versions.Engine, makePlan func() (*versions.Plan, error), o *planOptions, out streams) error {
	var moved *versions.MovedError
	for range planAttempts {
		plan, err := makePlan()
		if err != nil {
			return err
		}
		if o.head != 0 && (plan.Head == nil || plan.Head.Seq != o.head) {
			return &versions.MovedError{Path: plan.Path()}
		}
		if err := out.printPlan(plan, o.asJSON); err != nil {
			return err
		}
		switch {
		case plan.Blocked():
			return blocked(plan)
		case !plan.Changes():
			out.talk("nothing is to be done: %s is so already", plan.Path())
			return nil
		case !o.yes:
			out.talk("nothing is changed; to do this, add %s", confirmation(plan))
			return nil
		}
		err = engine.Commit(plan.Commit())
		if err == nil {
			return tellDone(plan, o.asJSON, out)
		}
		if !errors.As(err, &moved) || o.head != 0 {
			return err
		}
		out.talk("%v; once more:", moved)
	}
	return moved
}

// confirmation returns the flags by which just the shown plan is carried out.
func confirmation(p *versions.Plan) string {
	if p.Head == nil || p.Head.Seq == 0 {
		return "--yes"
	}
	return fmt.Sprintf("--yes --head %d", p.Head.Seq)
}

// blocked is the error where later versions have changed the same places.
func blocked(p *versions.Plan) error {
	if p.Theirs == nil {
		return &failure{
			Code:    exitFailed,
			Message: fmt.Sprintf("%s began with version %d: to undo that is to remove the file, with all that came later", p.Path(), p.Note.Undid),
			Hint:    "clawfs undo --on-conflict undo " + quote(fmt.Sprintf("%s@%d", p.Path(), p.Note.Undid)),
		}
	}
	places := make([]string, 0, len(p.Conflicts))
	for _, c := range p.Conflicts {
		places = append(places, orRoot(c.Path))
	}
	return &failure{
		Code:    exitFailed,
		Message: "later versions have changed the same: " + strings.Join(places, ", "),
		Hint:    "say what is to be there: --on-conflict keep, what is there now; --on-conflict undo, what goes back otherwise",
	}
}

// printPlan shows the changes of a plan.
func (s streams) printPlan(p *versions.Plan, asJSON bool) error {
	if !asJSON && (p.Changes() || p.Blocked()) {
		if err := s.printf("--- %s\n+++ %s\n", planHead(p), planResult(p)); err != nil {
			return err
		}
	}
	for _, d := range p.Differences {
		d.Registry = p.Name
		print := s.printDifference
		if asJSON {
			print = func(d versions.Difference) error { return s.printJSON(d) }
		}
		if err := print(d); err != nil {
			return err
		}
	}
	for _, c := range p.Conflicts {
		if !p.Blocked() {
			break // they are decided, and among the differences
		}
		if err := s.printConflict(c, asJSON); err != nil {
			return err
		}
	}
	if len(p.Differences) > 0 || !p.Changes() || p.Head == nil || p.Result == nil {
		return nil
	}
	s.talk("only spelling, white space or comments differ")
	if asJSON {
		return nil
	}
	return s.printLines(versions.CompareText([]byte(p.Head.Content), []byte(p.Result.Content)))
}

// printLines shows the lines in which two texts differ.
func (s streams) printLines(lines []versions.Line) error {
	colours := map[byte]int{'-': red, '+': green}
	for _, l := range lines {
		if colour, differs := colours[l.Kind]; differs {
			if err := s.printf("%s\n", painted(paint(s.colourOut, colour, string(l.Kind)+" "+harmless(l.Text, '\t')))); err != nil {
				return err
			}
		}
	}
	return nil
}

// printConflict shows a place that a later version has changed, too.
func (s streams) printConflict(c versions.Conflict, asJSON bool) error {
	if asJSON {
		return s.printJSON(c)
	}
	if err := s.printf("%s\n", s.paintOut(yellow, fmt.Sprintf("conflict at %s (%s): - is there now, + is what undoing puts there", orRoot(c.Path), c.Kind))); err != nil {
		return err
	}
	for _, d := range c.Differences {
		if err := s.printDifference(d); err != nil {
			return err
		}
	}
	return nil
}

func planHead(p *versions.Plan) string {
	switch {
	case p.Head == nil:
		return p.Name + " (there is none)"
	case p.Head.Seq == 0:
		return p.Name + "@head"
	}
	return fmt.Sprintf("%s@%d", p.Name, p.Head.Seq)
}

func planResult(p *versions.Plan) string {
	switch {
	case p.Remove:
		return p.Name + " (the file is gone)"
	case p.Note.Resolved > 0:
		return fmt.Sprintf("%s with the conflicts of @%d decided the other way", p.Name, p.Note.Resolved)
	case p.Note.Restored > 0:
		return fmt.Sprintf("%s@%d again", p.Name, p.Note.Restored)
	case p.Note.Since > 0:
		return fmt.Sprintf("%s without @%d to @%d", p.Name, p.Note.Since+1, p.Note.Undid)
	}
	return fmt.Sprintf("%s without @%d", p.Name, p.Note.Undid)
}

// tellDone prints the newest record of the registry.
func tellDone(p *versions.Plan, asJSON bool, out streams) error {
	r, err := p.Last()
	switch {
	case err != nil:
		return err
	case asJSON && r != nil:
		return out.printJSON(r)
	case p.Remove:
		out.talk("version %d is undone: %s is gone", p.Note.Undid, p.Path())
	case r == nil || r.Seq == 0:
		out.talk("it is done") // and somebody has removed the registry since
	case p.Note.Resolved > 0:
		out.talk("conflicts of version %d of %s are decided the other way, as version %d", p.Note.Resolved, p.Path(), r.Seq)
	case p.Note.Undid == 0:
		out.talk("%s is there again, as version %d", p.Path(), r.Seq)
	default:
		out.talk("version %d of %s is undone, as version %d", p.Note.Undid, p.Path(), r.Seq)
	}
	return nil
}
