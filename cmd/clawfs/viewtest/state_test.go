package viewtest

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writers is the script that makes the registries of most tests: several programs write, two at
// the same time; one is refused.
const writers = `
mkdir -p agents/main
echo '{"models":[{"id":"claude","provider":"anthropic"}],"default":"claude"}' > models.json
add() { jq -c ".models += [{id: \"$1\", provider: \"$2\"}]" models.json > $1.tmp; sleep 0.5; mv $1.tmp models.json; }
add gpt openai & add gemini google & wait
python3 -c '
import json
d = json.load(open("models.json"))
d["default"] = "gpt"
d["limits"] = {"requests": 60, "tokens": 100000}
json.dump(d, open("models.json", "w"), indent=2)'
node -e 'const fs = require("fs"); const d = JSON.parse(fs.readFileSync("models.json"));
d.models.reverse(); d.limits.requests = 90; fs.writeFileSync("models.json", JSON.stringify(d, null, 2) + "\n")'
echo '{"provider":"anthropic","apiKey":"sk-ant-api03-0123456789abcdef0123456789abcdef"}' > agents/main/auth.json
echo '[{"id":"s1","title":"hello"}]' > agents/main/sessions.json
echo '{"volume":1,"theme":"dark"}' > settings.json
python3 -c '
import json, multiprocessing, time
def write(v, t):
    d = json.load(open("settings.json")); time.sleep(t)
    d["volume"] = v; json.dump(d, open("settings.json", "w"))
both = [multiprocessing.Process(target=write, args=(i, 0.3 + i / 10)) for i in (2, 3)]
[p.start() for p in both]; [p.join() for p in both]'
! echo '{"models":[{"id":"claude"' | cp /dev/stdin models.json 2>/dev/null
`

// at returns an address on a registry, or on the directory.
func (b *tab) at(page, name string, query ...string) string {
	b.t.Helper()
	v := url.Values{"in": {eval[string](b, "fetch('/').then((r) => r.text()).then((t) => /id=\"dir-([0-9a-f]+)\"/.exec(t)[1])")}}
	if name != "" {
		v.Set("of", name)
	}
	for i := 0; i+1 < len(query); i += 2 {
		v.Set(query[i], query[i+1])
	}
	return page + "?" + v.Encode()
}

func TestStateShowsWhatIsThereAndWhatHappens(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, writers)
	b := serve(t, dir).enter(t)
	for _, text := range []string{dir, "serving", "models.json", "auth.json", "settings.json"} {
		b.says(text)
	}
	b.await("document.querySelectorAll('.plot rect').length > 0 && document.querySelectorAll('.plot polyline').length > 0")
	b.await("document.getElementById('pulse').dataset.state == 'live'")
	b.picture("state", 1280, 860)
	b.picture("state-dark", 1280, 860)

	// A write appears without loading the page anew.
	eval[bool](b, "window.same = true")
	start := time.Now()
	sh(t, dir, "echo '{}' > fresh.json")
	b.says("fresh.json")
	t.Logf("a commit was shown after %v", time.Since(start))
	if !eval[bool](b, "window.same === true") {
		t.Error("the page was loaded anew")
	}
	b.fine()
}

func TestHistoryAndDifferences(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, writers)
	b := serve(t, dir).enter(t)
	b.click("models.json")
	for _, text := range []string{"Version 5", "merged", "rejected", "kept 1 entry that it lacks", "node ("} {
		b.says(text)
	}
	b.picture("history", 1280, 860)

	// Any two are compared, by meaning and as text.
	b.do(clickOn("#a3"))
	b.click("Compare the two")
	for _, text := range []string{"Version 3 and version 5", "/default", "\"claude\"", "\"gpt\"", "/limits", "moved"} {
		b.says(text)
	}
	b.picture("changes", 1280, 640)
	b.click("As text")
	for _, text := range []string{"laid out over lines", "\"requests\": 90,"} {
		b.says(text)
	}
	b.picture("text", 1280, 860)

	b.open(b.at("/version", "models.json"))
	b.says("newest")
	if got, want := eval[string](b, "[...document.querySelectorAll('.code td.text')].map((e) => e.textContent).join('\\n') + '\\n'"), read(t, filepath.Join(dir, "models.json")); got != want {
		t.Errorf("the page says that it holds %s, not %s", got, want)
	}
	b.open(b.at("/version", "models.json", "v", "3"))
	for _, text := range []string{"How it came about", "had started from version 1", "gemini", "gpt"} {
		b.says(text)
	}
	b.picture("merge", 1280, 860)
	b.open(b.at("/version", "settings.json"))
	for _, text := range []string{"Conflicts", "/volume", "this one"} {
		b.says(text)
	}
	b.picture("conflict", 1280, 700)
	b.open(b.at("/refused", ""))
	b.says("rejected")
	b.click("models.json")
	b.says("\"claude\"")
	b.fine()
}

