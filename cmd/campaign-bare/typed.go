package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"clawfs/cmd/campaign-bare/commands"
	"clawfs/cmd/campaign-bare/exceptions"
)

// newCommands is the sub-command of the tester of commands.
func newCommands(s *settings) *cobra.Command {
	var control bool
	var replay string
	var times int
	o := commands.Options{Out: os.Stdout}
	cmd := &cobra.Command{
		Use:   "commands",
		Short: "Type what people and their scripts type, on a mount and in a bare directory",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Clawfs, err = filepath.Abs(s.clawfs); err != nil {
				return err
			}
			if control {
				o.Clawfs = ""
			}
			o.Count, o.Seed, o.Dir, o.Flags = s.count, s.seed, s.dir, s.mountFlags()
			if o.Exceptions, err = exceptions.Open(s.semantics, exceptions.Commands, commands.Predicates()); err != nil {
				return err
			}
			if replay != "" {
				return replayFile(cmd, o, replay, times)
			}
			report, err := commands.Run(cmd.Context(), o)
			if err != nil {
				return err
			}
			return tell(os.Stdout, report, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Sort, "sort", "", "only sequences of this sort: shell, lone, strangers or programs")
	flags.IntVar(&o.Parallel, "parallel", 2, "mounts at once")
	flags.IntVar(&o.Shrink, "shrink", 40, "how many sequences are tried at most to shrink one that differs")
	flags.BoolVar(&o.Quick, "quick", false, "have python, node and jq done by stand-ins that make the same calls and start faster")
	flags.BoolVar(&control, "control", false, "compare a bare directory with another one: nothing may differ")
	flags.StringVar(&replay, "replay", "", "run the sequences in a `FILE`, - for standard input")
	flags.IntVar(&times, "times", 1, "with --replay: how often each, until it differs")
	return cmd
}

func replayFile(cmd *cobra.Command, o commands.Options, name string, times int) error {
	text, err := readFile(name)
	if err != nil {
		return err
	}
	cases, err := commands.ParseCases(string(text))
	if err != nil {
		return err
	}
	differ := 0
	for _, c := range cases {
		found, err := commands.Replay(cmd.Context(), o, c.Sequence, times)
		if err != nil {
			return err
		}
		if found != nil {
			fmt.Printf("%s: %s\n", found.Kind, found.What)
			differ++
		}
	}
	fmt.Printf("%d of %d sequences differ\n", differ, len(cases))
	if differ > 0 {
		return errDiffers
	}
	return nil
}

func readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(name)
}

// tell prints the findings of a run, kind by kind. The limit on excuses by the table
// is for all sorts of sequences together.
func tell(out io.Writer, r *commands.Report, o commands.Options) error {
	kinds := r.Kinds()
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Fprintf(out, "%6d %s\n", kinds[kind], kind)
	}
	fmt.Fprintf(out, "%d of %d sequences differ, %d steps compared, %.1f sequences a second\n",
		len(r.Findings), r.Sequences, r.Steps, float64(r.Sequences)/max(r.Took, time.Millisecond).Seconds())
	if err := o.Exceptions.Report(out); err != nil && o.Sort == "" {
		return err
	}
	if len(r.Findings) > 0 {
		return errDiffers
	}
	return nil
}
