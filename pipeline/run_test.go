package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// TestMain lets the test binary play the process that is killed, or a store.
func TestMain(m *testing.M) {
	if dir := os.Getenv(victimDir); dir != "" {
		victim(dir)
		return
	}
	if delay := os.Getenv(slowStore); delay != "" {
		serveSlowly(delay)
	}
	goleak.VerifyTestMain(m)
}

// picture draws noise of a colour that tells its class, so that even random
// weights can learn it.
func picture(class, index int) image.Image {
	rng := rand.New(rand.NewPCG(uint64(class), uint64(index)))
	w, h := 40+rng.IntN(60), 40+rng.IntN(60)
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := uint8(rng.IntN(60))
			c := color.NRGBA{v, v, v, 255}
			switch class % 3 {
			case 0:
				c.R += 150
			case 1:
				c.G += 150
			case 2:
				c.B += 150
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func writePicture(t testing.TB, path string, class, index int) {
	t.Helper()
	var buf bytes.Buffer
	var err error
	if strings.HasSuffix(path, ".png") {
		err = png.Encode(&buf, picture(class, index))
	} else {
		err = jpeg.Encode(&buf, picture(class, index), nil)
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, buf.Bytes(), 0o644)
	}
	if err == nil {
		old := time.Now().Add(-time.Hour)
		err = os.Chtimes(path, old, old)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// photos makes classes×n pictures in class folders, old enough to be remembered.
// told is err and what helps, in the words of a Go programmer.
func told(err error) string {
	if err == nil {
		return ""
	}
	return journal.Sentence(err.Error(), journal.Steps(err), journal.Step.String)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func photos(t testing.TB, classes, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "photos")
	for c := range classes {
		for i := range n {
			end := []string{".jpg", ".png"}[i%2]
			writePicture(t, filepath.Join(dir, fmt.Sprintf("class%d", c), fmt.Sprintf("%03d%s", i, end)), c, i)
		}
	}
	time.Sleep(settle) // so that the change times are old enough too
	return dir
}

// settings are options for a run on dir with random weights, everything else
// beside dir.
func settings(dir string) Options {
	o := Default()
	o.Data.Train = dir
	o.Backbone.Weights = "random:7"
	o.Cache.Path = filepath.Join(dir, "..", "features.db")
	o.Output.Dir = filepath.Join(dir, "..", "runs")
	o.Extract.BatchSize = 4
	o.Data.Split = dataset.Split{Val: 0.2, Test: 0.2}
	o.Head.Epochs = 5
	useQuickEngine(&o)
	return o
}

// ready makes o's cache and lets it remember that the engine has passed the gate,
// which takes a second (and a minute under the race detector);
// TestEngineIsJudgedOnce passes it for real.
func ready(t testing.TB, o Options) Options {
	t.Helper()
	x, err := extract.Open(context.Background(), o.extractOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	key, err := x.GateKey()
	if err != nil {
		t.Fatal(err)
	}
	c, err := cache.OpenOrCreate(o.Cache.Path, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	passed := verdictsIn(t, c)
	passed[key] = extract.Verdict{Key: key, Cosine: 1}
	w, err := c.Writer()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(passed)
	if err := errors.Join(err, w.PutDoc("gate", doc), w.Close()); err != nil {
		t.Fatal(err)
	}
	return o
}

// verdictsIn reads the verdicts of the gate.
func verdictsIn(t testing.TB, c *cache.Cache) map[string]extract.Verdict {
	t.Helper()
	passed := map[string]extract.Verdict{}
	doc, err := c.Doc("gate")
	if err == nil {
		err = json.Unmarshal(doc, &passed)
	} else if errors.Is(err, cache.ErrNoDoc) {
		err = nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return passed
}

// settle is longer than the time in which a file's stat proves nothing.
const settle = 40 * time.Millisecond

// exported is everything that an export writes, to be compared byte by byte.
func exported(t testing.TB, o Options, c Choice) map[string][]byte {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := features.Export(o.Cache.Path, features.ExportOptions{Dir: dir, Choice: features.Choice{Dataset: c.Dataset, Space: c.Space}}); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range []string{"features.npy", "labels.npy", "index.csv"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	return files
}

func sameFiles(t *testing.T, what string, a, b map[string][]byte) {
	t.Helper()
	for name := range a {
		if !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s: %s differs", what, name)
		}
	}
}

func TestWarmRunOpensNoImage(t *testing.T) {
	ctx := context.Background()
	o := ready(t, settings(photos(t, 3, 8)))
	cold, err := Run(ctx, o, Silent)
	must(t, err)
	if cold.Images != 24 || cold.Misses != 24 || cold.ImagesOpened != 24 || cold.Hits != 0 || cold.BytesRead == 0 {
		t.Errorf("cold: %+v", cold.Summary)
	}
	warm, err := Run(ctx, o, Silent)
	must(t, err)
	if warm.Hits != 24 || warm.Misses != 0 || warm.ImagesOpened != 0 || warm.BytesRead != 0 {
		t.Errorf("warm: %+v", warm.Summary)
	}
	if warm.TrainLoss != cold.TrainLoss || *warm.ValAcc != *cold.ValAcc || *warm.TestAcc != *cold.TestAcc {
		t.Errorf("a warm run trained another head: %+v, %+v", cold.TrainSummary, warm.TrainSummary)
	}
	a, err := os.ReadFile(filepath.Join(*cold.RunDir, runs.HeadFile))
	must(t, err)
	b, err := os.ReadFile(filepath.Join(*warm.RunDir, runs.HeadFile))
	must(t, err)
	if !bytes.Equal(a, b) {
		t.Error("the heads differ")
	}
	if *cold.RunDir == *warm.RunDir {
		t.Error("a run folder was taken twice")
	}
}

func TestTrainNeedsNoFolder(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 3, 8)
	o := ready(t, settings(dir))
	run, err := Run(ctx, o, Silent)
	must(t, err)
	must(t, os.Rename(dir, dir+"-away"))
	o.Data.Train = ""
	again, err := Train(ctx, o, Choice{}, Silent)
	must(t, err)
	if again.TrainLoss != run.TrainLoss || again.ImagesOpened != 0 || again.Images != 24 || *again.TestAcc != *run.TestAcc {
		t.Errorf("trained from the cache alone: %+v, with images: %+v", again.TrainSummary, run.TrainSummary)
	}
}

func TestRowsDoNotDependOnWorkersBatchesOrOrder(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 10)
	var first map[string][]byte
	for i, v := range []struct{ workers, batch int }{{1, 1}, {1, 16}, {4, 3}, {3, 5}} {
		o := ready(t, settings(dir))
		o.Cache.Path = filepath.Join(t.TempDir(), fmt.Sprint(i, ".db"))
		ready(t, o)
		o.Extract.Workers, o.Extract.BatchSize = v.workers, v.batch
		_, err := Extract(ctx, o, Silent)
		must(t, err)
		got := exported(t, o, Choice{})
		if first == nil {
			first = got
		}
		sameFiles(t, fmt.Sprintf("%d workers, batches of %d", v.workers, v.batch), first, got)
	}
	if n := len(first["features.npy"]); n != 128+20*512*4 {
		t.Errorf("features.npy has %d bytes", n)
	}
}

func TestOnlyNewAndChangedImagesAreComputed(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 6)
	o := ready(t, settings(dir))
	_, err := Extract(ctx, o, Silent)
	must(t, err)

	must(t, os.Rename(filepath.Join(dir, "class0", "000.jpg"), filepath.Join(dir, "class0", "renamed.jpg")))
	writePicture(t, filepath.Join(dir, "class1", "001.png"), 1, 100)
	writePicture(t, filepath.Join(dir, "class1", "new.png"), 1, 101)
	time.Sleep(settle)
	sum, err := Extract(ctx, o, Silent)
	must(t, err)
	if sum.Images != 13 || sum.Hits != 11 || sum.Misses != 2 || sum.ImagesOpened != 3 {
		t.Errorf("one renamed, one changed, one new: %+v", sum)
	}
}

func TestTwoSpacesShareAFile(t *testing.T) {
	ctx := context.Background()
	o := ready(t, settings(photos(t, 2, 6)))
	a, err := Extract(ctx, o, Silent)
	must(t, err)
	other := o
	other.Backbone.Weights = "random:8"
	ready(t, other)
	b, err := Extract(ctx, other, Silent)
	must(t, err)
	if a.Space == b.Space || b.Hits != 0 || b.ImagesOpened != 12 {
		t.Errorf("other weights: %+v", b)
	}
	raw := o
	raw.Extract.EXIF = false
	c, err := Extract(ctx, raw, Silent)
	must(t, err)
	if c.Space == a.Space || c.Hits != 0 {
		t.Errorf("other preprocessing: %+v", c)
	}
	o.Data.Train = ""
	if _, err := Train(ctx, o, Choice{}, Silent); !errors.Is(err, features.ErrChoose) || !errors.Is(err, features.ErrChooseSpace) || !strings.Contains(err.Error(), "random:8") {
		t.Errorf("three spaces, none named: %v", err)
	}
	_, err = Train(ctx, o, Choice{Space: b.Space[:8]}, Silent)
	must(t, err)
	first, second := exported(t, o, Choice{Space: a.Space}), exported(t, o, Choice{Space: b.Space})
	if bytes.Equal(first["features.npy"], second["features.npy"]) {
		t.Error("two spaces hold the same rows")
	}
}

// What is named of how features were made chooses the space, and is never passed over
// where there is only one.
func TestNamedOptionsChooseTheSpace(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 6)
	o := ready(t, settings(dir))
	a, err := Extract(ctx, o, Silent)
	must(t, err)
	o.Data.Train = ""
	half, raw, other, gone, tf32 := o, o, o, o, o
	half.Cache.DType, raw.Extract.EXIF, other.Backbone.Weights, gone.Backbone.Weights, tf32.Backbone.Precision = "float16", false, "random:8", "/gone.pth", "tf32"
	for _, c := range []struct {
		made string
		o    Options
		want error
	}{
		{"Cache.DType", half, features.ErrNotExtracted}, {"Extract.EXIF", raw, features.ErrNotExtracted},
		{"Backbone.Weights", other, features.ErrNotExtracted}, {"Backbone.Precision", tf32, features.ErrNotExtracted},
		{"Backbone.Weights", gone, extract.ErrWeightsOpen},
	} {
		for _, space := range []string{"", a.Space} {
			if _, err := Train(ctx, c.o, Choice{Space: space, Made: []string{c.made}}, Silent); !errors.Is(err, c.want) || c.want == features.ErrNotExtracted && !strings.Contains(err.Error(), "it has "+a.Space[:12]) {
				t.Errorf("%s, space %.8q: %v", c.made, space, err)
			}
		}
		if _, err := Train(ctx, c.o, Choice{}, Silent); err != nil {
			t.Errorf("%s is not named: %v", c.made, err)
		}
	}
	x, err := extract.Open(ctx, o.extractOptions())
	must(t, err)
	defer x.Close()
	same := o // but for its name
	same.Backbone.Weights = filepath.Join(t.TempDir(), "w.safetensors")
	must(t, x.SaveWeights(same.Backbone.Weights))
	if _, err := Train(ctx, same, Choice{Made: MadeBy()}, Silent); err != nil {
		t.Errorf("the same weights from a file: %v", err)
	}

	half.Data = settings(dir).Data
	b, err := Extract(ctx, half, Silent)
	must(t, err)
	for want, o := range map[string]Options{a.Space: o, b.Space: half} {
		got, err := Train(ctx, o, Choice{Made: []string{"Cache.DType"}}, Silent)
		must(t, err)
		if got.Space != want {
			t.Errorf("%s: space %.8s, want %.8s", o.Cache.DType, got.Space, want)
		}
	}
}

func TestTwoPlansShareASpace(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: it wants the real backbone, which takes minutes under the race detector")
	}
	ctx := context.Background()
	o := settings(photos(t, 2, 6))
	o.Backbone.Plan = "compact"
	a, err := Extract(ctx, ready(t, o), Silent)
	must(t, err)
	writePicture(t, filepath.Join(o.Data.Train, "class1", "new.png"), 1, 101)
	time.Sleep(settle)
	mixed := o
	mixed.Backbone.Plan = "winograd"
	b, err := Extract(ctx, ready(t, mixed), Silent)
	must(t, err)
	if a.Space != b.Space || b.Hits != 12 || b.Misses != 1 {
		t.Errorf("the other plan: %+v", b)
	}
	alone := o
	alone.Cache.Path = filepath.Join(t.TempDir(), "alone.db")
	_, err = Extract(ctx, ready(t, alone), Silent)
	must(t, err)
	if bytes.Equal(exported(t, mixed, Choice{})["features.npy"], exported(t, alone, Choice{})["features.npy"]) {
		t.Error("the new row is not the second plan's")
	}
}

func TestBadImagesAreQuarantinedRememberedAndRetried(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 8)
	must(t, os.WriteFile(filepath.Join(dir, "class0", "text.jpg"), []byte("this is no picture"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "class1", "empty.png"), nil, 0o644))
	whole, err := os.ReadFile(filepath.Join(dir, "class0", "000.jpg"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "class1", "half.jpg"), whole[:len(whole)/2], 0o644))
	dangling := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "class1", "link.jpg")) == nil
	time.Sleep(settle)
	bad := 3
	if dangling {
		bad++
	}

	o := ready(t, settings(dir))
	run, err := Run(ctx, o, Silent)
	must(t, err)
	if run.Quarantined != bad || run.KnownBad != 0 || run.TrainRows+run.ValRows+run.TestRows != 16 {
		t.Errorf("first: %+v", run)
	}
	reasons := map[string]string{}
	for _, b := range run.Quarantine {
		reasons[b.Path] = b.Reason
	}
	for path, want := range map[string]string{"class0/text.jpg": "not an image", "class1/empty.png": "empty", "class1/half.jpg": "truncated"} {
		if !strings.Contains(reasons[path], want) {
			t.Errorf("%s: reason %q, want %q", path, reasons[path], want)
		}
	}
	csv, err := os.ReadFile(filepath.Join(*run.RunDir, runs.QuarantineFile))
	must(t, err)
	if !strings.Contains(string(csv), "class0/text.jpg,") {
		t.Errorf("quarantine.csv: %s", csv)
	}

	warm, err := Run(ctx, o, Silent)
	must(t, err)
	if warm.Quarantined != bad || warm.KnownBad != 3 || warm.ImagesOpened != 0 {
		t.Errorf("warm: %+v", warm.Summary)
	}
	o.Extract.RetryFailed = true
	retry, err := Run(ctx, o, Silent)
	must(t, err)
	if retry.Quarantined != bad || retry.KnownBad != 0 || retry.ImagesOpened != 3 {
		t.Errorf("retry: %+v", retry.Summary)
	}
}

