package export

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// backbone is that of all tests; it is never closed.
var backbone = sync.OnceValues(func() (*extract.Extractor, error) {
	return extract.Open(context.Background(), extract.Options{Weights: "random:4"})
})

// model is a head on random weights. Under the race detector its backbone computes no
// features.
func model(t *testing.T) Model {
	t.Helper()
	x, err := backbone()
	must(t, err)
	h := &headtrain.Head{Classes: []string{"ants", "bees", "it's a \"wasp\""}, Dim: extract.Dim, Temperature: 0.7, Threshold: 0.3, Recipe: json.RawMessage(`{"rows":3}`)}
	for i := range 3 * extract.Dim {
		h.W = append(h.W, float32(i*i%101-50)/2000)
	}
	h.B = []float32{0.1, -0.2, 0.3}
	info := runs.HeadInfo{Fingerprint: x.Fingerprint(), DType: "float32", Weights: x.Weights(), Dataset: "insects"}
	h.Fingerprint = info.Fingerprint.ID("float32")
	return Model{Head: h, Info: info, Net: x, Name: "run-1", Program: "icebox test"}
}

// mlp gives a head a hidden layer.
func mlp(h *headtrain.Head) {
	l := &headtrain.Layer{In: extract.Dim, Out: 5, W: h.W[:5], B: []float32{1, -1, 0, 2, 3}}
	for i := range l.In*l.Out - 5 {
		l.W = append(slices.Clip(l.W), float32(i%7-3)/50)
	}
	h.Hidden, h.W = l, h.W[100:115]
}

// light skips what takes long under the race detector, where it says nothing new, and makes
// one picture enough.
func light(t *testing.T) {
	if raceEnabled {
		t.Skip("the backbone is slow under the race detector")
	}
	all := pictures
	pictures = all[1:2]
	t.Cleanup(func() { pictures = all })
}

