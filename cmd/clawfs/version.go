package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// buildInfo identifies this clawfs. The fields are those of --json.
type buildInfo struct {
	Version  string `json:"version"`            // of the module; "devel" out of a working tree
	Revision string `json:"revision,omitempty"` // of the source, if the build knew it
	Time     string `json:"time,omitempty"`     // of that revision, RFC 3339
	Modified bool   `json:"modified,omitempty"` // whether the source differed from the revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersionCommand(out streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:         "version",
		Short:       "Print the version of clawfs",
		Args:        noArguments,
		Annotations: exitStatus(exitDone, exitUsage),
		Example:     "  clawfs version --json",
		RunE: func(*cobra.Command, []string) error {
			b := build()
			if asJSON {
				return out.printJSON(b)
			}
			fmt.Fprintln(out.stdout, b)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON document")
	return cmd
}

// build reads the facts that the linker left in this program.
func build() buildInfo {
	b := buildInfo{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// String returns one line for people.
func (b buildInfo) String() string {
	s := "clawfs " + b.Version
	if b.Revision != "" {
		s += " (" + b.Revision[:min(12, len(b.Revision))]
		if b.Modified {
			s += ", modified"
		}
		s += ")"
	}
	return s + " " + b.Go + " " + b.Platform
}
