package mounttest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"clawfs/txn/txntest"
)

// invalidDocuments has one of every kind that is refused (§6).
func invalidDocuments() map[string]string {
	return map[string]string{
		"nothing":                    "",
		"blanks":                     " \n\t\r\n",
		"half an object":             `{"a":1,"b":`,
		"half a list":                `[1,2`,
		"half a string":              `{"a":"b`,
		"half a number":              `{"a":1.}`,
		"half a word":                `{"a":tru}`,
		"trailing comma, object":     `{"a":1,}`,
		"trailing comma, list":       `[1,2,]`,
		"comma too many":             `[1,,2]`,
		"comma missing":              `[1 2]`,
		"colon missing":              `{"a" 1}`,
		"comment, line":              "{\"a\":1} // one\n",
		"comment, block":             `{/* one */"a":1}`,
		"comment, hash":              "# one\n{}",
		"single quotes":              `{'a':1}`,
		"unquoted key":               `{a:1}`,
		"number as key":              `{1:1}`,
		"NaN":                        `{"a":NaN}`,
		"Infinity":                   `{"a":-Infinity}`,
		"plus sign":                  `[+1]`,
		"leading zero":               `[01]`,
		"hexadecimal":                `[0x10]`,
		"point first":                `[.5]`,
		"exponent without digits":    `[1e]`,
		"minus alone":                `[-]`,
		"capital word":               `[True]`,
		"undefined":                  `undefined`,
		"two documents":              `{"a":1}{"b":2}`,
		"two documents, two lines":   "{\"a\":1}\n{\"b\":2}\n",
		"two scalars":                `1 2`,
		"bracket too many":           `{"a":1}}`,
		"wrong bracket":              `{"a":[1}]`,
		"text behind":                `{"a":1}x`,
		"zero byte behind":           "{\"a\":1}\x00",
		"zero bytes in front":        "\x00\x00\x00\x00{\"a\":1}",
		"a hole":                     "{\"a\":1," + strings.Repeat("\x00", 4096) + "\"b\":2}",
		"BOM":                        "\xef\xbb\xbf{\"a\":1}",
		"UTF-16":                     "\xff\xfe{\x00}\x00",
		"UTF-8 cut off":              "{\"a\":\"\xc3\"}",
		"UTF-8 overlong":             "{\"a\":\"\xc0\xaf\"}",
		"UTF-8 surrogate":            "{\"a\":\"\xed\xa0\x80\"}",
		"UTF-8 beyond Unicode":       "{\"a\":\"\xf4\x90\x80\x80\"}",
		"Latin-1":                    "{\"a\":\"\xe9\"}",
		"control character":          "{\"a\":\"x\ny\"}",
		"tab in a string":            "{\"a\":\"x\ty\"}",
		"bad escape":                 `{"a":"\x41"}`,
		"bad Unicode escape":         `{"a":"\u12G4"}`,
		"form feed":                  "{\f\"a\":1}",
		"no-break space":             "{\u00a0\"a\":1}",
		"repeated name":              `{"a":1,"b":2,"a":3}`,
		"repeated name, escaped":     `{"a":1,"\u0061":2}`,
		"repeated name, deep":        `{"x":[{"y":{"a":1,"a":1}}]}`,
		"1001 levels":                strings.Repeat("[", 1001) + strings.Repeat("]", 1001),
		"1001 levels, objects":       strings.Repeat(`{"a":`, 1001) + "1" + strings.Repeat("}", 1001),
		"one document and half":      `{"models":[]}{"models":[`,
		"appended twice, as by >>":   "{\"models\":[]}\n{\"models\":[]}\n",
		"HTML, as a proxy answers":   "<!DOCTYPE html><html></html>",
		"conflict markers":           "{\n<<<<<<< HEAD\n\"a\":1\n=======\n\"a\":2\n>>>>>>> b\n}",
		"JSON5":                      `{a: 'b', c: [1, 2,],}`,
		"python's repr":              `{'a': None, 'b': True}`,
		"a document and zero bytes":  `{"models":[{"id":"a"}]}` + strings.Repeat("\x00", 512),
		"shorter over longer, in r+": `{"models":[]}"id":"claude"}]}`,
	}
}