// left lists what is in a folder.
func left(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestONNXAnswersAsIceboxDoes(t *testing.T) {
	light(t)
	for name, change := range map[string]func(*headtrain.Head){
		"linear": func(*headtrain.Head) {},
		"mlp l2": func(h *headtrain.Head) { mlp(h); h.Input = headtrain.InputL2 },
	} {
		for _, input := range Inputs() {
			if name != "linear" && input != InputCrop {
				continue
			}
			m := model(t)
			change(m.Head)
			path := filepath.Join(t.TempDir(), "m.onnx")
			done, err := Write(t.Context(), m, Options{Format: ONNX, Input: input, Out: path})
			if err != nil {
				t.Fatalf("%s, %s: %v", name, input, err)
			}
			if done.Check.Images != len(pictures) || done.Check.Logit == 0 || done.Bytes < 44e6 {
				t.Errorf("%s, %s: %+v, %+v", name, input, done, done.Check)
			}
			if got := left(t, filepath.Dir(path)); !slices.Equal(got, []string{"m.onnx"}) {
				t.Errorf("left: %v", got)
			}
		}
	}
}

func TestMetadataSaysWhatIsNeeded(t *testing.T) {
	m := model(t)
	g, err := graph(m, InputCrop)
	if err != nil {
		t.Fatal(err)
	}
	meta := map[string]string{}
	for _, e := range g.Meta {
		meta[e.Key] = e.Value
	}
	for key, want := range map[string]string{
		"Image.BitmapPixelFormat": "Rgb8", "Image.NominalPixelRange": "NominalRange_0_255", "task": "classify",
		"names":  `{0: 'ants', 1: 'bees', 2: "it's a \"wasp\""}`,
		"labels": `["ants","bees","it's a \"wasp\""]`, "icebox.temperature": "0.7", "icebox.reject_threshold": "0.3",
		"icebox.space": m.Head.Fingerprint, "icebox.recipe": `{"rows":3}`,
	} {
		if meta[key] != want {
			t.Errorf("%s is %s, want %s", key, meta[key], want)
		}
	}
	if !strings.Contains(g.Doc, "untrained") || g.Opset != 17 {
		t.Errorf("opset %d: %s", g.Opset, g.Doc)
	}
	for _, n := range g.Graph.Nodes {
		if !slices.Contains(strings.Fields("Cast Transpose Div Sub Conv Relu MaxPool Add GlobalAveragePool Flatten Gemm Softmax ArgMax"), n.Op) {
			t.Errorf("%s is no plain operator", n.Op)
		}
	}
}

// A file in which one filter differs is refused, and so is one whose head differs.
func TestTamperedFilesAreRefused(t *testing.T) {
	light(t)
	m := model(t)
	for _, name := range []string{"layer3.0.conv1.weight", "fc.bias", "normalised.std"} {
		g, err := graph(m, InputCrop)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range g.Graph.Constants {
			if c.Name == name {
				changed := *c
				changed.Floats = slices.Clone(c.Floats)
				for k := range changed.Floats[:min(len(changed.Floats), 2304)] { // of one filter
					changed.Floats[k] *= 1.5
				}
				g.Graph.Constants[i] = &changed
			}
		}
		path := filepath.Join(t.TempDir(), "m.onnx")
		err = writeFile(path, g.Write, func(written string) error {
			_, err := check(t.Context(), m, InputCrop, written)
			return err
		})
		if !errors.Is(err, ErrDisagrees) || !strings.Contains(err.Error(), "of the largest (allowed are 0.001)") {
			t.Errorf("%s: %v", name, err)
		}
		if got := left(t, filepath.Dir(path)); len(got) != 0 {
			t.Errorf("left: %v", got)
		}
	}
}

// wrong is a backbone that computes something else than its weights say.
type wrong struct{ Net }

func (w wrong) Forward(_ context.Context, features []float32, _ []uint8, _ int) error {
	for i := range features {
		features[i] = float32(i)
	}
	return nil
}

func TestNothingIsLeftOfWhatDisagrees(t *testing.T) {
	light(t)
	for _, format := range []string{ONNX, HF} {
		m := model(t)
		m.Net = wrong{m.Net}
		dir := t.TempDir()
		if _, err := Write(t.Context(), m, Options{Format: format, Out: filepath.Join(dir, "m")}); !errors.Is(err, ErrDisagrees) {
			t.Errorf("%s: %v", format, err)
		}
		if got := left(t, dir); len(got) != 0 {
			t.Errorf("%s: left: %v", format, got)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := Write(ctx, model(t), Options{Format: ONNX, Out: filepath.Join(dir, "m")}); !errors.Is(err, context.Canceled) || len(left(t, dir)) != 0 {
		t.Errorf("interrupted: %v, left: %v", err, left(t, dir))
	}
}

func TestStateDict(t *testing.T) {
	m := model(t)
	for _, name := range []string{"m.pth", "m.safetensors"} {
		dir := t.TempDir()
		o := Options{Format: Torch, Out: filepath.Join(dir, name)}
		if _, err := Write(t.Context(), m, o); err != nil {
			t.Fatal(err)
		}
		w, err := extract.InspectWeights(o.Out)
		if err != nil || w.Hash != m.Info.Weights.Hash || w.Classes != 3 || len(w.Tensors) != 102 {
			t.Errorf("%s: %d tensors, %d classes, %v", name, len(w.Tensors), w.Classes, err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "index_to_name.json"))
		var labels map[string]string
		if err != nil || json.Unmarshal(text, &labels) != nil || labels["2"] != m.Head.Classes[2] {
			t.Errorf("%s: %s, %v", name, text, err)
		}
		if _, err := Write(t.Context(), m, o); !errors.Is(err, ErrExists) {
			t.Errorf("again: %v", err)
		}
		must(t, os.Remove(o.Out))
		if _, err := Write(t.Context(), m, o); !errors.Is(err, ErrExists) || len(left(t, dir)) != 1 {
			t.Errorf("the labels are there: %v", err)
		}
	}
	all := stateDict(m)
	changed := slices.Clone(all)
	changed[5].Values = slices.Clone(changed[5].Values)
	changed[5].Values[7]++
	if err := sameTensors(all, changed); !errors.Is(err, ErrDisagrees) || !strings.Contains(err.Error(), all[5].Name) {
		t.Errorf("one value differs: %v", err)
	}
	if err := sameTensors(all, all[1:]); !errors.Is(err, ErrDisagrees) {
		t.Errorf("one tensor is missing: %v", err)
	}
}

func TestLogisticRegression(t *testing.T) {
	m := model(t)
	m.Net = nil // it takes no weights
	path := filepath.Join(t.TempDir(), "lr.npz")
	_, err := Write(t.Context(), m, Options{Format: Sklearn, Out: path})
	must(t, err)
	z, err := zip.OpenReader(path)
	must(t, err)
	defer z.Close()
	for name, want := range map[string]string{
		"coef_": "'<f4', 'fortran_order': False, 'shape': (3, 512)", "intercept_": "'shape': (3,)", "classes_": "'<U13'",
		"temperature": "'shape': (1,)", "reject_threshold": "'shape': (1,)",
	} {
		f, err := z.Open(name + ".npy")
		must(t, err)
		data, err := io.ReadAll(f)
		if err != nil || !bytes.Contains(data[:128], []byte(want)) {
			t.Errorf("%s: %q, %v", name, data[:128], err)
		}
	}
}

// What a killed process left of a folder is removed by the next, and what a living one is at
// is not.
func TestLeftFoldersAreTidied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m")
	killed, err := openFolder(path)
	must(t, err)
	killed.lock.Release()
	living, err := openFolder(path)
	must(t, err)
	if exists(killed.tmp) == (killed.lock != nil) {
		t.Error("a left folder stayed, or one without a lock went")
	}
	other, err := openFolder(path)
	must(t, err)
	if living.lock != nil && !exists(living.tmp) {
		t.Error("the folder of a living process went")
	}
	must(t, os.WriteFile(living.at("a"), []byte("a"), 0o644))
	must(t, living.place())
	if got := left(t, path); !slices.Equal(got, []string{"a"}) {
		t.Errorf("left: %v", got)
	}
	if err := other.place(); !errors.Is(err, ErrExists) {
		t.Errorf("over a folder: %v", err)
	}
	other.abandon()
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Equal models are equal bytes.
func TestSameModelSameBytes(t *testing.T) {
	light(t)
	m := model(t)
	var sums [2][sha256.Size]byte
	for i := range sums {
		h := sha256.New()
		for _, input := range Inputs() {
			g, err := graph(m, input)
			must(t, err)
			must(t, g.Write(h))
		}
		must(t, extract.WriteTensors(h, extract.FormatPTH, stateDict(m)))
		must(t, extract.WriteTensors(h, extract.FormatSafetensors, transformersDict(m)))
		must(t, writeCard(h, m, "m"))
		sums[i] = [sha256.Size]byte(h.Sum(nil))
	}
	if sums[0] != sums[1] {
		t.Error("the bytes differ")
	}
}

// Of two classes there is one row, as scikit-learn has it.
func TestTwoClassesAreOneRow(t *testing.T) {
	h := &headtrain.Head{Classes: []string{"a", "b"}, Dim: 3, W: []float32{1, 2, 3, 5, 4, 3}, B: []float32{0.5, 2}}
	coef, intercept := regression(h)
	if !slices.Equal(coef, []float32{4, 2, 0}) || !slices.Equal(intercept, []float32{1.5}) {
		t.Errorf("%v, %v", coef, intercept)
	}
}

func TestFolderForTransformers(t *testing.T) {
	light(t)
	m := model(t)
	m.Report = &report.Report{
		Parts: map[string]report.Score{
			"train": {N: 54321, Top1: 1},
			"test":  {N: 40, Top1: 0.925, MacroF1: 0.9, PerClass: []judge.Class{{Class: "a|b", Precision: 1, Recall: 0.5, Support: 20}}},
		},
		Answers: report.Answering{Parts: map[string]report.PartAnswers{"test": {Interval: &judge.Interval{Low: 0.801, High: 0.974}}}},
	}
	dir := filepath.Join(t.TempDir(), "insects")
	done, err := Write(t.Context(), m, Options{Format: HF, Out: dir})
	must(t, err)
	if len(done.Files) != 5 || done.Check == nil {
		t.Errorf("%+v", done)
	}
	all, err := extract.ReadTensors(filepath.Join(dir, "model.safetensors"))
	must(t, err)
	shapes := map[string][]int{}
	for _, tensor := range all {
		shapes[tensor.Name] = tensor.Shape
	}
	for name, shape := range map[string][]int{
		"resnet.embedder.embedder.convolution.weight":                          {64, 3, 7, 7},
		"resnet.embedder.embedder.normalization.num_batches_tracked":           {},
		"resnet.encoder.stages.0.layers.0.layer.0.convolution.weight":          {64, 64, 3, 3},
		"resnet.encoder.stages.3.layers.1.layer.1.normalization.running_var":   {512},
		"resnet.encoder.stages.2.layers.0.shortcut.convolution.weight":         {256, 128, 1, 1},
		"resnet.encoder.stages.2.layers.0.shortcut.normalization.running_mean": {256},
		"classifier.1.weight": {3, 512}, "classifier.1.bias": {3},
	} {
		if got, ok := shapes[name]; !ok || !slices.Equal(got, shape) {
			t.Errorf("%s is %v, want %v", name, got, shape)
		}
	}
	if len(all) != 122 {
		t.Errorf("%d tensors", len(all))
	}
	card, err := os.ReadFile(filepath.Join(dir, "README.md"))
	must(t, err)
	for _, want := range []string{"| test | 40 | 92.5 % | 80.1–97.4 % | 0.900 |", `| a\|b | 1.000 | 0.500 | 20 |`, "untrained", "temperature 0.7", "below 0.3", "insects"} {
		if !strings.Contains(string(card), want) {
			t.Errorf("the card does not say %q:\n%s", want, card)
		}
	}
	if strings.Contains(string(card), "54,321") {
		t.Error("the card tells of training images")
	}
	for want, r := range map[string]*report.Report{"There is no report": nil, "held out no images": {}} {
		m.Report = r
		var text strings.Builder
		must(t, writeCard(&text, m, "m"))
		if !strings.Contains(text.String(), want) {
			t.Errorf("the card does not say %q:\n%s", want, &text)
		}
	}
}

func TestWhatCannotBeExported(t *testing.T) {
	m := model(t)
	padded := m
	padded.Info.Fingerprint.Preprocess.Fit = extract.Pad
	deep, unit := m, m
	deepHead, unitHead := *m.Head, *m.Head
	mlp(&deepHead)
	unitHead.Input = headtrain.InputL2
	deep.Head, unit.Head = &deepHead, &unitHead
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "there"), nil, 0o644))
	must(t, os.Symlink("nowhere", filepath.Join(dir, "link.onnx")))
	for _, c := range []struct {
		m    Model
		o    Options
		of   error
		text string
	}{
		{deep, Options{Format: Sklearn, Out: "a.npz"}, ErrForm, "hidden layer"},
		{deep, Options{Format: Torch, Out: "a.pth"}, ErrForm, "hidden layer"},
		{unit, Options{Format: HF, Out: "a"}, ErrForm, "length 1"},
		{padded, Options{Format: HF, Out: "a"}, ErrForm, "padded"},
		{m, Options{Format: "tflite", Out: "a"}, ErrForm, "onnx, hf, torch or sklearn"},
		{m, Options{Format: ONNX, Input: "jpeg", Out: "a"}, ErrForm, "crop, pixels or image"},
		{m, Options{Format: HF, Input: InputCrop, Out: "a"}, ErrForm, "only an ONNX file"},
		{m, Options{Format: Torch, Out: "a.bin"}, ErrForm, ".safetensors"},
		{m, Options{Format: ONNX, Out: "there"}, ErrExists, "there"},
		{m, Options{Format: ONNX, Out: "link.onnx"}, ErrExists, "link.onnx"},
		{m, Options{Format: ONNX, Out: "none/a.onnx"}, fs.ErrNotExist, "folder"},
	} {
		c.o.Out = filepath.Join(dir, c.o.Out)
		_, err := Write(t.Context(), c.m, c.o)
		if !errors.Is(err, c.of) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%+v: %v, want %s", c.o, err, c.text)
		}
	}
	if got := left(t, dir); len(got) != 2 {
		t.Errorf("left: %v", got)
	}
}

// A head whose logits are large over its temperature is still exported.
func TestSharpHeadsAreExported(t *testing.T) {
	light(t)
	m := model(t)
	for i := range m.Head.W {
		m.Head.W[i] *= 300
	}
	m.Head.Temperature = 0.1
	done, err := Write(t.Context(), m, Options{Format: ONNX, Out: filepath.Join(t.TempDir(), "m.onnx")})
	if err != nil || done.Check.OfProbability <= probabilityTolerance {
		t.Errorf("%+v, %v", done, err)
	}
}

// A number that is none disagrees with every other.
func TestNaNDisagrees(t *testing.T) {
	light(t)
	m := model(t)
	nan := *m.Head
	nan.B = []float32{float32(math.NaN()), 0, 0}
	other := m
	other.Head = &nan
	g, err := graph(other, InputCrop)
	must(t, err)
	path := filepath.Join(t.TempDir(), "m.onnx")
	err = writeFile(path, g.Write, func(written string) error {
		_, err := check(t.Context(), m, InputCrop, written)
		return err
	})
	if !errors.Is(err, ErrDisagrees) {
		t.Errorf("%v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
