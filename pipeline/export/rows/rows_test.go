package rows

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// table has three rows in two blocks: one has no label, and one a name that is no text.
func table() *Table {
	return &Table{
		Name: "in\"sects", Dim: 4, Classes: []string{"ant", "bee"},
		Rows: []Row{
			{Path: "ant/1.jpg", Class: "ant", Label: 0, Split: "train", SHA256: [32]byte{1}},
			{Path: "a\tb,\xff.jpg", Label: -1, Split: "none"},
			{Path: "bee/2.jpg", Class: "bee", Label: 1, Split: "test"},
		},
		Blocks: func(yield func([]float32, error) bool) {
			if yield([]float32{0, 0.1, -2, 3e-20, 1, 2, 3, 4}, nil) {
				yield([]float32{5, 6, 7, 8}, nil)
			}
		},
	}
}

var values = []float32{0, 0.1, -2, 3e-20, 1, 2, 3, 4, 5, 6, 7, 8}

// written are the files of a table, by name.
func written(t *testing.T, table *Table, format string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, f := range table.Files(format) {
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		if err := errors.Join(f.Write(w), w.Flush()); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		all[f.Name] = out.Bytes()
	}
	return all
}

func floats(data []byte) (all []float32) {
	for ; len(data) > 0; data = data[4:] {
		all = append(all, math.Float32frombits(binary.LittleEndian.Uint32(data)))
	}
	return all
}

func TestArrays(t *testing.T) {
	all := written(t, table(), "npy")
	if got := all["features.npy"]; !bytes.Contains(got[:128], []byte("(3, 4)")) || !slices.Equal(floats(got[128:]), values) {
		t.Errorf("features: %q", got)
	}
	if got := all["labels.npy"][128:]; int64(binary.LittleEndian.Uint64(got[8:])) != -1 || got[16] != 1 || len(got) != 24 {
		t.Errorf("labels: %v", got)
	}
	if got := string(all["index.csv"]); !strings.HasPrefix(got, "row,path,label,split,sha256\n0,ant/1.jpg,ant,train,01000000") {
		t.Errorf("index: %s", got)
	}
	data := written(t, table(), "npz")["features.npz"]
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"features": "(3, 4)", "labels": "'<i8'", "classes": "'<U3'", "paths": "'<U9'", "splits": "(3,)", "sha256": "'<U64'"} {
		f, err := z.Open(name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(f)
		if err != nil || !bytes.Contains(text[:128], []byte(want)) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

func TestSafetensorsAreWhole(t *testing.T) {
	data := written(t, table(), "safetensors")["features.safetensors"]
	n := binary.LittleEndian.Uint64(data)
	var header map[string]struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets []int  `json:"data_offsets"`
	}
	var meta struct {
		Metadata map[string]string `json:"__metadata__"`
	}
	body := data[8+n:]
	if err := json.Unmarshal(data[8:8+n], &meta); err != nil || meta.Metadata["classes"] != `["ant","bee"]` || n%8 != 0 {
		t.Errorf("%v, %v", meta, err)
	}
	if err := json.Unmarshal(bytes.Replace(data[8:8+n], []byte(`"__metadata__"`), []byte(`"x"`), 1), &header); err != nil {
		t.Fatal(err)
	}
	f, l := header["features"], header["labels"]
	if f.DType != "F32" || !slices.Equal(f.Shape, []int{3, 4}) || f.Offsets[1] != len(body) || !slices.Equal(floats(body[f.Offsets[0]:]), values) {
		t.Errorf("features: %+v", f)
	}
	if l.DType != "I64" || !slices.Equal(l.Offsets, []int{0, 24}) {
		t.Errorf("labels: %+v", l)
	}
}

func TestTextComesBackAsTheSameNumbers(t *testing.T) {
	lines, err := csv.NewReader(bytes.NewReader(written(t, table(), "csv")["features.csv"])).ReadAll()
	if err != nil || len(lines) != 4 || strings.Join(lines[0], ",") != "path,label,split,sha256,f0,f1,f2,f3" || lines[2][0] != table().Rows[1].Path || lines[2][1] != "" {
		t.Fatalf("%v, %v", lines, err)
	}
	var got []float32
	for _, line := range lines[1:] {
		for _, s := range line[4:] {
			v, err := strconv.ParseFloat(s, 32)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, float32(v))
		}
	}
	if !slices.Equal(got, values) {
		t.Errorf("%v", got)
	}
}

func TestProjector(t *testing.T) {
	all := written(t, table(), "projector")
	if got := string(all["tensors.tsv"]); got != "0\t0.1\t-2\t3e-20\n1\t2\t3\t4\n5\t6\t7\t8\n" {
		t.Errorf("tensors: %q", got)
	}
	if got := string(all["metadata.tsv"]); got != "label\tpath\tsplit\nant\tant/1.jpg\ttrain\n\ta b,\xff.jpg\tnone\nbee\tbee/2.jpg\ttest\n" {
		t.Errorf("metadata: %q", got)
	}
	if got := string(all["projector_config.pbtxt"]); len(all) != 3 || strings.Contains(got, "sprite") || !strings.Contains(got, `tensor_name: "in\"sects"`) {
		t.Errorf("%d files: %s", len(all), got)
	}
	pictured := table()
	pictured.Picture = func(row int) []byte {
		if row != 2 {
			return nil
		}
		img := image.NewNRGBA(image.Rect(0, 0, 96, 96))
		for i := range img.Pix {
			img.Pix[i] = 255
		}
		var out bytes.Buffer
		if err := jpeg.Encode(&out, img, nil); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	all = written(t, pictured, "projector")
	img, err := png.Decode(bytes.NewReader(all["sprite.png"]))
	if err != nil || img.Bounds() != image.Rect(0, 0, 192, 192) {
		t.Fatalf("sprite: %v", err)
	}
	if img.At(50, 150) != (color.NRGBA{255, 255, 255, 255}) || img.At(50, 50) != (color.NRGBA{}) {
		t.Errorf("the third picture is not below the first: %v, %v", img.At(50, 150), img.At(50, 50))
	}
	if got := string(all["projector_config.pbtxt"]); strings.Count(got, "single_image_dim: 96") != 2 {
		t.Errorf("%s", got)
	}
	for n, want := range map[int][2]int{1: {1, 96}, 5: {3, 96}, 10000: {100, 81}, 1 << 20: {1024, 8}, 1<<20 + 1: {1025, 0}} {
		pictured.Rows = make([]Row, n)
		if across, side := pictured.sprite(); across != want[0] || side != want[1] {
			t.Errorf("%d pictures: %d across, %d wide, want %v", n, across, side, want)
		}
	}
}

func TestFaultsOfRowsAreReturned(t *testing.T) {
	fault := errors.New("gone")
	for _, format := range Formats() {
		broken := table()
		broken.Blocks = func(yield func([]float32, error) bool) {
			if yield([]float32{1, 2, 3, 4}, nil) {
				yield(nil, fault)
			}
		}
		var errs []error
		for _, f := range broken.Files(format) {
			errs = append(errs, f.Write(bufio.NewWriter(io.Discard)))
		}
		if !errors.Is(errors.Join(errs...), fault) {
			t.Errorf("%s: %v", format, errs)
		}
	}
	if err := Check("xlsx"); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "csv, npy, npz") || Check("npy") != nil {
		t.Errorf("%v", err)
	}
	if !reflect.DeepEqual(Formats()[:3], []string{"csv", "npy", "npz"}) {
		t.Error(fmt.Sprint(Formats()))
	}
}