func TestTooManyBadImagesFailARunButLoseNothing(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 8)
	for i := range 12 {
		must(t, os.WriteFile(filepath.Join(dir, "class0", fmt.Sprintf("bad%02d.jpg", i)), fmt.Appendf(nil, "text %d", i), 0o644))
	}
	o := ready(t, settings(dir))
	sum, err := Extract(ctx, o, Silent)
	if !errors.Is(err, features.ErrFailureBudget) || !strings.Contains(err.Error(), "12 of 28") || !strings.Contains(told(err), "a larger Extract.MaxFailureRate") {
		t.Fatalf("got %v", err)
	}
	if sum.Quarantined != 12 {
		t.Errorf("%+v", sum)
	}
	o.Extract.MaxFailureRate = 0.5
	sum, err = Extract(ctx, o, Silent)
	must(t, err)
	if sum.Hits != 16 {
		t.Errorf("what was extracted is gone: %+v", sum)
	}
}

func TestCancelledExtractionKeepsWhatIsDone(t *testing.T) {
	o := ready(t, settings(photos(t, 2, 20)))
	o.Extract.Workers, o.Extract.BatchSize = 1, 1
	ctx, cancel := context.WithCancel(context.Background())
	p := &cancelAfter{Progress: Silent, n: 5, cancel: cancel}
	_, err := Extract(ctx, o, p)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	sum, err := Extract(context.Background(), o, Silent)
	must(t, err)
	if sum.Hits < 5 || sum.Hits >= 40 || sum.Hits+sum.ImagesOpened != 40 {
		t.Errorf("resumed: %d hits, %d opened", sum.Hits, sum.ImagesOpened)
	}
}

