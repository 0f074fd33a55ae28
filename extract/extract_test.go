package extract

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// encoded draws n small pictures, JPEG and PNG in turn.
func encoded(t testing.TB, n int) [][]byte {
	t.Helper()
	var images [][]byte
	for i := range n {
		rng := rand.New(rand.NewPCG(uint64(i), 9))
		img := image.NewNRGBA(image.Rect(0, 0, 50+rng.IntN(300), 50+rng.IntN(300)))
		fx, fy := rng.Float64()/8, rng.Float64()/8
		for y := range img.Rect.Dy() {
			for x := range img.Rect.Dx() {
				wave := 90 * math.Sin(float64(x)*fx+float64(y)*fy)
				img.SetNRGBA(x, y, color.NRGBA{uint8(128 + wave), uint8(100 + wave/2 + float64(rng.IntN(20))), uint8(x), 255})
			}
		}
		var buf bytes.Buffer
		var err error
		if i%2 == 0 {
			err = jpeg.Encode(&buf, img, nil)
		} else {
			err = png.Encode(&buf, img)
		}
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, buf.Bytes())
	}
	return images
}

func open(t testing.TB, o Options) *Extractor {
	t.Helper()
	if o.Weights == "" {
		o.Weights = Random
	}
	x, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func features(t testing.TB, x *Extractor, images [][]byte) []float32 {
	t.Helper()
	rows, errs := make([]float32, len(images)*Dim), make([]error, len(images))
	if err := errors.Join(append(errs, x.Extract(context.Background(), images, rows, errs))...); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestFeatureDoesNotDependOnItsBatch(t *testing.T) {
	x := open(t, Options{})
	images := encoded(t, 9)
	whole := features(t, x, images)
	for i, img := range images {
		if one := features(t, x, [][]byte{img}); !slices.Equal(one, whole[i*Dim:(i+1)*Dim]) {
			t.Errorf("image %d alone has other bits", i)
		}
	}
	for _, v := range whole {
		if !(v >= 0) || math.IsInf(float64(v), 0) {
			t.Fatalf("a mean of rectified values is %v", v)
		}
	}
}

func TestManyGoroutinesMayExtract(t *testing.T) {
	x := open(t, Options{})
	images := encoded(t, 6)
	want := features(t, x, images)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			rows, errs := make([]float32, len(want)), make([]error, len(images))
			if err := x.Extract(context.Background(), images, rows, errs); err != nil || !slices.Equal(rows, want) {
				t.Errorf("other bits, %v", err)
			}
		})
	}
	wg.Wait()
}

func TestInstructionSetsGiveEqualBits(t *testing.T) {
	images := encoded(t, 4)
	want := features(t, open(t, Options{}), images)
	for _, isa := range []string{"avx2", "avx512"} {
		x := open(t, Options{ISA: isa})
		if _, err := x.Engine(); err != nil {
			t.Logf("%s does not run here: %v", isa, err)
			continue
		}
		if got := features(t, x, images); !slices.Equal(got, want) {
			t.Errorf("%s gives other bits than %s", isa, NativeISA())
		}
	}
	if raceEnabled {
		t.Skip("skipped: plain Go takes minutes under the race detector")
	}
	portable := features(t, open(t, Options{ISA: Portable}), images[:2])
	for i := range 2 {
		cosine, maxAbs := compare(portable[i*Dim:(i+1)*Dim], want[i*Dim:(i+1)*Dim])
		if cosine < 0.999999 || maxAbs > 1e-3 {
			t.Errorf("portable: cosine %v, largest difference %v", cosine, maxAbs)
		}
	}
}

