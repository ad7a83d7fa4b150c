package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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

// A name of a file does nothing to a terminal that shows the log, and stays that name.
func TestLogIsHarmless(t *testing.T) {
	const evil = "\x1b[31m\u009b\x7f\u202e"
	for _, format := range []string{formatConsole, formatJSON} {
		var b bytes.Buffer
		log, err := newLogger(zapcore.AddSync(&b), format, "warn", true)
		if err != nil {
			t.Fatal(err)
		}
		log.Warn("said", zap.String("registry", evil))
		line := strings.TrimSuffix(b.String(), "\n")
		if strings.IndexFunc(line, isHarmful) >= 0 {
			t.Errorf("%s: %q", format, line)
		}
		var fields struct{ Registry string }
		if err := json.Unmarshal([]byte(line[strings.IndexByte(line, '{'):]), &fields); err != nil || fields.Registry != evil {
			t.Errorf("%s: it names %q, %v", format, fields.Registry, err)
		}
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
