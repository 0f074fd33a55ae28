package pipeline

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline/runs"
	"icebox/pipeline/sweep"
)

func weightMap(t *testing.T, weights map[string]float64) sweep.WeightMap {
	t.Helper()
	w, err := sweep.NewWeightMap(weights)
	must(t, err)
	return w
}

func TestWeightMapsAreValuesOfAnAxis(t *testing.T) {
	ctx := context.Background()
	o := sweepOptions(t)
	o.batch = 3
	heavy := map[string]float64{"2": 5, "0": 0.1}
	o.Sweep.Axes = []sweep.Axis{{Key: "class_weights", Values: []any{"balanced", weightMap(t, heavy), "none", weightMap(t, map[string]float64{"0": 0.1, "2": 5})}}, {Key: "lr", Values: []any{0.01, 0.02, 0.05}}}
	whole, err := o.sweep(ctx, "", Silent)
	must(t, err)
	if whole.Points != 9 {
		t.Errorf("%d points: equal maps are one value", whole.Points)
	}
	table, err := os.ReadFile(filepath.Join(*whole.RunDir, runs.SweepTableFile))
	must(t, err)
	lines, err := os.ReadFile(filepath.Join(*whole.RunDir, sweep.ResultFile))
	must(t, err)
	if !strings.Contains(string(table), `"{""0"":0.1,""2"":5}"`) || !strings.Contains(string(lines), `"class_weights":{"0":0.1,"2":5}`) {
		t.Errorf("%s\n%s", table, lines)
	}
	dir, _ := interruptedSweep(t, o, 50)
	resumed, err := o.sweep(ctx, dir, Silent)
	must(t, err)
	again, err := os.ReadFile(filepath.Join(*resumed.RunDir, sweep.ResultFile))
	must(t, err)
	if resumed.Resumed == 0 || !bytes.Equal(again, lines) {
		t.Errorf("resumed from %d heads, the points differ", resumed.Resumed)
	}

	o.Sweep.Axes = o.Sweep.Axes[:1]
	o.Sweep.Axes[0].Values = o.Sweep.Axes[0].Values[1:2]
	one, err := o.sweep(ctx, "", Silent)
	must(t, err)
	plain, err := o.train()
	must(t, err)
	o.Head.ClassWeights = headtrain.ClassWeights{Mode: headtrain.WeightsMap, Map: heavy}
	train, err := o.train()
	must(t, err)
	if !sameWeights(headOf(t, one.RunDir), headOf(t, train.RunDir)) || sameWeights(headOf(t, plain.RunDir), headOf(t, train.RunDir)) {
		t.Error("the map of an axis trains another head than that of head.class_weights")
	}
}

func TestWeightMapsOfNoUseAreRefused(t *testing.T) {
	for want, weights := range map[string]map[string]float64{
		`"dog" has a weight, but is no class`:                              {"dog": 2},
		"must give a class that has training rows a weight of more than 0": {"0": 0, "1": 0, "2": 0},
	} {
		o := sweepOptions(t)
		o.Sweep.Axes = []sweep.Axis{{Key: "class_weights", Values: []any{"none", weightMap(t, weights)}}}
		_, err := o.sweep(context.Background(), "", Silent)
		if !errors.Is(err, headtrain.ErrOptions) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", weights, err)
		}
		if left, _ := os.ReadDir(o.Output.Dir); len(left) > 0 {
			t.Errorf("left %v", left)
		}
	}
}
