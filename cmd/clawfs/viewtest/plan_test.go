package viewtest

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// jq returns the output of a filter for a registry.
func jq(t testing.TB, filter, path string) string {
	t.Helper()
	out := sh(t, filepath.Dir(path), fmt.Sprintf("jq -c '%s' '%s'", filter, filepath.Base(path)))
	return strings.TrimSpace(out)
}

func TestVersionIsPutBack(t *testing.T) {
	for _, mounted := range []bool{true, false} {
		t.Run(map[bool]string{true: "mounted", false: "unmounted"}[mounted], func(t *testing.T) {
			dir := newMount(t)
			sh(t, dir, `echo '{"a":1,  "b":[1]}' > r.json; echo '{"a":2,"b":[1]}' > r.json; echo '{"a":3,"b":[1,2]}' > r.json`)
			if !mounted {
				clawfs(t, "unmount", dir)
			}
			b := serve(t, dir).enter(t)
			b.open(b.at("/history", "r.json"))
			b.click("Put back version 1")
			for _, text := range []string{"Put back version 1", "/a", "/b/1"} {
				b.says(text)
			}
			b.click("Put it back")
			b.says("It is put back.")
			b.says("put back version 1")
			if got := read(t, filepath.Join(dir, "r.json")); got != "{\"a\":1,  \"b\":[1]}\n" {
				t.Errorf("the file holds %q", got)
			}
			if log := clawfs(t, "log", filepath.Join(dir, "r.json")); !strings.Contains(log, "r.json@4  by clawfs") {
				t.Errorf("the log says:\n%s", log)
			}
			b.fine()
		})
	}
}

// A change is undone, and later changes stay.
func TestChangeIsUndoneAmidLaterOnes(t *testing.T) {
	dir := newMount(t)
	path := filepath.Join(dir, "r.json")
	sh(t, dir, `
jq -n '{models: [{id: "a"}, {id: "b"}], default: "a", limit: 1}' > r.json
edit() { jq -c "$1" r.json > r.tmp; mv r.tmp r.json; }
edit '.limit = 99 | .models += [{id: "bad"}]'
edit '.default = "b"'
edit '.models += [{id: "c"}]'`)
	b := serve(t, dir).enter(t)
	b.open(b.at("/history", "r.json"))
	b.click("Undo version 2")
	b.says("Undo version 2")
	b.says("bad")
	b.picture("undo", 1280, 640)
	b.click("Undo it")
	b.says("undid version 2")
	if got := jq(t, ".", path); got != `{"models":[{"id":"a"},{"id":"b"},{"id":"c"}],"default":"b","limit":1}` {
		t.Errorf("the registry holds %s", got)
	}

	// The undoing is undone itself, in part.
	b.open(b.at("/diff", "r.json", "a", "4", "b", "5"))
	b.says("/limit")
	b.do(clickRow("/limit"))
	b.says("Undo one change of version 5")
	b.click("Undo it")
	b.says("It is undone")
	if got := jq(t, ".", path); got != `{"models":[{"id":"a"},{"id":"b"},{"id":"c"}],"default":"b","limit":99}` {
		t.Errorf("the registry holds %s", got)
	}
	b.fine()
}

// clickRow clicks on Undo in the row of a path.
func clickRow(path string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`[...document.querySelectorAll("tr")].find((r) => r.innerText.includes(%s)).querySelector("a.button").click()`, quoted(path)))
}

func TestUndoAsksWhereALaterChangeIsInTheWay(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, `echo '{"v":1,"w":1}' > r.json; echo '{"v":2,"w":2}' > r.json; echo '{"v":3,"w":2}' > r.json`)
	b := serve(t, dir).enter(t)
	b.open(b.at("/plan", "r.json", "do", "undo", "v", "2"))
	b.says("A later change has touched the same")
	if eval[bool](b, "document.querySelector('button[type=submit]') !== null") {
		t.Error("it can be done before it is decided")
	}
	b.click("Keep what is there now")
	b.click("Undo it")
	b.says("undid version 2")
	if got := jq(t, ".", filepath.Join(dir, "r.json")); got != `{"v":3,"w":1}` {
		t.Errorf("the registry holds %s", got)
	}
}

func TestOtherSideOfAConflictIsTaken(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, writers)
	path := filepath.Join(dir, "settings.json")
	other := map[string]string{"2": "3", "3": "2"}[jq(t, ".volume", path)]
	b := serve(t, dir).enter(t)
	b.open(b.at("/version", "settings.json", "v", "3"))
	b.click("Take the other side")
	b.says("/volume")
	b.click("Take the other side")
	b.says("The other side is taken")
	if got := jq(t, ".volume", path); got != other {
		t.Errorf("the volume is %s, not %s", got, other)
	}
}

