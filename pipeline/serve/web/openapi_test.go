package web

import (
	"net/http"
	"strings"
	"testing"
)

// The description names what is answered, and nothing else.
func TestDescription(t *testing.T) {
	h := painting(t, Options{Program: "icebox 9", Token: "a token of some length"})
	d := said[struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}](t, ask(h, "GET", "/openapi.json", nil, "Authorization", "Bearer a token of some length"), 200)
	if d.OpenAPI != "3.0.3" || d.Paths["/"]["post"] == nil || d.Paths["/v2/models/{model}/infer"]["post"] == nil || len(d.Paths) < 25 {
		t.Errorf("%v", d)
	}
	for path, methods := range d.Paths {
		for method := range methods {
			w := ask(h, strings.ToUpper(method), strings.NewReplacer("{model}", "paint", "{version}", "v", "{call}", "paint:predict", "{project}", "p").Replace(path), nil, "Authorization", "Bearer a token of some length")
			if w.Code == http.StatusMethodNotAllowed || w.Body.String() == "404 page not found\n" {
				t.Errorf("%s %s is described, and nothing answers", method, path)
			}
		}
	}
}