func TestBadImageSpoilsNoOther(t *testing.T) {
	x := open(t, Options{})
	images := encoded(t, 3)
	want := features(t, x, images)
	mixed := [][]byte{images[0], []byte("text, not an image"), images[1], {}, images[2][:len(images[2])/3]}
	rows, errs := make([]float32, len(mixed)*Dim), make([]error, len(mixed))
	if err := x.Extract(context.Background(), mixed, rows, errs); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(rows[:Dim], want[:Dim]) || !slices.Equal(rows[2*Dim:3*Dim], want[Dim:2*Dim]) {
		t.Error("good images have other features beside bad ones")
	}
	for i, class := range map[int]error{0: nil, 1: ErrImageFormat, 2: nil, 3: ErrImageEmpty, 4: ErrImageTruncated} {
		if !errors.Is(errs[i], class) {
			t.Errorf("image %d: %v, want %v", i, errs[i], class)
		}
		if errs[i] != nil && strings.Contains(errs[i].Error(), "\n") {
			t.Errorf("image %d: reason of several lines: %q", i, errs[i])
		}
	}
}

// With another ID every cache misses: it must never change by accident.
func TestSpaceIDsArePinnedAndDiffer(t *testing.T) {
	base := open(t, Options{}).Fingerprint()
	const pinned = "a9b46e62be556033c6b440be25c845e1d1340a629e833f0f39d970925eecdca8"
	if id := base.ID("float32"); id != pinned {
		t.Errorf("the space of random:0 is %s, was %s", id, pinned)
	}
	ids := []string{base.ID("float32"), base.ID("float16"), open(t, Options{Weights: "random:1"}).Fingerprint().ID("float32"),
		open(t, Options{IgnoreEXIF: true}).Fingerprint().ID("float32")}
	for _, o := range []Options{{Fit: Squash}, {Fit: Pad}, {Fit: Pad, Background: "black"}, {Background: "black"}, {Background: "#12ab9f"}, {Truncated: Accept}} {
		ids = append(ids, open(t, o).Fingerprint().ID("float32"))
	}
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n != 10 {
		t.Errorf("%d different spaces of 10", n)
	}
	for _, same := range [][2]Options{{{}, {Fit: Crop, Truncated: Refuse}}, {{Background: "white"}, {Background: "#FFFFFF"}}} {
		if a, b := open(t, same[0]).Fingerprint(), open(t, same[1]).Fingerprint(); a != b {
			t.Errorf("%+v has another fingerprint than %+v", a, b)
		}
	}
}

func TestTraitsTellWhatImagesAre(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: it wants the real backbone, which takes minutes under the race detector")
	}
	x := open(t, Options{Truncated: Accept})
	plain := encoded(t, 1)[0]
	images := [][]byte{plain, pngOf(t, image.NewNRGBA(image.Rect(0, 0, 9, 20))), {}, pngOf(t, image.NewGray16(image.Rect(0, 0, 8, 4))), plain[:len(plain)-9]}
	errs, traits := make([]error, 5), make([]Traits, 5)
	for i, data := range images {
		traits[i], errs[i] = x.Preprocess(context.Background(), make([]uint8, PixelBytes), data)
		traits[i].Measures = Measures{}
	}
	if want := []Traits{{}, {Alpha: true, Elongated: true}, {}, {Grey16: true}, {Truncated: true}}; !slices.Equal(traits, want) {
		t.Errorf("%+v, want %+v (%v)", traits, want, errs)
	}
}

func pngOf(t *testing.T, img image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGatePassesASoundEngineAndStopsABrokenOne(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: the reference takes minutes under the race detector")
	}
	ctx := context.Background()
	x := open(t, Options{})
	v, err := x.Gate(ctx)
	if err != nil || v.Cosine < 0.99999 || v.Key == "" {
		t.Errorf("native: %+v, %v", v, err)
	}
	broken := EngineSpec{Name: "broken", Numerics: []string{"fp32"}, Open: func(context.Context, Backbone) (Engine, EngineInfo, error) {
		return brokenEngine{}, EngineInfo{Name: "broken", Plan: "none", Numeric: "fp32"}, nil
	}}
	y := open(t, Options{Engine: "broken", Engines: []EngineSpec{broken}})
	_, err = y.Gate(ctx)
	if !errors.Is(err, ErrEnginesDisagree) || !strings.Contains(err.Error(), "cosine") {
		t.Errorf("broken: %v", err)
	}
	var disagree *DisagreeError
	if !errors.As(err, &disagree) || disagree.Engine.Name != "broken" || disagree.Least != 0.99999 || !(disagree.Cosine < disagree.Least) {
		t.Errorf("broken: %+v", disagree)
	}
}

