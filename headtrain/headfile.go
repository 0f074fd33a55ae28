package headtrain

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/nlpodyssey/safetensors"

	"icebox/headtrain/internal/fault"
)

// A head file is a safetensors file with one metadata entry, icebox, the JSON
// of headInfo, and the float32 tensors of its kind, for raw features:
//
//	linear   fc.weight   [classes, dim]      as in torchvision's ResNet
//	         fc.bias     [classes]
//	mlp      fc1.weight  [hidden, dim]       before a ReLU
//	         fc1.bias    [hidden]
//	         fc2.weight  [classes, hidden]
//	         fc2.bias    [classes]
//
// Temperature and threshold were added to that JSON after format 1 was first
// written. A reader that does not know them gives the same answers, with the
// probabilities of training.
//
// A file of a later format, or of a kind that this program does not know, is
// refused: its tensors might mean something else.
const (
	headFormat  = 1
	metadataKey = "icebox"
)

// layerNames are the names of the layers of each kind, first to last.
var layerNames = map[string][]string{KindLinear: {"fc"}, KindMLP: {"fc1", "fc2"}}

// maxHeadFile is the largest file that LoadHead reads. 10,000 classes of 4,096
// features take 164 MB.
const maxHeadFile = 1 << 30

type headInfo struct {
	Format        int             `json:"format"`
	Kind          string          `json:"kind"`
	Classes       []string        `json:"classes"`
	Fingerprint   string          `json:"fingerprint"`
	Input         string          `json:"input,omitempty"`
	Temperature   float64         `json:"temperature,omitempty"`
	Threshold     float64         `json:"threshold,omitempty"`
	Preprocessing json.RawMessage `json:"preprocessing,omitempty"`
	Recipe        json.RawMessage `json:"recipe,omitempty"`
}

// Save writes the head to path. The file appears whole or not at all, and takes the
// place of one that is there. Equal heads give equal bytes. The error wraps
// ErrFormat for a head that would not come back from a file, else it is that of the
// file system.
func (h *Head) Save(path string) error {
	data, err := h.encode()
	if err != nil {
		return fmt.Errorf("head for %s: %w", path, err)
	}
	return writeFile(path, data)
}

func (h *Head) encode() ([]byte, error) {
	if err := h.validate(); err != nil {
		return nil, err
	}
	info, err := json.Marshal(headInfo{
		Format: headFormat, Kind: h.kind(), Classes: h.Classes, Fingerprint: h.Fingerprint,
		Input: h.Input, Temperature: h.Temperature, Threshold: h.Threshold,
		Preprocessing: h.Preprocessing, Recipe: h.Recipe,
	})
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	tensors := map[string]safetensors.TensorView{}
	for i, l := range h.layers() {
		weight, bias := tensorNames(layerNames[h.kind()][i])
		if tensors[weight], err = tensor(l.W, uint64(l.Out), uint64(l.In)); err != nil {
			return nil, fmt.Errorf("%s: %w", weight, err)
		}
		if tensors[bias], err = tensor(l.B, uint64(l.Out)); err != nil {
			return nil, fmt.Errorf("%s: %w", bias, err)
		}
	}
	return safetensors.Serialize(tensors, map[string]string{metadataKey: string(info)})
}

func tensorNames(layer string) (weight, bias string) { return layer + ".weight", layer + ".bias" }

func (h *Head) kind() string {
	if h.Hidden != nil {
		return KindMLP
	}
	return KindLinear
}

// layers returns the layers, first to last.
func (h *Head) layers() []Layer {
	out := Layer{In: h.Dim, Out: len(h.Classes), W: h.W, B: h.B}
	if h.Hidden == nil {
		return []Layer{out}
	}
	out.In = h.Hidden.Out
	return []Layer{*h.Hidden, out}
}

// setLayers makes layers, first to last, those of h.
func (h *Head) setLayers(layers []Layer) {
	last := layers[len(layers)-1]
	h.Dim, h.W, h.B = layers[0].In, last.W, last.B
	if len(layers) > 1 {
		h.Hidden = &layers[0]
	}
}

func tensor(v []float32, shape ...uint64) (safetensors.TensorView, error) {
	data := make([]byte, 0, 4*len(v))
	for _, f := range v {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(f))
	}
	return safetensors.NewTensorView(safetensors.F32, shape, data)
}

