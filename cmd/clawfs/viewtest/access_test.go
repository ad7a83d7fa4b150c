package viewtest

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"clawfs/txn/txntest"
)

// axe is the package that looks for barriers on the page.
const axe = "axe-core@4.11.0"

// A user of a keyboard, a screen reader, a dark screen or a narrow window meets no barrier
// that axe knows.
func TestPagesHaveNoBarriers(t *testing.T) {
	script := read(t, filepath.Join(txntest.NPM(t, axe), "node_modules", "axe-core", "axe.min.js"))
	dir := newMount(t)
	sh(t, dir, writers)
	b := serve(t, dir).enter(t)
	pages := []string{"/", b.at("/registries", ""), b.at("/history", "models.json"), b.at("/version", "models.json"), b.at("/version", "models.json", "v", "3"),
		b.at("/version", "settings.json"), b.at("/diff", "models.json", "a", "3", "b", "5"), b.at("/diff", "models.json", "a", "3", "b", "5", "as", "text"),
		b.at("/refused", ""), "/nothing", b.at("/plan", "models.json", "do", "undo", "v", "4"), b.at("/plan", "settings.json", "do", "undo", "v", "2"), b.at("/repair", "", "id", copyID(t, dir))}
	for _, page := range pages {
		b.open(page)
		b.do(chromedp.Evaluate[chromedp.Void](script + "; undefined"))
		for scheme, width := range map[string]int64{"light": 1280, "dark": 360} {
			b.look(scheme, width, 900)
			found := eval[string](b, `axe.run(document, {resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations.map((v) => [v.id, v.help, v.nodes.map((n) => n.html + " " + n.failureSummary)])))`)
			var violations []any
			if err := json.Unmarshal([]byte(found), &violations); err != nil {
				t.Fatal(err)
			}
			if len(violations) > 0 {
				t.Errorf("%s, %s, %d wide: %s", page, scheme, width, found)
			}
			if wide := eval[float64](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
				t.Errorf("%s, %d wide, is %v wider than its window", page, width, wide)
			}
		}
	}
}

// copyID returns the id of the copy in quarantine.
func copyID(t testing.TB, dir string) string {
	t.Helper()
	id, _, _ := strings.Cut(clawfs(t, "quarantine", dir), " ")
	return id
}

// All that can be clicked is reached by the keyboard, and seen where it is.
func TestKeyboardReachesAll(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, writers)
	b := serve(t, dir).enter(t)
	b.open(b.at("/history", "models.json"))
	want := eval[float64](b, "[...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea')].filter((e) => e.type != 'radio').length")
	reached := map[string]bool{}
	for range int(want) + 10 {
		b.do(chromedp.KeyEvent("\t"))
		at := eval[string](b, "(() => { const e = document.activeElement; return e === document.body || e.type == 'radio' ? '' : e.outerHTML + e.getBoundingClientRect().top })()")
		if at != "" {
			reached[at] = true
		}
	}
	if len(reached) < int(want) {
		t.Errorf("the keyboard reaches %d of %v", len(reached), want)
	}
	b.open(b.at("/history", "models.json"))
	b.do(chromedp.KeyEvent("\t"))
	if got := eval[string](b, "document.activeElement.innerText + getComputedStyle(document.activeElement).outlineStyle"); got != "Go to the contentsolid" {
		t.Errorf("the first stop is %s", got)
	}
}
