package weights

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestOpenGivesTheTensorsOfTheFile(t *testing.T) {
	want := Random(0)
	path := randomFile(t)
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := s.Source(); got != (Source{Kind: KindFile, Path: path, Format: FormatSafetensors}) {
		t.Errorf("source is %+v", got)
	}
	if s.Hash() != want.Hash() {
		t.Errorf("hash is %s, want %s", s.Hash(), want.Hash())
	}
	for _, p := range Params() {
		n, _ := elements(p.Shape)
		if got := s.Tensor(p.Name); len(got) != n || !slices.Equal(got, want.Tensor(p.Name)) {
			t.Errorf("%s: other values", p.Name)
		}
	}
}

// open takes tensors through every check that Open makes.
func open(tensors []tensor) (*Set, error) {
	f := &file{path: "memory", format: FormatPTH, unmap: func() error { return nil }, tensors: tensors}
	return f.set()
}

// Hash of tensors, computed from its description and not from its code.
func describedHash(tensors []tensor) string {
	var b bytes.Buffer
	number := func(n int) { b.Write(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	sorted := slices.SortedFunc(slices.Values(tensors), func(a, b tensor) int { return strings.Compare(a.name, b.name) })
	for _, v := range sorted {
		number(len(v.name))
		b.WriteString(v.name)
		number(len(v.shape))
		for _, d := range v.shape {
			number(d)
		}
		b.Write(v.bytes())
	}
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:])
}

func TestHashIsAsDescribed(t *testing.T) {
	s, err := open(with(func(map[string]*tensor) {}))
	if err != nil {
		t.Fatal(err)
	}
	if want := describedHash(resnetTensors()); s.Hash() != want || want != Random(0).Hash() {
		t.Errorf("hash is %s, described is %s", s.Hash(), want)
	}
}

func TestHashIgnoresHeadCountersOrderAndStrides(t *testing.T) {
	var permuted *tensor
	s, err := open(with(func(m map[string]*tensor) {
		fc := float32Tensor("fc.weight", []int{1, 3}, 1, 2, float32(math.NaN()))
		m["fc.weight"] = &fc
		m["bn1.num_batches_tracked"] = &tensor{name: "bn1.num_batches_tracked", dtype: int64Type, storage: make([]byte, 8)}
		permuted = channelsLast(*m["layer1.0.conv1.weight"])
		m["layer1.0.conv1.weight"] = permuted
	}))
	if err != nil {
		t.Fatal(err)
	}
	if permuted.strides == nil {
		t.Fatal("the permuted tensor has no strides: this test proves nothing about them")
	}
	if s.Hash() != Random(0).Hash() {
		t.Errorf("hash is %s, want %s", s.Hash(), Random(0).Hash())
	}
}

// channelsLast stores an O×I×H×W tensor as O×H×W×I.
func channelsLast(v tensor) *tensor {
	o, i, h, w := v.shape[0], v.shape[1], v.shape[2], v.shape[3]
	moved := make([]byte, len(v.storage))
	strides := []int{h * w * i, 1, w * i, i}
	at := 0
	for a := range o {
		for b := range i {
			for c := range h {
				for d := range w {
					to := a*strides[0] + b*strides[1] + c*strides[2] + d*strides[3]
					copy(moved[4*to:], v.storage[at:at+4])
					at += 4
				}
			}
		}
	}
	out, err := tensor{v.name, v.dtype, v.shape, moved, 0, strides}.view()
	if err != nil {
		panic(err)
	}
	return &out
}

func TestHashChangesWithAnyBit(t *testing.T) {
	small := smallTensors()[:1]
	seen := map[string]string{hashTensors(small): "unchanged"}
	note := func(what string, v tensor) {
		h := hashTensors([]tensor{v})
		if seen[h] != "" {
			t.Errorf("%s has the hash of %s", what, seen[h])
		}
		seen[h] = what
	}
	for i := range small[0].storage {
		v := small[0]
		v.storage = slices.Clone(v.storage)
		v.storage[i] ^= 1
		note("another value", v)
	}
	v := small[0]
	v.name = "c"
	note("another name", v)
	v = small[0]
	v.shape = []int{4}
	note("another shape", v)
}

