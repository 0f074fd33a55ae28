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
	"unicode/utf8"

	"github.com/nlpodyssey/safetensors"
)

// A head file is a safetensors file with two float32 tensors and one metadata
// entry:
//
//	fc.weight  [classes, dim]      for raw features, as in torchvision's ResNet
//	fc.bias    [classes]
//	icebox     the JSON of headInfo
//
// Temperature and threshold of that JSON came later than format 1; a reader that
// does not know them gives the same labels, with the probabilities of training.
//
// An entry of a later format, or of a kind this version has not, is refused:
// the two tensors alone might then mean something else.
const (
	headFormat   = 1
	headKind     = "linear"
	metadataKey  = "icebox"
	weightTensor = "fc.weight"
	biasTensor   = "fc.bias"
)

// maxHeadFile bounds what LoadHead reads: 10,000 classes of 4,096 features
// take 164 MB.
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

// Save writes the head to path. The file appears whole or not at all; one that
// is there is replaced. Equal heads give equal bytes.
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
		Format: headFormat, Kind: headKind, Classes: h.Classes, Fingerprint: h.Fingerprint,
		Input: h.Input, Temperature: h.Temperature, Threshold: h.Threshold,
		Preprocessing: h.Preprocessing, Recipe: h.Recipe,
	})
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	k := uint64(len(h.Classes))
	weight, err := tensor(h.W, k, uint64(h.Dim))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", weightTensor, err)
	}
	bias, err := tensor(h.B, k)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", biasTensor, err)
	}
	return safetensors.Serialize(
		map[string]safetensors.TensorView{weightTensor: weight, biasTensor: bias},
		map[string]string{metadataKey: string(info)})
}

func tensor(v []float32, shape ...uint64) (safetensors.TensorView, error) {
	data := make([]byte, 0, 4*len(v))
	for _, f := range v {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(f))
	}
	return safetensors.NewTensorView(safetensors.F32, shape, data)
}

// LoadHead reads a head that Save wrote. Its errors wrap ErrFormat, ErrNewer,
// or that of the file system.
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
	h, err := decodeHead(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return h, nil
}

func decodeHead(data []byte) (*Head, error) {
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
	k := uint64(len(info.Classes))
	if view, ok := st.Tensor(weightTensor); ok && len(view.Shape()) == 2 {
		h.Dim = int(min(view.Shape()[1], maxHeadFile))
	}
	if h.W, err = values(st, weightTensor, k, uint64(h.Dim)); err != nil {
		return nil, err
	}
	if h.B, err = values(st, biasTensor, k); err != nil {
		return nil, err
	}
	if st.Len() != 2 {
		return nil, fmt.Errorf("%w: %d tensors, where a linear head has %s and %s", ErrFormat, st.Len(), weightTensor, biasTensor)
	}
	return h, h.validate()
}

func decodeInfo(text string) (headInfo, error) {
	var info headInfo
	if text == "" {
		return info, fmt.Errorf("%w: no metadata entry %q; was it written by another program?", ErrFormat, metadataKey)
	}
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal([]byte(text), &version); err != nil {
		return info, fmt.Errorf("%w: metadata: %w", ErrFormat, err)
	}
	if version.Format > headFormat {
		return info, fmt.Errorf("%w: format %d, this program reads up to %d; use a newer icebox", ErrNewer, version.Format, headFormat)
	}
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		return info, fmt.Errorf("%w: metadata: %w", ErrFormat, err)
	}
	if info.Format != headFormat {
		return info, fmt.Errorf("%w: format %d", ErrFormat, info.Format)
	}
	if info.Kind != headKind {
		return info, fmt.Errorf("%w: kind %q, this program reads %q; use a newer icebox", ErrFormat, info.Kind, headKind)
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

// validate reports whatever would keep the head from working or from
// surviving a round trip through a file.
func (h *Head) validate() error {
	var f faults
	k := len(h.Classes)
	(&Dataset{Classes: h.Classes}).checkClasses(&f)
	f.check(h.Dim > 0, "the dimension must be positive, not %d", h.Dim)
	f.check(len(h.W) == k*h.Dim && len(h.B) == k, "%d weights and %d biases do not make %d classes of %d features", len(h.W), len(h.B), k, h.Dim)
	f.check(allFinite(h.W) && allFinite(h.B), "a weight is not finite")
	f.check(h.Input == "" || h.Input == InputL2, "unknown input %q", h.Input)
	f.check(h.Temperature == 0 || h.Temperature >= 1e-3 && h.Temperature <= 1e3, "the temperature must be from 0.001 to 1000, not %v", h.Temperature)
	f.check(h.Threshold >= 0 && h.Threshold <= 1, "the threshold must be a probability, not %v", h.Threshold)
	f.check(utf8.ValidString(h.Fingerprint), "fingerprint %q is not valid UTF-8", h.Fingerprint)
	return f.err(ErrFormat)
}

// writeFile replaces path by way of a temporary file beside it. (natefinch/atomic
// leaves files readable by the owner only, and hides the cause from errors.Is.)
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

// createBeside creates path.tmp0 or, if a killed process left that, tmp1 …,
// with the permissions a new file gets here.
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
