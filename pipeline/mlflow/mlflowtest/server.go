// Package mlflowtest is a tracker for tests: it checks what it is told as MLflow does, and
// keeps it.
package mlflowtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"sync"
	"testing"
)

// Metric is a number as it came.
type Metric struct {
	Key   string
	Value float64
	Step  int
	At    int64 `json:"timestamp"` // milliseconds
}

// Run is what the tracker was told of a run.
type Run struct {
	Name, Experiment, Status string
	Start, End               int64 // milliseconds
	Params, Tags             map[string]string
	Metrics                  []Metric
}

// Last is the metric of a key that came last; its key is "" where there is none.
func (r *Run) Last(key string) (last Metric) {
	for _, m := range r.Metrics {
		if m.Key == key {
			last = m
		}
	}
	return last
}

// Server is a tracker that lives as long as a test.
type Server struct {
	URL string
	// Authorization is the header that requests must have, if it is set.
	Authorization string

	t           testing.TB
	mu          sync.Mutex
	experiments []string
	runs        []*Run
	calls       []string
}

// New starts a tracker without experiments.
func New(t testing.TB) *Server {
	s := &Server{t: t}
	h := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(h.Close)
	s.URL = h.URL
	return s
}

// Runs are the runs that the tracker was told of. They change no more once their status is
// that of a run that is over.
func (s *Server) Runs() []*Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs
}

// Calls are the methods that were called, in order.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// key is what MLflow allows as the name of a parameter, a metric or a tag.
var key = regexp.MustCompile(`^[-\w. /:]{1,250}$`)

type text struct{ Key, Value string }

// request has the fields of all requests.
type request struct {
	Name         string   `json:"name"`
	ExperimentID string   `json:"experiment_id"`
	RunID        string   `json:"run_id"`
	RunName      string   `json:"run_name"`
	Start        int64    `json:"start_time"`
	End          int64    `json:"end_time"`
	Status       string   `json:"status"`
	Key          string   `json:"key"`
	Value        string   `json:"value"`
	Tags         []text   `json:"tags"`
	Params       []text   `json:"params"`
	Metrics      []Metric `json:"metrics"`
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const api = "/api/2.0/mlflow/"
	if len(r.URL.Path) < len(api) || r.URL.Path[:len(api)] != api {
		s.t.Errorf("%s was asked for", r.URL.Path)
		http.NotFound(w, r)
		return
	}
	call := r.URL.Path[len(api):]
	s.calls = append(s.calls, call)
	if s.Authorization != "" && r.Header.Get("Authorization") != s.Authorization {
		http.Error(w, "You are not authenticated.", http.StatusUnauthorized)
		return
	}
	var q request
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			s.t.Errorf("%s: %v", call, err)
		}
	}
	answer, err := s.answer(r, call, &q)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]string{"error_code": err.Error(), "message": "no " + call}
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.t.Error(err)
	}
}

func (s *Server) answer(r *http.Request, call string, q *request) (any, error) {
	switch r.Method + " " + call {
	case "GET experiments/get-by-name":
		for i, name := range s.experiments {
			if name == r.URL.Query().Get("experiment_name") {
				return map[string]any{"experiment": map[string]string{"experiment_id": strconv.Itoa(i)}}, nil
			}
		}
		return nil, fmt.Errorf("RESOURCE_DOES_NOT_EXIST")
	case "POST experiments/create":
		s.experiments = append(s.experiments, q.Name)
		return map[string]string{"experiment_id": strconv.Itoa(len(s.experiments) - 1)}, nil
	case "POST runs/create":
		i, err := strconv.Atoi(q.ExperimentID)
		if err != nil || i >= len(s.experiments) {
			return nil, fmt.Errorf("RESOURCE_DOES_NOT_EXIST")
		}
		run := &Run{Name: q.RunName, Experiment: s.experiments[i], Status: "RUNNING", Start: q.Start, Params: map[string]string{}, Tags: map[string]string{}}
		s.runs = append(s.runs, run)
		s.keep(run.Tags, q.Tags)
		return map[string]any{"run": map[string]any{"info": map[string]string{"run_id": strconv.Itoa(len(s.runs) - 1)}}}, nil
	}
	i, err := strconv.Atoi(q.RunID)
	if err != nil || i >= len(s.runs) {
		return nil, fmt.Errorf("RESOURCE_DOES_NOT_EXIST")
	}
	run := s.runs[i]
	switch r.Method + " " + call {
	case "POST runs/log-batch":
		if len(q.Params) > 100 || len(q.Metrics) > 1000 || len(q.Params)+len(q.Metrics) > 1000 {
			s.t.Errorf("%d params and %d metrics at once", len(q.Params), len(q.Metrics))
		}
		s.keep(run.Params, q.Params)
		for _, m := range q.Metrics {
			s.checkKey(m.Key)
			run.Metrics = append(run.Metrics, m)
		}
	case "POST runs/set-tag":
		s.keep(run.Tags, []text{{q.Key, q.Value}})
	case "POST runs/update":
		run.Status, run.End = q.Status, q.End
	default:
		s.t.Errorf("%s %s is no call", r.Method, call)
	}
	return map[string]any{}, nil
}

// keep keeps texts, each once.
func (s *Server) keep(in map[string]string, all []text) {
	for _, one := range all {
		s.checkKey(one.Key)
		if before, there := in[one.Key]; there && before != one.Value {
			s.t.Errorf("%s changes from %q to %q", one.Key, before, one.Value)
		}
		in[one.Key] = one.Value
	}
}

func (s *Server) checkKey(name string) {
	if !key.MatchString(name) {
		s.t.Errorf("%q is no name for MLflow", name)
	}
}
