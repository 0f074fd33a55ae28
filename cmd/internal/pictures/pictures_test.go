package pictures

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var past = time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)

// tree reads every file below dir.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func draw(t *testing.T, o Options) map[string]string {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if err := Draw(t.Context(), o, nil); err != nil {
		t.Fatal(err)
	}
	return tree(t, o.Dir)
}

func TestSetHasEveryPartAndClassAndDecodes(t *testing.T) {
	o := Options{Dir: t.TempDir(), PerClass: Counts{Train: 13, Val: 1, Test: 1}, Seed: 3, MTime: past}
	files := draw(t, o)
	if len(files) != o.PerClass.Total() || len(files) != 150 {
		t.Fatalf("%d files, want 150", len(files))
	}
	perFolder, kinds, sizes := map[string]int{}, map[string]int{}, map[image.Point]int{}
	for name, data := range files {
		img, kind, err := image.Decode(strings.NewReader(data))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := map[string]string{".jpg": "jpeg", ".png": "png"}[filepath.Ext(name)]
		if kind != want {
			t.Errorf("%s is %s inside", name, kind)
		}
		size := img.Bounds().Size()
		if min(size.X, size.Y) < 128 || max(size.X, size.Y) > 480 {
			t.Errorf("%s measures %v", name, size)
		}
		perFolder[filepath.Dir(name)]++
		kinds[kind]++
		sizes[size]++
		if fi, err := os.Stat(filepath.Join(o.Dir, name)); err != nil || !fi.ModTime().Equal(past) {
			t.Errorf("%s: modified %v (%v), want %v", name, fi.ModTime(), err, past)
		}
	}
	for _, class := range Classes() {
		got := [3]int{perFolder["train/"+class], perFolder["val/"+class], perFolder["test/"+class]}
		if got != [3]int{13, 1, 1} {
			t.Errorf("%s: %v pictures in train, val, test", class, got)
		}
	}
	if kinds["png"] < 5 || kinds["png"] > 20 {
		t.Errorf("%d PNGs of 150, want a few", kinds["png"])
	}
	if len(sizes) < 100 {
		t.Errorf("only %d differing sizes", len(sizes))
	}
}

func TestPictureDependsOnSeedPartClassAndIndexOnly(t *testing.T) {
	small := draw(t, Options{PerClass: Counts{Train: 1, Val: 1}, Seed: 7})
	large := draw(t, Options{PerClass: Counts{Train: 3, Val: 1, Test: 2}, Seed: 7})
	for name, data := range small {
		if large[name] != data {
			t.Errorf("%s differs in a larger set", name)
		}
	}
	other := draw(t, Options{PerClass: Counts{Train: 1}, Seed: 8})
	contents := map[string]string{}
	for name, data := range large {
		if twin, ok := contents[data]; ok {
			t.Errorf("%s and %s are the same picture", name, twin)
		}
		contents[data] = name
		if other[name] == data {
			t.Errorf("%s is the same for another seed", name)
		}
	}
}

