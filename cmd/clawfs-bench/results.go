package main

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// results are all that a run has found.
type results struct {
	Environment map[string]string `json:"environment"`
	Rows        []row             `json:"rows"`
	works       []work            // those that have rows, in the order of the tables
}

// row is one measured value.
type row struct {
	Work    string  `json:"work"`
	Subject string  `json:"subject"`
	Column  string  `json:"column"` // its last word is the unit
	Round   int     `json:"round"`
	Value   float64 `json:"value"`
}

func (r *results) add(w work, s subject, round int, v values) {
	if !slices.ContainsFunc(r.works, func(known work) bool { return known.name == w.name }) {
		r.works = append(r.works, w)
	}
	for _, column := range w.columns {
		if value, ok := v[column]; ok {
			r.Rows = append(r.Rows, row{w.name, s.name, column, round, value})
		}
	}
}

func (r *results) save(file string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// rounds returns a column's values by round.
func (r *results) rounds(work, subject, column string) map[int]float64 {
	found := make(map[int]float64)
	for _, one := range r.Rows {
		if one.Work == work && one.Subject == subject && one.Column == column {
			found[one.Round] = one.Value
		}
	}
	return found
}

// spread is the median of several rounds, the least and the greatest. It is
// not there if no round was measured.
type spread struct {
	median, least, most float64
	there               bool
}

func spreadOf(list []float64) spread {
	if len(list) == 0 {
		return spread{}
	}
	slices.Sort(list)
	middle := len(list) / 2
	median := list[middle]
	if len(list)%2 == 0 {
		median = (median + list[middle-1]) / 2
	}
	return spread{median, list[0], list[len(list)-1], true}
}

// value is a column over all rounds.
func (r *results) value(work, subject, column string) spread {
	var list []float64
	for _, v := range r.rounds(work, subject, column) {
		list = append(list, v)
	}
	return spreadOf(list)
}

// ratio divides one subject's column by another's, round by round.
func (r *results) ratio(work, column, subject, baseline string) spread {
	base := r.rounds(work, baseline, column)
	var list []float64
	for round, v := range r.rounds(work, subject, column) {
		if b, ok := base[round]; ok && b > 0 {
			list = append(list, v/b)
		}
	}
	return spreadOf(list)
}

// quantile is that of a list of nanoseconds by nearest rank; NaN without any.
func quantile(list []int64, q float64) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(list))
	rank := int(math.Ceil(q*float64(len(sorted)))) - 1
	return float64(sorted[min(max(rank, 0), len(sorted)-1)])
}

// describe tells the machine and the programs of the run.
func describe(ctx context.Context, b *bench) map[string]string {
	var st unix.Statfs_t
	var uname unix.Utsname
	_, _ = unix.Statfs(b.work, &st), unix.Uname(&uname)
	kind := map[int64]string{unix.EXT4_SUPER_MAGIC: "ext4", unix.XFS_SUPER_MAGIC: "xfs", unix.BTRFS_SUPER_MAGIC: "btrfs", unix.TMPFS_MAGIC: "tmpfs"}[int64(st.Type)]
	if kind == "" {
		kind = "another"
	}
	user := "an ordinary user"
	if os.Getuid() == 0 {
		user = "root"
	}
	said := func(name string, args ...string) string {
		out, err := exec.CommandContext(ctx, name, args...).Output()
		if err != nil {
			return "unknown"
		}
		return strings.TrimSpace(string(out))
	}
	load, _ := os.ReadFile("/proc/loadavg")
	about := map[string]string{
		"date": time.Now().UTC().Format(time.DateOnly), "kernel": unix.ByteSliceToString(uname.Release[:]), "cores": said("nproc"),
		"processor": processor(), "disk": kind, "go": runtime.Version(), "node": said("node", "--version"), "user": user,
		"clawfs": said("git", "-C", b.top, "rev-parse", "--short", "HEAD"), "load before": firstWord(string(load)),
	}
	var beside []string
	if b.against != "" {
		beside = append(beside, b.against)
	}
	if b.device {
		beside = append(beside, "device")
	}
	if len(beside) > 0 {
		about["against"] = strings.Join(beside, " and ")
	}
	return about
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	_, rest, _ := strings.Cut(string(text), "model name")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(strings.TrimLeft(line, "\t :"))
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}
