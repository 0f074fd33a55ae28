package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	"icebox/pipeline/fault"
	"icebox/pipeline/features"
	"icebox/pipeline/predictions"
	"icebox/pipeline/runs"
	"icebox/pipeline/shards"
	"icebox/pipeline/sweep"
	"icebox/pipeline/worker"
)

// Exit codes. `icebox help exit-codes` prints them.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitData        = 3
	exitWeights     = 4
	exitCache       = 5
	exitLocked      = 6
	exitBadImages   = 7
	exitDiskFull    = 8
	exitEngine      = 9
	exitInterrupted = 130
)

var exitMeanings = []struct {
	code  int
	text  string
	retry bool // the same command may succeed later, or on another machine
}{
	{exitOK, "done", false},
	{exitFailure, "failed for a reason that has no code of its own", true},
	{exitUsage, "the command line or the configuration is wrong; nothing was done", false},
	{exitData, "the images, labels or classes are not usable, or features are missing", false},
	{exitWeights, "the backbone's weights are missing, damaged or not the ones wanted", false},
	{exitCache, "a cache, manifest or part is damaged, foreign or of a newer format", false},
	{exitLocked, "another process writes to the cache, or goes on with the sweep", true},
	{exitBadImages, "more bad images than extract.max_failure_rate allows; good ones are kept", false},
	{exitDiskFull, "no room on the disk; what was committed is kept", true},
	{exitEngine, "the engine failed or disagrees with the reference", true},
	{exitInterrupted, "interrupted; the features and the heads of a sweep so far are kept", true},
}

// errUsage is a command line that is wrong.
var errUsage = errors.New("usage")

// errSomeFailed is returned by predict when some images had no answer.
var errSomeFailed = errors.New("some images have no answer")

// exitClasses are the errors of each exit code; the first that fits counts.
var exitClasses = []struct {
	code int
	of   []error
}{
	{exitInterrupted, []error{context.Canceled}},
	{exitDiskFull, []error{cache.ErrFull, syscall.ENOSPC}},
	{exitLocked, []error{cache.ErrLocked, runs.ErrBusy, corrections.ErrHeld}},
	{exitCache, []error{cache.ErrCorrupt, cache.ErrNewer, cache.ErrNotCache, shards.ErrPart, shards.ErrManifest, shards.ErrNewer}},
	{exitBadImages, []error{features.ErrFailureBudget}},
	{exitWeights, []error{extract.ErrNoWeights, extract.ErrWeightsVariable, extract.ErrWeightsFormat, extract.ErrUnsafePickle, extract.ErrWeightsMismatch, extract.ErrDownload, extract.ErrChecksum, extract.ErrWeightsOpen, errOffline}},
	{exitEngine, []error{extract.ErrEnginesDisagree, extract.ErrEngine, export.ErrDisagrees}},
	{exitFailure, []error{bucket.ErrStore}}, // which a later try may find well, also where it is about the data
	{exitData, []error{dataset.ErrData, bucket.ErrDenied, bucket.ErrMissing, pipeline.ErrClasses, features.ErrNotExtracted, features.ErrChoose, features.ErrOtherFeatures, shards.ErrMixed, shards.ErrIncomplete, runs.ErrRun, runs.ErrNoRun, corrections.ErrChanged, cache.ErrNoSpace,
		headtrain.ErrFingerprint, headtrain.ErrFormat, headtrain.ErrNewer, headtrain.ErrDataset, headtrain.ErrDiverged, worker.ErrInput, errSomeFailed}},
	{exitUsage, []error{errUsage, bucket.ErrAddress, config.ErrConfig, headtrain.ErrOptions, sweep.ErrNothing, sweep.ErrManyHeads, sweep.ErrTooManyHeads, sweep.ErrResume, runs.ErrPartial, predictions.ErrExists, predictions.ErrFormat, evidence.ErrNone, export.ErrExists, export.ErrForm, rows.ErrFormat, worker.ErrFormat}},
}

// exitCode classifies err.
func exitCode(err error) int {
	for _, class := range exitClasses {
		for _, e := range class.of {
			if errors.Is(err, e) {
				return class.code
			}
		}
	}
	return exitFailure
}

// message returns the text of err for a person: one line, or a line a fault of the
// configuration.
func message(err error, code int) string {
	text := err.Error()
	if f, section := faultOf(err); section != "" {
		text = strings.ReplaceAll(text, f.Error(), config.KeyOf(section+"."+f.Field)+" "+f.Text)
	}
	switch code {
	case exitInterrupted:
		if !strings.HasPrefix(text, "interrupted") {
			return "interrupted"
		}
	case exitUsage:
		text = strings.TrimPrefix(text, errUsage.Error()+": ")
	}
	return text
}

// faultOf returns the fault of an option that a trainer or the extractor found, and the
// part of pipeline.Options that the option is in; "" where err is none.
func faultOf(err error) (f fault.Fault, section string) {
	var ofHead headtrain.Fault
	var ofBackbone extract.Fault
	switch {
	case errors.As(err, &ofHead):
		return fault.Fault{Field: ofHead.Field, Text: ofHead.Text}, "Head"
	case errors.As(err, &ofBackbone):
		return fault.Fault{Field: ofBackbone.Field, Text: ofBackbone.Text}, "Backbone"
	}
	return f, ""
}

func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errUsage, fmt.Errorf(format, args...))
}
