package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"

	"icebox/cmd/internal/exitcode"
	"icebox/pipeline"
	"icebox/pipeline/shards"
)

// asProgram has the test binary play the program, whose flags are the process's.
const asProgram = "ICEBOX_TEST_AS_BEAM_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	beam.Init()
	os.Exit(m.Run())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// frozen makes pictures of two classes, of which one cannot be read, and their manifest.
func frozen(t *testing.T, n int) (o pipeline.Options, manifest string) {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		var buf bytes.Buffer
		img := image.NewGray(image.Rect(0, 0, 40+i, 50))
		for k := range img.Pix {
			img.Pix[k] = uint8(k * (i + 3))
		}
		img.SetGray(i, i, color.Gray{Y: 255})
		must(t, png.Encode(&buf, img))
		if i == 1 {
			buf.Truncate(20)
		}
		path := filepath.Join(dir, "photos", fmt.Sprint("class", i%2), fmt.Sprintf("%03d.png", i))
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, buf.Bytes(), 0o644))
	}
	o = pipeline.Default()
	o.Data.Train, o.Backbone.Weights, o.Cache.Path, o.Extract.MaxFailureRate = filepath.Join(dir, "photos"), "random:7", filepath.Join(dir, "features.db"), 1
	manifest = filepath.Join(dir, "m")
	_, err := pipeline.Freeze(context.Background(), o, manifest, pipeline.Silent)
	must(t, err)
	t.Setenv("TMPDIR", t.TempDir()) // where shards that are not done lie
	return o, manifest
}

// alone computes the shards one after another, without Beam.
func alone(t *testing.T, manifest string, of int) (parts string) {
	t.Helper()
	parts = filepath.Join(t.TempDir(), "alone")
	s := pipeline.ShardOptions{Manifest: manifest, Parts: parts, Scratch: t.TempDir()}
	w, err := pipeline.OpenShardWorker(context.Background(), pipeline.Default(), s, pipeline.Silent)
	must(t, err)
	for i := range of {
		_, err := w.Extract(context.Background(), shards.Shard{Index: i, Of: of})
		must(t, err)
	}
	must(t, w.Close())
	return parts
}

// files are those of a folder of parts, by name.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.parquet", "*.jsonl", filepath.Join("_done", "*.json")} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		must(t, err)
		for _, path := range found {
			data, err := os.ReadFile(path)
			must(t, err)
			all[filepath.Base(path)] = string(data)
		}
	}
	return all
}

// on runs a job on prism, in this process, and returns what the engine counted.
func on(t *testing.T, w work, of int) (map[string]int64, error) {
	t.Helper()
	p, s := beam.NewPipelineWithRoot()
	w.pipe(s, of)
	result, err := beamx.RunWithMetrics(context.Background(), p)
	closeWorkers()
	return counted(result), err
}

// What Beam leaves is what one process leaves, byte for byte. Work that is done is not done
// again.
func TestABeamJobLeavesWhatOneMachineLeaves(t *testing.T) {
	o, manifest := frozen(t, 14)
	want := files(t, alone(t, manifest, 4))
	w := work{Manifest: manifest, Parts: filepath.Join(t.TempDir(), "parts"), Dir: t.TempDir()}
	counts, err := on(t, w, 4)
	must(t, err)
	got := files(t, w.Parts)
	if len(got) != 12 || len(want) != 12 {
		t.Fatalf("%d files, and %d without Beam", len(got), len(want))
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s differs", name)
		}
	}
	if counts["shards_computed"] > 4 || counts["shards_skipped"] != 0 { // prism loses counts of bundles that it splits
		t.Errorf("counted %v", counts)
	}
	dead := ""
	for name, text := range got {
		if strings.HasPrefix(name, "dead") {
			dead += text
		}
	}
	if !strings.Contains(dead, `"path":"class1/001.png"`) || strings.Count(dead, "\n") != 1 {
		t.Errorf("dead letters: %s", dead)
	}
	must(t, os.Remove(filepath.Join(w.Parts, "_done", "00002-of-00004.json")))
	counts, err = on(t, w, 4)
	must(t, err)
	if counts["shards_computed"] > 1 || counts["shards_skipped"] > 3 {
		t.Errorf("again, without a marker: counted %v", counts)
	}
	merged, err := pipeline.MergeParts(context.Background(), o, manifest, w.Parts, pipeline.Silent)
	must(t, err)
	if merged.Hits != 13 || merged.Quarantined != 1 {
		t.Errorf("merged: %+v", merged)
	}
}

