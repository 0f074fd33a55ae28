// Package exitcode says with which code a program of this repository ends, and what the codes
// mean. Schedulers go by it.
package exitcode

import (
	"context"
	"errors"
	"syscall"

	"icebox/cache"
	"icebox/config"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline"
	"icebox/pipeline/bucket"
	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/evidence"
	"icebox/pipeline/export"
	"icebox/pipeline/export/rows"
	"icebox/pipeline/features"
	"icebox/pipeline/predictions"
	"icebox/pipeline/runs"
	"icebox/pipeline/shards"
	"icebox/pipeline/sweep"
	"icebox/pipeline/worker"
)

// The codes. A code, once published, keeps its meaning.
const (
	OK          = 0
	Failure     = 1
	Usage       = 2
	Data        = 3
	Weights     = 4
	Cache       = 5
	Locked      = 6
	BadImages   = 7
	DiskFull    = 8
	Engine      = 9
	Interrupted = 130
)

// Meaning says what a code means.
type Meaning struct {
	Code  int
	Text  string
	Retry bool // the same command may succeed later, or on another machine
}

// Meanings are those of all codes, in order.
var Meanings = []Meaning{
	{OK, "done", false},
	{Failure, "failed for a reason that has no code of its own", true},
	{Usage, "the command line or the configuration is wrong; nothing was done", false},
	{Data, "the images, labels or classes are not usable, or features are missing", false},
	{Weights, "the backbone's weights are missing, damaged or not the ones wanted", false},
	{Cache, "a cache, manifest or part is damaged, foreign or of a newer format", false},
	{Locked, "another process writes to the cache, or goes on with the sweep", true},
	{BadImages, "more bad images than extract.max_failure_rate allows; good ones are kept", false},
	{DiskFull, "no room on the disk; what was committed is kept", true},
	{Engine, "the engine failed or disagrees with the reference", true},
	{Interrupted, "interrupted; the features and the heads of a sweep so far are kept", true},
}

var (
	// ErrUsage is a command line that is wrong.
	ErrUsage = errors.New("usage")
	// ErrOffline is returned where something would have to be downloaded that may not be.
	ErrOffline = errors.New("offline")
	// ErrSomeFailed is returned where some images have no answer.
	ErrSomeFailed = errors.New("some images have no answer")
)

// Class are the errors of a code.
type Class struct {
	Code   int
	Errors []error
}

// Classes are those of all codes; the first that fits an error counts. An error of none is a
// [Failure].
var Classes = []Class{
	{Interrupted, []error{context.Canceled}},
	{DiskFull, []error{cache.ErrFull, syscall.ENOSPC}},
	{Locked, []error{cache.ErrLocked, runs.ErrBusy, corrections.ErrHeld}},
	{Cache, []error{cache.ErrCorrupt, cache.ErrNewer, cache.ErrNotCache, shards.ErrPart, shards.ErrManifest, shards.ErrNewer}},
	{BadImages, []error{features.ErrFailureBudget}},
	{Weights, []error{extract.ErrNoWeights, extract.ErrWeightsVariable, extract.ErrWeightsFormat, extract.ErrUnsafePickle, extract.ErrWeightsMismatch, extract.ErrDownload, extract.ErrChecksum, extract.ErrWeightsOpen, ErrOffline}},
	{Engine, []error{extract.ErrEnginesDisagree, extract.ErrEngine, export.ErrDisagrees}},
	{Failure, []error{bucket.ErrStore}}, // which a later try may find well, also where it is about data
	{Data, []error{dataset.ErrData, bucket.ErrDenied, bucket.ErrMissing, pipeline.ErrClasses, features.ErrNotExtracted, features.ErrChoose, features.ErrOtherFeatures, shards.ErrMixed, shards.ErrIncomplete, runs.ErrRun, runs.ErrNoRun, corrections.ErrChanged, cache.ErrNoSpace,
		headtrain.ErrFingerprint, headtrain.ErrFormat, headtrain.ErrNewer, headtrain.ErrDataset, headtrain.ErrDiverged, worker.ErrInput, ErrSomeFailed}},
	{Usage, []error{ErrUsage, bucket.ErrAddress, config.ErrConfig, headtrain.ErrOptions, sweep.ErrNothing, sweep.ErrManyHeads, sweep.ErrTooManyHeads, sweep.ErrResume, runs.ErrPartial, predictions.ErrExists, predictions.ErrFormat, evidence.ErrNone, export.ErrExists, export.ErrForm, rows.ErrFormat, worker.ErrFormat}},
}

// Of is the code of a program that ends with err.
func Of(err error) int {
	if err == nil {
		return OK
	}
	for _, class := range Classes {
		for _, e := range class.Errors {
			if errors.Is(err, e) {
				return class.Code
			}
		}
	}
	return Failure
}

// MayPass reports whether the same command may succeed later, or on another machine, after it
// has ended with a code.
func MayPass(code int) bool {
	for _, m := range Meanings {
		if m.Code == code {
			return m.Retry
		}
	}
	return true // the system has ended the process
}
