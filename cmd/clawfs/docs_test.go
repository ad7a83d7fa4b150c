package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// docs/CLI.md has every command, every flag and every exit code that there is,
// and no flag that there isn't.
func TestCommandLineIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/CLI.md")
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]bool{"json": true, "help": true}
	for _, cmd := range newRootCommand(streams{}).Commands() {
		if cmd.Hidden {
			continue
		}
		checkDocumented(t, string(text), cmd, flags)
	}
	for _, m := range regexp.MustCompile(`--([a-z][a-z-]*)`).FindAllSubmatch(text, -1) {
		if name := string(m[1]); name != "path" && !flags[name] { // --path is systemd-escape's
			t.Errorf("docs/CLI.md has --%s, which no command has", name)
		}
	}
	for _, m := range exported() {
		if !strings.Contains(string(text), "`"+m.name+"`") {
			t.Errorf("docs/CLI.md lacks %s", m.name)
		}
	}
	for _, code := range exitCodes() {
		if row := fmt.Sprintf("| %d | %s |", code, exitMeaning(code)); !strings.Contains(string(text), row) {
			t.Errorf("docs/CLI.md lacks %q", row)
		}
	}
}

func checkDocumented(t *testing.T, text string, cmd *cobra.Command, flags map[string]bool) {
	t.Helper()
	if !strings.Contains(text, "\n## clawfs "+cmd.Name()+" ") {
		t.Errorf("docs/CLI.md lacks a section on %s", cmd.Name())
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		flags[f.Name] = true
		if !f.Hidden && f.Name != "help" && !strings.Contains(text, "`--"+f.Name) && !strings.Contains(text, "[--"+f.Name) {
			t.Errorf("docs/CLI.md lacks --%s of %s", f.Name, cmd.Name())
		}
	})
}

// The sample alerts and the dashboard ask for nothing that is not exported.
func TestMonitoringFilesNameMetrics(t *testing.T) {
	known := map[string]bool{"clawfs_transactions_total": true, "clawfs_batch_seconds_bucket": true, "clawfs_batch_seconds_count": true}
	for _, m := range exported() {
		known[m.name] = true
	}
	for _, file := range []string{"alerts.yml", "dashboard.json"} {
		text, err := os.ReadFile("../../docs/monitoring/" + file)
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`\bclawfs_[a-z_]+`).FindAllString(string(text), -1)
		if len(names) == 0 {
			t.Errorf("%s names no metric", file)
		}
		for _, name := range names {
			if !known[name] {
				t.Errorf("%s has %s, which is not exported", file, name)
			}
		}
		if filepath.Ext(file) == ".json" && !json.Valid(text) {
			t.Errorf("%s is no JSON", file)
		}
	}
}