// LoadHead reads a head that Save wrote. Its error wraps ErrFormat, ErrNewer, or
// that of the file system.
func LoadHead(path string) (*Head, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxHeadFile {
		return nil, fmt.Errorf("%s: %w: a regular file of at most %d MB was expected", path, ErrFormat, maxHeadFile>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	h, err := DecodeHead(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return h, nil
}

// DecodeHead reads the bytes of a file that Save wrote, as from an embed.FS. Its error wraps
// ErrFormat or ErrNewer. The head keeps nothing of data.
func DecodeHead(data []byte) (*Head, error) {
	_, meta, err := safetensors.ReadMetadata(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	info, err := decodeInfo(meta.Metadata()[metadataKey])
	if err != nil {
		return nil, err
	}
	st, err := safetensors.Deserialize(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	h := &Head{
		Classes: info.Classes, Fingerprint: info.Fingerprint, Input: info.Input,
		Temperature: info.Temperature, Threshold: info.Threshold,
		Preprocessing: info.Preprocessing, Recipe: info.Recipe,
	}
	names := layerNames[info.Kind]
	layers := make([]Layer, len(names))
	for i, name := range names {
		out := len(info.Classes)
		if i+1 < len(names) {
			out = side(st, name, 0)
		}
		if layers[i], err = readLayer(st, name, out); err != nil {
			return nil, err
		}
	}
	h.setLayers(layers)
	if st.Len() != 2*len(names) {
		return nil, fmt.Errorf("%w: %d tensors, where a head of kind %s has %d: weight and bias of %s", ErrFormat, st.Len(), info.Kind, 2*len(names), strings.Join(names, " and "))
	}
	return h, h.validate()
}

// side returns the size of an axis of a layer's weight, or 0 if there is none. It is
// bounded, so that the product of two does not overflow.
func side(st safetensors.SafeTensors, layer string, axis int) int {
	name, _ := tensorNames(layer)
	if view, ok := st.Tensor(name); ok && len(view.Shape()) == 2 {
		return int(min(view.Shape()[axis], maxHeadFile))
	}
	return 0
}

// readLayer reads the layer of a name, with the given number of outputs.
func readLayer(st safetensors.SafeTensors, name string, out int) (l Layer, err error) {
	weight, bias := tensorNames(name)
	l.In, l.Out = side(st, name, 1), out
	if l.W, err = values(st, weight, uint64(out), uint64(l.In)); err != nil {
		return l, err
	}
	l.B, err = values(st, bias, uint64(out))
	return l, err
}

func decodeInfo(text string) (headInfo, error) {
	var info headInfo
	if text == "" {
		return info, fmt.Errorf("%w: no metadata entry %q", ErrFormat, metadataKey)
	}
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal([]byte(text), &version); err != nil {
		return info, fmt.Errorf("%w: metadata: %w", ErrFormat, err)
	}
	if version.Format > headFormat {
		return info, fmt.Errorf("%w: format %d, this program reads up to %d", ErrNewer, version.Format, headFormat)
	}
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		return info, fmt.Errorf("%w: metadata: %w", ErrFormat, err)
	}
	if info.Format != headFormat {
		return info, fmt.Errorf("%w: format %d", ErrFormat, info.Format)
	}
	if layerNames[info.Kind] == nil {
		return info, fmt.Errorf("%w: kind %q, this program reads %q and %q", ErrFormat, info.Kind, KindLinear, KindMLP)
	}
	return info, nil
}

// values returns the float32 values of a tensor of exactly this shape.
func values(st safetensors.SafeTensors, name string, shape ...uint64) ([]float32, error) {
	view, ok := st.Tensor(name)
	if !ok {
		return nil, fmt.Errorf("%w: no tensor %s", ErrFormat, name)
	}
	if view.DType() != safetensors.F32 || fmt.Sprint(view.Shape()) != fmt.Sprint(shape) {
		return nil, fmt.Errorf("%w: %s is %v %v, want F32 %v", ErrFormat, name, view.DType(), view.Shape(), shape)
	}
	data := view.Data()
	v := make([]float32, len(data)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return v, nil
}

// validate reports all that would keep the head from working, or from coming back
// unchanged from a file.
func (h *Head) validate() error {
	var f fault.List
	checkClasses(&f, h.Classes)
	f.Check(h.Dim > 0, "the dimension must be positive, not %d", h.Dim)
	layers := h.layers()
	for i, l := range layers {
		f.Check(l.Out > 0 || i+1 == len(layers), "the hidden layer has no units")
		f.Check(len(l.W) == l.Out*l.In && len(l.B) == l.Out, "%d weights and %d biases do not make %d outputs of %d inputs", len(l.W), len(l.B), l.Out, l.In)
		f.Check(l.finite(), "a weight is not finite")
	}
	f.Check(layers[0].In == h.Dim, "the hidden layer takes %d features, the head %d", layers[0].In, h.Dim)
	f.Check(h.Input == "" || h.Input == InputL2, "unknown input %q", h.Input)
	f.Check(h.Temperature == 0 || h.Temperature >= 1e-3 && h.Temperature <= 1e3, "the temperature must be from 0.001 to 1000, not %v", h.Temperature)
	f.Check(h.Threshold >= 0 && h.Threshold <= 1, "the threshold must be a probability, not %v", h.Threshold)
	f.Check(utf8.ValidString(h.Fingerprint), "fingerprint %q is not valid UTF-8", h.Fingerprint)
	return f.Err(ErrFormat)
}

// writeFile replaces path by way of a temporary file beside it. The package
// natefinch/atomic does not serve: its files are readable by the owner only, and it
// hides the cause of an error from errors.Is.
func writeFile(path string, data []byte) (err error) {
	f, err := createBeside(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreMissing(os.Remove(f.Name())))
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// createBeside creates path.tmp0 or, if a killed process left that behind, .tmp1 and
// so on, with the permissions that new files get.
func createBeside(path string) (f *os.File, err error) {
	for i := range 100 {
		name := fmt.Sprintf("%s.tmp%d", filepath.Clean(path), i)
		f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return f, err
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
