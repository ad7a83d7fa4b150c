package mounttest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// A download that was broken off (§10, refused) and is continued at once ends as the whole
// document, as in a bare directory.
func TestContinuedDownloads(t *testing.T) {
	t.Parallel()
	body := []byte(`["` + strings.Repeat("item", 50_000) + `"]`)
	var begun sync.Map
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"one"`)
		if _, again := begun.LoadOrStore(r.URL.Path, true); again {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
			return
		}
		http.ServeContent(&brokenOff{w, len(body) / 2}, r, "", time.Time{}, bytes.NewReader(body))
	}))
	t.Cleanup(server.Close)
	for program, line := range map[string]string{
		"curl":   `curl -sS -C - -o a.json URL; curl -sS -C - -o a.json URL`,
		"wget":   `wget -q -t 1 -O a.json URL; wget -q -t 1 -c -O a.json URL`,
		"aria2c": `aria2c -q -m 1 -o a.json URL; aria2c -q -c -o a.json URL`,
	} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(program); err != nil {
				t.Skip(err)
			}
			m := newMount(t)
			succeed(t, m.dir, bash(strings.ReplaceAll(line, "URL", server.URL+"/"+program)))
			if got := read(t, m.dir, "a.json"); got != string(body) {
				t.Errorf("%d bytes, want %d", len(got), len(body))
			}
		})
	}
}

// brokenOff is an answer that ends after some bytes.
type brokenOff struct {
	http.ResponseWriter
	left int
}

func (b *brokenOff) Write(p []byte) (int, error) {
	if b.left < len(p) {
		_, _ = b.ResponseWriter.Write(p[:b.left])
		panic(http.ErrAbortHandler)
	}
	b.left -= len(p)
	return b.ResponseWriter.Write(p)
}