func TestWeightsThatRunOverAreToBlameAndNoEngine(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, features := range [][]float32{{0, inf}, {-inf}, {float32(math.NaN())}, {1, -1e30}} {
		if err := checkReference(features); !errors.Is(err, ErrWeightsMismatch) {
			t.Errorf("%v: %v", features, err)
		}
	}
	if err := checkReference([]float32{0, 3.5, 1e6}); err != nil {
		t.Error(err)
	}
}

// brokenEngine sees nothing but the first pixel.
type brokenEngine struct{}

func (brokenEngine) Forward(_ context.Context, features []float32, pixels []uint8, _ int) error {
	for i := range features {
		features[i] = float32(int(pixels[0]) * i % 17)
	}
	return nil
}

func (brokenEngine) Close() error { return nil }

func TestOptionsReportEveryFault(t *testing.T) {
	err := Options{Weights: "random:x", Engine: "tpu", Device: "tpu", Precision: "int8", ISA: "mmx", Plan: "none", Threads: -1, Fit: "stretch", Truncated: "yes", Background: "grey", MaxPixels: -1}.Validate()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v", err)
	}
	var got []string
	for _, err := range joined.Unwrap() {
		var f Fault
		if !errors.As(err, &f) || f.Error() != f.Field+" "+f.Text {
			t.Errorf("%v is no Fault", err)
		}
		got = append(got, f.Field)
	}
	if want := []string{"Weights", "Engine", "Device", "Precision", "ISA", "Plan", "Threads", "Fit", "Truncated", "Background", "MaxPixels"}; !slices.Equal(got, want) {
		t.Errorf("faults of %v, want %v", got, want)
	}
	for _, want := range []string{"random:", `Engine "tpu"`, "mmx", "MaxPixels (-1) must be ≥ 0"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no fault says %s: %v", want, err)
		}
	}
	if _, err := Open(context.Background(), Options{Engine: "tpu"}); err == nil {
		t.Error("opened an unknown engine")
	}
}

func TestWeightsAreFoundByTheirHash(t *testing.T) {
	path := t.TempDir() + "/w.safetensors"
	x := open(t, Options{Weights: "random:3"})
	if err := x.SaveWeights(path); err != nil {
		t.Fatal(err)
	}
	empty := func(string) string { return "" }
	y, err := Open(context.Background(), Options{WeightsHash: x.Weights().Hash, WeightsHints: []string{path}, Env: empty})
	if err != nil {
		t.Fatal(err)
	}
	defer y.Close()
	if y.Fingerprint() != x.Fingerprint() {
		t.Error("saved weights have another fingerprint")
	}
	if _, err := Open(context.Background(), Options{Weights: path, WeightsHash: strings.Repeat("0", 64)}); !errors.Is(err, ErrWeightsMismatch) {
		t.Errorf("other weights than wanted: %v", err)
	}
}