// cancelAfter cancels once n steps of extraction are done.
type cancelAfter struct {
	Progress
	n      int
	cancel func()
	stage  string // "" is extract
	in     string
}

func (c *cancelAfter) Start(stage string, _ int) { c.in = stage }

func (c *cancelAfter) Add(n int) {
	if c.in != cmp.Or(c.stage, "extract") {
		return
	}
	if c.n -= n; c.n <= 0 {
		c.cancel()
	}
}

const victimDir = "ICEBOX_PIPELINE_VICTIM"

// victim extracts slowly until it is killed or done.
func victim(dir string) {
	o := settings(dir)
	o.Extract.Workers, o.Extract.BatchSize = 2, 1
	if _, err := Extract(context.Background(), o, Silent); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestKilledExtractionResumesToTheSameBytes(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 30)
	o := ready(t, settings(dir))
	o.Cache.Path = filepath.Join(t.TempDir(), "whole.db")
	ready(t, o)
	_, err := Extract(ctx, o, Silent)
	must(t, err)
	whole := exported(t, o, Choice{})

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	o.Cache.Path = settings(dir).Cache.Path
	for range 10 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), victimDir+"="+dir)
		must(t, cmd.Start())
		time.Sleep(time.Duration(rng.IntN(900)) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		report, err := cache.Verify(o.Cache.Path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		must(t, err)
		if !report.OK() {
			t.Fatalf("after a kill: %v", report.Faults)
		}
	}
	_, err = Extract(ctx, o, Silent)
	must(t, err)
	sameFiles(t, "after ten kills", whole, exported(t, o, Choice{}))
}

