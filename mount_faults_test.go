package clawfs_test

import "testing"

// faultRow is one row of the table in docs/FAULTS.md: a fault that was tried, and
// what it cost. scripts/faults makes the table.
type faultRow struct {
	fault                                      string
	tried, acknowledged, lost, invalid, unkept int
}

// report prints the row, and fails the test if anything is in it that must not be.
func (r faultRow) report(t *testing.T) {
	t.Helper()
	t.Logf("FAULT|%s|%d|%d|%d|%d|%d", r.fault, r.tried, r.acknowledged, r.lost, r.invalid, r.unkept)
	if r.lost+r.invalid+r.unkept > 0 {
		t.Errorf("%s: %d acknowledged writes lost, %d invalid registries, %d refused contents not in quarantine", r.fault, r.lost, r.invalid, r.unkept)
	}
}
