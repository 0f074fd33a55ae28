package mlflow_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"icebox/pipeline/mlflow"
	"icebox/pipeline/mlflow/mlflowtest"
)

// environment looks up variables among pairs NAME, VALUE.
func environment(pairs ...string) func(string) string {
	return func(name string) string {
		if i := slices.Index(pairs, name); i >= 0 {
			return pairs[i+1]
		}
		return ""
	}
}

func open(t *testing.T, address string, env ...string) *mlflow.Tracker {
	t.Helper()
	tracker := mlflow.New(address, environment(env...))
	t.Cleanup(tracker.Close)
	return tracker
}

func TestRunIsTold(t *testing.T) {
	s := mlflowtest.New(t)
	ctx, at := context.Background(), time.UnixMilli(1_700_000_000_123)
	tracker := open(t, s.URL+"/")
	run, err := tracker.Begin(ctx, "birds & bees", "one", at, map[string]string{"icebox.dataset": "birds"})
	if err != nil {
		t.Fatal(err)
	}
	params, metrics := map[string]string{"long": strings.Repeat("é", 400), "empty": ""}, []mlflow.Metric{{Key: "bad", Value: math.NaN()}, {Key: "worse", Value: math.Inf(1)}}
	for n := range 230 {
		params[fmt.Sprint("p", n)] = fmt.Sprint(n)
	}
	for n := range 2500 {
		metrics = append(metrics, mlflow.Metric{Key: "epoch/val_loss", Value: float64(n) / 2, Step: n, At: at})
	}
	if err := errors.Join(run.Log(ctx, params, metrics), run.Tag(ctx, "note", "so"), run.End(ctx, mlflow.Finished, at.Add(time.Second))); err != nil {
		t.Fatal(err)
	}
	got := s.Runs()[0]
	if got.Name != "one" || got.Experiment != "birds & bees" || got.Status != "FINISHED" || got.Start != at.UnixMilli() || got.End != got.Start+1000 || got.Tags["icebox.dataset"] != "birds" || got.Tags["note"] != "so" {
		t.Errorf("%+v", got)
	}
	if len(got.Params) != 231 || got.Params["p229"] != "229" || len(got.Params["long"]) > 500 || !strings.HasSuffix(got.Params["long"], "é…") {
		t.Errorf("%d params, %q", len(got.Params), got.Params["long"])
	}
	if last := got.Last("epoch/val_loss"); len(got.Metrics) != 2500 || last.Step != 2499 || last.Value != 2499./2 || last.At != at.UnixMilli() {
		t.Errorf("%d metrics, the last %+v", len(got.Metrics), last)
	}
	if page := run.Page(); page != s.URL+"/#/experiments/0/runs/0" {
		t.Error(page)
	}
	if _, err := tracker.Begin(ctx, "birds & bees", "two", at, nil); err != nil || slices.Index(s.Calls(), "experiments/create") != 1 || slices.Contains(s.Calls()[2:], "experiments/create") {
		t.Errorf("%v: %v", err, s.Calls())
	}
}

func TestWhoAsks(t *testing.T) {
	for name, c := range map[string]struct {
		env  []string
		want string
	}{
		"a token":    {[]string{"MLFLOW_TRACKING_TOKEN", "secret", "MLFLOW_TRACKING_USERNAME", "me"}, "Bearer secret"},
		"a password": {[]string{"MLFLOW_TRACKING_USERNAME", "me", "MLFLOW_TRACKING_PASSWORD", "secret"}, "Basic bWU6c2VjcmV0"},
	} {
		s := mlflowtest.New(t)
		s.Authorization = c.want
		if _, err := open(t, s.URL, c.env...).Begin(context.Background(), "e", "r", time.Now(), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, err := open(t, s.URL, "MLFLOW_TRACKING_TOKEN", "hidden").Begin(context.Background(), "e", "r", time.Now(), nil)
		if !errors.Is(err, mlflow.ErrDenied) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s, a wrong one: %v", name, err)
		}
	}
}

// What answers otherwise than MLflow is an error, and nobody else is asked.
func TestOtherAnswers(t *testing.T) {
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	exists := 0
	for says, answer := range map[string]http.HandlerFunc{
		"leads elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
		},
		"none of MLflow": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"names no run":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") },
		"status 500":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"BAD is so": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error_code":"BAD","message":"is so"}`)
		},
		"DELETED in between": func(w http.ResponseWriter, r *http.Request) { // another run makes the experiment
			switch exists++; {
			case strings.HasSuffix(r.URL.Path, "runs/create"):
				w.WriteHeader(400)
				fmt.Fprint(w, `{"error_code":"DELETED","message":"in between"}`)
			case strings.HasSuffix(r.URL.Path, "experiments/create"):
				w.WriteHeader(400)
				fmt.Fprint(w, `{"error_code":"RESOURCE_ALREADY_EXISTS"}`)
			case exists == 1:
				w.WriteHeader(404)
				fmt.Fprint(w, `{"error_code":"RESOURCE_DOES_NOT_EXIST"}`)
			default:
				fmt.Fprint(w, `{"experiment":{"experiment_id":"7"}}`)
			}
		},
	} {
		s := httptest.NewServer(answer)
		_, err := open(t, s.URL, "MLFLOW_TRACKING_TOKEN", "secret").Begin(context.Background(), "e", "r", time.Now(), nil)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
		s.Close()
	}
	if elsewhere != 0 || exists != 4 {
		t.Errorf("%d requests went elsewhere; %d were made of an experiment that another run makes", elsewhere, exists)
	}
	s := httptest.NewServer(nil)
	s.Close()
	if _, err := open(t, s.URL).Begin(context.Background(), "e", "r", time.Now(), nil); err == nil || strings.Contains(err.Error(), "experiment_name") {
		t.Errorf("nobody is there: %v", err)
	}
}

func TestCheck(t *testing.T) {
	for address, says := range map[string]string{
		"http://127.0.0.1:5000": "", "https://example.org/mlflow/": "",
		"127.0.0.1:5000": "no address", "localhost": "must be an address", "file:///tmp/mlruns": "must be an address", "http://": "must be an address",
		"http://me:secret@host": "MLFLOW_TRACKING_PASSWORD", "http://host/?a=b": "must end", "http://host/#/experiments": "must end", "http://[": "no address",
	} {
		err := mlflow.Check(address)
		if (err == nil) != (says == "") || err != nil && (!strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
