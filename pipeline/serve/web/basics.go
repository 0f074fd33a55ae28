package web

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// What belongs to no client's language, or to several.
var (
	plain = &dialect{"plain", faultError, failError}

	basics []route
)

func init() { // the description of the interface lists the routes, itself among them
	health := func(_ *server, w http.ResponseWriter, _ *http.Request) error {
		// TorchServe's documents write it so, and its server otherwise.
		writeJSON(w, http.StatusOK, map[string]string{"health": "healthy!", "status": "Healthy"})
		return nil
	}
	healthy := has(schema{"health": anyText, "status": anyText})
	basics = []route{
		{method: "GET", path: "/ping", dialect: plain, about: "Whether the server can answer, for TorchServe's, MLflow's and SageMaker's clients", gives: healthy, body: health, open: true},
		{method: "GET", path: "/health", dialect: plain, about: "Whether the server can answer, also for Label Studio", gives: has(schema{"status": anyText}), body: isUp, open: true},
		{method: "GET", path: "/metrics", dialect: plain, about: "Numbers for Prometheus", body: func(s *server, w http.ResponseWriter, r *http.Request) error {
			promhttp.HandlerFor(s.Metrics.registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
			return nil
		}},
		{method: "GET", path: "/openapi.json", dialect: plain, about: "This description", gives: anyObject, body: func(s *server, w http.ResponseWriter, _ *http.Request) error {
			writeJSON(w, http.StatusOK, describe(s))
			return nil
		}},
	}
}

// isUp says that the server answers, as Label Studio wants it said.
func isUp(_ *server, w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, ordered{{"status", "UP"}, {"v2", true}, {"model_dir", ""}})
	return nil
}
