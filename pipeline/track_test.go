package pipeline

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline/journal"
	"icebox/pipeline/mlflow/mlflowtest"
	"icebox/pipeline/sweep"
)

// trackedOptions are those of a cache of a few pictures, and of a tracker.
func trackedOptions(t *testing.T, address string) Options {
	t.Helper()
	o := ready(t, settings(photos(t, 2, 10)))
	o.Env = func(string) string { return "" }
	if _, err := Run(t.Context(), o, Silent); err != nil {
		t.Fatal(err)
	}
	o.MLflow, o.Output.Program = address, "icebox test"
	o.Recipe = func(o Options) map[string]string {
		return map[string]string{"head.optimizer": o.Head.Optimizer}
	}
	return o
}

// heard is a progress that keeps what it is told.
type heard struct {
	Progress
	notes []string
}

func (h *heard) Note(text string) { h.notes = append(h.notes, text) }

func TestTrackerHearsOfRuns(t *testing.T) {
	s := mlflowtest.New(t)
	o := trackedOptions(t, s.URL)
	h := &heard{Progress: Silent}
	sum, err := Train(t.Context(), o, Choice{}, h)
	must(t, err)
	r := s.Runs()[0]
	if r.Status != "FINISHED" || r.Name != filepath.Base(*sum.RunDir) || r.Experiment != "photos" || r.Tags["icebox.run"] != r.Name || r.Tags["icebox.dataset"] != "photos" || r.Tags["icebox.program"] != "icebox test" || r.End < r.Start {
		t.Errorf("%+v", r)
	}
	if got := r.Params["head.optimizer"]; got != o.Head.Optimizer {
		t.Errorf("the recipe says %q", got)
	}
	for key, want := range map[string]float64{"val_acc": *sum.ValAcc, "test_acc": *sum.TestAcc, "train_loss": sum.TrainLoss, "temperature": sum.Temperature, "train_rows": float64(sum.TrainRows)} {
		if m := r.Last(key); m.Key == "" || m.Value != want {
			t.Errorf("%s: %+v, want %v", key, m, want)
		}
	}
	epochs := 0
	for _, m := range r.Metrics {
		if m.Key == "epoch/val_loss" {
			if epochs++; m.Step != epochs {
				t.Errorf("epoch %d comes as step %d", epochs, m.Step)
			}
		}
	}
	if epochs != o.Head.Epochs || r.Last("test/macro_f1").Key == "" || r.Last("epoch/running_loss").Key == "" || r.Last("epoch/train_loss").Key != "" {
		t.Errorf("%d epochs: %+v", epochs, r.Metrics)
	}
	if !slices.Contains(h.notes, "MLflow has this run: "+s.URL+"/#/experiments/0/runs/0") {
		t.Errorf("%q", h.notes)
	}

	// A sweep is a run, too; a name of the user's takes the place of the dataset's.
	o.Experiment = "another"
	o.Sweep.Axes = []sweep.Axis{{Key: "lr", Values: []any{0.001, 0.01}}}
	if _, err := RunSweep(t.Context(), o, SweepRun{}, Silent); err != nil {
		t.Fatal(err)
	}
	if r := s.Runs()[1]; r.Status != "FINISHED" || r.Experiment != "another" || r.Tags["icebox.sweep"] != "grid" {
		t.Errorf("%+v", r)
	}
}

// A run that fails, or is interrupted, ends at the tracker, too.
func TestTrackerHearsOfRunsThatFail(t *testing.T) {
	s := mlflowtest.New(t)
	o := trackedOptions(t, s.URL)
	failing := func(fit func(context.Context) error) {
		t.Helper()
		o.HeadEngine = "failing"
		o.HeadEngines = []headtrain.Engine{{Name: "failing", Trainer: failingTrainer(fit), Check: func(headtrain.Options) error { return nil }}}
	}
	failing(func(context.Context) error { return headtrain.ErrDiverged })
	if _, err := Train(t.Context(), o, Choice{}, Silent); err == nil {
		t.Fatal("it did not fail")
	}
	if r := s.Runs()[0]; r.Status != "FAILED" || !strings.Contains(r.Tags["icebox.error"], "diverged") || r.Params["head.optimizer"] == "" || len(r.Metrics) != 0 {
		t.Errorf("%+v", r)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	failing(func(context.Context) error {
		interrupt()
		return ctx.Err()
	})
	if _, err := Train(ctx, o, Choice{}, Silent); err == nil {
		t.Fatal("it was not interrupted")
	}
	if r := s.Runs()[1]; r.Status != "KILLED" {
		t.Errorf("%+v", r)
	}
}

// failingTrainer trains nothing.
type failingTrainer func(context.Context) error

func (f failingTrainer) Fit(ctx context.Context, _ headtrain.Job) ([]headtrain.Result, error) {
	return nil, f(ctx)
}

// A tracker that is not there, or goes away, fails no run: its folder is whole.
func TestNoTrackerFailsARun(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	o := trackedOptions(t, gone.URL)
	goes := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch filepath.Base(r.URL.Path) {
		case "get-by-name":
			io.WriteString(w, `{"experiment":{"experiment_id":"0"}}`)
		case "create":
			io.WriteString(w, `{"run":{"info":{"run_id":"0"}}}`)
		default:
			w.WriteHeader(http.StatusInsufficientStorage)
		}
	}))
	defer goes.Close()
	denied := mlflowtest.New(t)
	denied.Authorization = "Bearer x"
	for address, says := range map[string]string{gone.URL: "does it run there?", goes.URL: "status 507", denied.URL: "is MLFLOW_TRACKING_TOKEN right"} {
		o.MLflow = address
		h := &heard{Progress: Silent}
		sum, err := Train(t.Context(), o, Choice{}, h)
		if err != nil {
			t.Errorf("%s: %v", says, err)
			continue
		}
		if _, err := os.Stat(filepath.Join(*sum.RunDir, "report.json")); err != nil {
			t.Error(err)
		}
		told := func(note string) bool {
			return strings.HasPrefix(note, "MLflow at "+address+" does not have all of this run (") && strings.Contains(note, says) && strings.HasSuffix(note, "try "+journal.Step{Do: journal.Change, Field: "MLflow"}.String())
		}
		if !slices.ContainsFunc(h.notes, told) {
			t.Errorf("%s: %q", says, h.notes)
		}
	}
	o.MLflow = "mlflow"
	if _, err := Train(t.Context(), o, Choice{}, Silent); err == nil || !strings.Contains(err.Error(), "MLflow") {
		t.Errorf("no address: %v", err)
	}
}
