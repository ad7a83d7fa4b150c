package view

import (
	"fmt"
	"strings"
	"time"
)

// The size of a plot, in its own units, and the room for the labels of its axes.
const (
	plotWidth, plotHeight = 600, 150
	plotLeft, plotBottom  = 44, 18
	plotTop               = 8
	plotMinutes           = 60
)

// plot is a drawing of the last hour.
type plot struct {
	Title, Says string // its subject; its content in words, for users that do not see it
	Bars        []bar
	Lines       []polyline
	Grid        []gridLine
	Ticks       []gridTick
	Key         []keyEntry
}

type (
	bar struct {
		X, Y, W, H float64
		Class      string
	}
	polyline struct{ Points, Class string }
	gridLine struct {
		Y     float64
		Label string
	}
	gridTick struct {
		X     float64
		Label string
	}
	keyEntry struct{ Class, Text string }
)

// Width and Height are those of the drawing; Left and Base of its axes.
func (plot) Width() int { return plotWidth }

// Height returns the drawing's.
func (plot) Height() int { return plotHeight }

// Left returns where the vertical axis is.
func (plot) Left() int { return plotLeft }

// Base returns where the horizontal axis is.
func (plot) Base() int { return plotHeight - plotBottom }

// lastHour returns the last hour's minutes, those in which nothing was done as zeros.
func lastHour(past []Minute, now time.Time) []Minute {
	start := now.Truncate(time.Minute).Add(-(plotMinutes - 1) * time.Minute)
	out := make([]Minute, plotMinutes)
	for i := range out {
		out[i].Start = start.Add(time.Duration(i) * time.Minute)
	}
	for _, m := range past {
		if i := int(m.Start.Truncate(time.Minute).Sub(start) / time.Minute); i >= 0 && i < plotMinutes && !m.Start.Before(start) {
			out[i] = m
		}
	}
	return out
}

// across returns where the i-th minute begins.
func across(i int) float64 { return plotLeft + float64(plotWidth-plotLeft)*float64(i)/plotMinutes }

// up returns how high a value is where the highest one is top.
func up(v, top float64) float64 { return v / top * (plotHeight - plotBottom - plotTop) }

// axes draws the parts that do not depend on the figures.
func (p *plot) axes(minutes []Minute, top float64, label func(float64) string) {
	for _, share := range []float64{0, 0.5, 1} {
		p.Grid = append(p.Grid, gridLine{plotHeight - plotBottom - up(share*top, top), label(share * top)})
	}
	for i := 0; i < plotMinutes; i += 15 {
		p.Ticks = append(p.Ticks, gridTick{across(i), minutes[i].Start.Local().Format("15:04")})
	}
}

// ceiling returns the least of 1, 2, 5, 10, … that a value does not exceed, in units.
func ceiling(v, unit float64) float64 {
	for step := unit; ; step *= 10 {
		for _, f := range []float64{1, 2, 5} {
			if v <= f*step {
				return f * step
			}
		}
	}
}

// plotWrites draws how many writes ended how, by the minute.
func plotWrites(past []Minute) plot {
	minutes := lastHour(past, time.Now())
	parts := []struct {
		class, text string
		of          func(Minute) uint64
	}{
		{"s-commits", "committed as written", func(m Minute) uint64 { return m.Commits - m.Merged }},
		{"s-merged", "merged", func(m Minute) uint64 { return m.Merged }},
		{"s-conflicts", "conflicts", func(m Minute) uint64 { return m.Conflicts }},
		{"s-refused", "refused", func(m Minute) uint64 { return m.Refused }},
	}
	p := plot{Title: "Writes per minute"}
	top, total := 0.0, make([]uint64, len(parts))
	for _, m := range minutes {
		sum := uint64(0)
		for i, part := range parts {
			sum += part.of(m)
			total[i] += part.of(m)
		}
		top = max(top, float64(sum))
	}
	top = ceiling(top, 2)
	for i, m := range minutes {
		y := float64(plotHeight - plotBottom)
		for _, part := range parts {
			h := up(float64(part.of(m)), top)
			if y -= h; h > 0 {
				p.Bars = append(p.Bars, bar{across(i) + 1, y, across(1) - across(0) - 2, h, part.class})
			}
		}
	}
	var says []string
	for i, part := range parts {
		p.Key = append(p.Key, keyEntry{part.class, part.text})
		says = append(says, fmt.Sprintf("%d %s", total[i], part.text))
	}
	p.Says = "In the last hour: " + strings.Join(says, ", ") + "."
	p.axes(minutes, top, func(v float64) string { return fmt.Sprint(v) })
	return p
}

// plotTimes draws how long it took to put commits on disk.
func plotTimes(past []Minute) plot {
	minutes := lastHour(past, time.Now())
	p := plot{Title: "Time until a commit is on disk", Key: []keyEntry{{"l-median", "half within"}, {"l-slow", "99 of 100 within"}}}
	var top, median time.Duration
	for _, m := range minutes {
		top, median = max(top, m.Slow, m.Median), max(median, m.Median)
	}
	high := ceiling(top.Seconds(), 0.001)
	for _, line := range []struct {
		class string
		of    func(Minute) time.Duration
	}{{"l-slow", func(m Minute) time.Duration { return m.Slow }}, {"l-median", func(m Minute) time.Duration { return m.Median }}} {
		var points []string
		draw := func() {
			if len(points) == 1 { // a minute alone is a short stroke
				var x, y float64
				_, _ = fmt.Sscanf(points[0], "%f,%f", &x, &y)
				points = append(points, fmt.Sprintf("%.1f,%.1f", x+4, y))
			}
			if len(points) > 0 {
				p.Lines = append(p.Lines, polyline{strings.Join(points, " "), line.class})
			}
			points = nil
		}
		for i, m := range minutes {
			if line.of(m) == 0 {
				draw()
				continue
			}
			points = append(points, fmt.Sprintf("%.1f,%.1f", (across(i)+across(i+1))/2, plotHeight-plotBottom-up(line.of(m).Seconds(), high)))
		}
		draw()
	}
	p.Says = fmt.Sprintf("In the last hour: half of the commits of a minute within %v at most, 99 of 100 within %v.", median, top)
	p.axes(minutes, high, func(v float64) string {
		return time.Duration(v * float64(time.Second)).Round(10 * time.Microsecond).String()
	})
	return p
}
