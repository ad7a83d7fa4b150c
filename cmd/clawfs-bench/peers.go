package main

import "slices"

// contest is a work that others do, too, and the column that tells the faster one.
type contest struct {
	work, column string
	more         bool // more is faster
}

// contests are those of the works that a run may have done.
func contests() []contest {
	var list []contest
	for _, size := range []int{1 << 10, 100 << 10, 10 << 20} {
		list = append(list, contest{"commit " + bytesOf(size), "p50 ms", false})
	}
	for _, files := range []int{1, 100} {
		for _, writers := range []int{1, 2, 8, 32} {
			list = append(list, contest{writersName(writers, files), "ops /s", true})
		}
	}
	return append(list, contest{"session flood", "p50 ms", false}, contest{"large registry", "write ms", false})
}

// others are the subjects that do the same without clawfs, and those of clawfs that are compared
// with them: a program in the same language.
var others = []struct{ name, ours string }{
	{naive, oursInPlace}, {careful, oursInPlace}, {loopCareful, oursInPlace}, {flockGo, oursInPlace},
	{flockJq, oursInPlace}, {bbolt, oursInPlace}, {lockfile, oursNode}, {sqlite, oursNode},
}

// tableOfPeers tells how many times as fast as each of the others clawfs was, in every
// work that both have done.
func tableOfPeers(r *results) [][]string {
	head := []string{"clawfs is … times as fast as"}
	rows := make([][]string, len(others))
	for i, o := range others {
		rows[i] = []string{o.name}
	}
	for _, c := range contests() {
		column := make([]string, len(others))
		for i, o := range others {
			ours := o.ours
			if len(r.rounds(c.work, ours, c.column)) == 0 {
				ours = oursInPlace
			}
			if c.more {
				column[i] = short(r.ratio(c.work, c.column, ours, o.name))
			} else {
				column[i] = short(r.ratio(c.work, c.column, o.name, ours))
			}
		}
		if !slices.ContainsFunc(column, func(cell string) bool { return cell != "-" }) {
			continue
		}
		head = append(head, c.work)
		for i := range rows {
			rows[i] = append(rows[i], column[i])
		}
	}
	return append([][]string{head}, rows...)
}
