package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/coreos/go-systemd/v22/unit"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// The formats of log lines.
const (
	formatConsole = "console"
	formatJSON    = "json"
)

// newLogger returns a logger that writes lines from a level on to w. Under the
// journal, which notes the time itself, console lines go without it.
func newLogger(w zapcore.WriteSyncer, format, level string, journal bool) (*zap.Logger, error) {
	least, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, err
	}
	c := zap.NewProductionEncoderConfig()
	c.EncodeTime = zapcore.ISO8601TimeEncoder
	c.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(c)
	if format == formatConsole {
		c.EncodeLevel = zapcore.CapitalLevelEncoder
		c.ConsoleSeparator = " "
		if journal {
			c.TimeKey = zapcore.OmitKey
		}
		encoder = zapcore.NewConsoleEncoder(c)
	}
	return zap.New(zapcore.NewCore(encoder, harmlessLog{w}, least)), nil
}

// harmlessLog writes lines in which the names of files are harmless. Their values are
// written as JSON has them, so that they stay the same.
type harmlessLog struct{ zapcore.WriteSyncer }

// Write writes a line.
func (l harmlessLog) Write(line []byte) (int, error) {
	if _, err := io.WriteString(l.WriteSyncer, harmless(string(line), '\n', '\t')); err != nil {
		return 0, err
	}
	return len(line), nil
}

// underJournal reports whether standard error leads to systemd's journal.
func underJournal() bool { return os.Getenv("JOURNAL_STREAM") != "" }

// defaultLogFile returns where the daemon of a directory logs unless told
// otherwise: below /var/log/clawfs for root, below $XDG_STATE_HOME/clawfs for
// anybody else. The name is the directory's as systemd escapes it.
func defaultLogFile(dir string, uid int, getenv func(string) string) (string, error) {
	name := unit.UnitNamePathEscape(dir) + ".log"
	if uid == 0 {
		return filepath.Join("/var/log/clawfs", name), nil
	}
	state := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) { // the specification wants relative paths ignored
		home := getenv("HOME")
		if home == "" {
			return "", errors.New("HOME is not set, so there is no place for the log")
		}
		state = filepath.Join(home, ".local/state")
	}
	return filepath.Join(state, "clawfs", name), nil
}

// openLog opens a log file for appending and makes the missing directories on the
// way to it. Nobody but the owner can read it: it names files and programs.
func openLog(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the directory of the log: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the log: %w", err)
	}
	return f, nil
}
