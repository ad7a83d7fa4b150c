package main

import "fmt"

// budget is a promise about speed or size, as DESIGN has them.
type budget struct {
	text    string
	limit   float64
	atLeast bool // else at most
	unit    string
	value   spread
}

func (b budget) verdict() string {
	switch {
	case !b.value.there:
		return "not measured"
	case b.atLeast && b.value.median >= b.limit, !b.atLeast && b.value.median <= b.limit:
		return "met"
	}
	return "NOT met"
}

// budgets are all of them with the numbers of this run. Ratios are medians of
// the rounds' ratios.
func (r *results) budgets() []budget {
	var list []budget
	for _, size := range []int{1 << 10, 100 << 10, 10 << 20} {
		list = append(list, budget{"durable commit in place, " + bytesOf(size) + " ÷ temp, fsync, rename, fsync dir on the bare disk", 1.5, false, "×",
			r.ratio("commit "+bytesOf(size), "p50 ms", oursInPlace, careful)})
	}
	list = append(list,
		budget{"open-read-close of 4 KiB ÷ bare disk", 6, false, "×", r.ratio("open", "each µs", oursAsItIs, bareAsItIs)},
		budget{"open-read-close of 4 KiB ÷ loopback example", 1, false, "×", r.ratio("open", "each µs", oursAsItIs, loopAsItIs)},
	)
	eight := writersName(8, 1)
	list = append(list,
		budget{"8 writers, node: appends/s ÷ proper-lockfile + write-file-atomic", 5, true, "×", r.ratio(eight, "ops /s", oursNode, lockfile)},
		budget{"8 writers, Go: appends/s ÷ proper-lockfile + write-file-atomic", 5, true, "×", r.ratio(eight, "ops /s", oursInPlace, lockfile)},
		budget{"8 writers, Go: appends/s ÷ flock + fsync + rename in Go", 1.5, true, "×", r.ratio(eight, "ops /s", oursInPlace, flockGo)},
		budget{"8 writers: entries lost", 0, false, "", r.value(eight, oursInPlace, "lost")},
		budget{"parser", 300, true, "MB/s", r.value("parse and merge", oursAsItIs, "parse MB/s")},
		budget{"merge of three documents of 10 MB", 300, false, "ms", r.value("parse and merge", oursAsItIs, "merge ms")},
		budget{"peak memory of the daemon with a registry of 100 MB ÷ the document", 6, false, "×", r.value("huge registry", oursInPlace, "peak RSS / document")},
	)
	for _, step := range []string{"write", "read"} {
		list = append(list, budget{"plain file, streaming " + step + " ÷ loopback example", 1.1, false, "×", r.ratio("plain stream", step+" ms", oursAsItIs, loopAsItIs)})
	}
	for _, step := range []string{"create", "stat", "readdir", "rename", "unlink"} {
		list = append(list, budget{"plain files, " + step + " ÷ loopback example", 1, false, "×", r.ratio("plain metadata", step+" ms", oursAsItIs, loopAsItIs)})
	}
	return append(list,
		budget{"idle daemon, RSS", 30, false, "MB", r.value("idle daemon", oursAsItIs, "RSS MB")},
		budget{"idle daemon, wake-ups", 0, false, "", r.value("idle daemon", oursAsItIs, "wake-ups")},
		budget{"mount of a directory with 10,000 registries", 1, false, "s", r.value("many registries", oursInPlace, "mount s")},
	)
}

func (b budget) limits() string {
	sign := "≤"
	if b.atLeast {
		sign = "≥"
	}
	return fmt.Sprintf("%s %g %s", sign, b.limit, b.unit)
}
