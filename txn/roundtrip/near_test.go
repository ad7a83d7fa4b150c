package roundtrip

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"clawfs/txn/jsondoc"
)

// Numbers that went and came are near where they are one double, or neighbours.
func TestNearNumbers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		var was, is []string
		var near0, near1 []string
		for i := range 1 + rnd.IntN(40) {
			d := rnd.Float64() + float64(i)
			other := []float64{d, math.Nextafter(d, 1e9), math.Nextafter(d, -1e9)}[rnd.IntN(3)]
			text, text1 := strconv.FormatFloat(d, 'g', 17, 64), strconv.FormatFloat(other, 'g', -1, 64)
			switch rnd.IntN(3) {
			case 0:
				was, is = append(was, text), append(is, text1)
				near0, near1 = append(near0, text), append(near1, text1)
			case 1:
				was = append(was, text)
			default:
				is = append(is, text1)
			}
		}
		gone, come := near(values(t, was), values(t, is))
		for _, text := range near0 {
			if !slices.ContainsFunc(gone, func(v jsondoc.Value) bool { return string(v.Raw()) == text }) {
				t.Fatalf("%s is not near any of %q", text, is)
			}
		}
		for _, text := range near1 {
			if !slices.ContainsFunc(come, func(v jsondoc.Value) bool { return string(v.Raw()) == text }) {
				t.Fatalf("%s is not near any of %q", text, was)
			}
		}
	}
	var was, is []string
	for i := range 4000 {
		was, is = append(was, fmt.Sprintf("%d.25", i)), append(is, fmt.Sprintf("%d.75", i))
	}
	if gone, come := near(values(t, was), values(t, is)); len(gone) > len(was)/3 || len(come) > len(is)/3 {
		t.Errorf("%d and %d of %d numbers are taken to be near, and none is", len(gone), len(come), len(was))
	}
	if gone, come := near(nil, values(t, is)); gone != nil || come != nil {
		t.Error("numbers are near nothing")
	}
	if gone, come := near(values(t, was), nil); gone != nil || come != nil {
		t.Error("numbers are near nothing")
	}
}