// validDocuments has documents that are easily mistaken for invalid.
func validDocuments() map[string]string {
	return map[string]string{
		"object":                  `{}`,
		"list":                    `[]`,
		"scalar":                  `42`,
		"word":                    `null`,
		"string":                  `"text"`,
		"blanks around":           " \r\n\t{ } \n",
		"CRLF":                    "{\r\n  \"a\": 1\r\n}\r\n",
		"lone surrogate":          `{"a":"\ud83d"}`,
		"lone surrogate, low":     `{"a":"\udc00x"}`,
		"surrogate pair":          `{"a":"\ud83d\ude00"}`,
		"escaped zero":            `{"a":"\u0000"}`,
		"DEL and C1":              "{\"a\":\"\x7f\u0080\u2028\"}",
		"empty name":              `{"":{"":1}}`,
		"names that differ":       "{\"a\":1,\"A\":2,\"\u00e9\":3,\"e\u0301\":4}",
		"__proto__":               `{"__proto__":1,"constructor":2}`,
		"long integer":            `[123456789012345678901234567890]`,
		"out of a double":         `[1e400,-1e-400]`,
		"negative zero":           `[-0,-0.0,0e0]`,
		"1000 levels":             strings.Repeat("[", 1000) + strings.Repeat("]", 1000),
		"long string":             `"` + strings.Repeat("x", 1<<20) + `"`,
		"many members":            manyMembers(10000),
		"BOM inside a string":     "{\"a\":\"\ufeff\"}",
		"noncharacter, astral":    "[\"\U0010ffff\"]",
		"escapes of every kind":   `["\"\\\/\b\f\n\r\t\u00e9\u00E9"]`,
		"the same name elsewhere": `{"a":{"a":1},"b":{"a":1}}`,
	}
}

func manyMembers(n int) string {
	members := make(map[string]int, n)
	for i := range n {
		members[strings.Repeat("k", i%7)+string(rune('0'+i%10))+strings.Repeat("x", i/100)+string(rune('a'+i%26))+strings.Repeat("y", i%100)] = i
	}
	text, _ := json.Marshal(members)
	return string(text)
}

// attempt is the output of programs/refused.* for one content.
type attempt struct {
	Name, AfterPlace, AfterRename string
	Place, Rename                 *string
	Kept                          bool
}

const headBefore = `{"models":[{"id":"claude"}]}`

// attempts has a program write each content to a registry with headBefore as its
// head.
func attempts(t *testing.T, m *mount, program []string, contents map[string]string) []attempt {
	t.Helper()
	encoded := make(map[string]string, len(contents))
	for name, content := range contents {
		encoded[name] = base64.StdEncoding.EncodeToString([]byte(content))
	}
	text, err := json.Marshal(encoded)
	if err != nil {
		t.Fatal(err)
	}
	cases := filepath.Join(t.TempDir(), "cases")
	write(t, filepath.Dir(cases), "cases", string(text))
	write(t, m.dir, "models.json", headBefore)
	out := succeed(t, m.dir, append(program, filepath.Join(m.dir, "models.json"), cases))
	var all []attempt
	for line := range strings.Lines(out) {
		var a attempt
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		for _, s := range []*string{&a.AfterPlace, &a.AfterRename} {
			text, err := base64.StdEncoding.DecodeString(*s)
			if err != nil {
				t.Fatal(err)
			}
			*s = string(text)
		}
		all = append(all, a)
	}
	if len(all) != len(contents) {
		t.Fatalf("%d attempts of %d", len(all), len(contents))
	}
	return all
}

func said(err *string) string {
	if err == nil {
		return "success"
	}
	return *err
}

