package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"icebox/cache"
	"icebox/cache/trace"
)

var every = flag.Int("every", 23, "of so many system calls of a command one meets a fault; 1 is all")

// asCommand makes the test binary the program.
const asCommand = "ICEBOX_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(thisProcess().main(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// operation is a command that writes files.
type operation struct {
	name    string
	args    []string
	prepare func(t *testing.T, dir string) // what is there before, beside the old files
	kept    bool                           // what it has when it fails is kept, to go on with
	each    int                            // a call in so many of those that are tried; 0 is 1
}

var trainOptions = []string{"--cache", "features.db", "head.tune=off", "head.epochs=3", "head.batch_size=4"}

// sweepOf are the arguments of a small sweep.
var sweepOf = slices.Concat([]string{"sweep"}, trainOptions, []string{"sweep.axes.lr=[0.001,0.01]", "sweep.seeds=2"})

func operations() []operation {
	earlier := func(args ...string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			if r := icebox(t, dir, args...); r.code != 0 {
				t.Fatal(r.errOut)
			}
		}
	}
	insight := []string{"insight", "--cache", "features.db", "--run", "runs/plain"}
	evaluate := []string{"eval", "--cache", "features.db", "--run", "runs/plain", "--predictions", "p.csv"}
	return []operation{
		{name: "train", args: slices.Concat([]string{"train", "head.early_stopping.patience=1", "head.lr=10"}, trainOptions)},
		{name: "sweep", args: sweepOf, kept: true},
		{name: "resume", args: []string{"sweep", "--resume", "runs/20200101-000000-begun.partial"}, kept: true, prepare: beginSweep},
		{name: "export", args: []string{"cache", "export", "--cache", "features.db", "--out", "out"}},
		{name: "export for a projector", args: []string{"cache", "export", "--cache", "features.db", "--format", "projector", "--out", "out"}},
		{name: "a head for scikit-learn", args: []string{"export", "--run", "runs/plain", "--format", "sklearn", "--out", "lr.npz"}},
		{name: "predictions", args: evaluate},
		{name: "predictions over older ones", args: append(evaluate, "--overwrite"), prepare: earlier("eval", "--cache", "features.db", "--run", "runs/stop", "--predictions", "p.csv")},
		{name: "answers", args: []string{"predict", "--cache", "features.db", "--run", "runs/plain", "--data", "cache:images", "-o", "answers.jsonl"}},
		{name: "insight", args: insight, each: 4},
		{name: "insight over an older one", args: insight, prepare: earlier(append(insight, "--near", "0.99")...), each: 4},
		{name: "config", args: []string{"config", "init"}},
	}
}

// beginSweep leaves a sweep that was killed after its first heads.
func beginSweep(t *testing.T, dir string) {
	args := append(slices.Clone(sweepOf), "output.name=begun")
	begun := ""
	for at := 0; begun == ""; at++ { // the log's first lines may come at any call
		_, tr, said := crash(t, dir, operation{args: args}, trace.Tracer{Fault: trace.Kill, At: at})
		if !tr.Killed {
			t.Fatal("no kill leaves heads: ", said)
		}
		left, err := filepath.Glob(filepath.Join(dir, "runs", "*-begun.partial"))
		must(t, err)
		for _, path := range left {
			text, _ := os.ReadFile(filepath.Join(path, "heads.jsonl"))
			if bytes.Count(text, []byte("\n")) > 1 {
				begun = path
			} else {
				must(t, os.RemoveAll(path))
			}
		}
	}
	must(t, os.Rename(begun, filepath.Join(dir, "runs", "20200101-000000-begun.partial")))
}

// crash runs an operation in dir as a process that meets a fault.
func crash(t *testing.T, dir string, o operation, tr trace.Tracer) (code int, _ *trace.Tracer, said string) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self, o.args...)
	cmd.Dir, cmd.Env = dir, []string{asCommand + "=1", "HOME=" + filepath.Dir(dir), "ICEBOX_OFFLINE=1", "GOMAXPROCS=2"}
	log, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	must(t, err)
	defer log.Close()
	cmd.Stderr = log
	stuck := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	tr.Dir, tr.All, tr.Errno = dir, true, syscall.EIO
	code, err = tr.Run(cmd)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
		t.Skip("processes cannot be traced here: ", err)
	}
	must(t, err)
	text, err := os.ReadFile(log.Name())
	must(t, err)
	return code, &tr, string(text)
}

