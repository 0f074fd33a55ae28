package pipeline

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/x448/float16"

	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/npy"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// blob is a row of class c: noise around a centre of the class. The values are few
// enough binary digits for float16 to hold them.
func blob(rng *rand.Rand, dim, c int) []float32 {
	row := make([]float32, dim)
	for j := range row {
		row[j] = float32(math.Round(64*rng.NormFloat64())) / 64
		if j%4 == c%4 {
			row[j] += 1.5
		}
	}
	return row
}

// npyBytes is a NumPy file of values, a slice, in format 1.
func npyBytes(t *testing.T, descr, shape string, values any) []byte {
	t.Helper()
	var out bytes.Buffer
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape)
	head += strings.Repeat(" ", 63-(10+len(head))%64) + "\n"
	out.WriteString("\x93NUMPY\x01\x00")
	must(t, binary.Write(&out, binary.LittleEndian, uint16(len(head))))
	out.WriteString(head)
	must(t, binary.Write(&out, binary.LittleEndian, values))
	return out.Bytes()
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, data, 0o644))
}

// writeArrays writes n rows of blobs to dir, classes in turn.
func writeArrays(t *testing.T, dir string, seed uint64, n, dim, classes int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	var x []float32
	var y []int64
	for i := range n {
		x = append(x, blob(rng, dim, i%classes)...)
		y = append(y, int64(i%classes))
	}
	writeFile(t, filepath.Join(dir, "features.npy"), npyBytes(t, "<f4", fmt.Sprintf("(%d, %d)", n, dim), x))
	writeFile(t, filepath.Join(dir, "labels.npy"), npyBytes(t, "<i8", fmt.Sprintf("(%d,)", n), y))
}

// folderOptions are options for training on a folder of features.
type folderOptions struct {
	Options
	Features string
	batch    int // heads between two writes of a sweep's log
}

func (o folderOptions) train() (*report.RunSummary, error) {
	return Train(context.Background(), o.Options, Choice{Features: o.Features}, Silent)
}

func (o folderOptions) sweep(ctx context.Context, resume string, p Progress) (*report.SweepSummary, error) {
	return RunSweep(ctx, o.Options, SweepRun{Choice: Choice{Features: o.Features}, Resume: resume, batch: o.batch}, p)
}

// featureOptions are options for a folder of features with val and test.
func featureOptions(t *testing.T) folderOptions {
	t.Helper()
	dir := t.TempDir()
	writeArrays(t, filepath.Join(dir, "f"), 1, 90, 8, 3)
	writeArrays(t, filepath.Join(dir, "f", "val"), 2, 45, 8, 3)
	writeArrays(t, filepath.Join(dir, "f", "test"), 3, 60, 8, 3)
	o := folderOptions{Options: Default(), Features: filepath.Join(dir, "f")}
	o.Output.Dir = filepath.Join(dir, "runs")
	o.Head.Epochs, o.Head.BatchSize = 6, 16
	return o
}

func headOf(t *testing.T, runDir *string) *headtrain.Head {
	t.Helper()
	h, err := headtrain.LoadHead(filepath.Join(*runDir, runs.HeadFile))
	must(t, err)
	return h
}

func sameWeights(a, b *headtrain.Head) bool {
	return fmt.Sprint(a.W, a.B, a.Classes) == fmt.Sprint(b.W, b.B, b.Classes)
}

func TestAnExportTrainsTheHeadOfTheCache(t *testing.T) {
	ctx := context.Background()
	o := folderOptions{Options: ready(t, settings(photos(t, 3, 8))), Features: filepath.Join(t.TempDir(), "features")}
	run, err := Run(ctx, o.Options, Silent)
	must(t, err)
	_, err = features.Export(o.Cache.Path, features.ExportOptions{Dir: o.Features})
	must(t, err)
	sum, err := o.train()
	must(t, err)
	if !sameWeights(headOf(t, run.RunDir), headOf(t, sum.RunDir)) {
		t.Error("the heads differ")
	}
	if *sum.ValAcc != *run.ValAcc || *sum.TestLoss != *run.TestLoss || sum.TrainRows != run.TrainRows {
		t.Errorf("from the export: %+v, from the cache: %+v", sum.TrainSummary, run.TrainSummary)
	}
	text, err := os.ReadFile(filepath.Join(*sum.RunDir, runs.ReportTextFile))
	must(t, err)
	if !strings.Contains(string(text), "24 rows of 512 from ") || strings.Contains(string(text), "backbone") {
		t.Errorf("report: %s", text)
	}
}