// refuses checks that each content is refused in place and by rename, that the
// program is told so, that the head stays, and that the content is kept.
func refuses(t *testing.T, m *mount, line []string, contents map[string]string) {
	t.Helper()
	for _, a := range attempts(t, m, line, contents) {
		if said(a.Place) != "close EINVAL" {
			t.Errorf("P1: %s in place: %s, want close EINVAL", a.Name, said(a.Place))
		}
		if said(a.Rename) != "rename EILSEQ" {
			t.Errorf("P1: %s by rename: %s, want rename EILSEQ", a.Name, said(a.Rename))
		}
		if a.AfterPlace != headBefore || a.AfterRename != headBefore {
			t.Errorf("P1: %s: the head is %s, then %s", a.Name, short(a.AfterPlace), short(a.AfterRename))
		}
		if !a.Kept {
			t.Errorf("%s: the temporary file is gone after a refused rename", a.Name)
		}
	}
	var missing []string
	eventually(quarantineDelay, func() bool {
		kept := m.quarantined()
		missing = nil
		for name, content := range contents {
			if content != "" && !slices.Contains(kept, content) {
				missing = append(missing, name)
			}
		}
		return len(missing) == 0
	})
	if len(missing) > 0 {
		t.Errorf("P9: not in quarantine: %q", missing)
	}
}

// P1, P9: content that is no strict document is refused, however it comes.
func TestInvalidDocumentsAreRefused(t *testing.T) {
	t.Parallel()
	need(t, "node")
	for _, name := range []string{"programs/refused.mjs", "programs/refused.py"} {
		t.Run(name, func(t *testing.T) { refuses(t, newMount(t), program(t, name), invalidDocuments()) })
	}
}

// P1, P7: strict content is accepted and kept byte for byte.
func TestValidDocumentsAreAccepted(t *testing.T) {
	t.Parallel()
	need(t, "node")
	for _, name := range []string{"programs/refused.mjs", "programs/refused.py"} {
		t.Run(name, func(t *testing.T) { accepts(t, newMount(t), program(t, name), validDocuments()) })
	}
}

func accepts(t *testing.T, m *mount, line []string, contents map[string]string) {
	t.Helper()
	for _, a := range attempts(t, m, line, contents) {
		if a.Place != nil || a.Rename != nil {
			t.Errorf("%s: %s in place, %s by rename", a.Name, said(a.Place), said(a.Rename))
		}
		if content := contents[a.Name]; a.AfterPlace != content || a.AfterRename != content {
			t.Errorf("P7: %s became %s, then %s", a.Name, short(a.AfterPlace), short(a.AfterRename))
		}
	}
}

// newDocuments are the files of JSONTestSuite that are no strict document, and that a
// new file may hold all the same: three have a comment, the sign of JSON5 (§1), and one
// is empty, as a placeholder is.
var newDocuments = []string{
	"n_object_trailing_comment.json", "n_object_trailing_comment_slash_open.json", "n_structure_object_with_comment.json",
	"n_structure_no_data.json",
}

// P1: JSONTestSuite. The content of n_ files is refused over a strict document and, but for
// newDocuments, for a new file. The content of y_ files is accepted; only repeated names
// are refused.
func TestJSONTestSuite(t *testing.T) {
	t.Parallel()
	need(t, "node")
	yes, no := make(map[string]string), make(map[string]string)
	for name, text := range txntest.Suite(t) {
		switch {
		case strings.HasPrefix(name, "n_"), strings.HasPrefix(name, "y_object_duplicated_key"):
			no[name] = text
		case strings.HasPrefix(name, "y_"):
			yes[name] = text
		}
	}
	t.Logf("%d to refuse, %d to accept", len(no), len(yes))
	for _, name := range []string{"programs/refused.mjs", "programs/refused.py"} {
		t.Run(name, func(t *testing.T) {
			m := newMount(t)
			refuses(t, m, program(t, name), no)
			accepts(t, m, program(t, name), yes)
		})
	}
	t.Run("new files", func(t *testing.T) { t.Parallel(); newFiles(t, yes, no) })
}