func TestFaultsAreAllNamed(t *testing.T) {
	bad := with(func(m map[string]*tensor) {
		delete(m, "bn1.bias")
		m["conv1.weight"].shape = []int{64, 3, 49}
		m["bn1.weight"].dtype = "F16"
		m["layer1.0.conv_1.weight"] = m["layer1.0.conv1.weight"]
		delete(m, "layer1.0.conv1.weight")
		m["layer1.0.conv_1.weight"].name = "layer1.0.conv_1.weight"
		nan := float32Tensor("layer1.0.bn1.bias", []int{64}, append(make([]float32, 63), float32(math.NaN()))...)
		m[nan.name] = &nan
		negative := float32Tensor("layer1.0.bn1.running_var", []int{64}, append(make([]float32, 63), -1e-5)...)
		m[negative.name] = &negative
	})
	_, err := open(bad)
	if !errors.Is(err, ErrMismatch) {
		t.Fatalf("got %v, want ErrMismatch", err)
	}
	for _, words := range []string{
		"bn1.bias is missing",
		"conv1.weight has shape [64 3 49], not [64 3 7 7]",
		"bn1.weight has dtype F16, not F32: convert",
		"layer1.0.conv1.weight is missing (is it layer1.0.conv_1.weight?)",
		"layer1.0.conv_1.weight is not a tensor of resnet18",
		"layer1.0.bn1.bias holds NaN or infinity",
		"layer1.0.bn1.running_var[63] is -1e-05",
	} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q is not in: %v", words, err)
		}
	}
	if n := strings.Count(err.Error(), ";"); n != 6 {
		t.Errorf("%d separators, want 6: %v", n, err)
	}
}

func TestLongListsOfFaultsAreCut(t *testing.T) {
	_, err := open(smallTensors())
	if !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "and 94 more") {
		t.Errorf("got %v, want 10 of 104 faults", err) // 100 missing, 4 unknown
	}
}

// The smallest variance that folding of batch norm leaves behind is accepted.
func TestVarianceDownToMinusEpsilonIsAccepted(t *testing.T) {
	for v, want := range map[float32]bool{0: true, 1 - 1e-5: true, -0.9e-5: true, -1e-5: false, -1: false} {
		var f faults
		f.checkValues([]tensor{float32Tensor("bn1.running_var", []int{2}, 1, v)})
		if f.none() != want {
			t.Errorf("variance %g: accepted is %v", v, f.none())
		}
	}
}

func TestFiniteIsMathFinite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.OneOf(
			rapid.Float32(),
			rapid.Map(rapid.Uint32(), math.Float32frombits),
			rapid.SampledFrom([]float32{0, math.MaxFloat32, -math.MaxFloat32}),
		), 0, 40).Draw(t, "values")
		if rapid.Bool().Draw(t, "only finite") {
			values = slices.DeleteFunc(values, notFinite)
		}
		want := !slices.ContainsFunc(values, notFinite)
		if got := finite(float32Tensor("", nil, values...).storage); got != want {
			t.Fatalf("finite is %v for %v", got, values)
		}
	})
}

func notFinite(v float32) bool { return v-v != 0 }

func TestRandomHasPinnedHashes(t *testing.T) {
	for seed, want := range map[uint64]string{
		0: "a29a41b17a6246450fcbac5cdd178fabb7a7a8778a540ad42113cd15b1dbf4ac",
		1: "6b83cf5c9db3fbddebaa481e02bfe14445ada7865145b3de2548e12de21d9856",
	} {
		s := Random(seed)
		if s.Hash() != want {
			t.Errorf("seed %d has the hash %s, want %s", seed, s.Hash(), want)
		}
		if got := s.Source(); got != (Source{Kind: KindRandom, Seed: seed}) {
			t.Errorf("seed %d: source is %+v", seed, got)
		}
		if _, err := open(slices.Clone(s.tensors)); err != nil {
			t.Errorf("seed %d does not pass the checks of a file: %v", seed, err)
		}
	}
}

