package viewtest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// tab is a tab of the browser, with a profile of its own.
type tab struct {
	t    testing.TB
	ctx  context.Context
	base string

	mu     sync.Mutex // guards faults
	faults []string   // complaints of the browser: scripts that failed, breaches of its policies
}

// newTab opens an empty tab.
func newTab(t testing.TB) *tab {
	t.Helper()
	parent, err := startBrowser()
	if err != nil {
		t.Fatalf("there is no browser: %v", err)
	}
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	late := time.AfterFunc(5*time.Minute, cancel)
	t.Cleanup(func() {
		cancel()
		late.Stop()
	})
	b := &tab{t: t, ctx: ctx}
	b.do(chromedp.EmulateViewport(1280, 860))
	go func() {
		for m, err := range chromedp.Console(ctx) {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.faults = append(b.faults, fmt.Sprint(m))
			b.mu.Unlock()
		}
	}()
	return b
}

// enter lets a new tab in.
func (s *server) enter(t testing.TB) *tab {
	t.Helper()
	b := newTab(t)
	b.base = s.base
	b.do(chromedp.Navigate(s.entrance))
	b.await("location.pathname == '/' && document.readyState == 'complete'")
	return b
}

// do makes the browser do something.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("%v; the page: %s", err, b.text())
	}
}

// open opens a page.
func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base + path))
}

// text returns the text of the page.
func (b *tab) text() string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("location.pathname + ': ' + document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

// eval evaluates an expression.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	out, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return out
}

// await waits until an expression is true.
func (b *tab) await(script string) {
	b.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		is, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+script+")"))
		if is {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("it never was so that %s (%v); the page: %s", script, err, b.text())
		}
	}
}

// says waits until the page says something.
func (b *tab) says(text string) {
	b.t.Helper()
	b.await(fmt.Sprintf("document.body && document.body.innerText.includes(%s)", quoted(text)))
}

// click follows a link or presses a button by its text.
func (b *tab) click(text string) {
	b.t.Helper()
	const find = `[...document.querySelectorAll("a, button")].find((e) => e.textContent.trim().startsWith(%s))`
	b.await(fmt.Sprintf(find, quoted(text)))
	b.do(chromedp.Evaluate[chromedp.Void]("window.before = true; " + fmt.Sprintf(find, quoted(text)) + ".click()"))
	b.await("!window.before && document.readyState == 'complete'")
}

func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// picture writes a picture of the page into docs/view, if that is asked for. Dark and light are told
// by the name.
func (b *tab) picture(name string, width, height int64) {
	b.t.Helper()
	if os.Getenv("CLAWFS_SCREENSHOTS") == "" {
		return
	}
	scheme := "light"
	if strings.HasSuffix(name, "-dark") {
		scheme = "dark"
	}
	b.look(scheme, width, height)
	b.do(chromedp.Sleep(2500 * time.Millisecond)) // until new parts have lost their colour
	eval[bool](b, `(() => { // a directory that people have
		const at = /[^ "]*\/TestX?[A-Za-z]+[0-9]+\/001\/state/g, walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		while (walk.nextNode()) walk.currentNode.data = walk.currentNode.data.replace(at, "/home/ada/.openclaw").replace(/of root/g, "of ada");
		return true })()`)
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	dir := "../../../docs/view"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// look sets the colours that the user prefers, and the size of the window.
func (b *tab) look(scheme string, width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height), func(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
		_, err = cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return none, err
	})
}

// fine fails the test if the browser has complained of anything.
func (b *tab) fine() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.faults) > 0 {
		b.t.Errorf("the browser complains: %v", b.faults)
	}
}

// clickOn clicks on an element as a hand does.
func clickOn(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(selector))
}

// await waits until something is true.
func await(t testing.TB, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never came to be")
		}
	}
}