// Weights are fetched where "auto" finds none, and only where the official ones may be those
// that are looked for.
func TestWeightsAreFetchedWhereThereAreNone(t *testing.T) {
	x := open(t, Options{Weights: "random:3"})
	path, hash := t.TempDir()+"/w.safetensors", x.Weights().Hash
	if err := x.SaveWeights(path); err != nil {
		t.Fatal(err)
	}
	nowhere := t.TempDir()
	env := func(name string) string {
		return map[string]string{"HOME": nowhere, "XDG_CACHE_HOME": nowhere}[name]
	}
	calls := 0
	fetch := func(context.Context) (string, error) { calls++; return path, nil }
	for _, c := range []struct {
		o     Options
		calls int
		err   error
	}{
		{Options{Fetch: fetch}, 1, nil},
		{Options{Weights: path, Fetch: fetch}, 0, nil},
		{Options{Fetch: fetch, WeightsHash: hash, WeightsHints: []string{"/else/resnet18-f37072fd.pth"}}, 1, nil},
		{Options{Fetch: fetch, WeightsHash: hash, WeightsHints: []string{"/else/own.pth"}}, 0, ErrNoWeightsOfHash},
		{Options{Fetch: fetch, WeightsHash: strings.Repeat("0", 64), WeightsHints: []string{"/else/resnet18-f37072fd.pth"}}, 1, ErrWeightsMismatch},
		{Options{Fetch: func(context.Context) (string, error) { return "", ErrNoNetwork }}, 0, ErrNoNetwork},
		{Options{Fetch: func(context.Context) (string, error) { return "", ErrNoNetwork }}, 0, ErrNoWeights},
	} {
		calls, c.o.Env = 0, env
		y, err := Open(context.Background(), c.o)
		if err == nil {
			y.Close()
		}
		if calls != c.calls || !errors.Is(err, c.err) {
			t.Errorf("%+v: %d calls, %v", c.o, calls, err)
		}
	}
}

func BenchmarkExtract(b *testing.B) {
	x := open(b, Options{})
	images := encoded(b, 16)
	rows, errs := make([]float32, len(images)*Dim), make([]error, len(images))
	features(b, x, images)
	b.ReportAllocs()
	for b.Loop() {
		if err := x.Extract(context.Background(), images, rows, errs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(images))/b.Elapsed().Seconds(), "images/s")
}

func TestSingleAgreesWithTheExtractor(t *testing.T) {
	ctx := context.Background()
	images := encoded(t, 3)
	want := features(t, open(t, Options{}), images)
	s, err := OpenSingle(ctx, Options{Weights: Random, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	feature := make([]float32, Dim)
	for i, img := range images {
		if fault, err := s.Feature(ctx, feature, img); fault != nil || err != nil {
			t.Fatal(fault, err)
		}
		if cosine, _ := compare(feature, want[i*Dim:(i+1)*Dim]); !(cosine >= leastCosine["fp32"]) {
			t.Errorf("image %d: cosine %v", i, cosine)
		}
	}
	if fault, err := s.Feature(ctx, feature, []byte("no image")); fault == nil || err != nil {
		t.Errorf("fault %v, error %v", fault, err)
	}
	info, err := s.Engine()
	if err != nil || info.Plan == open(t, Options{}).engineInfo(t).Plan {
		t.Errorf("%+v %v: rows by this plan must not pass for the other's", info, err)
	}
}

// engineInfo opens the engine.
func (x *Extractor) engineInfo(t *testing.T) EngineInfo {
	t.Helper()
	info, err := x.Engine()
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestCompactPlanPassesTheGateUnderItsName(t *testing.T) {
	x := open(t, Options{Plan: "compact"})
	if _, err := x.Gate(context.Background()); err != nil {
		t.Error(err)
	}
	if plan := x.engineInfo(t).Plan; plan != "compact" {
		t.Errorf("plan %q", plan)
	}
	if plan := open(t, Options{Plan: Auto}).engineInfo(t).Plan; plan != "winograd" {
		t.Errorf("auto is plan %q", plan)
	}
	if _, err := Open(context.Background(), Options{Weights: Random, Plan: "small"}); err == nil || !strings.Contains(err.Error(), `Plan "small"`) {
		t.Errorf("%v", err)
	}
}

func TestProfileNamesLayers(t *testing.T) {
	x := open(t, Options{})
	layers, err := x.Profile(context.Background(), make([]float32, Dim), make([]uint8, PixelBytes), 1)
	if err != nil || len(layers) < 20 || layers[0].Name != "stem" || layers[0].Time <= 0 {
		t.Errorf("%v %v", layers, err)
	}
}