func TestHeBitsAreTheExactQuotient(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.Uint32().Draw(t, "w")
		bound := rapid.Uint64Range(0, 1<<24-1).Draw(t, "bound")
		m := uint64(w&^(1<<31)) * bound >> 31
		want := math.Ldexp(float64(m), -24)
		if w>>31 == 1 {
			want = -want
		}
		got := math.Float32frombits(heBits(w, bound))
		if float64(got) != want || math.Signbit(float64(got)) != (w>>31 == 1) {
			t.Fatalf("got %g, want %g", got, want)
		}
	})
}

func TestRandomIsHeUniform(t *testing.T) {
	s := Random(7)
	for _, p := range Params() {
		if len(p.Shape) != 4 {
			continue
		}
		bound := math.Sqrt(6 / float64(p.Shape[1]*p.Shape[2]*p.Shape[3]))
		var sum, squares, largest float64
		for _, v := range s.Tensor(p.Name) {
			sum += float64(v)
			squares += float64(v) * float64(v)
			largest = max(largest, math.Abs(float64(v)))
		}
		n := float64(len(s.Tensor(p.Name)))
		sigma := bound / math.Sqrt(3)
		// 6 standard errors of the mean and of the variance of a uniform variable.
		if math.Abs(sum/n) > 6*sigma/math.Sqrt(n) || math.Abs(squares/n/(sigma*sigma)-1) > 6*math.Sqrt(0.8/n) {
			t.Errorf("%s: mean %g, variance %g, bound %g", p.Name, sum/n, squares/n, bound)
		}
		if largest > bound || largest < 0.99*bound {
			t.Errorf("%s: largest is %g of %g", p.Name, largest, bound)
		}
	}
}

func TestSqrtIsFloor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(0, 1<<62).Draw(t, "n")
		if r := sqrt(n); r*r > n || (r+1)*(r+1) <= n {
			t.Fatalf("sqrt(%d) is %d", n, r)
		}
	})
}

func TestUnknownNamePanics(t *testing.T) {
	s, err := open(slices.Clone(resnetTensors()))
	if err != nil {
		t.Fatal(err)
	}
	closed := *s
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	for name, f := range map[string]func(){
		"unknown name": func() { s.Tensor("conv2.weight") },
		"after Close":  func() { closed.Tensor("conv1.weight") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pth")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(dir, "large.pth")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, maxFile+1); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		filepath.Join(dir, "none"): fs.ErrNotExist,
		dir:                        ErrFormat,
		empty:                      ErrFormat,
		large:                      ErrFormat,
	} {
		if _, err := Open(path); !errors.Is(err, want) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want %v and the path", err, want)
		}
	}
}

func TestConvertKeepsHashHeadAndCounters(t *testing.T) {
	dir := t.TempDir()
	tensors := with(func(m map[string]*tensor) {
		fc := float32Tensor("fc.weight", []int{2, 2}, 1, 2, 3, 4)
		m[fc.name] = &fc
		m["bn1.num_batches_tracked"] = &tensor{name: "bn1.num_batches_tracked", dtype: int64Type, shape: []int{}, storage: make([]byte, 8)}
	})
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := writeNew(path("a.pth"), tensors, encodePTH); err != nil {
		t.Fatal(err)
	}
	for _, step := range [][2]string{{"a.pth", "b.safetensors"}, {"b.safetensors", "c.pth"}} {
		if err := Convert(path(step[0]), path(step[1])); err != nil {
			t.Fatal(err)
		}
	}
	want := dump(tensors)
	for _, name := range []string{"a.pth", "b.safetensors", "c.pth"} {
		f, err := openFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		if got := dump(f.tensors); !maps.EqualFunc(want, got, func(a, b dumped) bool { return a.Hex == b.Hex && a.DType == b.DType && slices.Equal(a.Shape, b.Shape) }) {
			t.Errorf("%s: other tensors", name)
		}
		f.close()
		info, err := Inspect(path(name))
		if err != nil || info.Hash != Random(0).Hash() || info.Classes != 2 || info.Problem != "" || len(info.Tensors) != 102 {
			t.Errorf("%s: %d tensors, %d classes, hash %s, problem %q, error %v", name, len(info.Tensors), info.Classes, info.Hash, info.Problem, err)
		}
		data, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(data); info.SHA256 != hex.EncodeToString(sum[:]) || info.Bytes != int64(len(data)) {
			t.Errorf("%s: SHA-256 %s of %d bytes", name, info.SHA256, info.Bytes)
		}
	}
}