// newFiles has a program write each content to a new file, and rename it to another one.
func newFiles(t *testing.T, yes, no map[string]string) {
	m := newMount(t)
	m.leavesDialects = true
	contents := maps.Clone(no)
	maps.Copy(contents, yes)
	text, err := json.Marshal(contents)
	if err != nil {
		t.Fatal(err)
	}
	write(t, m.dir, "cases", string(text))
	out := succeed(t, m.dir, []string{"python3", "-c", `
import json, os
def said(f, *args):
    try: f(*args)
    except OSError as err: return os.strerror(err.errno)
    return 'success'
def place(name, text):
    with open(name, 'w', encoding='utf-8', newline='') as f: f.write(text)
for name, text in json.load(open('cases', encoding='utf-8')).items():
    place('t', text)
    print(name, said(place, 'p-' + name, text), '/', said(os.rename, 't', 'r-' + name))
    for path in ('p-' + name, 'r-' + name):
        if os.path.exists(path): os.remove(path)`})
	checked := 0
	for line := range strings.Lines(out) {
		name, got, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		want := "success / success"
		if _, invalid := no[name]; invalid && !slices.Contains(newDocuments, name) {
			want = "Invalid argument / Invalid or incomplete multibyte or wide character"
		}
		if got != want {
			t.Errorf("P1: a new file with %s: %s, want %s", name, got, want)
		}
		checked++
	}
	if checked != len(contents) {
		t.Errorf("%d new files of %d", checked, len(contents))
	}
}

// P1: no depth of nesting exhausts memory or stack.
func TestDeepNestingIsRefusedInFlatMemory(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	write(t, m.dir, "models.json", headBefore)
	file := filepath.Join(m.dir, "models.json")
	attempt := func(how, levels string) {
		t.Helper()
		want := map[string]string{"in-place": "EINVAL", "rename": "EILSEQ"}[how]
		if got := strings.TrimSpace(succeed(t, m.dir, program(t, "programs/nested.py", how, file, levels))); got != want {
			t.Errorf("P1: %s levels %s: %s, want %s", levels, how, got, want)
		}
		if got := read(t, m.dir, "models.json"); got != headBefore {
			t.Errorf("P1: %s levels %s: the head is %s", levels, how, short(got))
		}
	}
	before := m.status("VmRSS")
	attempt("in-place", "100000")
	attempt("rename", "100000")
	attempt("in-place", "5000000")
	attempt("rename", "5000000")
	first := m.status("VmHWM")
	const document = 10 << 20 // bytes of 5,000,000 levels
	if grown := first - before; grown > 6*document {
		t.Errorf("the daemon grew by %d MB over documents of 10 MB", grown>>20)
	}
	for range 4 {
		attempt("in-place", "5000000")
		attempt("rename", "5000000")
	}
	garbage := int64(2 * document)
	if txntest.DoesWithout("early-collection") {
		garbage = 6 * document
	}
	if grown := m.status("VmHWM") - first; grown > garbage {
		t.Errorf("the daemon grows by refusals: from %d MB to %d MB", first>>20, m.status("VmHWM")>>20)
	}
}

