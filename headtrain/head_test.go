package headtrain

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/testkit"
)

func smallHead() *Head {
	return &Head{
		Classes: []string{"ants", "bees", "été \"2\""}, Dim: 2,
		W: []float32{1, -2, 3, 0.5, 1e-30, float32(math.Pi)}, B: []float32{0.25, -1, 7},
		Fingerprint: "resnet18:abc", Preprocessing: json.RawMessage(`{"size":224}`), Recipe: json.RawMessage(`{"lr":0.001}`),
	}
}

func TestSavedHeadLoadsUnchanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "head.safetensors")
	for _, input := range []string{"", InputL2} {
		h := smallHead()
		h.Input = input
		if input != "" {
			h.Temperature, h.Threshold = 1.25, 0.5
		}
		for range 2 { // the second time over an existing file
			if err := h.Save(path); err != nil {
				t.Fatal(err)
			}
		}
		got, err := LoadHead(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(h, got); d != "" {
			t.Errorf("-saved +loaded:\n%s", d)
		}
	}
	if left, _ := filepath.Glob(path + "?*"); len(left) > 0 {
		t.Errorf("files left behind: %v", left)
	}
}

func TestTrainedHeadSurvivesItsFile(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k, d := rapid.IntRange(1, 20).Draw(rt, "classes"), rapid.IntRange(1, 40).Draw(rt, "features")
		h := fitOne(t, Job{Train: clusters(3*k, d, k, 1)}, Options{Epochs: 1}).Head
		h.Fingerprint = rapid.String().Draw(rt, "fingerprint")
		data, err := h.encode()
		if err != nil {
			rt.Fatal(err)
		}
		got, err := DecodeHead(data)
		if err != nil {
			rt.Fatal(err)
		}
		if d := cmp.Diff(h, got); d != "" {
			rt.Errorf("-saved +loaded:\n%s", d)
		}
	})
}

func TestEqualHeadsAreEqualFiles(t *testing.T) {
	var files [2][]byte
	for i, threads := range []int{1, 4} {
		h := fitOne(t, Job{Train: clusters(300, 9, 3, 1)}, Options{Threads: threads, Epochs: 2}).Head
		data, err := h.encode()
		if err != nil {
			t.Fatal(err)
		}
		files[i] = data
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the number of threads shows in the file")
	}
}

