package viewtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// answer is the answer of a server.
type answer struct {
	code   int
	header http.Header
	body   string
}

// ask sends a request to the port of a server, though the address may name any host.
func (s *server) ask(t testing.TB, client *http.Client, method, address string, change ...func(*http.Request)) answer {
	t.Helper()
	base, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	client.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+base.Port())
	}}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(r)
	}
	got, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, string(body)}
}

func newClient(t testing.TB) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

func TestTokenWorksOnce(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, "echo '{}' > telling-name.json")
	s := serve(t, dir)
	for _, path := range []string{"/", "/registries", "/history", "/live", "/enter", "/enter?token=", "/enter?token=0"} {
		if got := s.ask(t, newClient(t), "GET", s.base+path); got.code != http.StatusForbidden || strings.Contains(got.body, "telling-name") || strings.Contains(got.body, dir) {
			t.Errorf("%s without a token: %d, %s", path, got.code, got.body)
		}
	}
	mine := newClient(t)
	got := s.ask(t, mine, "GET", s.entrance)
	cookie := got.header.Get("Set-Cookie")
	if got.code != http.StatusOK || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") || strings.Contains(cookie, "Domain") {
		t.Errorf("%d, %s", got.code, cookie)
	}
	if got := s.ask(t, mine, "GET", s.base+"/"); got.code != http.StatusOK || !strings.Contains(got.body, "telling-name") {
		t.Errorf("with the cookie: %d, %s", got.code, got.body)
	}
	if got := s.ask(t, newClient(t), "GET", s.entrance); got.code != http.StatusForbidden {
		t.Errorf("the token works twice: %d", got.code)
	}
	for header, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
		"Cross-Origin-Resource-Policy": "same-origin",
	} {
		if is := got.header.Get(header); is != want {
			t.Errorf("%s: %s", header, is)
		}
	}
	if csp := got.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy: %s", csp)
	}
}

func TestFileLeadsInAgain(t *testing.T) {
	dir := newMount(t)
	s := serve(t, dir)
	info, err := os.Stat(s.file)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	first := read(t, s.file)
	for range 2 { // each finds another token there
		b := newTab(t)
		b.base = "file://" + s.file
		b.open("")
		b.await("location.pathname == '/' && document.readyState == 'complete'")
		b.says(dir)
	}
	if read(t, s.file) == first {
		t.Error("the token in the file is still the first one")
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", s.cmd.Process.Pid))
	if err != nil || bytes.Contains(text, []byte("token")) {
		t.Errorf("%s, %v", text, err)
	}
}

// The token is in nobody's list of processes when a browser is opened.
func TestOpenTellsTheBrowserAFile(t *testing.T) {
	dir := newMount(t)
	bin := t.TempDir()
	said := filepath.Join(bin, "said")
	if err := os.WriteFile(filepath.Join(bin, "xdg-open"), fmt.Appendf(nil, "#!/bin/sh\necho \"$@\" > %s.new && mv %s.new %s\n", said, said, said), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	s := serve(t, "--open", dir)
	await(t, func() bool { _, err := os.Stat(said); return err == nil })
	if got := strings.TrimSpace(read(t, said)); got != s.file {
		t.Errorf("the browser was told %s, not %s", got, s.file)
	}
}

func TestForeignNamesAndSitesAreRefused(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, "echo '{}' > telling-name.json")
	s := serve(t, dir)
	mine := newClient(t)
	s.ask(t, mine, "GET", s.entrance)
	for _, host := range []string{"evil.example", "127.0.0.1", "localhost", "clawfs.localhost", "", "evil.example:80"} {
		got := s.ask(t, mine, "GET", s.base+"/", func(r *http.Request) { r.Host = host })
		if host == "" {
			continue // the client fills it in
		}
		if got.code != http.StatusMisdirectedRequest || strings.Contains(got.body, dir) {
			t.Errorf("by the name %q: %d, %s", host, got.code, got.body)
		}
	}
	if got := s.ask(t, mine, "GET", s.base+"/", func(r *http.Request) { r.Host = strings.TrimPrefix(s.base, "http://") + "0" }); got.code != http.StatusOK {
		t.Errorf("by another port, as of a tunnel: %d", got.code)
	}
	for name, value := range map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"} {
		if got := s.ask(t, mine, "POST", s.base+"/", func(r *http.Request) { r.Header.Set(name, value) }); got.code != http.StatusForbidden {
			t.Errorf("a post with %s: %s: %d", name, value, got.code)
		}
	}
}

