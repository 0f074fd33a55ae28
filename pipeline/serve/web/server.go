// Package web answers HTTP requests with the models of a shelf, in the languages of other
// servers' clients, a file each. What a dialect does is to read images out of a request, and to
// write answers and errors in its own form: the rest is the same for all, and is here.
package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"icebox/pipeline/internal/httpd"
	"icebox/pipeline/serve"
	"icebox/pipeline/words"
)

// Options say who may ask, and for how much.
type Options struct {
	// Hosts are the names, each with a port, by which requests may come; nil is any. A server
	// on this machine alone names them, so that no page of a browser reaches it by a name of
	// its own.
	Hosts []string
	// Token must stand in the header Authorization, behind "Bearer " or as the password of
	// Basic; "" asks for none. Health is told without.
	Token string
	// Origins are those of pages that may ask; nil is none.
	Origins []string
	// MaxBody is the most bytes of a request; 0 is 64 MB.
	MaxBody int64
	// Timeout is how long an answer may take; 0 is 30 seconds.
	Timeout time.Duration
	// PerClient is how many requests of one address are answered at a time; 0 is no limit.
	PerClient int
	// LocalFiles is the folder that pictures of Label Studio's tasks are read from; nil: tasks
	// must bring them.
	LocalFiles *os.Root
	// Learn has a model learn from what annotators say; nil: nothing learns. It trains where
	// nothing that is said is new only if always is set. See pipeline.Server.
	Learn func(ctx context.Context, model string, said []serve.Said, always bool) (serve.Learned, error)
	// Train has a model train by what annotators said before. It is there where Learn is.
	Train func(ctx context.Context, model string) (serve.Learned, error)
	// HealthPath and PredictPath are two more paths, for those who cannot choose: health as at
	// /ping, and predictions as at /invocations. They come before paths of the same name. Both
	// pass CheckPath; "" is none.
	HealthPath, PredictPath string
	// Pprof serves profiles below /debug/pprof/.
	Pprof bool
	// Program is the name and version that answers name.
	Program string
	// Log hears of each request; nil hears nothing.
	Log *slog.Logger
	// Metrics are told of everything; nil makes them.
	Metrics *Metrics
}

// server answers requests.
type server struct {
	Options
	shelf    *serve.Shelf
	token    [sha256.Size]byte
	limit    clients
	training atomic.Int32 // heads that are being trained, or wait for it
}

// route is a request that is answered.
type route struct {
	method, path string
	dialect      *dialect
	about        string // for people, in the description of the interface
	takes        []string
	asks         func() schema // of a body in JSON; nil is any object
	gives        schema        // of an answer in JSON; nil: it is no JSON
	status       int           // of an answer; 0 is 200
	body         func(*server, http.ResponseWriter, *http.Request) error
	open         bool // without a token
}

// dialect is a client's language.
type dialect struct {
	name  string
	fault schema // of an error
	// fail writes an error in the form of the dialect.
	fail func(w http.ResponseWriter, status int, text string)
}

// New returns what answers with the models of a shelf.
func New(shelf *serve.Shelf, o Options) http.Handler {
	if o.MaxBody == 0 {
		o.MaxBody = 64 << 20
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	s := &server{Options: o, shelf: shelf, token: sha256.Sum256([]byte(o.Token)), limit: clients{most: o.PerClient}}
	o.Metrics.follow(shelf)
	first, mux, last := http.NewServeMux(), http.NewServeMux(), http.NewServeMux()
	for _, r := range s.routes() {
		to := mux
		switch {
		case r.path == o.HealthPath, r.path == o.PredictPath:
			to = first // another route may have the path
		case r.dialect == vision:
			to = last // a path of these fits others, too
		}
		handler := s.handle(r)
		if r.dialect == rpc {
			handler = onlyGRPC(handler)
		}
		to.Handle(r.method+" "+r.path, handler)
	}
	if o.Pprof {
		mux.Handle("GET /debug/pprof/", s.guarded(http.HandlerFunc(pprof.Index)))
		mux.Handle("GET /debug/pprof/profile", s.guarded(http.HandlerFunc(pprof.Profile)))
	}
	return s.doors(firstOf(first, mux, last))
}

// firstOf answers by the first of the muxes that knows a request.
func firstOf(all ...*http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, mux := range all {
			if _, pattern := mux.Handler(r); pattern != "" {
				mux.ServeHTTP(w, r)
				return
			}
		}
		var allowed []string
		other := r.Clone(r.Context())
		for _, other.Method = range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
			for _, mux := range all {
				if _, pattern := mux.Handler(other); pattern != "" {
					allowed = append(allowed, other.Method)
					break
				}
			}
		}
		if allowed == nil {
			turnAway(w, r, http.StatusNotFound, "nothing answers at this path; /openapi.json lists those that do")
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		failError(w, http.StatusMethodNotAllowed, "this path takes "+words.Or(allowed))
	})
}

