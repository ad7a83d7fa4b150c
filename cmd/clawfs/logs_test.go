package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestLoggerFormats(t *testing.T) {
	cases := []struct {
		name, format string
		journal      bool
		want         string
	}{
		{"console", formatConsole, false, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\S+ WARN said \{"to": "you"\}\n$`},
		{"journal", formatConsole, true, `^WARN said \{"to": "you"\}\n$`},
		{"json", formatJSON, false, `^\{"level":"warn","ts":"[^"]+","msg":"said","to":"you"\}\n$`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			log, err := newLogger(zapcore.AddSync(&b), c.format, "warn", c.journal)
			if err != nil {
				t.Fatal(err)
			}
			log.Info("below the level")
			log.Warn("said", zap.String("to", "you"))
			if !regexp.MustCompile(c.want).Match(b.Bytes()) {
				t.Errorf("got %q, want %s", b.String(), c.want)
			}
			if c.format == formatJSON && !json.Valid(b.Bytes()) {
				t.Error("not JSON")
			}
		})
	}
}

func TestDefaultLogFile(t *testing.T) {
	cases := []struct {
		name string
		uid  int
		env  map[string]string
		want string
	}{
		{"root", 0, map[string]string{"XDG_STATE_HOME": "/s", "HOME": "/root"}, "/var/log/clawfs/home-a-.openclaw.log"},
		{"user", 1000, map[string]string{"HOME": "/home/a"}, "/home/a/.local/state/clawfs/home-a-.openclaw.log"},
		{"state home", 1000, map[string]string{"HOME": "/home/a", "XDG_STATE_HOME": "/s"}, "/s/clawfs/home-a-.openclaw.log"},
		{"relative state home", 1000, map[string]string{"HOME": "/home/a", "XDG_STATE_HOME": "s"}, "/home/a/.local/state/clawfs/home-a-.openclaw.log"},
		{"no home", 1000, nil, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := defaultLogFile("/home/a/.openclaw", c.uid, func(k string) string { return c.env[k] })
			if got != c.want || (err != nil) != (c.want == "") {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// A log is appended to, and nobody but its owner can read it.
func TestOpenLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "down", "log")
	for range 2 {
		f, err := openLog(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("line\n"); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "line\nline\n" {
		t.Errorf("the log holds %q (%v)", text, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v (%v), want 0600", info.Mode(), err)
	}
}
