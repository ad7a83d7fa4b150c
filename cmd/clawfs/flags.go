package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// choice is a flag that takes one of a few words.
type choice struct {
	value   string
	allowed []string
}

// Set accepts one of the allowed words.
func (c *choice) Set(s string) error {
	if !slices.Contains(c.allowed, s) {
		return fmt.Errorf("must be one of %s", strings.Join(c.allowed, ", "))
	}
	c.value = s
	return nil
}

// String returns the word.
func (c *choice) String() string { return c.value }

// Type names the flag's value in help.
func (c *choice) Type() string { return strings.Join(c.allowed, "|") }

// size is a flag that takes a number of bytes, as 1048576, 1MiB or 1MB.
type size int64

// Set reads a size.
func (v *size) Set(s string) error {
	n, err := humanize.ParseBytes(s)
	if err != nil || n == 0 || n > 1<<62 {
		return fmt.Errorf("must be a size, as 64MiB")
	}
	*v = size(n)
	return nil
}

// String returns the size in the largest unit that takes it without a fraction.
func (v *size) String() string {
	n, unit := int64(*v), 0
	units := []string{"", "KiB", "MiB", "GiB", "TiB"}
	for n > 0 && n%1024 == 0 && unit < len(units)-1 {
		n, unit = n/1024, unit+1
	}
	return fmt.Sprint(n) + units[unit]
}

// Type names the flag's value in help.
func (v *size) Type() string { return "SIZE" }

// number is a flag that takes a number greater than zero.
type number int

// Set reads a number.
func (v *number) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		return fmt.Errorf("must be a number greater than 0")
	}
	*v = number(n)
	return nil
}

// String returns the number as Set takes it.
func (v *number) String() string { return strconv.Itoa(int(*v)) }

// Type names the flag's value in help.
func (v *number) Type() string { return "N" }

// span is a flag that takes a time greater than zero.
type span time.Duration

// Set reads a time.
func (v *span) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return fmt.Errorf("must be a time, as 30s or 1m30s")
	}
	*v = span(d)
	return nil
}

// String returns the time as Set takes it.
func (v *span) String() string { return time.Duration(*v).String() }

// Type names the flag's value in help.
func (v *span) Type() string { return "TIME" }

// durability is a flag that takes fsync, or interval with or without a time.
type durability struct {
	interval time.Duration // between two syncs; 0: every commit is synced
}

const defaultInterval = time.Second

// Set reads a durability.
func (v *durability) Set(s string) error {
	name, rest, timed := strings.Cut(s, ":")
	switch {
	case name == "fsync" && !timed:
		v.interval = 0
		return nil
	case name == "interval" && !timed:
		v.interval = defaultInterval
		return nil
	case name == "interval":
		if d, err := time.ParseDuration(rest); err == nil && d > 0 {
			v.interval = d
			return nil
		}
	}
	return fmt.Errorf("must be fsync, interval, or interval with a time as in interval:500ms")
}

// String returns the durability as Set takes it.
func (v *durability) String() string {
	if v.interval == 0 {
		return "fsync"
	}
	return "interval:" + v.interval.String()
}

// Type names the flag's value in help.
func (v *durability) Type() string { return "fsync|interval[:TIME]" }
