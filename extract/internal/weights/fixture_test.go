package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// parse reads a file that is in memory.
func parse(data []byte) (*file, error) {
	f := &file{path: "memory", data: data, unmap: func() error { return nil }}
	if len(data) == 0 {
		return f, malformed("the file is empty")
	}
	return f, guarded(f.parse)
}

func encoded(t testing.TB, encode encoder, tensors []tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b, tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readFixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readJSON(t testing.TB, name string, v any) {
	t.Helper()
	if err := json.Unmarshal(readFixture(t, name), v); err != nil {
		t.Fatal(err)
	}
}

func float32Tensor(name string, shape []int, values ...float32) tensor {
	t := tensor{name: name, dtype: float32Type, shape: shape}
	for _, v := range values {
		t.storage = binary.LittleEndian.AppendUint32(t.storage, math.Float32bits(v))
	}
	return t
}

// smallTensors is a few tensors of several types, row-major.
func smallTensors() []tensor {
	return []tensor{
		float32Tensor("a", []int{2, 2}, 1, 2, 3, 4),
		{name: "n", dtype: int64Type, shape: []int{}, storage: []byte{7, 0, 0, 0, 0, 0, 0, 0}},
		{name: "flags", dtype: "BOOL", shape: []int{3}, storage: []byte{1, 0, 1}},
		float32Tensor("b", []int{3}, 5, 6, 7),
	}
}

// resnetTensors returns the tensors of random weights; to be copied, not changed.
var resnetTensors = sync.OnceValue(func() []tensor { return Random(0).tensors })

// with returns resnet18's tensors after change; the values are shared.
func with(change func(byName map[string]*tensor)) []tensor {
	byName := map[string]*tensor{}
	for _, t := range resnetTensors() {
		byName[t.name] = &t
	}
	change(byName)
	var out []tensor
	for _, t := range byName {
		out = append(out, *t)
	}
	return out
}

// randomFile is a .safetensors of random weights with seed 0.
func randomFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "random.safetensors")
	if err := writeNew(path, resnetTensors(), encodeSafetensors); err != nil {
		t.Fatal(err)
	}
	return path
}

// zipEntry is one entry of a handmade archive.
type zipEntry struct {
	name string
	data []byte
}

func zipOf(t testing.TB, entries ...zipEntry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pthOf is a .pth of a handmade pickle and a storage "0" of four float32.
func pthOf(t testing.TB, pickle string) []byte {
	t.Helper()
	return zipOf(t, zipEntry{"x/data.pkl", []byte(pickle)}, zipEntry{"x/data/0", make([]byte, 16)})
}

// pickledTensor is the pickle of {name: tensor} on storage "0".
func pickledTensor(storage, offset int, shape, strides []int) string {
	var p pickler
	p.raw("\x80\x02}")
	p.text("t")
	p.raw("ctorch._utils\n_rebuild_tensor_v2\n((")
	p.text("storage")
	p.raw("ctorch\nFloatStorage\n")
	p.text("0")
	p.text("cpu")
	p.integer(storage)
	p.raw("tQ")
	p.integer(offset)
	p.tuple(shape)
	p.tuple(strides)
	p.raw("\x89)tRs.")
	return string(p.out)
}