// What is counted is true, where there is one element, which no engine splits.
func TestCounters(t *testing.T) {
	_, manifest := frozen(t, 14)
	w := work{Manifest: manifest, Parts: filepath.Join(t.TempDir(), "parts"), Dir: t.TempDir()}
	counts, err := on(t, w, 1)
	must(t, err)
	if counts["shards_computed"] != 1 || counts["images"] != 14 || counts["images_bad"] != 1 || counts["shards_skipped"] != 0 || counts["bytes_read"] < 1000 {
		t.Errorf("counted %v", counts)
	}
	counts, err = on(t, w, 1)
	must(t, err)
	if counts["shards_computed"] != 0 || counts["images"] != 0 || counts["shards_skipped"] != 1 {
		t.Errorf("again: counted %v", counts)
	}
}

// A process opens one worker for a job, whichever shards and DoFns of it come.
func TestWorkersOfAJobAreOne(t *testing.T) {
	_, manifest := frozen(t, 4)
	w := work{Manifest: manifest, Parts: t.TempDir(), Dir: t.TempDir()}
	first, err := w.worker()
	must(t, err)
	defer closeWorkers()
	sent, err := json.Marshal(&shardFn{Work: w, Of: 2})
	must(t, err)
	var arrived shardFn
	must(t, json.Unmarshal(sent, &arrived))
	if again, err := arrived.Work.worker(); err != nil || again != first {
		t.Errorf("another worker, %v", err)
	}
	w.Parts = t.TempDir()
	if other, err := w.worker(); err != nil || other == first {
		t.Errorf("the worker of another job, %v", err)
	}
}

// A shard that fails says so in our words, with our code, however the engine wraps them.
func TestErrorsOfAShardAreTold(t *testing.T) {
	_, manifest := frozen(t, 4)
	whole, err := os.ReadFile(manifest)
	must(t, err)
	for want, w := range map[string]work{
		`shard 0/1 failed: .*not a sound manifest.*\(exit code 5; a retry cannot help\)`:                         {Manifest: filepath.Join(t.TempDir(), "cut")},
		`shard 0/1 failed: other features than the manifest's: .*fit squash.*exit code 3; a retry cannot help\)`: {Manifest: manifest, Settings: []string{"extract.fit=squash"}},
		`shard 0/1 failed: .*extract.wrokers.*\(exit code 2; a retry cannot help\)`:                              {Manifest: manifest, Settings: []string{"extract.wrokers=3"}},
		`shard 0/1 failed: .*cuda.*\(exit code 9; a retry can help\)`:                                            {Manifest: manifest, Settings: []string{"backbone.engine=cuda"}},
	} {
		if w.Manifest != manifest {
			must(t, os.WriteFile(w.Manifest, whole[:len(whole)/2], 0o644))
		}
		w.Parts, w.Dir = t.TempDir(), t.TempDir()
		_, err := on(t, w, 1)
		if err == nil {
			t.Errorf("no error, want %s", want)
			continue
		}
		text, code := told(err)
		if !regexp.MustCompile("^"+want+"$").MatchString(text) || !strings.Contains(text, fmt.Sprintf("exit code %d;", code)) {
			t.Errorf("told %q, code %d; want %s", text, code, want)
		}
	}
	if text, code := told(errors.New("no such runner")); text != "no such runner" || code != exitcode.Failure {
		t.Errorf("an error of the engine: %q, %d", text, code)
	}
	if text, code := told(fmt.Errorf("%w: what is done stays", context.Canceled)); text != "interrupted: what is done stays" || code != exitcode.Interrupted {
		t.Errorf("an interruption: %q, %d", text, code)
	}
}

