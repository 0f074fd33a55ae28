package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"icebox/extract"
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/export/rows"
	"icebox/pipeline/runs"
)

func TestExportWritesWhatIsAskedFor(t *testing.T) {
	dir := trainedIn(t)
	for _, args := range [][]string{
		{"onnx", "image.onnx", "--input", "image"}, {"torch", "m.pth"}, {"sklearn", "lr.npz"}, // package export tries all
	} {
		r := icebox(t, dir, append([]string{"export", "--json", "--run", "latest", "--format", args[0], "--out", args[1]}, args[2:]...)...)
		if r.code != 0 {
			t.Fatalf("%v: exit %d: %s", args, r.code, r.errOut)
		}
		if args[0] == "onnx" && !strings.Contains(r.errOut, "random weights") {
			t.Errorf("%v: nothing tells of random weights: %s", args, r.errOut)
		}
		got := r.lastJSON(t)
		if got["format"] != args[0] || got["path"] != filepath.Join(dir, args[1]) || got["bytes"].(float64) < 1000 {
			t.Errorf("%v: %v", args, got)
		}
		if !exists(filepath.Join(dir, args[1])) {
			t.Errorf("%v: nothing is there", args)
		}
	}
	if r := icebox(t, dir, "export", "--run", "latest", "--format", "sklearn", "--out", "lr.npz"); r.code != exitUsage || !strings.Contains(r.errOut, "lr.npz is there\n  try: another --out") {
		t.Errorf("over a file: exit %d: %s", r.code, r.errOut)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func TestExportSaysWhyNot(t *testing.T) {
	dir := trainedIn(t)
	must(t, copyFeatures(t, dir))
	for _, args := range [][]string{
		{"train", "-q", "--features", "f", "output.name=foreign"},
		{"train", "-q", "head.kind=mlp", "head.hidden=4", "head.engine=gorgonia", "head.epochs=1", "head.tune=off", "output.name=deep"},
	} {
		if r := icebox(t, dir, args...); r.code != 0 {
			t.Fatalf("%v: exit %d: %s", args, r.code, r.errOut)
		}
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"--format onnx", exitUsage, "needs --format and --out"},
		{"--out a.onnx", exitUsage, "needs --format and --out"},
		{"--run foreign --format onnx --out a.onnx", exitData, "what made those of an image is not known here"},
		{"--run deep --format sklearn --out a.npz", exitUsage, "has a hidden layer"},
		{"--run latest --format tflite --out a", exitUsage, `"tflite" is not onnx, hf, torch or sklearn`},
		{"--run latest --format torch --out a.bin", exitUsage, ".pth, .pt or .safetensors"},
		{"--run latest --format onnx --input jpeg --out a", exitUsage, "crop, pixels or image"},
		{"--run nobody --format onnx --out a.onnx", exitData, "no such run"},
		{"--run photos --weights none.pth --format onnx --out a.onnx", exitWeights, "none.pth"},
	} {
		r := icebox(t, dir, append([]string{"export"}, strings.Fields(c.args)...)...)
		if r.code != c.code || !strings.Contains(r.errOut, c.want) {
			t.Errorf("%s: exit %d: %s", c.args, r.code, r.errOut)
		}
	}
	if r := icebox(t, dir, "cache", "export", "--format", "xlsx", "--out", "x"); r.code != exitUsage || !strings.Contains(r.errOut, `"xlsx" is not csv, npy, npz`) {
		t.Errorf("a format of features: exit %d: %s", r.code, r.errOut)
	}
	if exists(filepath.Join(dir, "a.onnx")) || exists(filepath.Join(dir, "a.npz")) {
		t.Error("something was left")
	}
}

// A run of a newer icebox says so, and so does one whose weights are gone: which, and where they
// were looked for. A form that takes no weights needs none.
func TestExportOfRunsThatCannotBeRead(t *testing.T) {
	dir := trainedIn(t)
	for _, args := range [][]string{
		{"export", "--run", "latest", "--format", "torch", "--out", "resnet.safetensors"}, // weights in a file
		{"run", "-q", "--data", "photos", "--weights", "resnet.safetensors", "data.split.val=0.4", "head.tune=off", "output.name=moved"},
	} {
		if r := icebox(t, dir, args...); r.code != 0 {
			t.Fatalf("%v: exit %d: %s", args, r.code, r.errOut)
		}
	}
	must(t, os.Mkdir(filepath.Join(dir, "other"), 0o755))
	must(t, os.Remove(filepath.Join(dir, "resnet.safetensors")))
	for _, format := range []string{"onnx", "hf", "torch"} {
		r := icebox(t, dir, "export", "--run", "moved", "--format", format, "--out", "other/a.pth")
		for _, part := range []string{"no backbone weights found with the tensor hash ", filepath.Join(dir, "resnet.safetensors") + ": is not there", "checkpoints", "try: the file that"} {
			if r.code != exitWeights || !strings.Contains(r.errOut, part) {
				t.Errorf("%s without its weights: exit %d: %s, which lacks %q", format, r.code, r.errOut, part)
			}
		}
	}
	if r := icebox(t, dir, "export", "--run", "moved", "--format", "sklearn", "--out", "lr.npz"); r.code != exitOK {
		t.Errorf("a form without weights: exit %d: %s", r.code, r.errOut)
	}
	all, err := runs.List(filepath.Join(dir, "runs"))
	must(t, err)
	head := filepath.Join(all[0], runs.HeadFile)
	data, err := os.ReadFile(head)
	must(t, err)
	newer := bytes.Replace(data, []byte(`\"format\":1`), []byte(`\"format\":2`), 1)
	if bytes.Equal(newer, data) {
		t.Fatal("the head names no format")
	}
	must(t, os.WriteFile(head, newer, 0o644))
	for _, format := range []string{"onnx", "hf", "torch", "sklearn"} {
		r := icebox(t, dir, "export", "--run", all[0], "--format", format, "--out", "other/a.pth")
		if r.code != exitData || !strings.Contains(r.errOut, "format 2, this program reads up to 1") || !strings.Contains(r.errOut, "try: a newer icebox") {
			t.Errorf("%s of a newer run: exit %d: %s", format, r.code, r.errOut)
		}
	}
	if exists(filepath.Join(dir, "other", "a.pth")) {
		t.Error("something was left")
	}
}

// elsewhere are the photos and the run that the exports are tried with.
type elsewhere struct {
	dir, run string
	photos   []string
}

// mostPhotos is how many images are asked for.
const mostPhotos = 400

// exportedRun is the run of ICEBOX_EXPORT_RUN, and at most mostPhotos images of the folders in
// ICEBOX_EXPORT_PHOTOS; or drawn pictures, and a head on random weights.
func exportedRun(t *testing.T) elsewhere {
	e := elsewhere{dir: t.TempDir(), run: os.Getenv("ICEBOX_EXPORT_RUN")}
	folders := filepath.SplitList(os.Getenv("ICEBOX_EXPORT_PHOTOS"))
	if e.run == "" {
		dir := trainedIn(t)
		all, err := runs.List(filepath.Join(dir, "runs"))
		must(t, err)
		e.run, folders = all[len(all)-1], []string{filepath.Join(dir, "photos")}
	}
	for _, folder := range folders {
		paths, _, err := dataset.ImagesBelow(t.Context(), folder)
		must(t, err)
		e.photos = append(e.photos, paths...)
	}
	if n := len(e.photos); n > mostPhotos { // some of every folder
		some := make([]string, mostPhotos)
		for i := range some {
			some[i] = e.photos[i*n/mostPhotos]
		}
		e.photos = some
	}
	return e
}

// export writes every format.
func (e *elsewhere) export(t *testing.T) {
	for _, args := range [][]string{
		{"onnx", "crop.onnx"}, {"onnx", "pixels.onnx", "--input", "pixels"}, {"onnx", "image.onnx", "--input", "image"},
		{"hf", "hf"}, {"torch", "model.pth"}, {"sklearn", "lr.npz"}, {"torch", "again/model.safetensors"},
	} {
		must(t, os.MkdirAll(filepath.Join(e.dir, "again"), 0o755))
		r := icebox(t, e.dir, append([]string{"export", "--run", e.run, "--format", args[0], "--out", args[1]}, args[2:]...)...)
		if r.code != 0 {
			t.Fatalf("%v: exit %d: %s", args, r.code, r.errOut)
		}
		t.Log(strings.TrimSpace(r.out))
	}
	must(t, os.Rename(filepath.Join(e.dir, "again/model.safetensors"), filepath.Join(e.dir, "model.safetensors")))
}

// answer writes icebox's own crops, features and answers, which are those of eval.
func (e *elsewhere) answer(t *testing.T) {
	head, info, err := runs.Head(e.run)
	must(t, err)
	o := extract.Options{WeightsHash: info.Weights.Hash, WeightsHints: []string{info.Weights.Path}}
	if info.Weights.Random() {
		o = extract.Options{Weights: info.Weights.String()}
	}
	x, err := extract.Open(t.Context(), o)
	must(t, err)
	defer x.Close()
	n, k := len(e.photos), len(head.Classes)
	crops, rows := make([]byte, n*extract.PixelBytes), make([]float32, n*extract.Dim)
	for i, path := range e.photos {
		data, err := os.ReadFile(path)
		must(t, err)
		_, err = x.Preprocess(t.Context(), crops[i*extract.PixelBytes:(i+1)*extract.PixelBytes], data)
		must(t, err)
	}
	must(t, x.Forward(t.Context(), rows, crops, n))
	logits, probs := make([]float32, n*k), make([]float64, n*k)
	head.Logits(logits, rows, n)
	for i := range n {
		judge.Softmax(probs[i*k:(i+1)*k], logits[i*k:(i+1)*k], head.Temperature)
	}
	for name, values := range map[string]any{"crops.u1": crops, "features.f4": rows, "logits.f4": logits, "probabilities.f8": probs} {
		file, err := binary.Append(nil, binary.LittleEndian, values)
		must(t, err)
		write(t, e.dir, name, file)
	}
	for name, v := range map[string]any{"photos.json": e.photos, "labels.json": head.Classes} {
		text, err := json.Marshal(v)
		must(t, err)
		write(t, e.dir, name, text)
	}
}

// The exports answer in the programs that they are for. ICEBOX_EXPORT_PYTHON names a Python
// with onnx, onnxruntime, openvino, torchvision, transformers, scikit-learn; what it lacks is
// skipped by name.
func TestExportsElsewhere(t *testing.T) {
	python := os.Getenv("ICEBOX_EXPORT_PYTHON")
	if python == "" {
		t.Skip("ICEBOX_EXPORT_PYTHON names no Python with onnx, onnxruntime, openvino, torchvision, transformers and scikit-learn")
	}
	e := exportedRun(t)
	e.export(t)
	e.answer(t)
	e.ask(t, python, "check_exports.py")
}

// ONNX Runtime Web answers, too. NODE_MODULES names a folder node_modules with onnxruntime-web,
// and node must be there.
func TestExportsElsewhereInAPage(t *testing.T) {
	if os.Getenv("NODE_MODULES") == "" {
		t.Skip("NODE_MODULES names no folder with onnxruntime-web")
	}
	e := exportedRun(t)
	e.export(t)
	e.answer(t)
	e.ask(t, "node", "check_exports_web.mjs")
}

// ask runs a script on the folder, and shows its results.
func (e *elsewhere) ask(t *testing.T, interpreter, script string) {
	_, here, _, _ := runtime.Caller(0)
	cmd := exec.CommandContext(t.Context(), interpreter, filepath.Join(filepath.Dir(here), "../../.github/scripts", script), e.dir)
	cmd.Stderr = new(strings.Builder)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s%s", err, out, cmd.Stderr)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var results map[string]any
	must(t, json.Unmarshal([]byte(lines[len(lines)-1]), &results))
	for what, got := range results {
		t.Run(what, func(t *testing.T) {
			if why, ok := got.(string); ok && strings.HasPrefix(why, "skipped") {
				t.Skip(why)
			}
			text, err := json.Marshal(got)
			must(t, err)
			t.Log(string(text))
		})
	}
}

// Exported features come back in the programs that read such files. ICEBOX_EXPORT_PYTHON
// names a Python with numpy, safetensors, pandas, polars, duckdb, datasets and tensorboard;
// what it lacks is skipped by name. ICEBOX_EXPORT_CACHE may name another cache than that of
// a few drawn pictures.
func TestFeaturesElsewhere(t *testing.T) {
	python := os.Getenv("ICEBOX_EXPORT_PYTHON")
	if python == "" {
		t.Skip("ICEBOX_EXPORT_PYTHON names no Python with numpy, safetensors, pandas, polars, duckdb, datasets and tensorboard")
	}
	e := elsewhere{dir: t.TempDir()}
	from := []string{"--cache", os.Getenv("ICEBOX_EXPORT_CACHE")}
	if name := os.Getenv("ICEBOX_EXPORT_DATASET"); name != "" {
		from = append(from, "--dataset", name)
	}
	if from[1] == "" {
		from = []string{"--cache", filepath.Join(trainedIn(t), ".icebox", "features.db")}
	}
	for _, format := range rows.Formats() {
		if r := icebox(t, e.dir, append([]string{"cache", "export", "--format", format, "--out", format}, from...)...); r.code != 0 {
			t.Fatalf("%s: exit %d: %s", format, r.code, r.errOut)
		}
	}
	e.ask(t, python, "check_features.py")
}

// Where it is asked for, the curves of a run are in its folder for TensorBoard, too.
func TestCurvesForTensorBoard(t *testing.T) {
	dir := trainedIn(t)
	if r := icebox(t, dir, "train", "-q", "head.tune=off", "head.epochs=3", "output.name=curves", "output.tensorboard=true"); r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	all, err := runs.List(filepath.Join(dir, "runs"))
	must(t, err)
	events, err := os.ReadFile(filepath.Join(all[1], runs.EventsFile))
	must(t, err)
	for text, want := range map[string]int{"brain.Event:2": 1, "loss/val": 3, "lr\x15": 3, "head/train_acc": 1, "head/test_acc": 0} {
		if got := bytes.Count(events, []byte(text)); got != want {
			t.Errorf("%s is there %d times, want %d", text, got, want)
		}
	}
	if exists(filepath.Join(all[0], runs.EventsFile)) {
		t.Error("it was written where nobody asked for it")
	}
	if python := os.Getenv("ICEBOX_EXPORT_PYTHON"); python != "" {
		(&elsewhere{dir: all[1]}).ask(t, python, "check_events.py")
	}
}
