package view

import (
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// headers are those of every answer.
var headers = map[string]string{
	"Cache-Control": "no-store",
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
}

// guarded wraps the pages with the checks of every request. The order matters: a request by a
// foreign name is told nothing at all.
func (s *Server) guarded(pages http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection() // of requests that change something
	checked := origin.Handler(pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		defer s.recover(w, r)
		known := s.door.knows(r)
		if !known { // nor may a body that never ends hold a connection
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience))
		}
		switch {
		case !s.isOurName(r.Host):
			http.Error(w, "This is not the address of this page.", http.StatusMisdirectedRequest)
		case r.URL.Path == enterPath && r.Method == http.MethodGet:
			s.serveEntrance(w, r)
		case strings.HasPrefix(r.URL.Path, "/static/"): // the same for every user of clawfs
			checked.ServeHTTP(w, r)
		case !known:
			s.refuse(w, r)
		default:
			checked.ServeHTTP(w, r)
		}
	})
}

// isOurName reports whether a request was sent to our name. The port may be another one:
// that of a tunnel.
func (s *Server) isOurName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.EqualFold(host, s.host)
}

// recover tells of a page that has failed in the middle, without the value of the panic.
func (s *Server) recover(w http.ResponseWriter, r *http.Request) {
	problem := recover()
	switch problem {
	case nil:
		return
	case http.ErrAbortHandler:
		panic(problem)
	}
	s.o.Talk("a page has failed, which is a fault of clawfs:\n%s", debug.Stack())
	s.render(w, r, http.StatusInternalServerError, "problem", newProblem("This page has failed", "That is a fault of clawfs. The terminal tells where it lies."))
}

// refuse answers a browser that has no cookie. There is nothing live for them, and no way on.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request) {
	const heading = "This browser has not been let in"
	s.render(w, r, http.StatusForbidden, "problem", problemPage{frame{Title: heading}, heading,
		"The address in the terminal works once. For another browser, open the file that clawfs view has named there, or start it again."})
}
