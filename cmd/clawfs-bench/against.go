package main

import "strings"

// enough is how many times as fast as the revision beside it clawfs must be, at least.
const enough = 0.95

// moreIsBetter reports whether a column's greater value is the better one: it is a speed.
// Else it is a time or a size.
func moreIsBetter(column string) bool {
	return strings.HasSuffix(column, " /s") || strings.HasSuffix(column, " MB/s")
}

// countsFaults reports whether a column counts faults. There are to be none.
func countsFaults(column string) bool { return column == "lost" || column == "errors" }

// gain tells how many times as well as its like at another revision, or by another transport, a subject
// did, by a column, in the median of the rounds.
func (r *results) gain(w work, column string, like subject) spread {
	if moreIsBetter(column) {
		return r.ratio(w.name, column, like.like, like.name)
	}
	return r.ratio(w.name, column, like.name, like.like)
}

// tableAgainst has a row for each subject that another revision, or transport, took part as, with the
// gain by each column: 2 is twice as many, in half the time, or half as large. It has only
// its head if none took part.
func tableAgainst(r *results) [][]string {
	rows := [][]string{{"work", "subject", "against", "by", "times as well", "least … most", ""}}
	for _, w := range r.works {
		for _, s := range w.subjects {
			if s.like == "" {
				continue
			}
			for _, column := range w.columns {
				v := r.gain(w, column, s)
				if countsFaults(column) || !v.there {
					continue
				}
				verdict := ""
				if v.median < enough {
					verdict = "less"
				}
				rows = append(rows, []string{w.name, s.like, s.place.name, column, short(v), span(v), verdict})
			}
		}
	}
	return rows
}