// program runs the program as a person does.
func program(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	var out, errOut bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), asProgram+"=1"), &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

func TestTheProgram(t *testing.T) {
	_, manifest := frozen(t, 5)
	dir := filepath.Dir(manifest)
	says := func(wantCode int, want string, args ...string) {
		t.Helper()
		stdout, stderr, code := program(t, dir, args...)
		if code != wantCode || !strings.Contains(stdout+stderr, want) {
			t.Errorf("%q: exit code %d, want %d with %q\n%s%s", args, code, wantCode, want, stdout, stderr)
		}
	}
	says(exitcode.OK, "shards     2, all of them done; 0 of them before this job\ncomputed   ", "--manifest", "m", "--parts", "p", "--shards", "2", "extract.max_failure_rate=1")
	says(exitcode.OK, "shards     2, all of them done; 2 of them before this job\ncomputed   0 shards of 0 images, 0 B read; ", "--manifest", "m", "--parts", "p", "--runner", "prism")
	says(exitcode.Data, "has shards of 2, and --shards says 3", "--manifest", "m", "--parts", "p", "--shards", "3")
	says(exitcode.Usage, "--manifest FILE and --parts DIR are needed\n  try: icebox-beam --help\n", "--parts", "p")
	says(exitcode.Usage, "-shard", "--shard", "1/2")
	says(exitcode.Usage, "--parts stands behind extract.workers=1: flags come first", "--manifest", "m", "extract.workers=1", "--parts", "p")
	says(exitcode.Usage, "extract.wrokers", "--manifest", "m", "--parts", "p", "extract.wrokers=1")
	says(exitcode.Usage, "is not from 1 to", "--manifest", "m", "--parts", "p", "--shards", "-1")
	says(exitcode.Failure, "m2: no such file", "--manifest", "m2", "--parts", "p")
	says(exitcode.Failure, "nosuchrunner", "--manifest", "m", "--parts", "p", "--runner", "nosuchrunner")
	says(exitcode.OK, "-environment_type", "--help-all")
	stdout, _, code := program(t, dir, "--help")
	if code != exitcode.OK || !strings.Contains(stdout, "--parallelism") {
		t.Errorf("help: %d\n%s", code, stdout)
	}
	for line := range strings.Lines(stdout) {
		if len([]rune(line)) > 80+1 {
			t.Errorf("help is wider than 80 columns: %s", line)
		}
	}
}

// Where an engine has lost counts, the summary does not pretend to have all.
func TestSummaryOfLostCounts(t *testing.T) {
	for computed, want := range map[int64]string{2: "computed   2 shards of 5 images, 9 B", 1: "computed   at least 1 shard of 5 images, 9 B"} {
		var out bytes.Buffer
		(&job{}).report(&out, 1, []*shards.Marker{{}, {}, {}}, map[string]int64{"shards_computed": computed, "images": 5, "bytes_read": 9}, time.Second)
		if !strings.Contains(out.String(), want) {
			t.Errorf("%d of 2: %s", computed, out.String())
		}
	}
}

// Where nobody says how many shards there are, it depends on the manifest alone.
func TestShardsAreDivided(t *testing.T) {
	_, manifest := frozen(t, 4)
	w := work{Manifest: manifest, Parts: filepath.Join(t.TempDir(), "parts"), Dir: t.TempDir()}
	open, err := w.open(context.Background(), pipeline.Silent)
	must(t, err)
	defer open.Close()
	j := &job{work: w}
	if done, err := j.divide(open); err != nil || len(done) != 0 || j.shards != 1 {
		t.Errorf("%d shards, %d done, %v", j.shards, len(done), err)
	}
}
