package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
)

// Options are everything a run depends on. Start from [Default]; paths are as the
// caller resolved them.
type Options struct {
	Data     Data
	Backbone Backbone
	Extract  Extraction
	Cache    Cache
	Head     headtrain.Options
	Answers  Answers
	Sweep    Sweep
	Output   Output

	// Engines are further engines for the backbone, handed down by the program.
	Engines []extract.EngineSpec
	// HeadEngine trains the head: fused (also ""), or the name of one of HeadEngines,
	// which are further engines, handed down by the program.
	HeadEngine  string
	HeadEngines []headtrain.Engine
	// Env looks up environment variables; nil means os.Getenv.
	Env func(string) string
}

// Data says where the images are and how they are split.
type Data struct {
	// Train is a folder of class folders, a folder that itself holds train, val
	// and test, a CSV manifest (path,label[,split,group]), or, for extraction
	// alone, a flat folder of images.
	Train string
	Val   string // folder or manifest; "" takes Split.Val from Train
	Test  string // folder or manifest; "" takes Split.Test from Train
	Name  string // of the dataset in the cache; "" derives it from Train
	Split Split
}

// Split gives the fractions of the training items, within each class, to hold out
// where no folder is given for them.
type Split struct {
	Val  float64 // 0 ≤ Val < 1
	Test float64 // 0 ≤ Test < 1, Val+Test < 1
}

// Backbone names the frozen network.
type Backbone struct {
	Name    string // resnet18
	Weights string // see extract.Options.Weights
	Engine  string
	ISA     string
	Plan    string // see extract.Options.Plan; predict has its own

	Device    string // see extract.ParseDevice
	Precision string // numeric class: fp32, tf32, fp16

	// WeightsHash and WeightsHints look weights up by their hash, for a head that
	// was trained before; see extract.Options.
	WeightsHash  string
	WeightsHints []string
}

// Extraction configures the first stage.
type Extraction struct {
	Workers        int     // goroutines that decode and compute; 0 means one a CPU
	BatchSize      int     // images a worker takes at a time
	EXIF           bool    // turn photos upright by their EXIF tag
	MaxPixels      int64   // larger images are refused by their header
	MaxFailureRate float64 // fraction of bad images past which a run fails (and more than 10)
	RetryFailed    bool    // try images again that are remembered as bad
}

// Cache says where features are kept and how.
type Cache struct {
	Path  string
	DType string // float32 or float16
}

// Output says where run folders go.
type Output struct {
	Dir  string
	Name string // last part of the run folder's name; "" means the dataset's name
	// Predictions is a CSV file that Eval writes: every image's label, answer and
	// probabilities; "" is none.
	Predictions string
	// Config is written to the run folder as config.yaml, as it is.
	Config []byte
	// Program names the program and its version, for the report.
	Program string
}

// Sweep describes a search over head options.
type Sweep struct {
	Method string // grid, random, halving
	Metric string // val_acc, val_loss
	Seeds  int
	Folds  int
	Trials int
	Refit  bool // train the chosen options again, on training and validation rows
	Axes   []Axis
}

// Axis is one option of a sweep and the values it takes: either Values, or a range.
type Axis struct {
	Key    string    // a key of the head section, or train_fraction
	Values []any     // numbers, strings or booleans as they were written, or a WeightMap
	Log    []float64 // {low, high}, logarithmic
	Lin    []float64 // {low, high}, linear
	Steps  int       // points of a range in a grid
}

// SweepKeys are the options that a sweep may vary.
var SweepKeys = []string{"batch_size", "class_weights", "epochs", "input", "label_smoothing", "lr", "optimizer", "schedule", "train_fraction", "weight_decay"}

// Default returns the options that hold where nothing is said.
func Default() Options {
	head := headtrain.Options{}.WithDefaults()
	head.StepEpochs = 0 // a third of the epochs, whatever they come to be
	return Options{
		Data:     Data{Split: Split{Val: 0.1}},
		Backbone: Backbone{Name: "resnet18", Weights: extract.Auto, Engine: extract.Auto, ISA: extract.Auto, Plan: extract.Auto, Device: extract.Auto, Precision: "fp32"},
		Extract:  Extraction{BatchSize: 16, EXIF: true, MaxPixels: extract.DefaultMaxPixels, MaxFailureRate: 0.01},
		Cache:    Cache{Path: ".icebox/features.db", DType: string(cache.Float32)},
		Head:     head, HeadEngine: headtrain.EngineFused,
		Answers: Answers{Calibrate: true},
		Sweep:   Sweep{Method: "grid", Metric: "val_acc", Seeds: 1},
		Output:  Output{Dir: "runs"},
	}
}