func TestTrainWhileAnotherExtracts(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 10)
	o := ready(t, settings(dir))
	_, err := Extract(ctx, o, Silent)
	must(t, err)
	c, err := cache.Open(o.Cache.Path, cache.Options{})
	must(t, err)
	defer c.Close()
	w, err := c.Writer()
	must(t, err)
	defer w.Close()
	o.Data.Train = ""
	sum, err := Train(ctx, o, Choice{}, Silent)
	must(t, err)
	if sum.TrainRows != 12 {
		t.Errorf("%+v", sum.TrainSummary)
	}
	o.Data.Train = dir
	writePicture(t, filepath.Join(dir, "class0", "new.png"), 0, 50)
	if _, err := Extract(ctx, o, Silent); !errors.Is(err, cache.ErrLocked) {
		t.Errorf("a second writer: %v", err)
	}
}

func TestForecastWritesNothing(t *testing.T) {
	o := settings(photos(t, 2, 6))
	f, err := Plan(context.Background(), o, Silent)
	must(t, err)
	if f.ToExtract != 12 || f.ImagesPerSec <= 0 || f.Seconds <= 0 || f.CacheBytes == 0 || f.Parts[""] != 12 {
		t.Errorf("%+v", f)
	}
	if _, err := os.Stat(o.Cache.Path); err == nil {
		t.Error("a cache was made")
	}
}