// Another site can neither frame the page, nor read it, nor come in by a link with the cookie.
func TestOtherSiteInTheBrowserGetsNothing(t *testing.T) {
	dir := newMount(t)
	sh(t, dir, "echo '{}' > telling-name.json")
	s := serve(t, dir)
	b := s.enter(t)
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<a id="link" href="%[1]s/">here</a><iframe id="frame" src="%[1]s/"></iframe>`, s.base)
	}))
	defer evil.Close()
	b.base = evil.URL
	b.open("/")
	if got := eval[string](b, fmt.Sprintf("fetch(%s, {credentials: 'include'}).then((r) => r.text(), (e) => 'nothing')", quoted(s.base+"/"))); got != "nothing" {
		t.Errorf("another site reads %s", got)
	}
	if got := eval[bool](b, "document.getElementById('frame').contentDocument === null || document.getElementById('frame').contentDocument.body.innerText === ''"); !got {
		t.Error("another site has the page in a frame")
	}
	b.do(clickOn("#link"))
	b.says("This browser has not been let in")
}

func TestAnotherUserGetsNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	dir := newMount(t)
	s := serve(t, dir)
	nobody := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cat := exec.Command("cat", s.file)
	cat.SysProcAttr = nobody
	if out, err := cat.CombinedOutput(); err == nil {
		t.Errorf("another user reads %s", out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	view := exec.CommandContext(ctx, program(t), "view", dir)
	view.SysProcAttr, view.Dir = nobody, "/"
	view.Env = append(os.Environ(), "TMPDIR=/tmp")
	out, err := view.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "error:") {
		t.Errorf("another user sees the directory: %s, %v", out, err)
	}
}

func TestListensOnThisMachineOnly(t *testing.T) {
	dir := newMount(t)
	for _, address := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:8080", "example.org:80"} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		out, err := exec.CommandContext(ctx, program(t), "view", "--listen", address, dir).CombinedOutput()
		cancel()
		if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 2 || !strings.Contains(string(out), "is no address of this machine alone") {
			t.Errorf("--listen %s: %v\n%s", address, err, out)
		}
	}
}

func TestSocketIsTheUsersOwn(t *testing.T) {
	dir := newMount(t)
	path := filepath.Join(filepath.Dir(dir), "socket")
	s := serve(t, "--listen", "unix:"+path, dir)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	client := newClient(t)
	client.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}
	for _, address := range []string{s.entrance, s.base + "/"} {
		got, err := client.Get(strings.Replace(address, ":PORT", ":8080", 1))
		if err != nil || got.StatusCode != http.StatusOK {
			t.Errorf("%s: %v, %v", address, got, err)
		}
	}
	client.CloseIdleConnections()
	s.end(t)
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is still there")
	}
}

// Names and values that are markup, escapes of a terminal, or turn text around, are shown as text.
func TestValuesAreNeverMarkup(t *testing.T) {
	dir := newMount(t)
	const mark = `<img src=x onerror=window.hacked=1><script>window.hacked=1</script>`
	sh(t, dir, `
cat > '<img src=x onerror=window.hacked=1>.json' <<'X'
{"<script>window.hacked=1</script>": "<script>window.hacked=1</script>", "e": "\u001b[31mred", "plain": "javascript:window.hacked=1"}
X
cat > '<img src=x onerror=window.hacked=1>.json' <<'X'
{"<script>window.hacked=1</script>": "`+mark+`", "e": "\u001b]0;title\u0007", "r": "\u202etxt"}
X
! echo '{"<b>": <script>window.hacked=1</script>' | cp /dev/stdin '<img src=x onerror=window.hacked=1>.json' 2>/dev/null
`)
	b := serve(t, dir).enter(t)
	name := "<img src=x onerror=window.hacked=1>.json"
	for _, page := range []string{"/", b.at("/registries", ""), b.at("/history", name), b.at("/version", name), b.at("/version", name, "v", "1"), b.at("/version", name, "as", "spread"),
		b.at("/diff", name, "a", "1", "b", "2"), b.at("/diff", name, "a", "1", "b", "2", "as", "text"), b.at("/refused", "")} {
		b.open(page)
		b.says("<img src=x onerror=window.hacked=1>.json")
		b.bare(page)
	}
	b.click("<img")
	b.says("<script>window.hacked=1</script>")
	b.bare("a copy in quarantine")
	b.open(b.at("/diff", name, "a", "1", "b", "2"))
	b.says(mark)
	b.fine()
}

// bare fails the test if markup of a document has become the page's, or a character that
// nobody sees is in it.
func (b *tab) bare(page string) {
	b.t.Helper()
	if eval[bool](b, `window.hacked !== undefined || document.querySelector("main img, main script, main b") !== null || /[\u001b\u0007\u202e]/.test(document.documentElement.innerHTML)`) {
		b.t.Errorf("%s: a document is markup there: %s", page, b.text())
	}
	if title := eval[string](b, "document.title"); strings.Contains(title, "\x1b") || strings.Contains(title, "script") {
		b.t.Errorf("%s: the title is %q", page, title)
	}
}