var (
	moment = regexp.MustCompile(`\d{8}-\d{6}-`)
	number = regexp.MustCompile(`[0-9][0-9.,]*( ?(ms|µs|s|min))?`)
	again  = regexp.MustCompile(`^(runs/T-[a-z-]*)-\d+(/|$|\.partial)`)
)

// filesBelow are the files below dir, without what depends on the time; folders are there, too.
func filesBelow(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir || e.Name() == "features.db.lock" {
			return err
		}
		name, err := filepath.Rel(dir, path)
		must(t, err)
		name = again.ReplaceAllString(moment.ReplaceAllString(name, "T-"), "$1$2")
		if e.IsDir() {
			all[name] = "a folder"
			return nil
		}
		data, err := os.ReadFile(path)
		must(t, err)
		all[name] = timeless(filepath.Base(name), data)
		return nil
	}))
	return all
}

// timeless is the content of a file without what depends on the time.
func timeless(name string, data []byte) string {
	switch name {
	case "features.db":
		return "checked by the cache itself"
	case "report.html":
		return number.ReplaceAllString(runName.ReplaceAllString(string(data), "T-"), "#")
	case "report.txt", "insight.txt":
		return number.ReplaceAllString(moment.ReplaceAllString(string(data), "T-"), "#")
	case "report.json", "insight.json", "metrics.jsonl", "sweep.jsonl":
		var text strings.Builder
		for d, e := json.NewDecoder(bytes.NewReader(data)), json.NewEncoder(&text); ; {
			var v any
			if err := d.Decode(&v); errors.Is(err, io.EOF) {
				return text.String()
			} else if err != nil {
				return text.String() + "no JSON"
			}
			_ = e.Encode(withoutTimes(v))
		}
	}
	return string(data)
}

func withoutTimes(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if slices.Contains([]string{"started", "seconds", "stages", "epoch_seconds", "run_dir", "times"}, key) {
				delete(v, key)
			} else {
				v[key] = withoutTimes(value)
			}
		}
	case []any:
		for n := range v {
			v[n] = withoutTimes(v[n])
		}
	}
	return v
}

// trial is one crash of an operation.
type trial struct {
	*testing.T
	operation
	before, whole map[string]string
	code          int // of the command, undisturbed
	dir, what     string
}

func (c *trial) fault(format string, args ...any) {
	c.Helper()
	c.Errorf("%s: "+format, append([]any{c.what}, args...)...)
}

// check looks at what a crash left, and goes on.
func (c *trial) check(code int, tr *trace.Tracer, said string) {
	c.Helper()
	if code < 0 && !tr.Killed {
		c.fault("it does not end: %s", said)
	}
	after := filesBelow(c.T, c.dir)
	complete := true
	for name, content := range c.whole {
		complete = complete && after[name] == content
	}
	for name, content := range c.before {
		if now, there := after[name]; !there && !strings.Contains(name, ".partial") || there && now != content && now != c.whole[name] && !strings.Contains(name, ".partial/") {
			c.fault("exit %d, %s: %s was there before, and is changed or lost", code, said, name)
		}
	}
	var left []string
	for name, content := range after {
		if whole, final := c.whole[name]; final && content != whole && content != c.before[name] {
			c.fault("exit %d, %s: %s is not whole", code, said, name)
		} else if _, old := c.before[name]; !final && !old {
			left = append(left, name)
		}
	}
	if code == exitOK && !complete {
		c.fault("exit 0, but %v is not %v", slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(c.whole)))
	}
	if code >= 0 && !tr.Killed && tr.Fault == trace.Fill && !c.kept && len(left) > 0 {
		c.fault("exit %d, %s: left are %v", code, said, left)
	}
	if code > 0 && (strings.Contains(said, "panic:") || strings.Contains(said, "goroutine ")) {
		c.fault("%s", said)
	}
	c.goOn(complete)
}