// routes are all requests that are answered, each once.
func (s *server) routes() []route {
	var all []route
	for _, of := range [][]route{s.named(), basics, huggingFace, inference, inferenceGRPC, torchServe, scoring, tensorFlow, labelStudio, customVision} {
		for _, r := range of {
			if !slices.ContainsFunc(all, func(before route) bool { return before.method == r.method && before.path == r.path }) {
				all = append(all, r)
			}
		}
	}
	return all
}

// named are the routes of the paths that the options name.
func (s *server) named() (all []route) {
	for _, r := range slices.Concat(basics, scoring) {
		switch r.path {
		case "/ping":
			r.path = s.HealthPath
		case "/invocations":
			r.path = s.PredictPath
		default:
			continue
		}
		if r.path == "/" {
			r.path = "/{$}" // and nothing below it
		}
		if r.path != "" {
			all = append(all, r)
		}
	}
	return all
}

// CheckPath returns an error unless a path is one that [Options] may name.
func CheckPath(name string) error {
	if !strings.HasPrefix(name, "/") || path.Clean(name) != name || strings.ContainsAny(name, "{}?# \t") {
		return fmt.Errorf("%q is no path as /predict", name)
	}
	return nil
}

// Hosts are the names by which a program on this machine reaches a port; see [Options].
func Hosts(port string) []string { return httpd.Hosts(port) }

// Serve answers requests on a listener until ctx is done, and then those that have come.
func Serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	return httpd.Serve(ctx, l, handler, httpd.Options{HTTP2: true, Grace: 20 * time.Second, Read: time.Minute, Write: 2 * time.Minute})
}

// handle answers a route, and tells of it.
func (s *server) handle(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		seen := &seenWriter{ResponseWriter: w, status: http.StatusOK}
		ctx, stop := context.WithTimeout(r.Context(), s.Timeout)
		defer stop()
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, s.MaxBody)
		err := s.admit(rt, r)
		if err == nil {
			err = s.answer(rt, seen, r)
		}
		status := seen.status
		if err != nil && !seen.wrote { // nothing that was written can be taken back
			status = s.fail(seen, rt, err)
		}
		took := time.Since(start)
		s.Metrics.answered(rt, status, took)
		level := slog.LevelInfo
		if status >= 500 {
			level = slog.LevelWarn
		}
		attrs := []slog.Attr{slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.String("dialect", rt.dialect.name),
			slog.Int("status", status), slog.Duration("took", took), slog.String("client", host(r.RemoteAddr))}
		if err != nil {
			attrs = append(attrs, slog.String("error", err.Error()))
		}
		s.Log.LogAttrs(context.WithoutCancel(ctx), level, "request", attrs...)
	})
}

// answer answers a request that was let in.
func (s *server) answer(rt route, w http.ResponseWriter, r *http.Request) error {
	defer s.limit.leave(r)
	if err := unpack(w, r, s.MaxBody); err != nil {
		return err
	}
	return rt.body(s, w, r)
}

// fail answers with an error in the dialect of a route. It returns the status of the error,
// which that dialect may tell in its own way.
func (s *server) fail(w http.ResponseWriter, rt route, err error) (status int) {
	status = statusOf(err)
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="icebox"`)
	}
	if errors.Is(err, serve.ErrBusy) || status == http.StatusTooManyRequests {
		s.Metrics.refused.Inc()
	}
	rt.dialect.fail(w, status, textOf(err, status))
	return status
}

// admit lets a request in that may be answered.
func (s *server) admit(rt route, r *http.Request) error {
	if !rt.open && !s.allowed(r) {
		return &httpError{http.StatusUnauthorized, "a token is needed: Authorization: Bearer …"}
	}
	if !s.limit.enter(r) {
		return &httpError{http.StatusTooManyRequests, "too many requests at once from this address"}
	}
	return nil
}

// allowed reports whether a request has the token. It takes as long for a wrong one as for
// one that is nearly right.
func (s *server) allowed(r *http.Request) bool {
	if s.Token == "" {
		return true
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok { // Label Studio knows names and passwords alone
		_, given, ok = r.BasicAuth()
	}
	sum := sha256.Sum256([]byte(given))
	return ok && subtle.ConstantTimeCompare(sum[:], s.token[:]) == 1
}

// guarded asks for the token.
func (s *server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.allowed(r) {
			http.Error(w, "a token is needed", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// host is the address of a client, without the port.
func host(addr string) string {
	if h, _, err := net.SplitHostPort(addr); err == nil {
		return h
	}
	return addr
}

// seenWriter remembers the status of an answer.
type seenWriter struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (w *seenWriter) WriteHeader(status int) {
	w.status, w.wrote = status, true
	w.ResponseWriter.WriteHeader(status)
}

func (w *seenWriter) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

// readBody reads the body of a request.
func readBody(r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, bodyError(err)
	}
	if len(data) == 0 {
		return nil, bad("the request has no body")
	}
	return data, nil
}
