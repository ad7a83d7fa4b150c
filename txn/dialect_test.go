package txn_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"clawfs/txn"
	"clawfs/txn/txntest"
)

// give gives the file content in one of the ways in which programs do.
func (b *bench) give(how string, c txn.Caller, content string) error {
	b.Helper()
	switch how {
	case "write":
		return b.saveErr(c, content)
	case "rename":
		return b.store.Replace(file, c, txn.Replacement{Content: []byte(content), Via: txn.ViaRename})
	case "append":
		tx, err := b.store.Begin(file, c, txn.BeginOptions{Create: true})
		b.ok(err)
		defer tx.Release()
		_, err = tx.Append(c, []byte(content))
		b.ok(err)
		return tx.Flush(c, txn.Death{})
	case "remove":
		return b.store.Unlink(file, c)
	case "foreign":
		b.storage.Storage.(*txntest.Memory).Foreign(file, []byte(content))
		return nil
	case "restart":
		b.ok(b.store.Close())
		b.store = txn.New(b.storage, b.config)
		return nil
	}
	b.Fatal(how)
	return nil
}

// content is read, for a file that may be empty.
func (b *bench) content(c txn.Caller) string {
	b.Helper()
	s, err := b.store.Open(file)
	b.ok(err)
	defer s.Release()
	return string(s.Version().Bytes())
}

// A dialect is told by a new file, or by a second line; it is kept through all later
// content and restarts, and ends with the removal. Content that would change it is
// refused.
func TestDialects(t *testing.T) {
	const comment, stripped = "{// why\n\"a\": 1,}", `{"a":2}`
	type step struct{ how, content, want string } // want: the dialect after it, or "refused"
	for name, steps := range map[string][]step{
		"one line is undecided":       {{"write", "{\"a\":1}\n", "json"}, {"write", "{\n\"a\": 2\n}\n", "json"}, {"write", "{\"a\":2}\n{\"b\":1}\n", "refused"}},
		"a second line":               {{"write", "{\"a\":1}\n", "json"}, {"rename", "{\"a\":1}\n{\"b\":1}", "lines"}, {"write", "{\"b\":1}", "lines"}, {"write", "{\n}", "refused"}, {"write", "", "lines"}, {"append", "1\n", "lines"}},
		"a second line, spelled anew": {{"write", "{\"a\":1,\"b\":2}", "json"}, {"write", "{\"b\": 2, \"a\": 1.0}\n[]\n", "lines"}},
		"another first line":          {{"write", "{\"a\":1}\n", "json"}, {"write", "{\"a\":2}\n{\"b\":1}\n", "refused"}},
		"half a second line":          {{"write", "{\"a\":1}\n", "json"}, {"write", "{\"a\":1}\n{\"b\":", "refused"}, {"append", "{\"b\":", "refused"}, {"append", "2\n", "lines"}},
		"two documents on one line":   {{"write", "{\"a\":1}\n", "json"}, {"write", "{\"a\":1}{\"b\":1}\n", "refused"}},
		"an empty line":               {{"write", "1\n2\n", "lines"}, {"write", "1\n\n2\n", "refused"}, {"write", "1\n2\n\n", "refused"}},
		"new lines":                   {{"write", "{\"a\":1}\n{\"a\":1}\n", "lines"}, {"restart", "", "lines"}, {"write", "3\n", "lines"}, {"restart", "", "lines"}, {"append", "4", "lines"}},
		"emptied lines":               {{"write", "1\n2\n", "lines"}, {"write", "", "lines"}, {"restart", "", "lines"}, {"append", "1\n", "lines"}, {"append", "2\n", "lines"}},
		"a new comment":               {{"write", comment, "json5"}, {"rename", stripped, "json5"}, {"write", "{a: NaN}", "json5"}, {"restart", "", "json5"}, {"write", comment, "json5"}, {"write", "{", "refused"}, {"write", "1\n2\n", "refused"}},
		"a comment over strict":       {{"write", stripped, "json"}, {"write", comment, "refused"}, {"rename", comment, "refused"}, {"restart", "", "json"}, {"write", comment, "refused"}},
		"removed":                     {{"write", comment, "json5"}, {"remove", "", "none"}, {"write", stripped, "json"}, {"write", comment, "refused"}, {"remove", "", "none"}, {"restart", "", "none"}, {"write", "1\n2\n", "lines"}},
		"python's NaN":                {{"write", `{"a": NaN}`, "refused"}, {"write", `{"a": 1}`, "json"}, {"write", `{"a": [Infinity, NaN]}`, "refused"}},
		"no comment":                  {{"write", `{"a": 1,}`, "refused"}, {"write", `{a: 1}`, "refused"}, {"write", "", "blank"}},
		"ciphertext made later":       {{"write", "\x01\xff\x00", "refused"}, {"write", stripped, "json"}, {"write", "\x01\xff\x00", "refused"}},
		"ciphertext":                  {{"foreign", "\x01\xff\x00", "plain"}, {"rename", "\x02\xfe", "plain"}, {"write", "", "plain"}, {"write", "{", "plain"}, {"restart", "", "plain"}, {"write", "\x03", "plain"}, {"write", stripped, "json"}, {"write", "\x03", "refused"}},
		"broken, then lines":          {{"foreign", "{", "plain"}, {"write", "1\n2\n", "lines"}, {"write", "{", "refused"}},
		"broken, then a comment":      {{"foreign", "{", "plain"}, {"write", "", "plain"}, {"rename", comment, "json5"}},
		"found lines":                 {{"foreign", "1\n2", "lines"}, {"restart", "", "lines"}, {"write", "1\n2\n3\n", "lines"}, {"restart", "", "lines"}},
		"found behind":                {{"write", "1\n", "json"}, {"restart", "", "json"}, {"foreign", "1\n2\n", "lines"}, {"foreign", "{\n}", "lines"}, {"write", "{\n}", "refused"}},
		"a comment behind":            {{"write", stripped, "json"}, {"foreign", comment, "json"}, {"write", comment, "refused"}},
		"lines that were lost behind": {{"write", "1\n2\n", "lines"}, {"write", "1\n2\n3\n", "lines"}, {"foreign", "", "lines"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "")
			head := ""
			for i, s := range steps {
				c := program(i + 1)
				err := b.give(s.how, c, s.content)
				var invalid *txn.InvalidError
				if refused := errors.As(err, &invalid); refused != (s.want == "refused") || err != nil && !refused {
					t.Fatalf("step %d, %s %q: %v, want %s", i, s.how, s.content, err, s.want)
				}
				switch {
				case s.want == "none":
					head = ""
					continue
				case s.want == "blank":
					continue
				}
				got := b.content(c)
				if wrote := s.how == "write" || s.how == "rename"; wrote && s.want != "refused" && got != s.content || s.want == "refused" && got != head {
					t.Fatalf("step %d, %s %q: it holds %q, and %q before", i, s.how, s.content, got, head)
				}
				head = got
				if is := b.store.Dialects()[file]; s.want != "refused" && is.String() != s.want {
					t.Fatalf("step %d, %s %q: it is %s, want %s", i, s.how, s.content, is, s.want)
				}
			}
		})
	}
}

