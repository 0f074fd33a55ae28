package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"

	"icebox/cmd/internal/exitcode"
	"icebox/config"
	"icebox/pipeline/bucket"
	"icebox/pipeline/shards"
)

const help = `icebox-beam computes the shards of a manifest on an engine of Apache Beam, and
leaves them as icebox extract --manifest does. A shard that is done is skipped,
in a second run and where the engine repeats work after a failure.

  icebox manifest --data photos --out m
  icebox-beam --manifest m --parts parts --runner flink --endpoint HOST:8099
  icebox cache merge parts --manifest m --cache c.db

Usage: icebox-beam --manifest FILE --parts DIR [flags] [key=value …]

  --manifest FILE     that icebox manifest wrote
  --parts DIR         folder that the parts are written to
  --shards N          how many the manifest is divided into (default: what is in
                      --parts already, else one for each 4,096 images)
  --help-all          list all of Beam's flags

All workers see the manifest, the images, the weights and the folder of parts
under the same paths. Settings such as backbone.weights=FILE, extract.workers=4
or extract.max_failure_rate=0.02 stand behind the flags and hold on all workers;
workers also read their own ICEBOX_… variables. Nothing is downloaded.

Beam's flags, as for any of its Go programs:

  --runner NAME       prism (default: in this process), flink, spark, dataflow
                      or universal
  --endpoint ADDRESS  of the job server of Flink or Spark, such as HOST:8099
  --environment_type  DOCKER, PROCESS, EXTERNAL or LOOPBACK: how workers start
  --environment_config TEXT
                      for PROCESS: {"command": "/path/of/beam's/boot"}
  --worker_binary FILE
                      that workers run: a static build of this program
  --parallelism N     bundles at once (Flink)
  --job_name NAME     what the engine lists the job as
  --async             do not wait for the end

Exit codes are those of icebox help exit-codes.
`

// flagSet are all flags: Beam registers its own where every program has them.
var flagSet = flag.CommandLine

// ours are the flags of this program.
var ours struct {
	manifest, parts string
	shards          int
	all             bool
}

func init() {
	flagSet.StringVar(&ours.manifest, "manifest", "", "`file` that icebox manifest wrote, or its address in a bucket")
	flagSet.StringVar(&ours.parts, "parts", "", "`folder` or address of a bucket that the parts are written to")
	flagSet.IntVar(&ours.shards, "shards", 0, "how many the manifest is divided into")
	flagSet.BoolVar(&ours.all, "help-all", false, "list all flags, those of Beam's engines too")
}

// parse reads the arguments. The error is a flag.ErrHelp after help was written to out. In a
// worker, the engine says which shards there are, and the job is empty.
func parse(args []string, out io.Writer) (*job, error) {
	flagSet.Init("icebox-beam", flag.ContinueOnError)
	flagSet.SetOutput(io.Discard) // the error says it
	flagSet.Usage = func() { fmt.Fprint(out, help) }
	if err := flagSet.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", exitcode.ErrUsage, err)
	}
	if ours.all {
		flagSet.SetOutput(out)
		flagSet.PrintDefaults()
		return nil, flag.ErrHelp
	}
	if f := flagSet.Lookup("worker"); f != nil && f.Value.String() == "true" {
		return &job{}, nil
	}
	return newJob()
}

// newJob is what the flags ask for.
func newJob() (*job, error) {
	usage := func(format string, args ...any) (*job, error) {
		return nil, fmt.Errorf("%w: %w", exitcode.ErrUsage, fmt.Errorf(format, args...))
	}
	settings := flagSet.Args()
	late := slices.IndexFunc(settings, func(arg string) bool { return strings.HasPrefix(arg, "-") })
	switch {
	case late >= 0:
		return usage("%s stands behind %s: flags come first", settings[late], settings[0])
	case ours.manifest == "" || ours.parts == "":
		return usage("--manifest FILE and --parts DIR are needed")
	case ours.shards < 0 || ours.shards > shards.MaxShards:
		return usage("--shards %d is not from 1 to %d", ours.shards, shards.MaxShards)
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	path := func(p string) string {
		if bucket.Is(p) {
			return p
		}
		if p = config.FromHome(p, os.Environ()); filepath.IsAbs(p) {
			return p
		}
		return filepath.Join(dir, p)
	}
	return &job{work: work{Manifest: path(ours.manifest), Parts: path(ours.parts), Dir: dir, Settings: settings}, shards: ours.shards, async: *jobopts.Async}, nil
}
