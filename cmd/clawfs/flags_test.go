package main

import (
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// A flag must read the text that it prints: the daemon gets its flags that way.
func TestFlagValuesRoundTrip(t *testing.T) {
	cases := []struct {
		value      pflag.Value
		in, out    string
		misspelled []string
	}{
		{new(size), "1048576", "1MiB", []string{"", "0", "-1", "1.2.3", "lots", "16EiB"}},
		{new(number), "12", "12", []string{"", "0", "-1", "1.5", "many"}},
		{new(size), "100MB", "100000000", nil},
		{new(size), "3 GiB", "3GiB", nil},
		{new(span), "90s", "1m30s", []string{"", "0s", "-1s", "30", "soon"}},
		{new(durability), "fsync", "fsync", []string{"", "fsync:1s", "interval:", "interval:0s", "interval:-1s", "none"}},
		{new(durability), "interval", "interval:1s", nil},
		{new(durability), "interval:250ms", "interval:250ms", nil},
		{&choice{allowed: []string{"a", "b"}}, "b", "b", []string{"", "A", "c"}},
	}
	for _, c := range cases {
		if err := c.value.Set(c.in); err != nil || c.value.String() != c.out {
			t.Errorf("%T: %q reads as %q (%v), want %q", c.value, c.in, c.value, err, c.out)
		}
		if err := c.value.Set(c.value.String()); err != nil || c.value.String() != c.out {
			t.Errorf("%T: %q does not read what it prints (%v)", c.value, c.out, err)
		}
		for _, s := range c.misspelled {
			if err := c.value.Set(s); err == nil {
				t.Errorf("%T: %q is accepted", c.value, s)
			}
		}
	}
}

func TestDurabilityInterval(t *testing.T) {
	var d durability
	if err := d.Set("interval:2s"); err != nil || d.interval != 2*time.Second {
		t.Errorf("interval:2s reads as %v (%v)", d.interval, err)
	}
}
