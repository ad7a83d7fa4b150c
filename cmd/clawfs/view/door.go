package view

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"os"
	"path/filepath"
	"sync"
)

// cookieName is that of the cookie by which a browser is known.
const cookieName = "clawfs"

// enterPath is where the token is brought to.
const enterPath = "/enter"

// door lets browsers in: a browser that brings the token gets a cookie. A token works once.
// Then there is another one, in the same file.
type door struct {
	address string // of the server, as a browser calls it
	path    string // of the file that leads there

	mu       sync.Mutex // guards the fields below
	token    string
	sessions map[[sha256.Size]byte]bool // digests of cookies
}

// leader is the file that leads to the server: a browser that opens it brings the
// token.
var leader = template.Must(template.New("leader").Parse(`<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>clawfs</title>
<meta http-equiv="refresh" content="0;url={{.}}"><a href="{{.}}">Open clawfs</a></html>
`))

// openDoor makes the first token, and the file.
func openDoor(address string) (*door, error) {
	d := &door{address: address, token: random(), sessions: make(map[[sha256.Size]byte]bool)}
	f, err := os.CreateTemp(runtimeDir(), "clawfs-view-*.html") // of mode 0600
	if err != nil {
		return nil, err
	}
	d.path = f.Name()
	if err := f.Close(); err != nil {
		return nil, err
	}
	return d, d.write()
}

// runtimeDir is where files of a session belong.
func runtimeDir() string {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return os.TempDir()
	}
	return dir
}

// random returns 32 random bytes as text.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// entrance returns the address that lets a browser in, once.
func (d *door) entrance() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.entranceLocked()
}

func (d *door) entranceLocked() string {
	return fmt.Sprintf("%s%s?token=%s", d.address, enterPath, d.token)
}

// write puts the token into the file, by a new one that takes its place. The file may be
// somebody else's by now: a directory for all is cleaned of old files.
func (d *door) write() error {
	var page bytes.Buffer
	if err := leader.Execute(&page, d.entranceLocked()); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(d.path), "clawfs-view-*.new") // of mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(page.Bytes())
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), d.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// close takes the file away.
func (d *door) close() error { return os.Remove(d.path) }

// enter takes a token and returns a cookie, "" where the token is not the one.
func (d *door) enter(token string) (cookie string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if subtle.ConstantTimeCompare([]byte(token), []byte(d.token)) == 0 {
		return "", nil
	}
	d.token, cookie = random(), random()
	d.sessions[sha256.Sum256([]byte(cookie))] = true
	return cookie, d.write()
}

// knows reports whether a request brings a cookie of ours.
func (d *door) knows(r *http.Request) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range r.CookiesNamed(cookieName) {
		if d.sessions[sha256.Sum256([]byte(c.Value))] {
			return true
		}
	}
	return false
}

// serveEntrance answers a browser that comes with a token. The answer is a page that goes on,
// no redirection: after one, a browser that came from a file would not send the cookie.
func (s *Server) serveEntrance(w http.ResponseWriter, r *http.Request) {
	if s.door.knows(r) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	cookie, err := s.door.enter(r.FormValue("token"))
	switch {
	case err != nil:
		s.fail(w, r, err)
		return
	case cookie == "":
		s.refuse(w, r)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	w.Header().Set("Refresh", "0;url=/")
	s.render(w, r, http.StatusOK, "problem", problemPage{frame{Title: "Let in"}, "You are in", "This page goes on by itself."})
}