// craft returns a safetensors file of a header and zero data.
func craft(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func headerWith(info string) string {
	text, _ := json.Marshal(info)
	return `{"__metadata__":{"icebox":` + string(text) + `},"fc.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"fc.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`
}

func TestMalformedFilesAreRefusedByName(t *testing.T) {
	good := `{"format":1,"kind":"linear","classes":["a"],"fingerprint":"f"}`
	if _, err := DecodeHead(craft(headerWith(good), 12)); err != nil {
		t.Fatalf("the file that the cases start from is refused: %v", err)
	}
	swap := func(old, new string) string { return strings.Replace(headerWith(good), old, new, 1) }
	for name, c := range map[string]struct {
		data []byte
		want error
		says string
	}{
		"empty":             {nil, ErrFormat, "header too small"},
		"huge header":       {[]byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"), ErrFormat, "header too large"},
		"cut data":          {craft(headerWith(good), 11), ErrFormat, ""},
		"data too long":     {craft(headerWith(good), 13), ErrFormat, ""},
		"no entry":          {craft(swap("icebox", "other"), 12), ErrFormat, `no metadata entry "icebox"`},
		"entry not JSON":    {craft(headerWith("{"), 12), ErrFormat, "metadata"},
		"newer":             {craft(headerWith(`{"format":2,"kind":["new"]}`), 12), ErrNewer, "format 2, this program reads up to 1"},
		"format 0":          {craft(headerWith(`{"kind":"linear"}`), 12), ErrFormat, "format 0"},
		"other kind":        {craft(headerWith(`{"format":1,"kind":"cnn"}`), 12), ErrFormat, `kind "cnn", this program reads "linear" and "mlp"`},
		"wrong classes":     {craft(headerWith(`{"format":1,"kind":"linear","classes":["a","b"]}`), 12), ErrFormat, "fc.weight is F32 [1 2], want F32 [2 2]"},
		"twice a class":     {craft(strings.NewReplacer("[1,2]", "[2,1]", "[1]", "[2]", "8,12", "8,16").Replace(headerWith(`{"format":1,"kind":"linear","classes":["a","a"]}`)), 16), ErrFormat, `class "a" is there twice`},
		"no classes":        {craft(strings.NewReplacer("[1,2]", "[0,2]", "0,8", "0,0", "[1]", "[0]", "8,12", "0,0").Replace(headerWith(`{"format":1,"kind":"linear"}`)), 0), ErrFormat, "there are no classes"},
		"missing tensor":    {craft(swap("fc.weight", "weight"), 12), ErrFormat, "no tensor fc.weight"},
		"missing bias":      {craft(swap("fc.bias", "bias"), 12), ErrFormat, "no tensor fc.bias"},
		"other dtype":       {craft(swap(`F32","shape":[1]`, `I32","shape":[1]`), 12), ErrFormat, "fc.bias is I32 [1], want F32 [1]"},
		"weight of rank 1":  {craft(swap("[1,2]", "[2]"), 12), ErrFormat, "fc.weight is F32 [2]"},
		"hole in the data":  {craft(strings.Replace(headerWith(good), "8,12", "9,13", 1), 13), ErrFormat, ""},
		"unknown input":     {craft(headerWith(`{"format":1,"kind":"linear","classes":["a"],"input":"log"}`), 12), ErrFormat, `unknown input "log"`},
		"not finite":        {append(craft(headerWith(good), 8), 0, 0, 0x80, 0x7f), ErrFormat, "not finite"},
		"one tensor more":   {craft(strings.Replace(headerWith(good), `"fc.bias"`, `"x":{"dtype":"F32","shape":[0],"data_offsets":[8,8]},"fc.bias"`, 1), 12), ErrFormat, "3 tensors"},
		"overflowing shape": {craft(swap("[1,2]", "[4294967296,4294967296]"), 12), ErrFormat, ""},
	} {
		_, err := DecodeHead(c.data)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want %v saying %q", name, err, c.want, c.says)
		}
	}
}

func TestHeadFileErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "none.safetensors")
	if _, err := LoadHead(missing); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := LoadHead(dir); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), dir) {
		t.Errorf("directory: %v", err)
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("not a head at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadHead(text); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), text) {
		t.Errorf("text file: %v", err)
	}
	if err := smallHead().Save(filepath.Join(dir, "no", "such", "folder")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("saved into a missing folder: %v", err)
	}
	bad := smallHead()
	bad.Classes[0] = "\xff"
	if err := bad.Save(filepath.Join(dir, "bad")); !errors.Is(err, ErrFormat) {
		t.Errorf("saved a class name that JSON would change: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "bad")); err == nil {
		t.Error("a refused head left a file")
	}
}

// What stands at the target stays when it cannot be replaced, and no temporary
// file stays behind.
func TestFailedSaveLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "head")
	if err := os.MkdirAll(filepath.Join(target, "occupied"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := smallHead().Save(target); err == nil {
		t.Fatal("a folder was replaced by a file")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d entries are left, error %v", len(entries), err)
	}
}

func FuzzDecodeHead(f *testing.F) {
	good, err := smallHead().encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	mlp, err := smallMLP(3, 4, 2).encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(mlp)
	f.Add(good[:len(good)-1])
	f.Add(craft(headerWith(`{"format":1,"kind":"linear","classes":["a"]}`), 12))
	f.Add(craft(headerWith(`{"format":9}`), 12))
	f.Add(craft(`{}`, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := DecodeHead(data)
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrNewer) {
				t.Errorf("error without class: %v", err)
			}
			return
		}
		again, err := h.encode()
		if err != nil {
			t.Fatalf("a head that loads does not save: %v", err)
		}
		if got, err := DecodeHead(again); err != nil || !sameHead(got, h) {
			t.Errorf("a head that loads does not come back: %v", err)
		}
		h.Predict(make([]float32, h.Dim), 1)
	})
}