// Credentials are masked until they are asked for: in a version, between two, in a refused copy.
func TestCredentialsAreMasked(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, `
echo '{"apiKey":"sk-ant-api03-0123456789abcdef0123456789abcdef","url":"https://example.org","n":1}' > auth.json
echo '{"apiKey":"sk-ant-api03-fedcba9876543210fedcba9876543210","url":"https://example.org","n":2}' > auth.json
! echo '{"apiKey": "sk-ant-api03-0123456789abcdef0123456789abcdef", "url": "https://example.org", n' | cp /dev/stdin auth.json 2>/dev/null`)
	b := serve(t, dir).enter(t)
	for _, page := range []string{b.at("/version", "auth.json"), b.at("/diff", "auth.json", "a", "1", "b", "2"), b.at("/diff", "auth.json", "a", "1", "b", "2", "as", "text"), b.at("/refused", "")} {
		b.open(page)
		if strings.HasPrefix(page, "/refused") {
			b.click("auth.json")
		}
		b.says("•••••")
		if strings.Contains(eval[string](b, "document.documentElement.outerHTML"), "sk-ant-api03") {
			t.Errorf("%s shows a credential", page)
		}
		b.click("Show credentials")
		b.says("sk-ant-api03")
		b.click("Mask credentials")
		b.says("•••••")
	}
}

func TestErrorsAreToldInWords(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, "echo '{}' > a.json")
	s := serve(t, dir)
	b := s.enter(t)
	for page, text := range map[string]string{
		"/nothing":                                    "There is no such page",
		"/history?in=000000000000&of=a.json":          "This directory is not shown here",
		b.at("/history", "none.json"):                 "There is no such registry",
		b.at("/history", "../a.json"):                 "There is no such page",
		b.at("/version", "a.json", "v", "99"):         "That is not kept",
		b.at("/diff", "a.json", "a", "1", "b", "99"):  "That is not kept",
		b.at("/copy", "", "id", "20260101T000000Z-0"): "That is not kept",
	} {
		b.open(page)
		b.says(text)
	}
	b.open(b.at("/history", "a.json"))
	b.await("document.getElementById('pulse').dataset.state == 'live'")
	s.end(t)
	b.says("clawfs view has ended")
	b.await("document.getElementById('pulse').dataset.state == 'gone'")
}

// A directory that is not mounted is read from its history, and a mount that comes and goes shows.
func TestUnmountedDirectory(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, writers)
	clawfs(t, "unmount", dir)
	b := serve(t, dir).enter(t)
	b.says("not mounted")
	b.says("models.json")
	b.click("models.json")
	b.says("Version 5")
	clawfs(t, "restore", filepath.Join(dir, "models.json")+"@1")
	b.says("put back version 1")
	b.open("/")
	clawfs(t, "mount", "--log-file", filepath.Join(filepath.Dir(dir), "log"), dir)
	b.says("serving")
	sh(t, dir, "echo '{}' > mounted.json")
	b.says("mounted.json")
	clawfs(t, "unmount", dir)
	b.says("not mounted")
}

// A page that is looked at keeps no mount busy, and the content that it reads is nobody's view.
func TestPageIsNoReader(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, "echo '[1]' > list.json")
	s := serve(t, dir)
	b := s.enter(t)
	b.open(b.at("/version", "list.json"))
	b.says("newest")
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", s.cmd.Process.Pid, e.Name())); err == nil && strings.HasPrefix(to, dir) {
			t.Errorf("the page has %s open", to)
		}
	}
	start := time.Now()
	clawfs(t, "unmount", "--timeout", "30s", dir)
	t.Logf("unmounted in %v", time.Since(start))
}
