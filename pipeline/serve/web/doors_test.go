package web

import (
	"testing"
)

func TestDoors(t *testing.T) {
	h := painting(t, Options{Hosts: Hosts("80"), Origins: []string{"https://ours.example"}, Token: "a token of some length"})
	image := painted(t, red)
	token := "Bearer a token of some length"
	for name, c := range map[string]struct {
		header []string
		status int
	}{
		"no token":       {nil, 401},
		"a wrong one":    {[]string{"Authorization", "Bearer a token of some lengtH"}, 401},
		"basic":          {[]string{"Authorization", "Basic YTpi"}, 401},
		"as a password":  {[]string{"Authorization", "Basic " + b64([]byte("anybody:a token of some length"))}, 200},
		"the right one":  {[]string{"Authorization", token}, 200},
		"a foreign host": {[]string{"Authorization", token, "Host", "evil.example:80"}, 421},
		"a foreign page": {[]string{"Authorization", token, "Origin", "https://evil.example"}, 403},
		"our page":       {[]string{"Authorization", token, "Origin", "https://ours.example"}, 200},
		"a page's form":  {[]string{"Authorization", token, "Sec-Fetch-Site", "cross-site"}, 403},
	} {
		if w := ask(h, "POST", "/", image, c.header...); w.Code != c.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := ask(h, "GET", "/ping", nil); w.Code != 200 {
		t.Errorf("health asks for a token: %d", w.Code)
	}
	if w := ask(h, "GET", "/metrics", nil); w.Code != 401 {
		t.Errorf("metrics ask for none: %d", w.Code)
	}
	w := ask(h, "OPTIONS", "/", nil, "Origin", "https://ours.example")
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Origin") != "https://ours.example" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := ask(h, "GET", "/debug/pprof/", nil, "Authorization", token); w.Code != 404 {
		t.Errorf("profiles that nobody asked for: %d", w.Code)
	}
	if w := ask(painting(t, Options{Pprof: true}), "GET", "/debug/pprof/", nil); w.Code != 200 {
		t.Errorf("profiles: %d", w.Code)
	}
}
