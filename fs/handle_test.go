package fs

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"
)

// A program reads as much as fstat tells, and at once: it must be the version that its own
// descriptor shows, even if the head is another one by now. A reading that begins anew sees the
// head.
func TestFstatTellsWhatCanBeRead(t *testing.T) {
	m := aside(t)
	reader, writer := m.newClient(), m.newClient()
	writer.write("a.json", `{"v":1}`)
	reader.do("(r := os.open('a.json', os.O_RDONLY))")
	reader.want(`7`, "os.fstat(r).st_size")
	for _, content := range []string{`{"v":1,"much":"longer"}`, `{}`} {
		writer.write("a.json", content)
		writer.want(jsonOf(t, len(content)), "os.stat('a.json').st_size")
		reader.want(jsonOf(t, []any{len(content), content}), "[n := os.fstat(r).st_size, os.pread(r, n, 0).decode()]")
		reader.want(jsonOf(t, content), "os.pread(r, 100, 0)")
		reader.want(jsonOf(t, len(content)), "os.lseek(r, 0, os.SEEK_END)")
	}
	reader.do("os.close(r)")
	reader.want(`2`, "os.stat('a.json').st_size")
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The end of a handle that writes is that of the staged content.
func TestSeekEndOfWriter(t *testing.T) {
	m := aside(t)
	writer, other := m.newClient(), m.newClient()
	writer.write("a.json", `{"v":1}`)
	writer.do("(w := os.open('a.json', os.O_RDWR))")
	other.write("a.json", `{"v":1,"more":2}`)
	writer.want(`16`, "os.lseek(w, 0, os.SEEK_END)")
	writer.do("os.write(w, b'     ')")
	writer.want(`21`, "os.lseek(w, 0, os.SEEK_END)")
	writer.want(`"{\"v\":1,\"more\":2}     "`, "os.pread(w, 100, 0)")
	writer.do("os.ftruncate(w, 16)")
	writer.want(`16`, "os.lseek(w, 0, os.SEEK_END)")
	other.want(`16`, "os.stat('a.json').st_size")
	writer.do("os.close(w)")
	wantFile(t, m.behind("a.json"), `{"v":1,"more":2}`)
}

// O_APPEND means the end of the handle's own content, against the size that the kernel has for
// the file after another's commit.
func TestAppendToOwnContent(t *testing.T) {
	m := aside(t)
	writer, other := m.newClient(), m.newClient()
	other.write("a.json", `{"a":1,"b":1}`)
	writer.do("(w := os.open('a.json', os.O_WRONLY|os.O_TRUNC|os.O_APPEND))")
	writer.do(`os.write(w, b'{"a":2,')`)
	other.do("open('a.json').read()")
	other.write("a.json", `{"a":1,"b":1,"other":"`+strings.Repeat("x", 50)+`"}`)
	other.want(`74`, "os.stat('a.json').st_size")
	writer.do(`os.write(w, b'"b":1}')`)
	writer.do("os.close(w)")
	var got map[string]any
	text, err := os.ReadFile(m.behind("a.json"))
	if err == nil {
		err = json.Unmarshal(text, &got)
	}
	want := map[string]any{"a": 2.0, "b": 1.0, "other": strings.Repeat("x", 50)}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("merged to %s (%v)", text, err)
	}
}

func TestAppendToDocument(t *testing.T) {
	m := aside(t)
	c := m.newClient()
	c.write("a.json", `{"v":1}`)
	c.do(`(w := os.open('a.json', os.O_WRONLY|os.O_APPEND), os.write(w, b'\n'), os.close(w))`)
	wantFile(t, m.behind("a.json"), `{"v":1}`+"\n")
	c.do(`os.write(w := os.open('a.json', os.O_WRONLY|os.O_APPEND), b'x')`)
	c.want(`"EINVAL"`, "os.close(w)")
	wantFile(t, m.behind("a.json"), `{"v":1}`+"\n")
}