// A refused write is mended in the editor, which says where the error is, and committed.
func TestRefusedCopyIsRepaired(t *testing.T) {
	dir := newMount(t)
	path := filepath.Join(dir, "models.json")
	sh(t, dir, `echo '{"models":[{"id":"claude"}]}' > models.json
! printf '{\n  "models": [\n    {"id": "claude"},\n    {"id": "gpt"\n  ]\n}\n' | cp /dev/stdin models.json 2>/dev/null`)
	b := serve(t, dir).enter(t)
	b.open(b.at("/refused", ""))
	b.click("models.json")
	b.click("Repair it")
	b.says("Line 5, column 3")
	if got := eval[string](b, "document.activeElement.id + document.activeElement.selectionStart"); got != "text57" {
		t.Errorf("the editor is at %s", got)
	}
	b.picture("repair", 1280, 860)
	b.click("See what would change") // not while it is no document
	b.says("Line 5, column 3")
	b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("text").setRangeText("}", 54, 54)`))
	b.click("Check")
	b.says("It is a document now")
	b.click("See what would change")
	b.says("/models/1")
	b.click("Commit it")
	b.says("It is committed")
	if got := read(t, path); got != "{\n  \"models\": [\n    {\"id\": \"claude\"},\n    {\"id\": \"gpt\"}\n  ]\n}\n" {
		t.Errorf("the registry holds %q", got)
	}

	// A machine's proposal, too.
	sh(t, dir, `! printf '{"models":[{"id":"claude"},{"id":"gemini"}' | cp /dev/stdin models.json 2>/dev/null`)
	b.open(b.at("/refused", ""))
	b.click("models.json")
	b.click("Repair it")
	b.click("Propose a repair")
	b.says("This is a proposal")
	b.click("See what would change")
	b.click("Commit it")
	b.says("It is committed")
	if got := jq(t, "[.models[].id]", path); got != `["claude","gemini"]` {
		t.Errorf("the registry holds %s", got)
	}
	b.fine()
}

// The plan that was shown is done, or nothing: where another version has come it is shown
// again.
func TestNothingIsDoneUnseen(t *testing.T) {
	dir := newMount(t)
	path := filepath.Join(dir, "r.json")
	sh(t, dir, `echo '{"a":1,"b":1}' > r.json; echo '{"a":2,"b":1}' > r.json`)
	b := serve(t, dir).enter(t)
	b.open(b.at("/plan", "r.json", "do", "restore", "v", "1"))
	b.says("There now")
	sh(t, dir, `jq -c '.b = 5' r.json > r.tmp; mv r.tmp r.json`)
	b.click("Put it back")
	b.says("Somebody else has changed it meanwhile. Nothing was done.")
	b.says("/b")
	if got := jq(t, ".", path); got != `{"a":2,"b":5}` {
		t.Errorf("the registry holds %s", got)
	}
	b.click("Put it back")
	b.says("It is put back")
	if got := jq(t, ".", path); got != `{"a":1,"b":1}` {
		t.Errorf("the registry holds %s", got)
	}
}

func TestRemovedRegistryIsBroughtBack(t *testing.T) {
	dir := newMount(t)
	path := filepath.Join(dir, "r.json")
	sh(t, dir, `echo '{"a":2}' > r.json`)
	clawfs(t, "undo", "--yes", path) // a registry that rm removes within a minute leaves no history
	b := serve(t, dir).enter(t)
	b.open(b.at("/history", "r.json"))
	b.click("Bring it back")
	b.click("Undo it")
	b.says("It is undone")
	if got := read(t, path); got != "{\"a\":2}\n" {
		t.Errorf("the registry holds %q", got)
	}
}

// A post without the page's own origin does nothing, even with the cookie.
func TestForeignPostDoesNothing(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, `echo '{"a":1}' > r.json; echo '{"a":2}' > r.json`)
	s := serve(t, dir)
	b := s.enter(t)
	sum := func(n string) string { return strings.Fields(sh(t, dir, `echo '{"a":`+n+`}' | sha256sum`))[0] }
	address := b.at("/do", "r.json", "do", "restore", "v", "1", "head", sum("2"), "result", sum("1"))
	mine := newClient(t)
	s.ask(t, mine, "GET", s.another(t))
	for name, value := range map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"} {
		if got := s.ask(t, mine, "POST", s.base+address, header(name, value)); got.code != 403 {
			t.Errorf("with %s: %s: %d", name, value, got.code)
		}
	}
	if got := s.ask(t, newClient(t), "POST", s.base+address, header("Origin", s.base)); got.code != 403 {
		t.Errorf("without the cookie: %d", got.code)
	}
	if got := jq(t, ".a", filepath.Join(dir, "r.json")); got != "2" {
		t.Errorf("the registry holds %s", got)
	}
	if got := s.ask(t, mine, "POST", s.base+address, header("Origin", s.base)); got.code != 303 {
		t.Errorf("with both: %d, %s", got.code, got.body)
	}
	if got := jq(t, ".a", filepath.Join(dir, "r.json")); got != "1" {
		t.Errorf("the registry holds %s", got)
	}
}

// another returns the address in the file that leads in.
func (s *server) another(t testing.TB) string {
	t.Helper()
	_, rest, _ := strings.Cut(read(t, s.file), `href="`)
	address, _, _ := strings.Cut(rest, `"`)
	return address
}

// header sets a header of a request.
func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}
