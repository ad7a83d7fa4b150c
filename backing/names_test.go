package backing

import "testing"

// Each entry of a version stands for one number, and no other spelling of it does.
func TestVersionEntries(t *testing.T) {
	for _, seq := range []uint64{0, 1, 9, 10, 1<<64 - 1} {
		if got, ok := parseVersion(versionEntry(seq)); !ok || got != seq {
			t.Errorf("version %d is read as %d, %t", seq, got, ok)
		}
	}
	for _, entry := range []string{"", "@", "1", "@01", "@+1", "@-1", "@1 ", "@1_0", "@0x1", "@18446744073709551616", "@log", "@name"} {
		if seq, ok := parseVersion(entry); ok {
			t.Errorf("%q is taken for version %d", entry, seq)
		}
	}
}
