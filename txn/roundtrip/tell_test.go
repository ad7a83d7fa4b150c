package roundtrip

import (
	"slices"
	"strings"
	"testing"

	"clawfs/txn/jsondoc"
)

func parse(t *testing.T, text string) *jsondoc.Doc {
	t.Helper()
	d, err := jsondoc.Parse([]byte(text), jsondoc.JSON5, jsondoc.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

// names returns the beginnings of the names of a trip's families, up to the bracket.
func names(trip *Trip) string {
	if trip == nil {
		return ""
	}
	var out []string
	for _, f := range trip.Families() {
		name, _, _ := strings.Cut(f.String(), " (")
		out = append(out, name)
	}
	return strings.Join(out, "; ")
}

// numberRows have a line for each family of numbers. A writer has read base and written
// is. It would write back of as to. Each number of against speaks against the family.
var numberRows = []struct{ family, base, is, of, to, against string }{
	{"shortest decimal of a double", `0.30000000000000004441`, `0.30000000000000004`,
		`0.1000000000000000055511151231257827, 1e400, 0.1`, `0.1, 1e400, 0.1`, `0.12345678901234567891`},
	{"17 digits", `0.1`, `0.10000000000000001`, `0.7, 0.5, -0.7`, `0.69999999999999996, 0.5, -0.69999999999999996`, `0.7 123456789012345678901234567890`},
	{"exact double", `1234567890123456789`, `1234567890123456768`, `9007199254740993, 0.12345678901234567891`, `9007199254740992, 0.12345678901234567891`, `1234567890123456789`},
	{"a double in 18 digits at most", `0.12345678901234568`, `0.123456789012345677`, `0.12345678901234568, 0.1`, `0.123456789012345677, 0.1`, `0.1234567890123456789`},
	{"neighbouring double", `0.12345678901234568`, `0.12345678901234569`, `0.12345678901234568, 0.1`, `0.12345678901234569, 0.1`, `0.123456789012345678 9e308`},
	{"16 digits", `0.12345678901234568`, `0.1234567890123457`, `0.98765432109876543`, `0.9876543210987654`, `0.98765432109876543`},
	{"15 digits, 17 where that is not close", `0.30000000000000004, 0.1234567890123456789`, `0.3, 0.12345678901234568`,
		`0.7000000000000001, 0.1234567890123457`, `0.7, 0.12345678901234571`, `0.7000000000000001`},
	{"15 digits", `0.1234567890123456`, `0.123456789012346`, `0.9876543210987654`, `0.987654321098765`, `0.9876543210987654`},
	{"14 digits", `0.123456789012347`, `0.12345678901235`, `0.987654321098764`, `0.98765432109876`, `0.987654321098764`},
	{"float32", `0.1234567891, 1.2345678912`, `0.12345679, 1.2345679`, `3.14159265358979`, `3.1415927`, `0.723456789`},
	{"float32 as a double", `0.1, 0.7`, `0.10000000149011612, 0.699999988079071`, `0.3`, `0.30000001192092896`, `0.3`},
	{"float32 as a double", `0.55, 0.7`, `0.550000011920929, 0.699999988079071`, `0.3`, `0.30000001192092896`, ``},
	{"15 digits of those that have no more than 16", `0.1234567890123456, 0.9876543210987654, 1`, `0.123456789012346, 0.987654321098765, 0.12345678901234567891`,
		`0.1111111111111116, 0.111111111111111122`, `0.111111111111112, 0.111111111111111122`, `0.9876543210987654`},
	{"6 decimals", `1.23456789, 2.3456789`, `1.234568, 2.345679`, `0.00012345, 123456789.123456789`, `0.000123, 123456789.123457`, `0.0001234`},
	{"6 decimals unless it is large", `1.23456789, 2.3456789, -123456789.1234567891`, `1.234568, 2.345679, -123456789.12345679`,
		`-0.00012355, 83886078.12345678, 83886080.12345678`, `-0.000124, 83886078.123457, 83886080.12345678`, `0.0001234`},
	{"6 decimals unless it is large or small", `1.23456789, 2.3456789, 0.000123456789, 12345678.987654321`, `1.234568, 2.345679, 0.0001234568, 1.234568e+07`,
		`0.00101234567, 0.000987654321, 9999999.12345678, 10000001.23, -1.23456789`, `0.001012, 0.0009876543, 9999999.123457, 10000000, -1.234568`, `0.00012345678`},
	{"4 decimals unless it is large or small", `1.23456789, 2.3456789, 0.00000123456789, 12345678901.123456`, `1.2346, 2.3457, 0.0000012346, 12345678901.1235`,
		`0.0000212345, 0.00000987654321, 9999999999.123456, 10000000001.123456, -1.23456789`, `0, 0.0000098765, 9999999999.1235, 10000000001.1235, -1.2346`, `0.00012`},
	{"6 digits", `1.23456789, 23.456789`, `1.23457, 23.4568`, `9876543.21, 0.00001234567`, `9.87654e6, 1.23457e-5`, `0.1234567`},
}

// Each family of numbers is told from its print of a few, and prints others the same
// way. A single number that the writer would not have printed so speaks against it.
func TestNumberFamilies(t *testing.T) {
	told := make(map[string]bool)
	for _, row := range numberRows {
		told[row.family] = true
		base, is := "["+row.base+", 5]", "["+row.is+", 6]"
		trip := Tell(parse(t, base), parse(t, is), 0)
		if names(trip) == "neighbouring double" && row.family == "15 digits, 17 where that is not close" {
			trip = trip.Without(trip.Families()[0]) // neighbours explain all that cJSON makes
		}
		if names(trip) != row.family {
			t.Errorf("%s: %s to %s is told to be: %s", row.family, base, is, names(trip))
			continue
		}
		if made, err := trip.Of(parse(t, "["+row.of+"]")); err != nil || !sameNumbers(t, made, parse(t, "["+row.to+"]")) {
			t.Errorf("%s: [%s] is made [%s], want [%s]: %v", row.family, row.of, made.Source(), row.to, err)
		}
		for _, against := range strings.Fields(row.against) {
			much := strings.Repeat(", 1", 2*pieceSize)
			for _, where := range [][2]string{{"", ", " + against}, {"", much + ", " + against}, {", " + against, ", " + against}, {much + ", " + against, much + ", " + against}} {
				if isTold(Tell(parse(t, "["+row.base+where[0]+"]"), parse(t, "["+row.is+where[1]+"]"), 0), row.family) {
					t.Errorf("%s: is told in spite of %s", row.family, against)
				}
			}
		}
	}
	for _, f := range numberFamilies {
		if name, _, _ := strings.Cut(f.name, " ("); !told[name] {
			t.Errorf("no row has %q", f.name)
		}
	}
}

// isTold reports whether a family is among those that may have been at work.
func isTold(trip *Trip, family string) bool {
	for trip != nil {
		if slices.Contains(strings.Split(names(trip), "; "), family) {
			return true
		}
		trip = trip.Without(trip.Families()[0])
	}
	return false
}

// A number that has few digits is one that every program keeps: its change is an edit. So
// is a fraction that becomes a whole number, and a change that only some figures speak for.
func TestWhatNoFamilyDoes(t *testing.T) {
	for _, c := range []struct{ base, is, family string }{
		{`[0.3]`, `[0.30000000000000004]`, "neighbouring double"},
		{`[12345678901234567890.5]`, `[12345678901234567168]`, "exact double"},
		{`[0.1234567890123456, 0.9876543210987654]`, `[0.123456789012346, 0.987654321098765]`, "15 digits of those that have no more than 16"},
		{`[1.23456789, 9.125, 7.5]`, `[1.234568, 7.5, 9.125]`, "6 decimals"},
		{`[1.5, 2.5]`, `[1.25, 2.75]`, "6 decimals"},
	} {
		if isTold(Tell(parse(t, c.base), parse(t, c.is), 0), c.family) {
			t.Errorf("%s to %s is told to be: %s", c.base, c.is, c.family)
		}
	}
}

// sameNumbers reports whether two lists hold the same numbers, however they are spelled.
func sameNumbers(t *testing.T, a, b *jsondoc.Doc) bool {
	t.Helper()
	var in [2][]decimal
	for i, d := range []*jsondoc.Doc{a, b} {
		for _, v := range d.Root().Elements() {
			n, ok := parseDecimal(v.Raw())
			if !ok {
				t.Fatalf("%s is no number", v.Raw())
			}
			in[i] = append(in[i], n)
		}
	}
	return slices.Equal(in[0], in[1])
}

// valueRows have a line for each family of other values. With any value of against in the
// written document, the family is not told; nor from base1 and is1, where fewer values
// show it. A value of beside changes nothing.
var valueRows = []struct {
	family, base, is, of, to string
	against                  []string
	base1, is1               string
	beside                   []string
}{
	{"members that are null are dropped", `{"a":null,"b":null,"c":null,"l":[null]}`, `{"l":[1,null]}`,
		`{"x":null,"l":[null,{"y":null,"z":1}],"o":{"only":null}}`, `{"l":[null,{"z":1}],"o":{}}`, []string{`{"k":null}`},
		`{"a":null,"b":null,"l":[null]}`, `{"l":[1,null]}`, nil},
	{"an object with the keys 0, 1, … becomes a list", `[{"0":"a","1":"b"}]`, `[["a","b"],5]`,
		`[{"0":{"0":true},"1":null},{"0":1,"2":1},{"1":1},{"00":1},{"a":1},{},[],{"0":1,"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"10":1}]`,
		`[[[true],null],{"0":1,"2":1},{"1":1},{"00":1},{"a":1},{},[],[1,1,1,1,1,1,1,1,1,1,1]]`, []string{`{"0":1}`}, "", "", nil},
	{"an empty object becomes a list", `[{},1]`, `[[],2]`, `[{},{"a":{}},[],0.1]`, `[[],{"a":[]},[],0.1]`, []string{`{}`}, `[{},1]`, `[null,2]`, nil},
	{"an empty list becomes an object", `[[],1]`, `[{},2]`, `[{},{"a":[]},[[]],0.1]`, `[{},{"a":{}},[{}],0.1]`, []string{`[]`}, `[[],1]`, `[null,2]`, nil},
	{"an empty object becomes an empty string", `[{}]`, `["",true]`, `[{},[],{"a":{}},1]`, `["",[],{"a":""},1]`, []string{`{}`, `1`}, `[{}]`, `[null]`, nil},
	{"an empty list becomes an empty string", `[[]]`, `["",true]`, `[{},[],{"a":[]},1]`, `[{},"",{"a":""},1]`, []string{`[]`, `1`}, `[[]]`, `[null]`, nil},
	{"an empty list becomes null", `[[],[],1]`, `[null,null,2]`, `[[],[[]],{},1]`, `[null,[null],{},1]`, []string{`[]`}, `[[],1]`, `[null,null,2]`, nil},
	{"numbers become strings", `[1.50,2]`, `["1.50","2"]`, `[-0.10e5,7,true,null,"8",[9]]`, `["-0.10e5","7",true,null,"8",["9"]]`, []string{`3`}, `[1]`, `["1","b"]`, nil},
	{"booleans and null become strings", `[true,null]`, `["true","null",4]`, `[false,null,1,"true",{"a":true}]`, `["false","null",1,"true",{"a":"true"}]`,
		[]string{`true`, `null`}, `[true,4]`, `["true","b",4]`, nil},
	{"numbers with an exponent become strings", `[1e5]`, `["1e5",1]`, `[2E7,1.5e3,1.5e+3,1.5E-3,2e-7,0.5,6,"1e5"]`, `["2E7","1.5e3",1.5e+3,1.5E-3,"2e-7",0.5,6,"1e5"]`,
		[]string{`1e6`, `1.5E6`}, `[1.5e+5]`, `["1.5e+5",1]`, []string{`1.5E+3`, `1.5e+3`}},
	{"numbers of many digits become strings", `[0.12345678901234567]`, `["0.12345678901234567e0",1]`,
		`[-123.45678901234567,0.00012345678901234567,0.1234567890123456,12345678901234567890,1,"a"]`,
		`["-0.12345678901234567e3","0.12345678901234567e-3",0.1234567890123456,12345678901234567890,1,"a"]`, []string{`0.12345678901234567`}, `[0.1234567890123456]`, `["a",1]`, nil},
	{"numbers beyond doubles become null", `[1e400]`, `[null,1]`, `[-123e307,1e308,0.001e311,0.001e312,0e999,"1e400",12,-1e-400]`, `[null,1e308,0.001e311,null,0e999,"1e400",12,-1e-400]`,
		[]string{`1e401`, `123456e304`}, `[1e308]`, `[null,1]`, []string{`0e999`, `1e308`}},
	{"lone surrogates become U+FFFD", `["\ud800"]`, `["\ufffd",1]`, `["a\udfffb\ud800","\ud83d\ude00 \n","\ud7ff\ue000","plain",7]`, `["a�b�","\ud83d\ude00 \n","\ud7ff\ue000","plain",7]`,
		[]string{`"\udc00"`, `"x\udc00"`, `"\udc00x"`}, "", "", nil},
	{"lone surrogates become question marks", `["\ud800"]`, `["?",1]`, `["a\udfffb\ud800","plain"]`, `["a?b?","plain"]`, []string{`"\udc00"`}, "", "", nil},
	{"the same instant in another spelling", `[{"at":"2024-11-29T20:30:00.50+00:00"},"2024-11-29T21:00:00+01:00"]`, `[{"at":"2024-11-29T20:30:00.5Z"},1,"2024-11-29T22:00:00+01:00","2024-11-29T20:00:00Z"]`,
		`["2024-11-29T21:00:00+01:00","2024-11-29T20:30:00.50+00:00","2024-11-29T20:30:00.70+00:00","2024-11-29T20:30:00.5+00:00","2024-11-29T20:30:00.5Z",3]`,
		`["2024-11-29T21:00:00+01:00","2024-11-29T20:30:00.5Z","2024-11-29T20:30:00.70+00:00","2024-11-29T20:30:00.5Z","2024-11-29T20:30:00.5Z",3]`,
		[]string{`"2023-01-01T00:00:00.10+00:00"`}, `["2024-11-29T20:30:00.50+00:00"]`, `["gone",1]`, []string{`"2024-11-29_20:30:00.50+00:00"`}},
}

func TestValueFamilies(t *testing.T) {
	told := make(map[string]bool)
	for _, row := range valueRows {
		told[row.family] = true
		base := parse(t, row.base)
		trip := without(Tell(base, parse(t, row.is), 0), row.family)
		if names(trip) != row.family {
			t.Errorf("%s: %s to %s is told to be: %s", row.family, row.base, row.is, names(Tell(base, parse(t, row.is), 0)))
			continue
		}
		if made, err := trip.Of(parse(t, row.of)); err != nil || string(made.Source()) != string(parse(t, row.to).Root().AppendJSON(nil)) {
			t.Errorf("%s: %s is made\n%s, want\n%s: %v", row.family, row.of, made.Source(), row.to, err)
		}
		for _, against := range row.against {
			if isTold(Tell(parse(t, `[`+row.base+`]`), parse(t, `[`+row.is+`,`+against+`]`), 0), row.family) {
				t.Errorf("%s: is told in spite of %s", row.family, against)
			}
		}
		for _, beside := range row.beside {
			if !isTold(Tell(parse(t, `[`+row.base+`]`), parse(t, `[`+row.is+`,`+beside+`]`), 0), row.family) {
				t.Errorf("%s: is not told beside %s", row.family, beside)
			}
		}
		if row.base1 == "" {
			continue
		}
		if isTold(Tell(parse(t, row.base1), parse(t, row.is1), 0), row.family) {
			t.Errorf("%s: is told from %s to %s", row.family, row.base1, row.is1)
		}
	}
	for _, f := range valueFamilies {
		if name, _, _ := strings.Cut(f.name, " ("); !told[name] {
			t.Errorf("no row has %q", f.name)
		}
	}
}

// without takes all families but one from a trip, one by one.
func without(trip *Trip, but string) *Trip {
	for trip != nil {
		families := trip.Families()
		i := slices.IndexFunc(families, func(f Family) bool { name, _, _ := strings.Cut(f.String(), " ("); return name != but })
		if i < 0 {
			return trip
		}
		trip = trip.Without(families[i])
	}
	return nil
}

// A trip says of single values the same as it makes of documents.
func TestTripOfValues(t *testing.T) {
	value := func(text string) jsondoc.Value { return parse(t, text).Root() }
	php := Tell(parse(t, `{"a":{},"b":{"0":1},"c":0.1}`), parse(t, `{"a":[],"b":[1],"c":0.10000000000000001,"d":5}`), 0)
	if got, want := names(php), "an object with the keys 0, 1, … becomes a list; an empty object becomes a list; 17 digits"; got != want {
		t.Fatalf("PHP is told to be: %s", got)
	}
	for _, c := range []struct {
		of, is, changes, changed string
	}{
		{`{"0":1}`, `[1]`, "an object with the keys 0, 1, … becomes a list", "an object with the keys 0, 1, … becomes a list"},
		{`{"a":{}}`, `{"a":[]}`, "", ""},
		{`{}`, `[]`, "an empty object becomes a list", "an empty object becomes a list"},
		{`[]`, `[]`, "", ""},
		{`0.7`, `0.69999999999999996`, "17 digits", "17 digits"},
		{`0.5`, `0.50`, "", "17 digits"}, // the same number, in another text
		{`7`, `7.0`, "", ""},
		{`0.7`, `"0.7"`, "17 digits", "17 digits"},
		{`"a"`, `0.5`, "", ""},
		{`null`, `null`, "", ""},
		{`Infinity`, `1`, "", ""},
		{`1e400`, `1`, "", "17 digits"},
	} {
		f, ok := php.Changes(value(c.of), false)
		if got := named(f, ok); got != c.changes {
			t.Errorf("%s is changed by: %s", c.of, got)
		}
		f, ok = php.Changed(value(c.of), value(c.is))
		if got := named(f, ok); got != c.changed {
			t.Errorf("%s is changed to %s by: %s", c.of, c.is, got)
		}
	}
	for text, want := range map[string]bool{`{"0":1}`: true, `{"0":1,"1":2}`: true, `{"1":1}`: false, `{"00":1}`: false, `{"0":1,"01":2}`: false, `{}`: false, `[1]`: false, `"0"`: false} {
		if php.Unkeys(value(text)) != want {
			t.Errorf("whether %s becomes a list is %v", text, !want)
		}
	}
	for _, c := range []struct {
		kind jsondoc.Kind
		is   string
		want bool
	}{
		{jsondoc.Object, `[]`, true},
		{jsondoc.Object, `[ ]`, true},
		{jsondoc.Object, `[1]`, false},
		{jsondoc.Object, `{}`, false},
		{jsondoc.Object, `""`, false},
		{jsondoc.Array, `[]`, false},
		{jsondoc.Null, `[]`, false},
	} {
		if php.Empties(c.kind, value(c.is)) != c.want {
			t.Errorf("whether an empty %v becomes %s is %v", c.kind, c.is, !c.want)
		}
	}
	if php.Drops(value(`null`)) {
		t.Error("a writer that keeps null drops it")
	}
	tree := Tell(parse(t, `[[]]`), parse(t, `["",true]`), 0)
	if !tree.Empties(jsondoc.Array, value(`""`)) || tree.Empties(jsondoc.Array, value(`"a"`)) || tree.Empties(jsondoc.Array, value(`{}`)) || tree.Unkeys(value(`{"0":1}`)) {
		t.Error("an empty list becomes an empty string, and nothing else")
	}
	terse := Tell(parse(t, `{"a":null,"b":null,"c":null}`), parse(t, `{"d":5}`), 0)
	if !terse.Drops(value(`null`)) || terse.Drops(value(`1`)) {
		t.Error("members that are null are dropped, and no others")
	}
	if _, ok := terse.Changes(value(`null`), true); !ok {
		t.Error("a member that is null is not changed")
	}
	if _, ok := terse.Changes(value(`1`), true); ok {
		t.Error("a member that is not null is changed")
	}
	if _, ok := terse.Changes(value(`null`), false); ok {
		t.Error("an element that is null is changed")
	}
	if Tell(parse(t, `{"a":null,"b":null,"c":null}`), parse(t, `{"d":5}`), Dropping) != nil {
		t.Error("dropping is told though it can't be")
	}
	both := Tell(parse(t, `{"a":null,"b":null,"c":null,"o":{"0":1}}`), parse(t, `{"o":[1],"d":5}`), 0)
	for i := 0; i < len(both.Families()); i++ {
		if f := both.Families()[i]; f.value.of != nil {
			both, i = both.Without(f), -1
		}
	}
	if made, err := both.Of(parse(t, `{"n":null,"o":{"0":null,"1":2}}`)); err != nil || string(made.Source()) != `{"o":[null,2]}` {
		t.Errorf("an object with a null that becomes a list is made %s: %v", made.Source(), err)
	}
	yaml := Tell(parse(t, `[2e-7,0.1]`), parse(t, `["2e-7",0.10000000000000001]`), 0)
	if f, ok := yaml.Changed(value(`2e-7`), value(`"2e-7"`)); !ok || !strings.HasPrefix(f.String(), "numbers with an exponent") {
		t.Errorf("a number that became a string was changed by: %s", named(f, ok))
	}
	ids := Tell(parse(t, `[1234567890123456789]`), parse(t, `[1234567890123456768]`), 0)
	if f, ok := ids.Changed(value(`Infinity`), value(`1`)); ok {
		t.Errorf("what is no number was changed by: %s", named(f, ok))
	}
	if Tell(parse(t, `[{},1]`), parse(t, `[[],2]`), Dropping) == nil {
		t.Error("another family than dropping is not told")
	}
	js := []string{`[0.30000000000000004441,0.5]`, `[0.30000000000000004,0.25]`}
	if trip := Tell(parse(t, js[0]), parse(t, js[1]), JavaScript); isTold(trip, "shortest decimal of a double") || !isTold(trip, "17 digits") {
		t.Errorf("without JavaScript's numbers, those are told to be: %s", names(trip))
	}
	for trip, want := range map[*Trip]int{php: 1, terse: 3, Tell(parse(t, `[1.23456789, 2.3456789]`), parse(t, `[1.234568, 2.345679]`), 0): 2} {
		if got := trip.Families()[0].Shown(); got != want {
			t.Errorf("%v has to be shown %d times, not %d", trip.Families()[0], want, got)
		}
	}
	if trip := Tell(parse(t, `{"a":1,"b":"x","c":[]}`), parse(t, `{"a":2,"b":"y","c":[1]}`), 0); trip != nil {
		t.Errorf("edits are told to be: %s", names(trip))
	}
}

func named(f Family, ok bool) string {
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(f.String(), " (")
	return name
}

// The family that explains most numbers is told, then the one that explains most of the others;
// a family that explains no more than one before it comes behind it.
func TestBestExplanationFirst(t *testing.T) {
	trip := Tell(parse(t, `[0.30000000000000004, 0.1234567890123456, 0.98765432109876543, 5]`), parse(t, `[0.3, 0.123456789012346, 0.987654321098765, 6]`), 0)
	var got []string
	for ; trip != nil; trip = trip.Without(trip.Families()[0]) {
		got = append(got, names(trip))
	}
	if want := []string{"15 digits", "neighbouring double", "15 digits, 17 where that is not close"}; !slices.Equal(got, want) {
		t.Errorf("told are %q, want %q", got, want)
	}
	// whole numbers and others are told apart
	trip = Tell(parse(t, `[1234567890123456789, 0.1234567890123456, 5]`), parse(t, `[1234567890123456768, 0.123456789012346, 6]`), 0)
	if got := names(trip); got != "exact double; 15 digits" {
		t.Errorf("whole numbers and others are told to be: %s", got)
	}
	if got := names(trip.Without(trip.Families()[0])); strings.HasPrefix(got, "exact double") || !strings.HasSuffix(got, "15 digits") {
		t.Errorf("without its first family it is: %s", got)
	}
}
