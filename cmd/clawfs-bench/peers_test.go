package main

import "testing"

// Every other one and every contest is among the works, and more than 1 says that
// clawfs is faster.
func TestPeersAreCompared(t *testing.T) {
	r := allMeasured(func(column string, ours bool) float64 {
		switch {
		case !ours:
			return 10
		case column == "ops /s":
			return 20
		}
		return 5
	})
	table := tableOfPeers(r)
	if len(table[0]) != 1+len(contests()) || len(table) != 1+len(others) {
		t.Errorf("%d columns, %d rows, want %d, %d", len(table[0]), len(table), 1+len(contests()), 1+len(others))
	}
	for _, row := range table[1:] {
		compared := 0
		for i, cell := range row[1:] {
			if cell != "-" {
				compared++
			}
			if cell != "-" && cell != "2" {
				t.Errorf("%s in %s: %s, want 2", row[0], table[0][1+i], cell)
			}
		}
		if compared == 0 {
			t.Errorf("nothing compares %s", row[0])
		}
	}
	if !r.plottable() || (&results{works: r.works[1:]}).plottable() {
		t.Error("plots are made of what was not measured, or not of what was")
	}
	if table := tableOfPeers(&results{}); len(table[0]) != 1 {
		t.Errorf("columns of nothing: %v", table[0])
	}
}
