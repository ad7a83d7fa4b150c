package roundtrip

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// A decimal is the number that it was read from, in any spelling, and no other one.
func TestDecimals(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	digits := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte("000123456789"[rnd.IntN(12)])
		}
		return b.String()
	}
	for range 20_000 {
		whole, fraction, exponent := digits(1+rnd.IntN(15)), digits(rnd.IntN(30)), rnd.IntN(41)-20
		sign := []string{"", "-"}[rnd.IntN(2)]
		texts := []string{
			fmt.Sprintf("%s%s.%s0e%d", sign, whole, fraction, exponent),
			fmt.Sprintf("%s0%s%sE%d", sign, whole, fraction, exponent-len(fraction)),
			fmt.Sprintf("%s0.000%s%s00e%d", sign, whole, fraction, exponent+len(whole)+3),
		}
		want, _ := new(big.Rat).SetString(texts[0])
		first, ok := parseDecimal([]byte(texts[0]))
		if !ok {
			t.Fatalf("%s is none", texts[0])
		}
		for _, text := range texts {
			d, ok := parseDecimal([]byte(text))
			if !ok || d != first {
				t.Fatalf("%s is %+v, %s is %+v", texts[0], first, text, d)
			}
		}
		spelled := string(first.append(nil))
		if got, ok := new(big.Rat).SetString(spelled); !ok || got.Cmp(want) != 0 {
			t.Fatalf("%s is spelled %s", texts[0], spelled)
		}
		if all := strings.Trim(whole+fraction, "0"); string(first.appendDigits(nil)) != all || first.len() != len(all) {
			t.Fatalf("%s has the digits %s", texts[0], first.appendDigits(nil))
		}
	}
	for _, text := range []string{"", "-", "+1", "0x1F", "0xe", "Infinity", "NaN", "1e", "1e99999999", "-1e-99999999", "null"} {
		if d, ok := parseDecimal([]byte(text)); ok {
			t.Errorf("%q is %+v", text, d)
		}
	}
}

// A number is written as most programs write it.
func TestTextOfDecimals(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0.0": "0", "-1": "-1", "10": "10", "1e3": "1000", "1.50": "1.5", "-120.25": "-120.25", "0.001": "0.001", "1e-6": "0.000001", "1.5e-6": "0.0000015", "1e-7": "1e-7",
		"0.00000015": "1.5e-7", "1e20": "100000000000000000000", "1e21": "1e21", "1.25E+22": "1.25e22",
		"1234567890.123456789012345678901": "1234567890.123456789012345678901",
	} {
		d, ok := parseDecimal([]byte(text))
		if got := string(d.append(nil)); !ok || got != want {
			t.Errorf("%s is written %s, want %s", text, got, want)
		}
	}
}