func TestReportHoldsWhatTheRunFound(t *testing.T) {
	o := ready(t, settings(photos(t, 3, 10)))
	o.Head.Epochs = 1
	o.Head.LR = 1e-6 // so that something is misclassified
	run, err := Run(context.Background(), o, Silent)
	must(t, err)
	data, err := os.ReadFile(filepath.Join(*run.RunDir, runs.ReportFile))
	must(t, err)
	var r report.Report
	must(t, json.Unmarshal(data, &r))
	if r.WrongOf != "test" || len(r.Parts) != 3 || r.Parts["test"].N != 6 || len(r.Classes) != 3 {
		t.Errorf("%+v", r)
	}
	wrong := 0
	for i, line := range r.Parts["test"].Confusion {
		for k, n := range line {
			if i != k {
				wrong += n
			}
		}
	}
	if len(r.Wrong) != wrong {
		t.Errorf("%d misclassified listed, the confusion matrix has %d", len(r.Wrong), wrong)
	}
	text, err := os.ReadFile(filepath.Join(*run.RunDir, runs.ReportTextFile))
	must(t, err)
	for _, want := range []string{"random weights", "per class, on test", "confusion on test", "class2"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("report.txt has no %q", want)
		}
	}
	labels, err := os.ReadFile(filepath.Join(*run.RunDir, runs.LabelsFile))
	must(t, err)
	if string(labels) != "class0\nclass1\nclass2\n" {
		t.Errorf("labels.txt: %q", labels)
	}
}