func TestCheckNamesBothFingerprints(t *testing.T) {
	h := smallHead()
	if err := h.Check(h.Fingerprint, h.Dim); err != nil {
		t.Errorf("its own features are refused: %v", err)
	}
	err := h.Check("resnet18:def", 2)
	if !errors.Is(err, ErrFingerprint) || !strings.Contains(err.Error(), "resnet18:abc") || !strings.Contains(err.Error(), "resnet18:def") {
		t.Errorf("other features: %v", err)
	}
	if err := h.Check(h.Fingerprint, 3); !errors.Is(err, ErrFingerprint) {
		t.Errorf("other dimension: %v", err)
	}
}

func TestLogitsAreWeightsTimesFeaturesPlusBias(t *testing.T) {
	h := fitOne(t, Job{Train: clusters(60, 33, 19, 1)}, Options{Epochs: 1}).Head
	const n = 2*kernel.Block + 5
	d := clusters(n, 33, 19, 2)
	k := len(h.Classes)
	all := make([]float32, n*k)
	h.Logits(all, d.X, n)
	for r := range n {
		one := make([]float32, k)
		h.Logits(one, d.Row(r), 1)
		if !testkit.SameBits(one, all[r*k:(r+1)*k]) {
			t.Fatalf("row %d has other logits alone than among others", r)
		}
		for c := range k {
			want := float64(h.B[c])
			for j, v := range d.Row(r) {
				want += float64(h.W[c*h.Dim+j]) * float64(v)
			}
			if !(math.Abs(float64(one[c])-want) <= 1e-5*max(1, math.Abs(want))) {
				t.Fatalf("logit of row %d, class %d is %v, want %v", r, c, one[c], want)
			}
		}
	}
}

func TestProbabilitiesAreASoftmax(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		z := rapid.SliceOfN(rapid.Float32Range(-40, 40), 1, 50).Draw(rt, "logits")
		h := &Head{Classes: testkit.Names(len(z)), Dim: 1, W: z, B: make([]float32, len(z))}
		sum := 0.0
		for _, v := range z {
			sum += math.Exp(float64(v))
		}
		for _, p := range h.Predict([]float32{1}, len(z)) {
			if want := math.Exp(float64(z[p.Index])) / sum; !(math.Abs(p.Probability-want) <= 1e-6) {
				rt.Fatalf("probability %d is %v, want %v", p.Index, p.Probability, want)
			}
		}
	})
}

func TestPredictionsAreSortedAndStable(t *testing.T) {
	ln3 := float32(math.Log(3))
	h := &Head{Classes: []string{"a", "b", "c", "d"}, Dim: 1, W: []float32{0, ln3, 0, ln3}, B: make([]float32, 4)}
	got := h.Predict([]float32{1}, 3)
	want := []Prediction{{"b", 1, 0.375}, {"d", 3, 0.375}, {"a", 0, 0.125}}
	if d := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-7)); d != "" {
		t.Error(d)
	}
	if n := len(h.Predict([]float32{1}, 9)); n != 4 {
		t.Errorf("asked for 9 of 4 classes, got %d", n)
	}
	if n := len(h.Predict([]float32{1}, -1)); n != 0 {
		t.Errorf("asked for -1 classes, got %d", n)
	}
}

func TestUnknownIsUnderTheThreshold(t *testing.T) {
	h := &Head{Classes: testkit.Names(2), Dim: 1, W: []float32{0, float32(math.Log(3))}, B: make([]float32, 2), Threshold: 0.7}
	if h.Unknown(h.Predict([]float32{1}, 1)) {
		t.Error("0.75 is not under 0.7")
	}
	h.Temperature = 2 // √3 to 1
	if !h.Unknown(h.Predict([]float32{1}, 1)) {
		t.Error("0.634 is under 0.7")
	}
}
