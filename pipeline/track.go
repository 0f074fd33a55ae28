package pipeline

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/mlflow"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// How long a tracker may take to hear that a run begins, to hear all of it when it is over, and
// to hear that it was interrupted.
const (
	trackBegin  = 10 * time.Second
	trackEnd    = 30 * time.Second
	trackKilled = 5 * time.Second
)

// tracked is a run that a tracker hears of. A nil one is of no tracker: nothing is done.
type tracked struct {
	tracker *mlflow.Tracker
	run     *mlflow.Run
	address string
	dir     *runs.Dir
	params  map[string]string
	j       *journal.Journal
}

// track tells the tracker of o, if it has one, that a run begins. A tracker that cannot be
// told is noted, and left alone from then on.
func (o Options) track(ctx context.Context, t task, src features.Source, dir *runs.Dir, j *journal.Journal) *tracked {
	if o.MLflow == "" {
		return nil
	}
	env := o.Env
	if env == nil {
		env = os.Getenv
	}
	ctx, stop := context.WithTimeout(ctx, trackBegin)
	defer stop()
	origin := src.Origin()
	tags := map[string]string{
		"mlflow.source.name": o.Output.Program, "mlflow.source.type": "LOCAL",
		"icebox.program": o.Output.Program, "icebox.dataset": src.Dataset().Name, "icebox.run": filepath.Base(dir.Final()), "icebox.weights": origin.Space.Weights.Hash,
	}
	if t.sweep != nil {
		tags["icebox.sweep"] = t.sweep.Method
	}
	w := &tracked{tracker: mlflow.New(o.MLflow, env), address: o.MLflow, dir: dir, j: j}
	if o.Recipe != nil {
		w.params = o.Recipe(o.used(t))
	}
	var err error
	if w.run, err = w.tracker.Begin(ctx, cmp.Or(o.Experiment, src.Dataset().Name, "icebox"), filepath.Base(dir.Final()), j.Started(), tags); err != nil {
		w.tracker.Close()
		j.Note(w.fault(err))
		return nil
	}
	return w
}

// fault is a note of why a tracker does not have a run, and what to do about it.
func (w *tracked) fault(err error) (string, journal.Step) {
	ask := "does it run there?"
	if errors.Is(err, mlflow.ErrDenied) {
		ask = "is MLFLOW_TRACKING_TOKEN right, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD?"
	}
	return fmt.Sprintf("MLflow at %s does not have all of this run (%v): %s The run needs no tracker, and its folder has all that would be sent", w.address, err, ask), journal.Step{Do: journal.Change, Field: "MLflow"}
}

// end tells the tracker how the run ended: its recipe, the numbers of each epoch, and those of
// the head, or why there are none. The run folder is whole by then, and nothing here fails it.
func (w *tracked) end(ctx context.Context, r *report.Report, failed error) {
	if w == nil {
		return
	}
	defer w.tracker.Close()
	status, patience := mlflow.Finished, trackEnd
	switch {
	case ctx.Err() != nil && failed != nil:
		status = mlflow.Killed
		ctx, patience = context.WithoutCancel(ctx), trackKilled
	case failed != nil:
		status = mlflow.Failed
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	err := w.send(ctx, r, failed)
	if endErr := w.run.End(ctx, status, time.Now()); err == nil {
		err = endErr
	}
	if err != nil {
		w.j.Tell(w.fault(err))
		return
	}
	w.j.Tell("MLflow has this run: " + w.run.Page())
}

func (w *tracked) send(ctx context.Context, r *report.Report, failed error) error {
	if failed != nil {
		if err := w.run.Tag(ctx, "icebox.error", failed.Error()); err != nil {
			return err
		}
		return w.run.Log(ctx, w.params, nil)
	}
	metrics, err := epochMetrics(filepath.Join(w.dir.Final(), runs.MetricsFile), w.j.Started())
	if err != nil {
		return err
	}
	final, err := headMetrics(r)
	if err != nil {
		return err
	}
	return w.run.Log(ctx, w.params, append(metrics, final...))
}

// epochMetrics are the numbers of a file of metrics, a line an epoch, below "epoch/".
func epochMetrics(path string, at time.Time) (all []mlflow.Metric, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		numbers, err := numbersIn(json.RawMessage(lines.Bytes()))
		if err != nil {
			return nil, err
		}
		at = at.Add(time.Duration(numbers["seconds"] * float64(time.Second)))
		epoch := int(numbers["epoch"])
		for _, older := range []string{"epoch", "train_loss", "train_acc"} { // those two are running_loss and running_acc
			delete(numbers, older)
		}
		all = append(all, metricsOf("epoch/", numbers, epoch, at)...)
	}
	return all, lines.Err()
}

// headMetrics are the numbers of the head that is kept: those of the summary by their names,
// and those of each part below its own.
func headMetrics(r *report.Report) (all []mlflow.Metric, err error) {
	now := time.Now()
	numbers, err := numbersIn(r.Summary.TrainSummary)
	if err != nil {
		return nil, err
	}
	all = metricsOf("", numbers, 0, now)
	for _, part := range slices.Sorted(maps.Keys(r.Parts)) {
		if numbers, err = numbersIn(r.Parts[part]); err != nil {
			return nil, err
		}
		all = append(all, metricsOf(part+"/", numbers, 0, now)...)
	}
	return all, nil
}

// metricsOf are numbers by their names, behind a prefix.
func metricsOf(prefix string, numbers map[string]float64, step int, at time.Time) (all []mlflow.Metric) {
	for _, name := range slices.Sorted(maps.Keys(numbers)) {
		all = append(all, mlflow.Metric{Key: prefix + name, Value: numbers[name], Step: step, At: at})
	}
	return all
}

// numbersIn are the fields of a value that are numbers, by their names in JSON.
func numbersIn(v any) (map[string]float64, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	numbers := map[string]float64{}
	for name, text := range fields {
		if n, err := strconv.ParseFloat(string(text), 64); err == nil {
			numbers[name] = n
		}
	}
	return numbers, nil
}