func TestConvertLeavesNothingWhenItFails(t *testing.T) {
	dir := t.TempDir()
	src := filepath.Join(dir, "src.pth")
	if err := os.WriteFile(src, encoded(t, encodePTH, smallTensors()), 0o600); err != nil {
		t.Fatal(err)
	}
	there := filepath.Join(dir, "there.pth")
	if err := os.WriteFile(there, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	real := randomFile(t)
	for _, c := range []struct {
		src, dst string
		want     error
		words    string
	}{
		{src, filepath.Join(dir, "new.safetensors"), ErrMismatch, "src.pth"},
		{src, filepath.Join(dir, "new.onnx"), nil, "use .pth or .safetensors"},
		{real, there, fs.ErrExist, "not overwritten"},
		{real, filepath.Join(dir, "none", "new.pth"), fs.ErrNotExist, "new.pth"},
	} {
		err := Convert(c.src, c.dst)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("to %s: got %v, want %v with %q", c.dst, err, c.want, c.words)
		}
	}
	full := errors.New("disk full")
	err := writeNew(filepath.Join(dir, "full.pth"), smallTensors(), func(w io.Writer, tensors []tensor) error {
		return errors.Join(encodePTH(w, tensors), full)
	})
	if !errors.Is(err, full) {
		t.Errorf("got %v, want the writer's error", err)
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 2 {
		t.Errorf("%d files in the folder, want the 2 that were there (%v)", len(list), err)
	}
	if data, _ := os.ReadFile(there); string(data) != "mine" {
		t.Error("a file was overwritten")
	}
}

func TestSetsAreWrittenInBothFormats(t *testing.T) {
	dir := t.TempDir()
	set := Random(3)
	for name, write := range map[string]func(string, *Set) error{"a.pth": WritePTH, "a.safetensors": WriteSafetensors} {
		path := filepath.Join(dir, name)
		if err := write(path, set); err != nil {
			t.Fatal(err)
		}
		again, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if again.Hash() != set.Hash() {
			t.Errorf("%s: hash %s, want %s", name, again.Hash(), set.Hash())
		}
		again.Close()
	}
}

func TestInspectDescribesOtherNetworks(t *testing.T) {
	info, err := Inspect(filepath.Join("testdata", "good", "plain.pth"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Hash != "" || !strings.Contains(info.Problem, "missing") || len(info.Tensors) != 9 || info.Values != 24+5+1+0+3+3+3+2+3 {
		t.Errorf("%+v", info)
	}
	if _, err := Inspect(filepath.Join("testdata", "bad", "evil.pth")); !errors.Is(err, ErrUnsafePickle) {
		t.Errorf("got %v, want ErrUnsafePickle", err)
	}
}

// This is the hash of the file that icebox is developed with, as PyTorch reads it.
func TestHashOfRealFile(t *testing.T) {
	dir := os.Getenv("ICEBOX_TEST_DATA")
	if dir == "" {
		t.Skip("ICEBOX_TEST_DATA names no folder with resnet18-partial.pth")
	}
	s, err := Open(filepath.Join(dir, "resnet18-partial.pth"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if want := "0c5250b28135ff8bdd0c2b52150fa7de1f4c5671be719a16119855bedbf7efab"; s.Hash() != want {
		t.Errorf("hash is %s, want %s", s.Hash(), want)
	}
}
