package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/headtrain/tune"
	"icebox/pipeline/dataset"
	"icebox/pipeline/fault"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/mlflow"
	"icebox/pipeline/runs"
	"icebox/pipeline/sweep"
)

// Options are everything a program depends on. Start from [Default]; paths are as the
// caller resolved them.
type Options struct {
	Data     dataset.Options
	Backbone Backbone
	Extract  Extraction
	Cache    Cache
	Head     headtrain.Options
	Answers  Answers
	Sweep    sweep.Options
	Output   runs.Options

	// Tune says whether [Run] and [Train] choose options of the head by rows that it does
	// not learn from: TuneAuto, or TuneOff (also ""), which trains Head as it is.
	Tune string
	// Pinned are fields of Head that tuning leaves as they are; see [tune.Fields].
	Pinned []string
	// Refit has the head learn from validation rows, too, and calibrates it on rows that
	// are held out for that alone, in folds. Tuning does so by itself where that is sound.
	Refit bool
	// Record writes the options that a head was trained with, where tuning has changed
	// them, as a file for the run folder; nil keeps Output.Config.
	Record func(Options) []byte

	// Settings words the options of a head that were chosen, so that a person can ask for
	// it; nil says nothing.
	Settings func(Options) []string

	// Engines are further engines for the backbone, handed down by the program.
	Engines []extract.EngineSpec
	// HeadEngine trains the head: fused (also ""), or the name of one of HeadEngines,
	// which are further engines, handed down by the program.
	HeadEngine  string
	HeadEngines []headtrain.Engine
	// Pictures has reports show small pictures of images, which are kept beside the cache.
	Pictures bool
	// TensorBoard has a run write [runs.EventsFile].
	TensorBoard bool
	// MLflow is the address of a tracker that hears of runs; "" is none. It is asked by its
	// REST API, and nothing else is; a run goes on without it.
	MLflow string
	// Experiment is what the tracker keeps runs under; "" is the name of the dataset.
	Experiment string
	// Recipe words options for the tracker, by their names; nil tells it none.
	Recipe func(Options) map[string]string

	// Env looks up environment variables; nil means os.Getenv.
	Env func(string) string
	// Fetch brings weights where "auto" finds none; see extract.Options. nil brings none.
	Fetch func(context.Context) (path string, err error)
	// Words say what a person can do next, in notes and reports; nil means
	// [journal.Step.String].
	Words func(journal.Step) string
}

// Values of Options.Tune.
const (
	TuneAuto = "auto"
	TuneOff  = "off"
)

// Progress hears how far a program is.
type Progress = journal.Progress

// Silent is a Progress that nobody hears.
var Silent = journal.Silent

// Backbone names the frozen network.
type Backbone struct {
	Name    string // resnet18
	Weights string // see extract.Options.Weights
	Engine  string
	ISA     string
	Plan    string // see extract.Options.Plan; a predictor has its own

	Device    string // see extract.ParseDevice
	Precision string // numeric class: fp32, bf16, tf32, fp16

	// WeightsHash and WeightsHints look weights up by their hash, for a head that
	// was trained before; see extract.Options.
	WeightsHash  string
	WeightsHints []string
}

// Extraction configures the first stage.
type Extraction struct {
	Workers        int    // goroutines that decode and compute; 0 means one a CPU
	BatchSize      int    // images a worker takes at a time
	EXIF           bool   // turn photos upright by their EXIF tag
	Fit            string // how a picture becomes a square, and the two that follow:
	Background     string // see extract.Options
	Truncated      string
	MaxPixels      int64   // larger images are refused by their header
	Memory         int64   // bytes that images take at once, read and decoded; 0 is a share of what there is
	MaxFailureRate float64 // a run fails if more than this fraction of the images, and more than 10, are bad
	RetryFailed    bool    // try images again that are remembered as bad
}

// Cache says where features are kept and how.
type Cache struct {
	Path  string
	DType string // float32 or float16

	// Wait is how long a program waits for another one that writes to the cache, before it
	// looks at it; with 0, the default, it ends at once where it would write too.
	Wait time.Duration
}

// Answers say how a head's numbers become answers for people.
type Answers struct {
	// Calibrate fits a temperature on images that the head did not learn from (validation,
	// or the folds of a sweep), so that of the answers given with 80 %, some 80 % are
	// right. It changes no label.
	Calibrate bool
	// Reject chooses, on the same images, the probability under which an answer is
	// "unknown".
	Reject judge.Goal
}

