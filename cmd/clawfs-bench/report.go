package main

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// render makes the page of a run: Markdown that can be read as it is.
func render(r *results) string {
	var b strings.Builder
	b.WriteString("Measured on")
	for _, key := range slices.Sorted(maps.Keys(r.Environment)) {
		fmt.Fprintf(&b, " %s: %s;", key, r.Environment[key])
	}
	b.WriteString("\n\n### Budgets\n\n")
	rows := [][]string{{"budget", "limit", "measured", "least … most", ""}}
	for _, one := range r.budgets() {
		rows = append(rows, []string{one.text, one.limits(), short(one.value), span(one.value), one.verdict()})
	}
	writeTable(&b, rows)
	if peers := tableOfPeers(r); len(peers[0]) > 1 {
		b.WriteString("\n### All others\n\nMedians of the rounds' ratios, in place by the program's own language. What each promises is said above: the naive one loses entries.\n\n")
		writeTable(&b, peers)
	}
	if against := tableAgainst(r); len(against) > 1 {
		fmt.Fprintf(&b, "\n### Against %s\n\nMedians of the rounds' ratios: 2 is twice as many, in half the time, or half as large. \"less\" is below %g.\n\n", r.Environment["against"], enough)
		writeTable(&b, against)
	}
	for _, w := range r.works {
		fmt.Fprintf(&b, "\n### %s\n\n%s.\n\n", w.name, strings.ToUpper(w.about[:1])+w.about[1:])
		writeTable(&b, tableOf(r, w))
	}
	return b.String()
}

// tableOf has a row for each subject: medians, and how the first column
// relates to the baseline's.
func tableOf(r *results, w work) [][]string {
	head := append([]string{""}, w.columns...)
	if w.baseline != "" {
		head = slices.Insert(head, 2, "least … most", "÷ "+w.baseline)
	}
	rows := [][]string{head}
	for _, s := range w.subjects {
		line := []string{s.name}
		for i, column := range w.columns {
			v := r.value(w.name, s.name, column)
			line = append(line, short(v))
			if i == 0 && w.baseline != "" {
				line = append(line, span(v), short(r.ratio(w.name, column, s.name, w.baseline)))
			}
		}
		rows = append(rows, line)
	}
	return rows
}

func short(s spread) string {
	if !s.there || math.IsNaN(s.median) {
		return "-"
	}
	return digits(s.median)
}

func span(s spread) string {
	if !s.there {
		return "-"
	}
	return digits(s.least) + " … " + digits(s.most)
}

// digits prints three significant digits.
func digits(v float64) string {
	switch size := math.Abs(v); {
	case v == math.Trunc(v) || size >= 100:
		return fmt.Sprintf("%.0f", v)
	case size >= 10:
		return fmt.Sprintf("%.1f", v)
	case size >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// writeTable aligns its columns, the first to the left, the rest to the right.
func writeTable(b *strings.Builder, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	for n, row := range rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				cell += pad
			} else {
				cell = pad + cell
			}
			b.WriteString("| " + cell + " ")
		}
		b.WriteString("|\n")
		if n == 0 {
			for i, width := range widths {
				rule := strings.Repeat("-", width+1) + ":"
				if i == 0 {
					rule = strings.Repeat("-", width+2)
				}
				b.WriteString("|" + rule)
			}
			b.WriteString("|\n")
		}
	}
}

const (
	resultsBegin = "<!-- results: written by scripts/bench --docs -->\n"
	resultsEnd   = "<!-- end of results -->\n"
)

// replaceResults puts a page between the marks in a document.
func replaceResults(file, page string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok1 := strings.Cut(string(text), resultsBegin)
	_, after, ok2 := strings.Cut(rest, resultsEnd)
	if !ok1 || !ok2 {
		return fmt.Errorf("%s has no place for results", file)
	}
	return os.WriteFile(file, []byte(before+resultsBegin+"\n"+page+"\n"+resultsEnd+after), 0o644)
}
