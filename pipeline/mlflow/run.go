package mlflow

import (
	"context"
	"errors"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Metric is a number of a run.
type Metric struct {
	Key   string
	Value float64
	Step  int
	At    time.Time
}

// Statuses of a run that is over.
const (
	Finished = "FINISHED"
	Failed   = "FAILED"
	Killed   = "KILLED"
)

// Limits of MLflow: how much of a kind a request may hold, and how many bytes a text has.
const (
	maxMetrics = 1000
	maxParams  = 100
	maxTexts   = 500
	maxTag     = 5000
)

// Run is a run that a tracker was told of.
type Run struct {
	tracker        *Tracker
	id, experiment string
}

// pair is a parameter or a tag.
type pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Begin tells the tracker that a run of a name began, in an experiment, which it makes where
// there is none.
func (t *Tracker) Begin(ctx context.Context, experiment, name string, at time.Time, tags map[string]string) (*Run, error) {
	of, err := t.experiment(ctx, experiment)
	if err != nil {
		return nil, err
	}
	var made struct {
		Run struct {
			Info struct {
				ID string `json:"run_id"`
			} `json:"info"`
		} `json:"run"`
	}
	asks := map[string]any{"experiment_id": of, "run_name": name, "start_time": milliseconds(at), "tags": pairs(tags, maxTag)}
	if err := t.ask(ctx, http.MethodPost, "runs/create", nil, asks, &made); err != nil {
		return nil, err
	}
	if made.Run.Info.ID == "" {
		return nil, errors.New("runs/create: the answer names no run")
	}
	return &Run{t, made.Run.Info.ID, of}, nil
}

// experiment is the number of an experiment.
func (t *Tracker) experiment(ctx context.Context, name string) (id string, err error) {
	var found struct {
		Experiment struct {
			ID string `json:"experiment_id"`
		} `json:"experiment"`
	}
	look := func() error {
		return t.ask(ctx, http.MethodGet, "experiments/get-by-name", url.Values{"experiment_name": {name}}, nil, &found)
	}
	if err = look(); !isAnswer(err, "RESOURCE_DOES_NOT_EXIST") {
		return found.Experiment.ID, err
	}
	var made struct {
		ID string `json:"experiment_id"`
	}
	err = t.ask(ctx, http.MethodPost, "experiments/create", nil, map[string]any{"name": name}, &made)
	if isAnswer(err, "RESOURCE_ALREADY_EXISTS") { // another run has just made it
		err = look()
		return found.Experiment.ID, err
	}
	return made.ID, err
}

// isAnswer reports whether an error is one that a tracker answered with a code.
func isAnswer(err error, code string) bool {
	var of *answerError
	return errors.As(err, &of) && of.code == code
}

// Log adds parameters and metrics. Texts are cut to what MLflow takes; what is empty, and
// numbers that are none, are left out.
func (r *Run) Log(ctx context.Context, params map[string]string, metrics []Metric) error {
	type number struct {
		Key   string  `json:"key"`
		Value float64 `json:"value"`
		At    int64   `json:"timestamp"`
		Step  int     `json:"step"`
	}
	var numbers []number
	for _, m := range metrics {
		if !math.IsNaN(m.Value) && !math.IsInf(m.Value, 0) {
			numbers = append(numbers, number{m.Key, m.Value, milliseconds(m.At), m.Step})
		}
	}
	texts := pairs(params, maxTexts)
	for len(numbers) > 0 || len(texts) > 0 {
		n := min(len(texts), maxParams)
		k := min(len(numbers), maxMetrics-n)
		batch := map[string]any{"run_id": r.id, "params": texts[:n], "metrics": numbers[:k]}
		if err := r.tracker.ask(ctx, http.MethodPost, "runs/log-batch", nil, batch, nil); err != nil {
			return err
		}
		texts, numbers = texts[n:], numbers[k:]
	}
	return nil
}

// Tag says something of the run.
func (r *Run) Tag(ctx context.Context, key, value string) error {
	return r.tracker.ask(ctx, http.MethodPost, "runs/set-tag", nil, map[string]any{"run_id": r.id, "key": key, "value": cut(value, maxTag)}, nil)
}

// End tells that the run is over.
func (r *Run) End(ctx context.Context, status string, at time.Time) error {
	return r.tracker.ask(ctx, http.MethodPost, "runs/update", nil, map[string]any{"run_id": r.id, "status": status, "end_time": milliseconds(at)}, nil)
}

// Page is where a person sees the run.
func (r *Run) Page() string {
	return r.tracker.address + "/#/experiments/" + url.PathEscape(r.experiment) + "/runs/" + url.PathEscape(r.id)
}

// pairs are texts by their keys, in order, each of so many bytes at most.
func pairs(all map[string]string, most int) []pair {
	out := []pair{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if value := strings.TrimSpace(all[key]); value != "" {
			out = append(out, pair{key, cut(value, most)})
		}
	}
	return out
}