func TestInterruptedDrawGoesOnAndKeepsWhatIsThere(t *testing.T) {
	o := Options{Dir: t.TempDir(), PerClass: Counts{Train: 2}, Seed: 1}
	ctx, cancel := context.WithCancel(t.Context())
	err := Draw(ctx, o, func(done, _ int) {
		if done == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled Draw returned %v", err)
	}
	half := tree(t, o.Dir)
	if len(half) < 3 || len(half) >= o.PerClass.Total() {
		t.Fatalf("%d files after cancelling at 3 of %d", len(half), o.PerClass.Total())
	}
	before := map[string]os.FileInfo{}
	for name := range half {
		before[name], _ = os.Stat(filepath.Join(o.Dir, name))
	}
	if diff := cmp.Diff(draw(t, Options{PerClass: o.PerClass, Seed: 1}), draw(t, o)); diff != "" {
		t.Error("resumed set differs from one drawn at once")
	}
	for name, was := range before {
		if is, err := os.Stat(filepath.Join(o.Dir, name)); err != nil || !os.SameFile(was, is) {
			t.Errorf("%s was drawn again (%v)", name, err)
		}
	}
}

func TestProgressCountsEveryPictureOnce(t *testing.T) {
	o := Options{Dir: t.TempDir(), PerClass: Counts{Val: 2}}
	var seen []int
	err := Draw(t.Context(), o, func(done, total int) {
		if total != 20 {
			t.Errorf("total %d, want 20", total)
		}
		seen = append(seen, done)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != 20 || !slices.IsSorted(seen) || seen[0] != 1 || seen[19] != 20 {
		t.Errorf("progress went %v", seen)
	}
}

func TestDrawReportsEveryFaultOfItsOptions(t *testing.T) {
	err := Draw(t.Context(), Options{PerClass: Counts{Train: -1, Test: -2}}, nil)
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v, want three faults", err)
	}
}

func TestDrawNamesAFolderItCannotMake(t *testing.T) {
	file := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	err := Draw(t.Context(), Options{Dir: file, PerClass: Counts{Train: 1}}, nil)
	if err == nil || !strings.Contains(err.Error(), "taken") {
		t.Errorf("got %v, want an error that names %s", err, file)
	}
}

func TestClassesAreSortedAndDistinct(t *testing.T) {
	names := Classes()
	if len(names) != 10 || !slices.IsSorted(names) || len(slices.Compact(names)) != 10 {
		t.Errorf("classes %v", Classes())
	}
}

// TestFieldsAreDistances checks that a field changes by about the distance walked,
// which the width of its anti-aliased edges depends on.
func TestFieldsAreDistances(t *testing.T) {
	const step = 1e-4
	for n, class := range classes {
		for i := range 50 {
			r := rng{identity{1, "field", n, i}.rand()}
			f := class.figure(r)
			for range 200 {
				x, y := r.in(-1, 1), r.in(-1, 1)
				d := f(x, y)
				if math.Abs(d) > 0.02 {
					continue // only edges are drawn from it
				}
				slope := math.Hypot(f(x+step, y)-d, f(x, y+step)-d) / step
				if slope > 1.45 {
					t.Fatalf("%s: slope %.2f at (%.3f, %.3f)", class.name, slope, x, y)
				}
			}
		}
	}
}

func TestEveryFigureShowsInsideAndOutside(t *testing.T) {
	for n, class := range classes {
		for i := range 50 {
			r := rng{identity{2, "field", n, i}.rand()}
			f := class.figure(r)
			in := 0
			const total = 40 * 40
			for k := range total {
				if f(float64(k%40)/20-1, float64(k/40)/20-1) < 0 {
					in++
				}
			}
			if in < total/20 || in > total*9/10 {
				t.Errorf("%s %d covers %d of %d points", class.name, i, in, total)
			}
		}
	}
}

func TestBlurAndGrainKeepTheMeanColour(t *testing.T) {
	r := rng{identity{seed: 5, part: "x"}.rand()}
	c := newCanvas(200, 150)
	c.fill(paint{from: rgb{0.2, 0.5, 0.7}, to: rgb{0.2, 0.5, 0.7}})
	flat := bytes.Clone(c.image().Pix)
	c.blur()
	if !bytes.Equal(flat, c.image().Pix) {
		t.Error("blur changes a plain canvas")
	}
	c.grain(r, 0.05)
	var sum, squares float64
	for _, p := range c.pix {
		d := float64(p[1] - 0.5)
		sum, squares = sum+d, squares+d*d
	}
	n := float64(len(c.pix))
	if mean, dev := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 0.002 || math.Abs(dev-0.05) > 0.002 {
		t.Errorf("grain of 0.05 has mean %.4f and deviation %.4f", mean, dev)
	}
}

func TestEdgesAreAntiAliased(t *testing.T) {
	c := newCanvas(100, 100)
	white := paint{from: rgb{1, 1, 1}, to: rgb{1, 1, 1}, opacity: 1}
	c.lay(circle(rng{}), place{x: 50, y: 50, size: 30, squash: 1, cos: 1}, white, 1)
	var area float64
	grey := 0
	img := c.image()
	for i := range c.pix {
		v := img.At(i%100, i/100).(color.RGBA).R
		area += float64(v) / 255
		if v > 0 && v < 255 {
			grey++
		}
	}
	if math.Abs(area-math.Pi*900) > 10 {
		t.Errorf("a disc of radius 30 covers %.1f pixels, want %.1f", area, math.Pi*900)
	}
	if grey < 100 || grey > 400 {
		t.Errorf("%d grey pixels along the edge", grey)
	}
}

func BenchmarkDraw(b *testing.B) {
	var out bytes.Buffer
	for i := 1; b.Loop(); i++ {
		out.Reset()
		if err := (identity{1, "train", i % 10, i}).draw().encode(&out); err != nil {
			b.Fatal(err)
		}
	}
}
