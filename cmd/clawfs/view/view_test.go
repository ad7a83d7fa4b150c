package view

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"clawfs/cmd/clawfs/versions"
)

// lines returns the texts of a part of a text, with their numbers.
func lines(c code) (out []string) {
	for _, l := range c.Lines {
		out = append(out, fmt.Sprint(l.No, " ", l.Text))
	}
	return out
}

func TestCodeGoesOnWhereItEnded(t *testing.T) {
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "line %d\n", i+1)
	}
	text.WriteString(strings.Repeat("é", lineBytes)) // a long line is broken between characters
	var all []string
	for c := newCode([]byte(text.String()), nil, 0, 1); ; c = newCode([]byte(text.String()), nil, c.Next, c.Line) {
		if len(c.Lines) > codeLines {
			t.Fatalf("%d lines at once", len(c.Lines))
		}
		all = append(all, lines(c)...)
		if c.Next == 0 {
			break
		}
	}
	if len(all) != 1002 || all[0] != "1 line 1" || all[999] != "1000 line 1000" {
		t.Errorf("%d lines: %q … %q", len(all), all[0], all[999])
	}
	if want := []string{"1001 " + strings.Repeat("é", lineBytes/2), "0 " + strings.Repeat("é", lineBytes/2)}; !cmp.Equal(all[1000:], want) {
		t.Errorf("the long line is %q", all[1000:])
	}
}

func TestCodeMasksWhatIsHidden(t *testing.T) {
	text := []byte("a: \"secret\"\nb: \"other\"\n")
	hide := []versions.Span{{Start: 3, End: 11}, {Start: 15, End: 22}}
	want := []string{`1 a: "` + versions.Mask + `"`, `2 b: "` + versions.Mask + `"`}
	if diff := cmp.Diff(want, lines(newCode(text, hide, 0, 1))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[1:], lines(newCode(text, hide, 12, 2))); diff != "" {
		t.Errorf("from the second line on (-want +got):\n%s", diff)
	}
}

// A credential that goes on behind a break of a long line is not shown there either.
func TestMaskedValueAcrossABreak(t *testing.T) {
	text := []byte(`{"apiKey": "` + strings.Repeat("k", 3*lineBytes) + `", "n": 1}`)
	got := strings.Join(lines(newCode(text, hidden(text), 0, 1)), "\n")
	if strings.Contains(got, "kk") || !strings.Contains(got, `, "n": 1}`) || strings.Count(got, versions.Mask) != 1 {
		t.Errorf("it shows %s", got)
	}
}

// A text of bytes that begin no character is shown to its end.
func TestCodeOfWhatIsNoText(t *testing.T) {
	text := bytes.Repeat([]byte{0x80}, 3*lineBytes+1)
	shown := 0
	for c := newCode(text, nil, 0, 1); ; c = newCode(text, nil, c.Next, c.Line) {
		for _, l := range c.Lines {
			shown += strings.Count(l.Text, `\x80`)
		}
		if c.Next == 0 || shown > len(text) || len(c.Lines) == codeLines {
			break
		}
	}
	if shown != len(text) {
		t.Errorf("%d bytes of %d are shown", shown, len(text))
	}
}