// goOn runs the command again, as a person would.
func (c *trial) goOn(complete bool) {
	c.Helper()
	if r, err := cache.Verify(filepath.Join(c.dir, "features.db")); err != nil || !r.OK() {
		c.fault("cache: %v, %v", err, r.Faults)
	}
	var r result
	begun, err := filepath.Glob(filepath.Join(c.dir, "runs", "2*.partial", "heads.jsonl"))
	must(c.T, err)
	resumed := false
	for _, log := range begun {
		r = icebox(c.T, c.dir, "sweep", "--resume", filepath.Dir(log))
		resumed = resumed || r.code == exitOK
	}
	if !resumed {
		r = icebox(c.T, c.dir, c.args...)
	}
	if r.code != c.code && !complete {
		c.fault("again: exit %d: %s", r.code, r.errOut)
	}
	now := filesBelow(c.T, c.dir)
	for name, content := range c.whole {
		if now[name] != content {
			at := 0
			for at < min(len(content), len(now[name])) && content[at] == now[name][at] {
				at++
			}
			c.fault("again: %s of %d bytes has at %d %.60q, want %.60q", name, len(now[name]), at, now[name][at:], content[at:])
		}
	}
	for name := range now {
		if _, known := c.whole[name]; !known {
			c.fault("again: %s is left (%s)", name, r.errOut)
		}
	}
}

// quickFolder is a new folder, in memory where that can be had: nobody cuts the power here, and
// a disk takes its time for each sync.
func quickFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "icebox-test-")
	if err != nil {
		dir, err = filepath.EvalSymlinks(t.TempDir())
	}
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

// Whatever call of a command fails, at whichever it is killed and wherever the disk is full:
// no file of a final name is in parts, nothing older is lost, and the command, or its
// resumption, then comes to the files that it would have made undisturbed, and no others.
func TestEveryCrashOfACommandIsMended(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: a traced process is slow")
	}
	for _, o := range operations() {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			home := quickFolder(t)
			template := filepath.Join(home, "old")
			must(t, os.CopyFS(template, os.DirFS(filepath.Join("testdata", "v0"))))
			if o.prepare != nil {
				o.prepare(t, template)
			}
			c := trial{T: t, operation: o, before: filesBelow(t, template)}
			c.dir = filepath.Join(home, "work")
			run := func(tr trace.Tracer) (int, *trace.Tracer, string) {
				must(t, os.RemoveAll(c.dir))
				must(t, os.CopyFS(c.dir, os.DirFS(template)))
				return crash(t, c.dir, o, tr)
			}
			code, undisturbed, said := run(trace.Tracer{At: -1})
			c.whole, c.code = filesBelow(t, c.dir), code
			if want := map[string]int{"answers": exitData}[o.name]; code != want {
				t.Fatalf("undisturbed: exit %d: %s", code, said)
			}
			tried := map[trace.Fault]int{}
			for _, fault := range []trace.Fault{trace.Kill, trace.Fill, trace.Fail} {
				step := *every * max(1, o.each)
				for n := rand.IntN(min(step, max(1, undisturbed.Counts[fault]))); n < undisturbed.Counts[fault]; n += step {
					code, tr, said := run(trace.Tracer{Fault: fault, At: n})
					c.what = fmt.Sprintf("%s of %s %s %s (call %d of %d)", map[trace.Fault]string{trace.Kill: "kill", trace.Fill: "full disk", trace.Fail: "error"}[fault], tr.Hit.What, tr.Hit.Name, tr.Hit.To, n, undisturbed.Counts[fault])
					c.check(code, tr, said)
					tried[fault]++
				}
			}
			t.Logf("%d of %d kills, %d of %d full disks, %d of %d failed calls", tried[trace.Kill], undisturbed.Counts[trace.Kill],
				tried[trace.Fill], undisturbed.Counts[trace.Fill], tried[trace.Fail], undisturbed.Counts[trace.Fail])
		})
	}
}