// Choice picks the features to train or to judge on: a dataset and a space of a
// cache that holds several, or a folder. The log of a sweep keeps it.
type Choice struct {
	Dataset string // name; "" is the one of the sources in the options, or the only one
	Space   string // ID or the beginning of one; "" is the only one with features of the dataset

	// ByBackbone takes, if several spaces fit, the one of the backbone in the options.
	ByBackbone bool
	// Made are fields of the options, of those that [MadeBy] lists, with which the space
	// must agree: somebody has named them.
	Made []string `json:",omitempty"`

	// KeepSplit leaves the parts of the dataset as they are, whatever the options'
	// fractions; images without a part are still given one.
	KeepSplit bool

	// Features is a folder of features in the form that [features.Export] writes, to be
	// used instead of the cache.
	Features string
}

// MadeBy lists the fields of [Options] that features are made by, and that may be in
// Choice.Made.
func MadeBy() []string {
	return []string{"Backbone.Weights", "Backbone.Precision", "Extract.EXIF", "Extract.Fit", "Extract.Background", "Extract.Truncated", "Cache.DType"}
}

// made is what c says of how features were made. Weights "auto" are any.
func (o Options) made(c Choice) features.Made {
	m := features.Made{Env: o.Env, Bring: bringWeights(o.Env)}
	for _, field := range c.Made {
		switch field {
		case "Backbone.Weights":
			if m.Weights = o.Backbone.Weights; m.Weights == extract.Auto {
				m.Weights = ""
			}
		case "Backbone.Precision":
			m.Numeric = o.Backbone.Precision
		case "Extract.EXIF":
			m.EXIF = &o.Extract.EXIF
		case "Extract.Fit":
			m.Fit = o.Extract.Fit
		case "Extract.Background":
			m.Background = &o.Extract.Background
		case "Extract.Truncated":
			m.Truncated = o.Extract.Truncated
		case "Cache.DType":
			m.DType = cache.DType(o.Cache.DType)
		}
	}
	return m
}

// Default returns the options that hold where nothing is said.
func Default() Options {
	head := headtrain.Options{}.WithDefaults()
	head.StepEpochs = 0 // a third of the epochs, whatever they come to be
	return Options{
		Data:     dataset.Options{Split: dataset.Split{Val: 0.1}, Reading: dataset.Reading{Layout: dataset.LayoutAuto}, MaxClasses: dataset.DefaultMaxClasses},
		Backbone: Backbone{Name: "resnet18", Weights: extract.Auto, Engine: extract.Auto, ISA: extract.Auto, Plan: extract.Auto, Device: extract.Auto, Precision: "fp32"},
		Extract:  Extraction{BatchSize: 16, EXIF: true, Fit: extract.Crop, Truncated: extract.Refuse, MaxPixels: extract.DefaultMaxPixels, MaxFailureRate: 0.01},
		Cache:    Cache{Path: ".icebox/features.db", DType: string(cache.Float32)},
		Head:     head, HeadEngine: headtrain.EngineFused, Tune: TuneOff,
		Answers: Answers{Calibrate: true},
		Sweep:   sweep.Options{Method: sweep.Grid, Metric: headtrain.MetricValAcc, Seeds: 1},
		Output:  runs.Options{Dir: "runs"}, Pictures: true,
	}
}

