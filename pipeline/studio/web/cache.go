package web

import (
	"net/http"

	"icebox/pipeline/features"
	"icebox/pipeline/studio"
)

// contents is the page of the cache as the template sees it.
type contents struct {
	*features.Contents
	Session *studio.Session
}

// cache shows what the cache holds.
func (v *server) cache(w http.ResponseWriter, _ *http.Request) {
	c, err := features.ReadContents(v.s.Cache())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	render(w, "cache", contents{c, v.s})
}

// elsewhere shows what other processes do.
func (v *server) elsewhere(w http.ResponseWriter, _ *http.Request) {
	render(w, "elsewhere", v.s.Elsewhere())
}
