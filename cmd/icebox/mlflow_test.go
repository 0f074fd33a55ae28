package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/pipeline/mlflow/mlflowtest"
)

const trackerToken = "a token of nobody else"

// trains trains a head that a tracker hears of, and returns all that the command wrote.
func trains(t *testing.T, dir, tracker string) string {
	t.Helper()
	r := iceboxEnv(t, dir, []string{"MLFLOW_TRACKING_TOKEN=" + trackerToken}, "train", "head.tune=off", "head.epochs=3", "output.name=told", "output.mlflow="+tracker, "output.experiment=trials")
	if r.code != exitOK || !strings.Contains(r.errOut, "MLflow has this run: "+tracker) {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	return r.out + r.errOut
}

// A run tells a tracker its recipe by the keys of the configuration. The token is written
// nowhere.
func TestTrackerIsToldTheRecipe(t *testing.T) {
	dir := trainedIn(t)
	s := mlflowtest.New(t)
	s.Authorization = "Bearer " + trackerToken
	said := trains(t, dir, s.URL)
	r := s.Runs()[0]
	for key, want := range map[string]string{"head.epochs": "3", "head.kind": "linear", "data.split.val": "0.1", "head.tune": "off", "extract.exif": "true"} {
		if r.Params[key] != want {
			t.Errorf("%s is %q, want %q", key, r.Params[key], want)
		}
	}
	if r.Experiment != "trials" || r.Status != "FINISHED" || r.Params["output.mlflow"] != "" || !strings.HasPrefix(r.Tags["mlflow.source.name"], "icebox") {
		t.Errorf("%+v", r)
	}
	must(t, filepath.WalkDir(filepath.Join(dir, "runs"), func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			var data []byte
			data, err = os.ReadFile(path)
			said += string(data)
		}
		return err
	}))
	if strings.Contains(said, trackerToken) {
		t.Error("the token is written down")
	}
	if r := icebox(t, dir, "train", "output.mlflow=http://me:secret@127.0.0.1"); r.code != exitUsage || !strings.Contains(r.errOut, "MLFLOW_TRACKING_PASSWORD") {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
}

// A real tracker keeps what it is told. ICEBOX_MLFLOW_PYTHON names a Python with mlflow.
func TestTrackerOfMLflow(t *testing.T) {
	python := os.Getenv("ICEBOX_MLFLOW_PYTHON")
	if python == "" {
		t.Skip("ICEBOX_MLFLOW_PYTHON names no Python with mlflow")
	}
	dir := trainedIn(t)
	address := mlflowServer(t, python)
	trains(t, dir, address)
	script := `import json, sys, mlflow
c = mlflow.MlflowClient(sys.argv[1])
e = c.get_experiment_by_name("trials")
runs = c.search_runs([e.experiment_id])
r = runs[0]
curve = [(m.step, m.value) for m in c.get_metric_history(r.info.run_id, "epoch/val_loss")]
print(json.dumps({"runs": len(runs), "status": r.info.status, "name": r.info.run_name, "params": r.data.params, "metrics": r.data.metrics, "tags": r.data.tags, "curve": curve}))`
	cmd := exec.CommandContext(t.Context(), python, "-c", script, address)
	out, err := cmd.Output()
	must(t, err)
	var got struct {
		Runs         int
		Status, Name string
		Params, Tags map[string]string
		Metrics      map[string]float64
		Curve        [][2]float64
	}
	must(t, json.Unmarshal(out, &got))
	text, err := os.ReadFile(filepath.Join(dir, "runs", got.Name, "report.json"))
	must(t, err)
	var report struct{ Summary map[string]any }
	must(t, json.Unmarshal(text, &report))
	if got.Runs != 1 || got.Status != "FINISHED" || got.Params["head.epochs"] != "3" || got.Metrics["val_acc"] != report.Summary["val_acc"] || got.Metrics["val_loss"] != report.Summary["val_loss"] || len(got.Curve) != 3 || got.Curve[2][0] != 3 || got.Tags["icebox.dataset"] != "photos" {
		t.Errorf("%s", out)
	}
}

// mlflowServer starts a tracker, and returns its address once it answers.
func mlflowServer(t *testing.T, python string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := l.Addr().String()
	_, port, err := net.SplitHostPort(address)
	must(t, err)
	must(t, l.Close())
	dir := t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	server := exec.CommandContext(ctx, python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "1",
		"--backend-store-uri", "sqlite:///"+filepath.Join(dir, "runs.db"), "--artifacts-destination", filepath.Join(dir, "artifacts"))
	server.Dir = dir
	server.Cancel = func() error { return server.Process.Signal(os.Interrupt) } // so that it ends its own processes
	server.WaitDelay = 20 * time.Second
	var log strings.Builder
	server.Stdout, server.Stderr = &log, &log
	must(t, server.Start())
	t.Cleanup(func() {
		stop()
		_ = server.Wait() // it says that it was interrupted
	})
	client := newClient(t, &http.Transport{})
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		answer, err := client.Get("http://" + address + "/health")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return "http://" + address
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the tracker does not start")
		}
	}
}