// Settled is settled: nothing that is written changes it, and it need not be noted.
func TestSettledDialects(t *testing.T) {
	settled := txn.JSON5
	b := newBench(t, "", func(c *txn.Config) {
		c.Dialect = func(string) (txn.Dialect, bool) { return settled, settled != txn.Strict }
	})
	c := program(1)
	b.save(c, "{a: NaN}")
	b.save(c, `{"a":1}`)
	if b.saveErr(c, "{}\n{}\n") == nil {
		t.Error("two documents in JSON5")
	}
	settled = txn.Lines
	b.save(c, "{}\n[]\n")
	if b.saveErr(c, "{// one\n}") == nil {
		t.Error("a comment in JSON lines")
	}
	b.save(c, "{}")
	settled = txn.Strict
	if b.saveErr(c, "{// one\n}") == nil {
		t.Error("what was settled is kept, though it no longer is")
	}
	b.save(c, "{}\n[]\n")
}

// The refusal names the setting that would have the content accepted.
func TestRefusalsNameTheCure(t *testing.T) {
	for content, cure := range map[string]string{
		"{// c\n}":       "--json5",
		`{"a":1,}`:       "--json5",
		`{"a":NaN}`:      "--json5",
		"[1]\n[2]\n":     "--lines",
		"\x80cipher":     "--ignore",
		"\xff\xfe{\x00}": "--ignore",
		`{"a":`:          "--ignore",
	} {
		b := newBench(t, `{"v":1}`)
		err := b.saveErr(program(1), content)
		if err == nil || !strings.Contains(err.Error(), cure) || !strings.Contains(err.Error(), " /"+file+" ") {
			t.Errorf("%q: %v", content, err)
		}
		if e := b.last(); e.Err == nil || e.Err.Error() != err.Error() {
			t.Errorf("%q: observed %v", content, e.Err)
		}
	}
}