func TestEveryTypeOfFeaturesIsRead(t *testing.T) {
	o := featureOptions(t)
	want, err := o.train()
	must(t, err)
	file, err := npy.Open(filepath.Join(o.Features, "features.npy"))
	must(t, err)
	x, _, _, err := file.Floats(headtrain.NewFeatures)
	must(t, errors.Join(err, file.Close()))
	half, double, labels := make([]uint16, len(x)), make([]float64, len(x)), make([]int32, 90)
	for i, v := range x {
		half[i], double[i] = float16.Fromfloat32(v).Bits(), float64(v)
	}
	for i := range labels {
		labels[i] = int32(i % 3)
	}
	whole := npyBytes(t, "<f4", "(90, 8)", x)
	second := append([]byte("\x93NUMPY\x02\x00"), binary.LittleEndian.AppendUint32(nil, uint32(len(whole)-10-len(x)*4))...)
	writeFile(t, filepath.Join(o.Features, "labels.npy"), npyBytes(t, "<i4", "(90,)", labels))
	for name, data := range map[string][]byte{
		"float16": npyBytes(t, "<f2", "(90, 8)", half), "float64": npyBytes(t, "<f8", "(90, 8)", double), "format 2": append(second, whole[10:]...),
	} {
		writeFile(t, filepath.Join(o.Features, "features.npy"), data)
		sum, err := o.train()
		must(t, err)
		if !sameWeights(headOf(t, want.RunDir), headOf(t, sum.RunDir)) {
			t.Errorf("%s: the head differs", name)
		}
	}
}

func TestMappedFeaturesTrainTheSameHead(t *testing.T) {
	o := featureOptions(t)
	want, err := o.train()
	must(t, err)
	mapAll(t)
	sum, err := o.train()
	must(t, err)
	if !sameWeights(headOf(t, want.RunDir), headOf(t, sum.RunDir)) {
		t.Error("the head differs")
	}
}

// mapAll has files of features mapped whatever their size.
func mapAll(t *testing.T) {
	was := npy.MapAbove
	npy.MapAbove = 0
	t.Cleanup(func() { npy.MapAbove = was })
}

// noteTaker keeps the notes of a run.
type noteTaker struct {
	Progress
	notes []string
}

func (n *noteTaker) Note(message string) { n.notes = append(n.notes, message) }

// A file of three windows, mapped and taken for larger than memory, trains the head
// that it trains copied.
func TestStreamedFeaturesTrainTheSameHead(t *testing.T) {
	const rows, dim = 2400, 10_000
	dir := t.TempDir()
	x, labels := make([]byte, 4*rows*dim), make([]byte, 0, 8*rows)
	r := rand.New(rand.NewPCG(1, 1))
	for n := range rows {
		y := n * 3 / rows
		labels = binary.LittleEndian.AppendUint64(labels, uint64(y))
		for j := range dim {
			binary.LittleEndian.PutUint32(x[4*(n*dim+j):], math.Float32bits(r.Float32()+float32((j+y)%3)))
		}
	}
	writeFile(t, filepath.Join(dir, "features.npy"), npyBytes(t, "<f4", fmt.Sprintf("(%d, %d)", rows, dim), x))
	writeFile(t, filepath.Join(dir, "labels.npy"), npyBytes(t, "<i8", fmt.Sprintf("(%d,)", rows), labels))
	train := func() (*headtrain.Head, *features.Folder) {
		f, err := features.OpenFolder(t.Context(), dir, "", 1<<20)
		must(t, err)
		t.Cleanup(func() { f.Close() })
		all, err := f.Rows(features.All)
		must(t, err)
		if all.Data.Paged != (f.Mapped() > 0) || !all.Data.Finite {
			t.Errorf("paged %v, finite %v", all.Data.Paged, all.Data.Finite)
		}
		o := headtrain.Options{Shuffle: headtrain.ShuffleBlocks, Epochs: 2}
		results, err := headtrain.New().Fit(t.Context(), headtrain.Job{Train: all.Data, Heads: []headtrain.Options{o}})
		must(t, err)
		return results[0].Head, f
	}
	want, f := train()
	if f.Paged() {
		t.Error("features in memory are taken for a file")
	}
	mapAll(t)
	got, f := train()
	if !f.Paged() || !sameWeights(want, got) {
		t.Errorf("the head differs, or the features were not mapped (%v)", f.Paged())
	}
}

