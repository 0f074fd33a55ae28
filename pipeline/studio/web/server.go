package web

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"icebox/pipeline/internal/httpd"
	"icebox/pipeline/studio"
)

// Options say what a server shows beside a session.
type Options struct {
	// Hosts are the names, each with a port, by which requests may come.
	Hosts []string
	// Runs is the folder of runs whose reports are shown; "" is none.
	Runs string
}

// Bounds of what a browser may send.
const (
	maxChange  = 4 << 20
	maxPicture = 128 << 20
)

// server answers the requests of browsers.
type server struct {
	s *studio.Session
	o Options
}

// New returns what answers requests about a session.
func New(s *studio.Session, o Options) http.Handler {
	v := &server{s, o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", v.page)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /thumb/{name}", v.thumb)
	mux.HandleFunc("GET /evidence/{name}", v.evidence)
	mux.HandleFunc("GET /events", v.events)
	mux.HandleFunc("GET /runs", v.runs)
	mux.HandleFunc("GET /cache", v.cache)
	mux.HandleFunc("GET /elsewhere", v.elsewhere)
	mux.HandleFunc("GET /runs/{run}/report.html", v.report)
	mux.HandleFunc("GET /static/{name}", static)
	mux.HandleFunc("POST /change", v.change)
	mux.HandleFunc("POST /undo", v.undo(v.s.Undo))
	mux.HandleFunc("POST /redo", v.undo(v.s.Redo))
	mux.HandleFunc("POST /answer", v.answer)
	mux.HandleFunc("POST /keep", v.keep)
	return v.guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard refuses foreign hosts and origins, and tells browsers what a page may do.
func (v *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		host := strings.ToLower(r.Host)
		if !slices.Contains(v.o.Hosts, host) {
			http.Error(w, "this name does not lead here", http.StatusMisdirectedRequest)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+host {
			http.Error(w, "a page of another origin may not do this", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Hosts are the names by which a browser on this machine reaches a port.
func Hosts(port string) []string { return httpd.Hosts(port) }

// Serve answers requests on a listener until ctx is done. Requests that are being answered
// by then have a moment to end.
func Serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	return httpd.Serve(ctx, l, handler, httpd.Options{Grace: 5 * time.Second, Streams: true, Read: 2 * time.Minute, Write: 2 * time.Minute})
}