// Whole lines are committed as they are appended, behind the head of that moment; about a part
// of a line the close decides.
func TestAppendedLinesAreCommitted(t *testing.T) {
	b := newBench(t, "1\n2\n")
	writers := []txn.Caller{program(1), program(2)}
	var open []*txn.Tx
	for _, c := range writers {
		tx, err := b.store.Begin(file, c, txn.BeginOptions{})
		b.ok(err)
		open = append(open, tx)
	}
	add := func(i int, text string) {
		_, err := open[i].Append(writers[i], []byte(text))
		b.ok(err)
	}
	add(0, "3\n")
	b.want("1\n2\n3\n")
	add(1, "3\n") // an equal one
	b.want("1\n2\n3\n3\n")
	if e := b.last(); e.Via != txn.ViaAppend || e.Outcome != txn.Merged {
		t.Errorf("observed %+v", e)
	}
	add(0, "4")
	b.want("1\n2\n3\n3\n")
	add(0, "5\n6\n")
	b.want("1\n2\n3\n3\n45\n6\n")
	b.save(program(3), "7") // without the end of the line
	add(1, "8\n")
	b.want("7\n8\n")
	add(1, "9")
	b.ok(open[1].Flush(writers[1], txn.Death{}))
	b.want("7\n8\n9")
	add(0, "x\n")
	b.want("7\n8\n9")
	if err := open[0].Flush(writers[0], txn.Death{}); err == nil {
		t.Error("a line that is none")
	}
	for _, tx := range open {
		tx.Release()
	}
	b.want("7\n8\n9")
}

// Several that append to a new file add lines to it, as in a bare directory.
func TestNewFileIsAppendedTo(t *testing.T) {
	b := newBench(t, "")
	var open []*txn.Tx
	var want []string
	for i := range 4 {
		c := program(i + 1)
		tx, err := b.store.Begin(file, c, txn.BeginOptions{Create: true})
		b.ok(err)
		open = append(open, tx)
		want = append(want, fmt.Sprintf(`{"n":%d}`, i))
		_, err = tx.Append(c, []byte(want[i]+"\n"))
		b.ok(err)
	}
	for i, tx := range open {
		b.ok(tx.Flush(program(i+1), txn.Death{}))
		tx.Release()
	}
	b.want(strings.Join(want, "\n") + "\n")
}

// Lines are merged as a log.
func TestLinesAreMerged(t *testing.T) {
	b := newBench(t, "{\"n\":1}\n")
	p, q := program(1), program(2)
	b.read(p)
	b.read(q)
	b.save(q, "{\"n\":1}\n{\"q\":1}\n")
	b.save(p, "{\"n\":1}\n{\"p\":1}\n")
	b.want("{\"n\":1}\n{\"q\":1}\n{\"p\":1}\n")
	b.save(q, "{\"q\":1}\n")
	b.want("{\"q\":1}\n{\"p\":1}\n")
}

// Several programs begin a file with a line of their own, each having seen none. When a second
// line shows that the file is JSON lines, all their lines are there. One of the lines is the
// file until then, whole.
func TestFirstLinesOfSeveral(t *testing.T) {
	if killedBetween {
		t.Skip("this goes with its store")
	}
	line := func(n int) string { return fmt.Sprintf(`{"type":"entity","name":"e%d","seen":["%d"]}`, n, n) }
	begin := func(t *testing.T, n int) *bench {
		b := newBench(t, "")
		var open []*txn.Tx
		for i := range n {
			b.store.Missed(file, program(i), 1, b.store.Now()+1)
		}
		for i := range n {
			tx, err := b.store.Begin(file, program(i), txn.BeginOptions{Create: true, Truncate: true})
			b.ok(err)
			open = append(open, tx)
		}
		for i, tx := range open {
			b.put(tx, program(i), line(i))
			b.want(line(i))
		}
		return b
	}
	t.Run("the last one goes on", func(t *testing.T) {
		b := begin(t, 3)
		b.save(program(2), line(2)+"\n"+line(3))
		b.want(strings.Join([]string{line(0), line(1), line(2), line(3)}, "\n"))
	})
	t.Run("another one goes on", func(t *testing.T) {
		b := begin(t, 3)
		b.save(program(0), line(0)+"\n"+line(3))
		b.want(strings.Join([]string{line(0), line(1), line(2), line(3)}, "\n"))
	})
	t.Run("a line is appended", func(t *testing.T) {
		b := begin(t, 2)
		b.ok(b.give("append", program(7), "\n"+line(3)+"\n"))
		b.want(strings.Join([]string{line(0), line(1), line(3), ""}, "\n"))
	})
	t.Run("it is edited, then a line is appended", func(t *testing.T) {
		b := begin(t, 2)
		b.read(program(7))
		b.save(program(7), `{"type":"entity","name":"e1","seen":["1","7"]}`)
		b.ok(b.give("append", program(7), "\n"+line(3)+"\n"))
		b.want(strings.Join([]string{line(0), `{"type":"entity","name":"e1","seen":["1","7"]}`, line(3), ""}, "\n"))
	})
	t.Run("it is a document", func(t *testing.T) {
		b := begin(t, 2)
		b.save(program(1), "{\n\"name\": \"e1\"\n}")
		if err := b.saveErr(program(1), "{\"name\":\"e1\"}\n{}"); err == nil {
			t.Error("two documents")
		}
		b.save(program(1), "{\"name\":\"e1\"}")
		b.save(program(1), "{\"name\":\"e1\"}\n{}")
		b.want("{\"name\":\"e1\"}\n{}")
	})
}