// The file that leads in is the user's own, even where somebody else has put one in its
// place.
func TestTokenIsInNobodyElsesFile(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	d, err := openDoor("http://x")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(d.path); err != nil {
		t.Fatal(err)
	}
	theirs, err := os.OpenFile(d.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	if cookie, err := d.enter(d.token); err != nil || cookie == "" {
		t.Fatalf("%q, %v", cookie, err)
	}
	if got, err := io.ReadAll(theirs); err != nil || len(got) > 0 {
		t.Errorf("somebody else's file holds %q, %v", got, err)
	}
	info, err := os.Stat(d.path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if text, err := os.ReadFile(d.path); err != nil || !bytes.Contains(text, []byte(d.token)) {
		t.Errorf("the file leads nowhere: %v", err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(d.path), "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestCredentialsInWhatIsNoDocument(t *testing.T) {
	for text, want := range map[string]string{
		`{"apiKey": "0123456789abcdef", "url": "x"`:                                       `{"apiKey": "•••••", "url": "x"`,
		`{apiKey: "0123456789abcdef", n`:                                                  `{apiKey: "•••••", n`,
		`{"password": "cut off in the mid`:                                                `{"password": "•••••"`,
		`{"a": ["sk-ant-api03-0123456789abcdef0123456789abcdef",`:                         `{"a": ["•••••",`,
		`{"a": "plain", "b": "text"`:                                                      `{"a": "plain", "b": "text"`,
		`{apiKey: '0123456789abcdef', n`:                                                  `{apiKey: "•••••", n`,
		`{'apiKey': '0123456789abcdef', n`:                                                `{'apiKey': "•••••", n`,
		`{"apiKey": '0123456789abcdef`:                                                    `{"apiKey": "•••••"`,
		`// don't "apiKey": "0123456789abcdef"`:                                           `// don't "apiKey": "•••••"`,
		`["it's", 'sk-ant-api03-0123456789abcdef0123456789'`:                              `["it's", '"•••••"'`,
		`{"apiKey": sk0123456789abcdef, "limit": 4096, n`:                                 `{"apiKey": "•••••", "limit": 4096, n`,
		`at sk-ant-api03-0123456789abcdef0123456789 and on`:                               `at "•••••" and on`,
		`password=hunter2`:                                                                `password="•••••"`,
		"{\"k\": \"-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----\n\", n": "{\"k\": \"•••••\"\n\", n",
		"-----BEGIN RSA PRIVATE KEY-----\nMIIabc\nMII":                                    "\"•••••\"",
	} {
		if got, _ := masked([]byte(text)); string(got) != want {
			t.Errorf("%s\nis shown as %s\nnot as      %s", text, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain é 漢":     "plain é 漢",
		"\x1b[31m":      `\x1b[31m`,
		"a\u202eb":      `a\u202eb`,
		"\xff\x00":      `\xff\x00`,
		"\ufffd":        "\ufffd",
		`back\slash "q`: `back\slash "q`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q is shown as %q, not as %q", text, got, want)
		}
	}
}

func TestLastHourHasEachMinuteOnce(t *testing.T) {
	now := time.Unix(1_700_000_030, 0)
	past := []Minute{
		{Start: now.Truncate(time.Minute).Add(-2 * time.Hour), Commits: 1},
		{Start: now.Truncate(time.Minute).Add(-59 * time.Minute), Commits: 2},
		{Start: now.Truncate(time.Minute), Commits: 3},
	}
	got := lastHour(past, now)
	if len(got) != 60 || got[0].Commits != 2 || got[59].Commits != 3 || got[30].Commits != 0 {
		t.Errorf("%v", got)
	}
}

func TestCeiling(t *testing.T) {
	for v, want := range map[float64]float64{0: 2, 2: 2, 3: 4, 4.5: 10, 11: 20, 199: 200, 201: 400} {
		if got := ceiling(v, 2); got != want {
			t.Errorf("the plot of %v goes up to %v, not %v", v, got, want)
		}
	}
}

func TestLinesStandSideBySide(t *testing.T) {
	var p diffPage
	p.byText(versions.CompareText([]byte("a\nb\nc\nd\n"), []byte("a\nB\nC2\nX\nd\n")), 0)
	var got []string
	for _, l := range p.Lines {
		got = append(got, fmt.Sprintf("%d %s|%d %s", l.OldNo, l.Old, l.NewNo, l.New))
	}
	want := []string{"0 from line 1|0 ", "1 a|1 a", "2 b|2 B", "3 c|3 C2", "0 |4 X", "4 d|5 d"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNamesOfRegistriesStayBelowTheDirectory(t *testing.T) {
	for name, want := range map[string]bool{"a.json": true, "a/b.json": true, "\xff.json": true, "..json": true, "": false, "/a": false, "a//b": false, "../a": false, "a/../b": false, "./a": false, "a\x00b": false} {
		if got := isPath(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestLongPathsAreCut(t *testing.T) {
	for path, want := range map[string]string{"": "the root", "/a": "/a", "/" + strings.Repeat("k", 1<<20): "/" + strings.Repeat("k", valueBytes-1) + " …"} {
		if got := orRoot(path); got != want {
			t.Errorf("a path of %d bytes is shown as %d", len(path), len(got))
		}
	}
}
