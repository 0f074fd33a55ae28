package web

import (
	"net/http"
	"path/filepath"
	"slices"

	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// runs lists the runs, the newest first.
func (v *server) runs(w http.ResponseWriter, _ *http.Request) {
	all, err := report.List(v.o.Runs)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	slices.Reverse(all)
	render(w, "runs", all)
}

// report serves the page of a run, which may do nothing but show itself: it is in a sandbox
// of an origin of its own.
func (v *server) report(w http.ResponseWriter, r *http.Request) {
	all, err := runs.List(v.o.Runs)
	at := slices.IndexFunc(all, func(dir string) bool { return filepath.Base(dir) == r.PathValue("run") })
	if err != nil || at < 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", "sandbox allow-scripts; default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'")
	http.ServeFile(w, r, filepath.Join(all[at], runs.PageFile))
}