// Validate reports every fault of o at once, each beginning with its config key.
func (o Options) Validate() error {
	var faults []error
	add := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fraction := func(f float64) bool { return f >= 0 && f < 1 }
	add(!fraction(o.Data.Split.Val), "data.split.val (%v) must be at least 0 and less than 1", o.Data.Split.Val)
	add(!fraction(o.Data.Split.Test), "data.split.test (%v) must be at least 0 and less than 1", o.Data.Split.Test)
	add(fraction(o.Data.Split.Val) && fraction(o.Data.Split.Test) && o.Data.Split.Val+o.Data.Split.Test >= 1,
		"data.split: val + test (%v) must be less than 1", o.Data.Split.Val+o.Data.Split.Test)
	add(strings.ContainsAny(o.Data.Name, "/\x00"), "data.name %q must not hold a slash", o.Data.Name)
	add(o.Backbone.Name != "resnet18", "backbone.name %q is not known: the one backbone is resnet18", o.Backbone.Name)
	add(o.Extract.Workers < 0, "extract.workers (%d) must be ≥ 0", o.Extract.Workers)
	add(o.Extract.BatchSize < 1 || o.Extract.BatchSize > 1024, "extract.batch_size (%d) must be 1 to 1024", o.Extract.BatchSize)
	add(o.Extract.MaxPixels < 1, "extract.max_pixels (%d) must be ≥ 1", o.Extract.MaxPixels)
	add(!(o.Extract.MaxFailureRate >= 0 && o.Extract.MaxFailureRate <= 1), "extract.max_failure_rate (%v) must be a fraction, 0 to 1", o.Extract.MaxFailureRate)
	add(o.Cache.Path == "", "cache.path must not be empty")
	add(o.Cache.DType != string(cache.Float32) && o.Cache.DType != string(cache.Float16), "cache.dtype %q is not known: choose float32 or float16", o.Cache.DType)
	add(o.Output.Dir == "", "output.dir must not be empty")
	faults = append(faults, backboneFaults(o.extractOptions().Validate()), prefixed("head.", o.checkHead()), prefixed("head.", o.Answers.Reject.Validate()), o.Sweep.validate())
	return errors.Join(faults...)
}

// checkHead asks the engine too what it does not know, before there are features.
func (o Options) checkHead() error {
	engine, err := o.headEngine()
	if err != nil {
		return errors.Join(o.Head.Validate(), err)
	}
	return errors.Join(o.Head.Validate(), engine.Check(o.Head))
}

// headEngine returns the engine that trains the head.
func (o Options) headEngine() (headtrain.Engine, error) {
	var names []string
	for _, e := range append([]headtrain.Engine{headtrain.Fused()}, o.HeadEngines...) {
		if e.Name == cmp.Or(o.HeadEngine, headtrain.EngineFused) {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return headtrain.Engine{}, fmt.Errorf("engine %q is not known: choose %s", o.HeadEngine, strings.Join(names, ", "))
}

func (s Sweep) validate() error {
	var faults []error
	add := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	add(!slices.Contains([]string{"grid", "random", "halving"}, s.Method), "sweep.method %q is not known: choose grid, random or halving", s.Method)
	add(!slices.Contains([]string{"val_acc", "val_loss"}, s.Metric), "sweep.metric %q is not known: choose val_acc or val_loss", s.Metric)
	add(s.Seeds < 1, "sweep.seeds (%d) must be ≥ 1", s.Seeds)
	add(s.Folds < 0 || s.Folds == 1, "sweep.folds (%d) must be 0 or ≥ 2", s.Folds)
	add(s.Trials < 0, "sweep.trials (%d) must be ≥ 0", s.Trials)
	for _, a := range s.Axes {
		add(!slices.Contains(SweepKeys, a.Key), "sweep.axes.%s is not an option to sweep: choose from %s", a.Key, strings.Join(SweepKeys, ", "))
		bounds := append(append([]float64{}, a.Log...), a.Lin...)
		add(len(a.Values) == 0 && len(bounds) == 0, "sweep.axes.%s needs a list of values, or {log: [a, b]} or {lin: [a, b]}", a.Key)
		add(len(bounds) != 0 && (len(bounds) != 2 || !(bounds[0] < bounds[1]) || math.IsInf(bounds[0], 0) || math.IsInf(bounds[1], 0)), "sweep.axes.%s: a range is two finite numbers, the lower first", a.Key)
		add(len(a.Log) == 2 && a.Log[0] <= 0, "sweep.axes.%s: a log range begins above 0", a.Key)
		add(len(bounds) != 0 && s.Method == "grid" && a.Steps < 2, "sweep.axes.%s: a range in a grid needs steps ≥ 2", a.Key)
		add(a.Steps < 0, "sweep.axes.%s: steps (%d) must be ≥ 0", a.Key, a.Steps)
	}
	return errors.Join(faults...)
}

func (o Options) extractOptions() extract.Options {
	return extract.Options{
		Weights: o.Backbone.Weights, WeightsHash: o.Backbone.WeightsHash, WeightsHints: o.Backbone.WeightsHints,
		Engine: o.Backbone.Engine, ISA: o.Backbone.ISA, Plan: o.Backbone.Plan, Engines: o.Engines, Device: o.Backbone.Device, Precision: o.Backbone.Precision,
		IgnoreEXIF: !o.Extract.EXIF, MaxPixels: o.Extract.MaxPixels, Env: o.Env,
	}
}

// backboneKeys are the options that fields of extract.Options come from.
var backboneKeys = map[string]string{
	"Weights": "backbone.weights", "Engine": "backbone.engine", "Device": "backbone.device", "Precision": "backbone.precision",
	"ISA": "backbone.isa", "Plan": "backbone.plan", "MaxPixels": "extract.max_pixels",
}

// backboneFaults puts the option before each fault of extract.Options.
func backboneFaults(err error) error {
	var faults []error
	for _, fault := range leaves(err) {
		var f extract.Fault
		if errors.As(fault, &f) && backboneKeys[f.Field] != "" {
			fault = fmt.Errorf("%s %s", backboneKeys[f.Field], f.Text)
		}
		faults = append(faults, fault)
	}
	return errors.Join(faults...)
}

// prefixed puts the config section before each fault of a package's Validate, whose
// messages begin with the option's own name.
func prefixed(section string, err error) error {
	var faults []error
	for _, fault := range leaves(err) {
		if fault != headtrain.ErrOptions {
			faults = append(faults, fmt.Errorf("%s%w", section, fault))
		}
	}
	return errors.Join(faults...)
}

// leaves returns the errors that err joins, at any depth.
func leaves(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, leaves(e)...)
	}
	return all
}
