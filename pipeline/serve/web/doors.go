package web

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// doors refuses foreign hosts and origins, and lets pages of named origins in.
func (s *server) doors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		if s.Hosts != nil && !slices.Contains(s.Hosts, strings.ToLower(r.Host)) {
			turnAway(w, r, http.StatusMisdirectedRequest, "this name does not lead here")
			return
		}
		// A browser names the origin of a page that asks, and other programs name none.
		if origin := r.Header.Get("Origin"); origin != "" {
			if !slices.Contains(s.Origins, origin) {
				turnAway(w, r, http.StatusForbidden, "a page of another origin may not ask")
				return
			}
			h.Set("Access-Control-Allow-Origin", origin)
			h.Add("Vary", "Origin")
			if r.Method == http.MethodOptions {
				h.Set("Access-Control-Allow-Methods", "GET, POST, PUT")
				h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Inference-Header-Content-Length")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		} else if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
			turnAway(w, r, http.StatusForbidden, "a page of another origin may not ask")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// clients counts the requests of each address that are being answered.
type clients struct {
	most int // 0 is no limit
	mu   sync.Mutex
	now  map[string]int
}

func (c *clients) enter(r *http.Request) bool {
	if c.most == 0 {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now == nil {
		c.now = map[string]int{}
	}
	at := host(r.RemoteAddr)
	if c.now[at] == c.most {
		return false
	}
	c.now[at]++
	return true
}

func (c *clients) leave(r *http.Request) {
	if c.most == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	at := host(r.RemoteAddr)
	if c.now[at]--; c.now[at] == 0 {
		delete(c.now, at)
	}
}
