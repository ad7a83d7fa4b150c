package main

import "testing"

func TestProcessorsForCores(t *testing.T) {
	for cores, want := range map[int]int{1: 4, 2: 8, 4: 8, 8: 8, 16: 16} {
		if got := processorsFor(cores); got != want {
			t.Errorf("on %d cores: %d processors, want %d", cores, got, want)
		}
	}
}

func TestGarbageIsAQuarterOfTheHeapFrom8To64MiB(t *testing.T) {
	for live, garbage := range map[uint64]uint64{2 << 20: 8 << 20, 8 << 20: 8 << 20, 32 << 20: 8 << 20, 200 << 20: 50 << 20, 640 << 20: 64 << 20} {
		if got := live * uint64(percentOfGarbage(live)) / 100; got != garbage {
			t.Errorf("%d MiB alive: %d KiB of garbage, want %d KiB", live>>20, got>>10, garbage>>10)
		}
	}
	if got := percentOfGarbage(0); got != 800 {
		t.Errorf("of a heap that was never collected: %d percent, want 800", got)
	}
}
