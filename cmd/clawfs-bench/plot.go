package main

import (
	"errors"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// chart is a plot of lines over two logarithmic axes.
type chart struct {
	title, xTitle, yTitle string
	xs                    []float64 // where the x axis is marked
	xNames                []string
	lines                 []line
}

type line struct {
	name   string
	points [][2]float64
}

// The measures of a plot in pixels; the names of the lines stand at the right.
const (
	plotWidth, plotHeight         = 900.0, 460.0
	plotLeft, plotRight           = 70.0, 330.0
	plotTop, plotBottom           = 40.0, 50.0
	innerWidth                    = plotWidth - plotLeft - plotRight
	innerHeight                   = plotHeight - plotTop - plotBottom
	lineGap               float64 = 15
)

func colour(n int) string {
	colours := []string{"#c0392b", "#e67e22", "#8e44ad", "#2c3e50", "#2980b9", "#27ae60", "#7f8c8d", "#16a085", "#d4ac0d", "#884ea0", "#5d6d7e", "#1a5276"}
	return colours[n%len(colours)]
}

// The places on the x axes of the plots.
var (
	plottedWriters = []int{1, 2, 8, 32}
	plottedSizes   = []int{1 << 10, 100 << 10, 10 << 20}
)

// plottable reports whether the run has done all works that are plotted.
func (r *results) plottable() bool {
	done := func(name string) bool {
		return slices.ContainsFunc(r.works, func(w work) bool { return w.name == name })
	}
	for _, n := range plottedWriters {
		if !done(writersName(n, 1)) {
			return false
		}
	}
	for _, n := range plottedSizes {
		if !done("commit " + bytesOf(n)) {
			return false
		}
	}
	return true
}

// savePlots writes the plots of a run: appends by writers, commits by size.
func savePlots(dir string, r *results) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	appends := chart{title: "Entries added per second to one registry, nobody's lost but the naive writers'", xTitle: "writers at the same time", yTitle: "appends/s"}
	for _, n := range plottedWriters {
		appends.mark(r, writersName(n, 1), "ops /s", float64(n), fmt.Sprint(n))
	}
	commits := chart{title: "Durable commit by one writer (the naive, the jq and the unsynced ones are not)", xTitle: "size of the document", yTitle: "ms"}
	for _, n := range plottedSizes {
		commits.mark(r, "commit "+bytesOf(n), "p50 ms", float64(n), bytesOf(n))
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "appends.svg"), []byte(appends.svg()), 0o644),
		os.WriteFile(filepath.Join(dir, "commits.svg"), []byte(commits.svg()), 0o644))
}

// mark adds the results of a work at a place of the x axis to each line.
func (c *chart) mark(r *results, work, column string, x float64, name string) {
	c.xs, c.xNames = append(c.xs, x), append(c.xNames, name)
	for _, w := range r.works {
		if w.name != work {
			continue
		}
		for _, s := range w.subjects {
			if v := r.value(work, s.name, column); v.there && v.median > 0 {
				c.point(s.name, x, v.median)
			}
		}
	}
}

func (c *chart) point(name string, x, y float64) {
	for i := range c.lines {
		if c.lines[i].name == name {
			c.lines[i].points = append(c.lines[i].points, [2]float64{x, y})
			return
		}
	}
	c.lines = append(c.lines, line{name, [][2]float64{{x, y}}})
}

// bounds are the powers of ten around all points.
func (c *chart) bounds() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, l := range c.lines {
		for _, p := range l.points {
			low, high = min(low, math.Floor(math.Log10(p[1]))), max(high, math.Ceil(math.Log10(p[1])))
		}
	}
	return low, max(high, low+1)
}

func (c *chart) svg() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="sans-serif" font-size="12">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	text(&b, plotLeft, 22, "start", "#000", c.title)
	if len(c.lines) > 0 {
		c.drawAxes(&b)
		c.drawLines(&b)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (c *chart) x(v float64) float64 {
	first, last := math.Log10(c.xs[0]), math.Log10(c.xs[len(c.xs)-1])
	return plotLeft + innerWidth*(math.Log10(v)-first)/(last-first)
}

func (c *chart) y(v float64) float64 {
	low, high := c.bounds()
	return plotTop + innerHeight*(high-math.Log10(v))/(high-low)
}

func (c *chart) drawAxes(b *strings.Builder) {
	for i, v := range c.xs {
		fmt.Fprintf(b, `<path d="M%.1f %g V%g" stroke="#ddd"/>`+"\n", c.x(v), plotTop, plotTop+innerHeight)
		text(b, c.x(v), plotTop+innerHeight+16, "middle", "#444", c.xNames[i])
	}
	low, high := c.bounds()
	for power := low; power <= high; power++ {
		v := math.Pow(10, power)
		fmt.Fprintf(b, `<path d="M%g %.1f H%g" stroke="#ddd"/>`+"\n", plotLeft, c.y(v), plotLeft+innerWidth)
		text(b, plotLeft-6, c.y(v)+4, "end", "#444", fmt.Sprintf("%g", v))
	}
	text(b, plotLeft+innerWidth/2, plotHeight-12, "middle", "#444", c.xTitle)
	text(b, 8, plotTop-6, "start", "#444", c.yTitle)
}

func (c *chart) drawLines(b *strings.Builder) {
	for i, l := range c.lines {
		dash, width := "4 3", 1.5
		if strings.HasPrefix(l.name, "clawfs") {
			dash, width = "none", 2.5
		}
		var path []string
		for _, p := range l.points {
			path = append(path, fmt.Sprintf("%.1f %.1f", c.x(p[0]), c.y(p[1])))
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", c.x(p[0]), c.y(p[1]), colour(i))
		}
		fmt.Fprintf(b, `<path d="M%s" fill="none" stroke="%s" stroke-width="%g" stroke-dasharray="%s"/>`+"\n", strings.Join(path, " L"), colour(i), width, dash)
		at := plotTop + 8 + float64(i)*(lineGap+4)
		fmt.Fprintf(b, `<path d="M%g %g h18" stroke="%s" stroke-width="%g" stroke-dasharray="%s"/>`+"\n", plotLeft+innerWidth+14, at-4, colour(i), width, dash)
		text(b, plotLeft+innerWidth+38, at, "start", "#000", l.name)
	}
}

func text(b *strings.Builder, x, y float64, anchor, fill, s string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`+"\n", x, y, anchor, fill, html.EscapeString(s))
}
