package config

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestReferenceAndSchemaHaveEveryKey(t *testing.T) {
	reference := Reference()
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	for _, k := range Keys() {
		if strings.Count(reference, "| `"+k.Name+"` |") != 1 {
			t.Errorf("the reference does not have %s once", k.Name)
		}
		at := root
		for _, part := range strings.Split(k.Name, ".") {
			if at["additionalProperties"] != false {
				t.Errorf("the schema lets unknown keys stand beside %s", k.Name)
			}
			properties, _ := at["properties"].(map[string]any)
			at, _ = properties[part].(map[string]any)
		}
		if at["description"] != k.Help {
			t.Errorf("the schema says of %s: %v", k.Name, at)
		}
	}
}

// REFERENCE.md is what Reference returns; -update writes it.
func TestReferenceFileIsUpToDate(t *testing.T) {
	const file = "REFERENCE.md"
	if *update {
		write(t, file, Reference())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != Reference() {
		t.Errorf("%s lags behind the table of keys: go test ./config -update", file)
	}
}

func TestSchemaDefaultsAreTyped(t *testing.T) {
	for name, want := range map[string]any{
		"head.lr": 0.001, "extract.exif": true, "extract.workers": 0, "head.class_weights": "none", "cache.dtype": "float32",
	} {
		if got := keySchema(keyNamed(name))["default"]; got != want {
			t.Errorf("%s: default %#v, want %#v", name, got, want)
		}
	}
	lr := keySchema(keyNamed("head.lr"))
	if lr["type"] != "number" || lr["exclusiveMinimum"] != 0.0 {
		t.Errorf("head.lr: %v", lr)
	}
}

func TestNearNamesAreFound(t *testing.T) {
	for name, want := range map[string]string{
		"lr": "head.lr", "head.lrr": "head.lr", "Head.LR": "head.lr", "head.batch-size": "head.batch_size",
		"batch_size": "extract.batch_size", "train.lr": "head.lr", "extract.num_workers": "extract.workers",
		"out_dir": "output.dir", "wd": "head.weight_decay", "model": "backbone", "sweep.axes.wd": "sweep.axes.weight_decay",
		"head.early_stoping": "head.early_stopping", "head.patience": "head.early_stopping.patience",
		"data.split.validation": "data.split.val", "caches": "cache", "sweep.axes.beta1": "", "gizmo": "", "x": "", "": "",
	} {
		if got := nearest(name); got != want {
			t.Errorf("%q: nearest is %q, want %q", name, got, want)
		}
	}
}

// A name of another tool leads to a key or a section, and hides no key of that name: who
// writes "device" means backbone.device.
func TestSynonymsLeadToKeysAndHideNone(t *testing.T) {
	for foreign, meant := range synonyms {
		if keyNamed(meant) == nil && !isSection(meant) {
			t.Errorf("%s leads to %s, which is no key", foreign, meant)
		}
		for _, k := range table {
			if _, last := splitName(k.Name); last == foreign {
				t.Errorf("%s leads to %s, though %s has that name", foreign, meant, k.Name)
			}
		}
	}
	for foreign, want := range map[string]string{
		"device": "backbone.device", "train.device": "backbone.device", "dtype": "cache.dtype", "head.precision": "backbone.precision", "train": "data.train",
		"learning_rate": "head.lr", "model.num_workers": "extract.workers", "out": "output.dir", "cv": "sweep.folds", "classifier": "head",
	} {
		if got := nearest(foreign); got != want {
			t.Errorf("%s leads to %s, not to %s", foreign, got, want)
		}
	}
}