// Validate returns every fault of o: [fault.All] lists them, each with its field.
func (o Options) Validate() error {
	var l fault.List
	ranges := Ranges()
	l.Under("Data", o.Data.Validate())
	l.Check(o.Backbone.Name == "resnet18", "Backbone.Name", "%q is not known: the one backbone is resnet18", o.Backbone.Name)
	e := o.Extract
	backbone, pixels := o.extractOptions(), extract.Options{Fit: e.Fit, Background: e.Background, Truncated: e.Truncated}
	backbone.Fit, backbone.Background, backbone.Truncated, backbone.MaxPixels, backbone.Memory = "", "", "", 0, 0 // whose fields here are another section's
	l.Under("Backbone", backbone.Validate())
	l.Under("Extract", pixels.Validate())
	number := func(field string, v float64) {
		l.Check(ranges[field].Holds(v), field, "(%s) must be %v", strconv.FormatFloat(v, 'f', -1, 64), ranges[field])
	}
	number("Extract.Workers", float64(e.Workers))
	number("Extract.BatchSize", float64(e.BatchSize))
	number("Extract.MaxPixels", float64(e.MaxPixels))
	number("Extract.Memory", float64(e.Memory))
	number("Extract.MaxFailureRate", e.MaxFailureRate)
	l.Check(o.Cache.Path != "", "Cache.Path", "must not be empty")
	l.Check(o.Cache.Wait >= 0, "Cache.Wait", "(%v) must not be negative", o.Cache.Wait)
	l.Check(o.Cache.DType == string(cache.Float32) || o.Cache.DType == string(cache.Float16), "Cache.DType", "%q is not known: choose float32 or float16", o.Cache.DType)
	l.Under("Head", o.Head.Validate())
	for _, field := range o.Pinned {
		l.Check(slices.Contains(tune.Fields(), field), "Pinned", "(%s) is no field that tuning chooses", field)
	}
	engine, err := o.headEngine()
	if err != nil {
		l.Under("HeadEngine", err)
	} else {
		l.Under("Head", engine.Check(o.Head))
	}
	l.Check(o.Tune == "" || o.Tune == TuneAuto || o.Tune == TuneOff, "Tune", "%q is not known: choose auto or off", o.Tune)
	l.Check(!o.Refit || o.Head.EarlyStopping.Patience == 0, "Refit", "(true) leaves no validation images for early stopping: choose one of them")
	l.Under("Answers.Reject", o.Answers.Reject.Validate())
	l.Under("Sweep", o.Sweep.Validate())
	l.Check(o.Output.Dir != "", "Output.Dir", "must not be empty")
	if o.MLflow != "" {
		l.Under("MLflow", mlflow.Check(o.MLflow))
	}
	return l.Err()
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
	return headtrain.Engine{}, fmt.Errorf("%q is not known: choose %s", o.HeadEngine, strings.Join(names, ", "))
}

func (o Options) extractOptions() extract.Options {
	return extract.Options{
		Weights: o.Backbone.Weights, WeightsHash: o.Backbone.WeightsHash, WeightsHints: o.Backbone.WeightsHints,
		Engine: o.Backbone.Engine, ISA: o.Backbone.ISA, Plan: o.Backbone.Plan, Engines: o.Engines, Device: o.Backbone.Device, Precision: o.Backbone.Precision,
		IgnoreEXIF: !o.Extract.EXIF, Fit: o.Extract.Fit, Background: o.Extract.Background, Truncated: o.Extract.Truncated, MaxPixels: o.Extract.MaxPixels, Memory: o.imageMemory(), Env: o.Env, Fetch: o.Fetch, Bring: bringWeights(o.Env),
	}
}

// imageMemory is how many bytes images may take at once.
func (o Options) imageMemory() int64 {
	if o.Extract.Memory > 0 {
		return o.Extract.Memory
	}
	return features.ShareForImages(features.AvailableMemory(os.DirFS("/")))
}

func (o Options) featureOptions() features.Options {
	return features.Options{
		Workers: o.Extract.Workers, BatchSize: o.Extract.BatchSize, MaxFailureRate: o.Extract.MaxFailureRate, MaxPixels: o.Extract.MaxPixels, Memory: o.imageMemory(), RetryFailed: o.Extract.RetryFailed,
		DType: cache.DType(o.Cache.DType),
	}
}

// adopt returns o with everything that must be as it was when the head that i describes
// was trained: weights, preprocessing, stored type.
func (o Options) adopt(i runs.HeadInfo) Options {
	if i.Weights.Random() {
		o.Backbone.Weights = i.Weights.String()
	} else if i.Weights.Path != "" {
		o.Backbone.WeightsHints = []string{i.Weights.Path}
	}
	o.Backbone.WeightsHash = i.Weights.Hash
	o.Backbone.Precision = i.Fingerprint.Numeric
	p := i.Fingerprint.Preprocess
	o.Extract.EXIF, o.Extract.Background = p.EXIF, p.Background
	o.Extract.Fit, o.Extract.Truncated = cmp.Or(p.Fit, extract.Crop), cmp.Or(p.Truncated, extract.Refuse)
	o.Cache.DType = string(i.DType)
	return o
}