// P9: shell built-ins don't look at the result of close, coreutils and mv do.
func TestRefusalsAsShellsSeeThem(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script string
		fails        bool
		stderr       string // a part of it
		kept         string // in quarantine; nothing if empty
	}{
		{"echo", `echo '{"a":' > models.json`, false, "", "{\"a\":\n"},
		{"append", `echo '{"a":1}' >> models.json`, false, "", headBefore + "{\"a\":1}\n"},
		{"truncate by :", `: > models.json`, false, "", ""},
		{"truncate", `truncate -s 10 models.json`, true, "Invalid argument", headBefore[:10]},
		{"mv", `echo '{"a":' > t; mv t models.json`, true, "Invalid or incomplete multibyte", "{\"a\":\n"},
		{"mv -f to another registry", `echo '[1,]' > t; mv -f t other.json`, true, "Invalid or incomplete multibyte", "[1,]\n"},
		{"ln", `echo '[2,]' > t; ln t other.json`, true, "Invalid or incomplete multibyte", "[2,]\n"},
		{"cp", `echo '[3,]' > t; cp t models.json`, true, "Invalid argument", "[3,]\n"},
		{"cat", `echo '[4,]' > t; cat t > models.json`, true, "Invalid argument", "[4,]\n"},
		{"tee", `echo '[5,]' | tee models.json`, true, "Invalid argument", "[5,]\n"},
		{"dd", `echo '[6,]' | dd of=models.json status=none`, true, "Invalid argument", "[6,]\n"},
		{"sed -i", `sed -i 's/claude/"/' models.json`, true, "Invalid or incomplete multibyte", `{"models":[{"id":"""}]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMount(t)
			write(t, m.dir, "models.json", headBefore)
			r := run(t, m.dir, bash(test.script))
			if (r.code != 0) != test.fails || !strings.Contains(r.stderr, test.stderr) {
				t.Errorf("P9: %v", r)
			}
			if got := read(t, m.dir, "models.json"); got != headBefore {
				t.Errorf("P1: the head is %s", short(got))
			}
			if _, err := os.Lstat(filepath.Join(m.dir, "other.json")); err == nil {
				t.Error("P1: other.json is there")
			}
			if strings.Contains(test.script, "> t;") && (strings.HasPrefix(test.name, "mv") || test.name == "ln") {
				if _, err := os.Lstat(filepath.Join(m.dir, "t")); err != nil {
					t.Errorf("names are not as before: %v", err)
				}
			}
			if test.kept != "" {
				m.wantQuarantined(test.kept)
			}
			if !strings.Contains(m.logText(), "Registry write rejected") && test.kept != "" {
				t.Error("P9: no line in the log")
			}
		})
	}
}

// A refused close can be mended: the staged content stays as long as the file is open.
func TestRefusedCloseCanBeMended(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	write(t, m.dir, "models.json", headBefore)
	out := succeed(t, m.dir, program(t, "programs/mend.py", "models.json"))
	if want := "EINVAL\n" + headBefore + "\nok\n"; out != want {
		t.Errorf("got %q, want %q", out, want)
	}
	if got := read(t, m.dir, "models.json"); got != `{"models":[]}` {
		t.Errorf("the head is %s", short(got))
	}
}

// Errors other than EINVAL (§6).
func TestTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	need(t, "node")
	m := newMount(t, "--max-size", "1MiB")
	large := map[string]string{"large": `"` + strings.Repeat("x", 1<<20) + `"`}
	for _, name := range []string{"programs/refused.mjs", "programs/refused.py"} {
		for _, a := range attempts(t, m, program(t, name), large) {
			if !strings.HasSuffix(said(a.Place), " EFBIG") || said(a.Rename) != "rename EFBIG" {
				t.Errorf("%s: %s in place, %s by rename", name, said(a.Place), said(a.Rename))
			}
			if a.AfterPlace != headBefore || a.AfterRename != headBefore || !a.Kept {
				t.Errorf("%s: the head is %s, then %s", name, short(a.AfterPlace), short(a.AfterRename))
			}
		}
	}
	fits := `"` + strings.Repeat("x", 1<<20-2) + `"`
	write(t, m.dir, "fits.json", fits)
	if read(t, m.dir, "fits.json") != fits {
		t.Error("a document of just the largest size is not kept")
	}
}

// P9: a file that is refused where it lies, by a rename or a link, is told in the log, too.
func TestFilesThatCannotBecomeRegistriesAreTold(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	large := `head -c 2000000 /dev/zero | tr '\0' 1 > t; `
	exchange := `import ctypes; libc = ctypes.CDLL(None, use_errno=True)
if libc.renameat2(-100, b"t", -100, b"models.json", 2): raise OSError(ctypes.get_errno(), "renameat2")`
	tests := []struct{ name, script, refused, via string }{
		{"mv of what is too large", large + "mv t models.json", "models.json", "rename"},
		{"ln of what is too large", large + "ln t other.json", "other.json", "link"},
		{"exchange with what is too large", large + "python3 -c '" + exchange + "'", "models.json", "rename"},
		{"exchange with what is invalid", "echo '[1,]' > t; python3 -c '" + exchange + "'", "models.json", "rename"},
		{"mv of what is invalid over a symbolic link", "ln -s nowhere other.json; echo '[1,]' > t; mv t other.json", "other.json", "rename"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMount(t, "--max-size", "1MiB")
			write(t, m.dir, "models.json", headBefore)
			if r := run(t, m.dir, bash(test.script)); r.code == 0 {
				t.Errorf("P9: %v", r)
			}
			if got := read(t, m.dir, "models.json"); got != headBefore {
				t.Errorf("P1: the head is %s", short(got))
			}
			if _, err := os.Lstat(filepath.Join(m.dir, "t")); err != nil {
				t.Errorf("names are not as before: %v", err)
			}
			line := fmt.Sprintf(`Registry write rejected {"registry": %q, "outcome": "rejected", "via": %q`, test.refused, test.via)
			if log := m.logText(); !strings.Contains(log, line) {
				t.Errorf("P9: no line in the log begins with %s:\n%s", line, log)
			}
		})
	}
}

// .clawfs is hidden, readable, and takes no change.
func TestOwnDirectoryIsReadOnly(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	write(t, m.dir, "models.json", headBefore)
	write(t, m.dir, "models.json", `{"models":[]}`)
	for _, script := range []string{
		"echo 1 > .clawfs/x", "echo '[]' > .clawfs/x.json", "mkdir .clawfs/x", "rm -r .clawfs/history", "rmdir .clawfs",
		"mv .clawfs elsewhere", "ln -s x .clawfs/x", "ln models.json .clawfs/x", "mv models.json .clawfs/x", "chmod 777 .clawfs",
		"touch .clawfs/lock", "truncate -s 0 .clawfs/lock", "echo >> .clawfs/format", "mkfifo .clawfs/x",
		"mv .clawfs/format format", "ln .clawfs/format format", "setfattr -n user.x -v y .clawfs",
	} {
		r := run(t, m.dir, bash(script))
		if r.code == 0 || !strings.Contains(r.stderr, "Read-only file system") {
			t.Errorf("%v", r)
		}
	}
	if out := succeed(t, m.dir, bash("ls -A; find . | sort")); strings.Contains(out, ".clawfs") {
		t.Errorf("it is listed:\n%s", out)
	}
	if out := succeed(t, m.dir, bash("ls .clawfs && cat .clawfs/lock && find .clawfs/history -type f | grep -c .")); !strings.Contains(out, "history") {
		t.Errorf("it can't be read:\n%s", out)
	}
	if got := read(t, m.dir, "models.json"); got != `{"models":[]}` {
		t.Errorf("the head is %s", short(got))
	}
}

// No line of the log ever contains a value out of a document.
func TestNoValueInTheLog(t *testing.T) {
	t.Parallel()
	need(t, "jq")
	const secret = "sk-Zq8hX2wvT4"
	m := newMount(t, "--log-level", "debug", "--on-conflict", "ours")
	document := `{"profiles":{"a":{"token":"` + secret + `-1"}},"messages":[{"text":"` + secret + `-2"}]}`
	write(t, m.dir, "auth.json", document)
	scripts := []string{
		`jq '.profiles.b.token = "` + secret + `-3"' auth.json > t; jq '.profiles.a.token = "` + secret + `-4"' auth.json > u; mv t auth.json; mv u auth.json`,
		`echo '{"token":"` + secret + `",' > auth.json`,           // refused, in place
		`echo '{"a":1,"a":"` + secret + `"}' > t; mv t auth.json`, // refused, by rename
		`echo '{"` + "a" + `":` + secret + `}' > auth.json`,       // refused, a value where the parser stops
		`printf '"` + secret + `\xff"' > auth.json`,               // refused, bad UTF-8
		`echo '"` + secret + `" "` + secret + `"' > auth.json`,    // refused, two documents
		`truncate -s 40 auth.json`,
		`rm auth.json`,
	}
	for _, script := range scripts {
		run(t, m.dir, bash(script))
	}
	// A conflict: two change the same value from the same base.
	write(t, m.dir, "conflict.json", `{"models":[],"key":"`+secret+`"}`)
	one := startActor(t, m.dir, "py", filepath.Join(m.dir, "conflict.json"))
	two := startActor(t, m.dir, "py", filepath.Join(m.dir, "conflict.json"))
	for _, a := range []*actor{one, two} {
		a.do(t, "read")
	}
	one.do(t, `set key "`+secret+`-one"`)
	two.do(t, `set key "`+secret+`-two"`)
	one.do(t, "save")
	two.do(t, "save")
	one.quit(t)
	two.quit(t)
	m.unmount()
	text := m.logText()
	for line := range strings.Lines(text) {
		if strings.Contains(line, secret) {
			t.Errorf("a value in the log: %s", strings.ReplaceAll(line, secret, "SECRET"))
		}
	}
	for _, phrase := range []string{"Registry write committed", "Registry write rejected", "Registry write conflict"} {
		if !strings.Contains(text, phrase) {
			t.Errorf("the log has no %q, so that this test shows little", phrase)
		}
	}
}