func TestFeaturesLargerThanMemoryAreNoted(t *testing.T) {
	dir := featureOptions(t).Features
	mapAll(t)
	for _, c := range []struct {
		shuffle   headtrain.Shuffle
		optimizer string
		available int64
		noted     bool
	}{
		{"rows", "adam", 100, true}, {"", "adam", 100, true}, {"blocks", "adam", 100, false}, {"rows", "lbfgs", 100, false},
		{"rows", "adam", 1 << 30, false}, {"rows", "adam", 0, false},
	} {
		p := &noteTaker{Progress: Silent}
		o := Default()
		o.Head.Shuffle, o.Head.Optimizer = c.shuffle, c.optimizer
		j := journal.New(p, nil)
		src, err := openFolder(t.Context(), o, dir, c.available, j)
		must(t, err)
		must(t, src.Close())
		if noted := strings.Contains(strings.Join(p.notes, "\n"), "try Head.Shuffle = blocks"); noted != c.noted {
			t.Errorf("%+v: notes %q", c, p.notes)
		}
		if warnings := j.Finish().Warnings; len(warnings) > 0 {
			t.Errorf("%+v: a report depends on the memory: %q", c, warnings)
		}
	}
}

func TestWithoutPartsAllRowsTrain(t *testing.T) {
	o := featureOptions(t)
	must(t, os.RemoveAll(filepath.Join(o.Features, "val")))
	must(t, os.RemoveAll(filepath.Join(o.Features, "test")))
	sum, err := o.train()
	must(t, err)
	if sum.TrainRows != 90 || sum.ValRows != 0 || sum.TestRows != 0 || sum.ValAcc != nil {
		t.Errorf("%+v", sum.TrainSummary)
	}
	if got := headOf(t, sum.RunDir).Classes; fmt.Sprint(got) != "[0 1 2]" {
		t.Errorf("classes %v", got)
	}
}

// indexOf is an index.csv of 90 rows; line may change one.
func indexOf(line func(n int, fields []string) []string) []byte {
	out := "row,path,label,split\n"
	for n := range 90 {
		fields := []string{fmt.Sprint(n), fmt.Sprintf("%d.png", n), "class" + fmt.Sprint(n%3), []string{"train", "train", "val"}[n/30]}
		if line != nil {
			fields = line(n, fields)
		}
		out += strings.Join(fields, ",") + "\n"
	}
	return []byte(out)
}

func TestIndexNamesClassesAndParts(t *testing.T) {
	o := featureOptions(t)
	must(t, os.RemoveAll(filepath.Join(o.Features, "val")))
	writeFile(t, filepath.Join(o.Features, "index.csv"), indexOf(nil))
	sum, err := o.train()
	must(t, err)
	if sum.TrainRows != 60 || sum.ValRows != 30 || sum.TestRows != 60 {
		t.Errorf("%+v", sum.TrainSummary)
	}
	if got := headOf(t, sum.RunDir).Classes; fmt.Sprint(got) != "[class0 class1 class2]" {
		t.Errorf("classes %v", got)
	}
}