// Lines are added to the one that their writer has seen, though another has edited it.
func TestSecondLineBesideAnEdit(t *testing.T) {
	b := newBench(t, `{"name":"a","seen":[]}`)
	p, q := program(1), program(2)
	b.read(p)
	b.read(q)
	b.save(q, `{"name":"a","seen":["q"]}`)
	b.save(p, `{"name":"a","seen":[]}`+"\n"+`{"name":"b"}`+"\n")
	b.want(`{"name":"a","seen":["q"]}` + "\n" + `{"name":"b"}` + "\n")
	if err := b.saveErr(program(3), "3\n4\n{\n}"); err == nil {
		t.Error("no lines")
	}
}

// A line of the log has the dialect, and a log without one is that of an older version.
func TestDialectIsRecorded(t *testing.T) {
	b := newBench(t, "1\n2\n")
	last := func() (r struct{ Dialect string }) {
		line, err := b.storage.LastRecord(file)
		b.ok(err)
		b.ok(json.Unmarshal(line, &r))
		return r
	}
	if r := last(); r.Dialect != "lines" {
		t.Errorf("recorded %q", r.Dialect)
	}
	if b.saveErr(program(1), "{\n}") == nil || last().Dialect != "lines" {
		t.Error("a refusal does not tell the dialect")
	}
	b.ok(b.storage.Record(file, []byte(`{"seq":1,"outcome":"committed","via":"close","digest":"`+fmt.Sprintf("%x", sha256.Sum256([]byte("1\n2\n")))+`","size":4}`)))
	b.ok(b.give("restart", program(1), ""))
	b.want("1\n2\n")
	if d := b.store.Dialects()[file]; d != txn.Lines {
		t.Errorf("after a log without a dialect it is %s", d)
	}
}

// A file that another one includes may be in its language.
func TestIncludedFileMayHaveComments(t *testing.T) {
	var asked []string
	b := newBench(t, `{}`, func(c *txn.Config) {
		c.Included = func(name string, load func(string) ([]byte, error)) bool {
			asked = append(asked, name)
			text, err := load("main.json")
			return err == nil && strings.Contains(string(text), name)
		}
	})
	c := program(1)
	if b.saveErr(c, "{// one\n}") == nil {
		t.Error("a comment over a strict head")
	}
	b.storage.Storage.(*txntest.Memory).Foreign("main.json", []byte(file))
	b.save(c, "{// one\n}")
	b.save(c, "{}")
	b.save(c, "{a: 1}")
	if !slices.Contains(asked, file) || b.store.Dialects()[file] != txn.JSON5 {
		t.Errorf("asked for %q, it is %s", asked, b.store.Dialects()[file])
	}
}

// A second line that was added while no store was there makes lines of one, whether the
// history has that or not.
func TestLineIsAddedWhileNoStoreIsThere(t *testing.T) {
	for _, line := range []string{"1", "1\n"} {
		b := newBench(t, "")
		b.save(program(1), line)
		b.storage.Storage.(*txntest.Memory).Foreign(file, []byte("1\n2\n"))
		b.store = txn.New(b.storage, b.config) // the former one was killed
		b.want("1\n2\n")
		if d := b.store.Dialects()[file]; d != txn.Lines {
			t.Errorf("%q, continued: %s", line, d)
		}
	}
}
