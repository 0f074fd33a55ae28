// Command icebox-beam computes the shards of a manifest on an engine of Apache Beam. It does
// what `icebox extract --manifest` does for every shard, and the engine says where and when.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"icebox/cmd/internal/exitcode"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program: it reads the arguments, which may also be those that an engine starts a
// worker with, and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	job, err := parse(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return exitcode.OK
	}
	if err == nil {
		beam.Init() // does not return in a worker
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
		err = job.run(ctx, stdout)
	}
	if err == nil {
		return exitcode.OK
	}
	text, code := told(err)
	fmt.Fprintf(stderr, "icebox-beam: %s\n", text)
	if try := hints[code]; try != "" {
		fmt.Fprintf(stderr, "  try: %s\n", try)
	}
	return code
}

// hints say what to do, by exit code: of an error that comes from a worker no more is known.
var hints = map[int]string{
	exitcode.Usage:     "icebox-beam --help",
	exitcode.Data:      "the settings that the manifest was made with, one --shards for all runs, and a folder of its own for the parts of each manifest",
	exitcode.Weights:   "backbone.weights=FILE behind the flags, with a path that all workers see",
	exitcode.Cache:     "`icebox manifest --data DIR --out FILE`, which makes a manifest anew, and `icebox-beam` again",
	exitcode.BadImages: "extract.max_failure_rate=0.05 behind the flags, if so many images may be bad; else a manifest without them",
}