func TestBadFeaturesAreRefused(t *testing.T) {
	floats := func(shape string, n int) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, "features.npy"), npyBytes(t, "<f4", shape, make([]float32, n)))
		}
	}
	edit := func(file string, change func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			data, err := os.ReadFile(filepath.Join(dir, file))
			must(t, err)
			writeFile(t, filepath.Join(dir, file), change(data))
		}
	}
	replace := func(old, with string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(with), 1) }
	}
	index := func(line func(n int, f []string) []string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "val")))
			writeFile(t, filepath.Join(dir, "index.csv"), indexOf(line))
		}
	}
	at := func(row, field int, value string) func(int, []string) []string {
		return func(n int, f []string) []string {
			if n == row {
				f[field] = value
			}
			return f
		}
	}
	for _, c := range []struct {
		name string
		make func(t *testing.T, dir string)
		want []string
	}{
		{"no folder", func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) }, []string{"features.npy"}},
		{"no labels", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "labels.npy"))) }, []string{"labels.npy"}},
		{"text", edit("features.npy", func([]byte) []byte { return []byte("0.1,0.2,0.3,0.4,0.5") }), []string{"not a NumPy file"}},
		{"empty file", edit("features.npy", func([]byte) []byte { return nil }), []string{"not a NumPy file"}},
		{"format 9", edit("features.npy", replace("\x93NUMPY\x01", "\x93NUMPY\x09")), []string{"version 9"}},
		{"huge header", edit("features.npy", func(b []byte) []byte { return append([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), b[12:]...) }), []string{"a header of"}},
		{"cut within the header", edit("features.npy", func(b []byte) []byte { return b[:40] }), []string{"within its header"}},
		{"cut within the data", edit("features.npy", func(b []byte) []byte { return b[:len(b)-1] }), []string{"cut short"}},
		{"longer than it says", edit("features.npy", func(b []byte) []byte { return append(b, 0) }), []string{"its header asks for"}},
		{"a shape past all memory", edit("features.npy", replace("(90, 8), }", "(2000000000, 2000000000), }")), []string{"within its header|too large|asks for"}},
		{"Fortran order", edit("features.npy", replace("'fortran_order': False", "'fortran_order': True ")), []string{"Fortran order", "ascontiguousarray"}},
		{"big-endian", edit("features.npy", replace("<f4", ">f4")), []string{`">f4"`, "float32"}},
		{"a structured type", edit("features.npy", replace("'<f4'", "['a']")), []string{"not understood"}},
		{"something beside", edit("features.npy", replace("}  ", ",x}")), []string{"not understood"}},
		{"whole numbers as features", func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, "features.npy"), npyBytes(t, "<i4", "(90, 8)", make([]int32, 720)))
		}, []string{"features are float32"}},
		{"one axis", floats("(720,)", 720), []string{"rows × dimensions"}},
		{"no rows", floats("(0, 8)", 0), []string{"rows × dimensions"}},
		{"fewer rows than labels", floats("(45, 8)", 360), []string{"labels.npy", "45 rows"}},
		{"another dimension in val", floats("(90, 4)", 360), []string{"val", "rows of 8 features", "has 4"}},
		{"floats as labels", func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, "labels.npy"), npyBytes(t, "<f4", "(90,)", make([]float32, 90)))
		}, []string{"int64 or int32"}},
		{"a label of -2", edit("labels.npy", func(b []byte) []byte { b[len(b)-720] = 0xfe; return signed(b) }), []string{"row 0", "-2"}},
		{"not a number", edit("features.npy", func(b []byte) []byte {
			return append(b[:len(b)-4], binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(math.NaN())))...)
		}), []string{"row 89, feature 7 is NaN"}},
		{"one class", func(t *testing.T, dir string) {
			for _, sub := range []string{"val", "test"} {
				must(t, os.RemoveAll(filepath.Join(dir, sub)))
			}
			writeFile(t, filepath.Join(dir, "labels.npy"), npyBytes(t, "<i8", "(90,)", make([]int64, 90)))
		}, []string{"one class"}},
		{"no label at all", func(t *testing.T, dir string) {
			for _, sub := range []string{"val", "test"} {
				must(t, os.RemoveAll(filepath.Join(dir, sub)))
			}
			writeFile(t, filepath.Join(dir, "labels.npy"), npyBytes(t, "<i8", "(90,)", bytes.Repeat([]byte{255}, 720)))
		}, []string{"has a label"}},
		{"a path without an end", index(at(4, 1, strings.Repeat("p", 20_000))), []string{"row 4", "the path has 20000 bytes"}},
		{"lines out of order", index(at(4, 0, "5")), []string{"row 4", "order of the rows"}},
		{"a class with two names", index(at(4, 2, "other")), []string{"row 4", `"other"`, `"class1"`}},
		{"an unknown part", index(at(4, 3, "holdout")), []string{"holdout"}},
		{"a part twice", index(at(4, 3, "test")), []string{"row 4 is test", "folder test"}},
		{"too few lines", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "val")))
			writeFile(t, filepath.Join(dir, "index.csv"), bytes.Join(bytes.SplitAfter(indexOf(nil), []byte("\n"))[:50], nil))
		}, []string{"has 49 rows"}},
		{"too many lines", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "val")))
			writeFile(t, filepath.Join(dir, "index.csv"), append(indexOf(nil), "90,x,class0,train\n"...))
		}, []string{"more rows"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := featureOptions(t)
			c.make(t, o.Features)
			_, err := o.train()
			if !errors.Is(err, dataset.ErrData) {
				t.Fatalf("got %v", err)
			}
			for _, want := range c.want {
				if !containsAny(err.Error(), strings.Split(want, "|")) {
					t.Errorf("the message has no %q: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %v", err)
			}
		})
	}
}

