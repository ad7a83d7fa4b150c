package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

var update = flag.Bool("update", false, "write docs/man anew instead of comparing it")

// docs/man holds the manual pages as they are made from the commands. After a
// change of a command: go test ./cmd/clawfs -run TestManualPages -update
func TestManualPages(t *testing.T) {
	const kept = "../../docs/man"
	made := t.TempDir()
	if *update {
		if err := os.RemoveAll(kept); err != nil {
			t.Fatal(err)
		}
		made = kept
	}
	if err := os.MkdirAll(made, 0o755); err != nil {
		t.Fatal(err)
	}
	root := newRootCommand(streams{})
	root.InitDefaultCompletionCmd()
	describeExits(root)
	var noDate time.Time // a page is the same whenever it is made
	if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "clawfs", Manual: "clawfs", Date: &noDate}, made); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(pages(t, kept), pages(t, made)); diff != "" {
		t.Errorf("docs/man is not what the commands say (-kept +made):\n%s", diff)
	}
}

// describeExits puts the exit codes into the descriptions, and leaves out the parts that a
// page must not have: how a shell completes, and when it was made.
func describeExits(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true
	if codes := cmd.Annotations["exit"]; codes != "" {
		cmd.Long += "\n\n# EXIT STATUS\n```\n" + codes + "\n```\n"
	}
	for _, c := range cmd.Commands() {
		describeExits(c)
	}
}

// pages reads the pages in a directory, by name.
func pages(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = string(text)
		if strings.Contains(string(text), "ready-fd") {
			t.Errorf("%s has a hidden flag", f)
		}
	}
	return out
}
