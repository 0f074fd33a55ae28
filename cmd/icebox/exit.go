package main

import (
	"errors"
	"fmt"
	"strings"

	"icebox/cmd/internal/exitcode"
	"icebox/config"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/fault"
)

// Exit codes that the commands speak of. `icebox help exit-codes` prints all.
const (
	exitOK          = exitcode.OK
	exitFailure     = exitcode.Failure
	exitUsage       = exitcode.Usage
	exitData        = exitcode.Data
	exitWeights     = exitcode.Weights
	exitCache       = exitcode.Cache
	exitLocked      = exitcode.Locked
	exitDiskFull    = exitcode.DiskFull
	exitInterrupted = exitcode.Interrupted
)

var (
	errUsage      = exitcode.ErrUsage
	errOffline    = exitcode.ErrOffline
	errSomeFailed = exitcode.ErrSomeFailed
)

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