// signed makes the first label of a labels file negative.
func signed(b []byte) []byte {
	for i := 1; i < 8; i++ {
		b[len(b)-720+i] = 0xff
	}
	return b
}

func containsAny(s string, some []string) bool {
	for _, want := range some {
		if strings.Contains(s, want) {
			return true
		}
	}
	return false
}

func TestHeadOfFeaturesIsJudgedOnFeaturesAndRefusesImages(t *testing.T) {
	ctx := context.Background()
	o := featureOptions(t)
	run, err := o.train()
	must(t, err)
	_, err = OpenPredictor(ctx, *run.RunDir, Default())
	if !errors.Is(err, headtrain.ErrFingerprint) || !strings.Contains(told(err), "try judging the run in ") {
		t.Errorf("predict: %v", err)
	}
	own, c := Default(), Choice{}
	e, err := Eval(ctx, EvalOptions{Run: *run.RunDir, Choice: c}, own, Silent)
	must(t, err)
	if e.Parts["test"].Top1 != *run.TestAcc || e.Parts["train"].Loss != run.TrainLoss {
		t.Errorf("on its own features: %+v, trained: %+v", e.Parts["test"], run.TrainSummary)
	}
	c.Features = filepath.Join(o.Features, "test")
	e, err = Eval(ctx, EvalOptions{Run: *run.RunDir, Choice: c}, own, Silent)
	must(t, err)
	if e.Parts["all"].Top1 != *run.TestAcc {
		t.Errorf("on other features: %+v", e.Parts)
	}
	c.Features, own.Data.Train = "", "photos"
	if _, err = Eval(ctx, EvalOptions{Run: *run.RunDir, Choice: c}, own, Silent); !errors.Is(err, headtrain.ErrFingerprint) {
		t.Errorf("on images: %v", err)
	}
	other := filepath.Join(t.TempDir(), "other")
	writeArrays(t, other, 1, 30, 9, 3)
	c.Features, own.Data.Train = other, ""
	if _, err = Eval(ctx, EvalOptions{Run: *run.RunDir, Choice: c}, own, Silent); !errors.Is(err, headtrain.ErrFingerprint) || !strings.Contains(err.Error(), "have 9 features, and the head in ") {
		t.Errorf("on features of another dimension: %v", err)
	}
}