func TestPredictAndEvalUseTheWeightsOfTheRun(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 3, 12)
	o := ready(t, settings(dir))
	o.Head.Epochs = 20
	run, err := Run(ctx, o, Silent)
	must(t, err)

	fresh := Default()
	fresh.Cache.Path = o.Cache.Path
	e, err := Eval(ctx, EvalOptions{Run: *run.RunDir, Choice: Choice{}}, fresh, Silent)
	must(t, err)
	if got := e.Parts["test"].Top1; got != *run.TestAcc {
		t.Errorf("eval gives %v, the run %v", got, *run.TestAcc)
	}

	p, err := OpenPredictor(ctx, *run.RunDir, fresh)
	must(t, err)
	defer p.Close()
	right, n := 0, 0
	for a, err := range p.Predict(ctx, Files(ctx, []string{filepath.Join(dir, "class1"), filepath.Join(dir, "none.jpg")}, nil)) {
		must(t, err)
		if a.Err != "" {
			if !strings.HasSuffix(a.Path, "none.jpg") {
				t.Errorf("%+v", a)
			}
			continue
		}
		n++
		if top := a.Top(p.Classes(), 2); a.Label == "class1" && len(top) == 2 && top[0].Class == "class1" && top[0].Probability >= top[1].Probability {
			right++
		}
	}
	if n != 12 || right < 9 {
		t.Errorf("%d of %d right", right, n)
	}

}

func TestEngineIsJudgedOnce(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: the reference takes minutes under the race detector")
	}
	ctx := context.Background()
	o := settings(photos(t, 2, 3))
	_, err := Extract(ctx, o, Silent)
	must(t, err)
	c, err := cache.Open(o.Cache.Path, cache.Options{})
	must(t, err)
	defer c.Close()
	passed := verdictsIn(t, c)
	if len(passed) != 1 {
		t.Fatalf("%d verdicts", len(passed))
	}
	for key, v := range passed {
		if v.Cosine < 0.99999 || !strings.Contains(key, "native") {
			t.Errorf("%s: %+v", key, v)
		}
	}
}
