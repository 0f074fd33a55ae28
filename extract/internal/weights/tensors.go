package weights

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
)

// Tensor is an array of a weights file, row-major.
type Tensor struct {
	Name   string
	Shape  []int
	Values []float32
	Counts []int64 // instead of Values, of whole numbers
}

// Tensors returns the tensors of [Params], in that order. Their values are read only and
// valid until Close.
func (s *Set) Tensors() []Tensor {
	var all []Tensor
	for _, p := range Params() {
		all = append(all, Tensor{Name: p.Name, Shape: p.Shape, Values: s.Tensor(p.Name)})
	}
	return all
}

// WriteTensors writes a file in a format: [FormatPTH], as torch.save does, or
// [FormatSafetensors].
func WriteTensors(w io.Writer, format string, all []Tensor) error {
	encode := encodeSafetensors
	if format == FormatPTH {
		encode = encodePTH
	}
	raw := make([]tensor, len(all))
	for i, t := range all {
		raw[i] = tensor{name: t.Name, shape: t.Shape, dtype: float32Type, storage: make([]byte, 0, 4*len(t.Values)+8*len(t.Counts))}
		r := &raw[i]
		for _, v := range t.Values {
			r.storage = binary.LittleEndian.AppendUint32(r.storage, math.Float32bits(v))
		}
		if t.Counts != nil {
			r.dtype = int64Type
		}
		for _, v := range t.Counts {
			r.storage = binary.LittleEndian.AppendUint64(r.storage, uint64(v))
		}
		if n, ok := elements(t.Shape); !ok || n != len(t.Values)+len(t.Counts) {
			return fmt.Errorf("weights: tensor %s has %d values, and its shape is %v", t.Name, len(t.Values)+len(t.Counts), t.Shape)
		}
	}
	return encode(w, raw)
}

// ReadTensors reads all tensors of the weights file at path, in the order of the file. The
// error wraps [ErrFormat] where the file is damaged, or a tensor is neither of float32 nor of
// int64.
func ReadTensors(path string) ([]Tensor, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.close()
	var all []Tensor
	err = guarded(func() error {
		for _, t := range f.tensors {
			read := Tensor{Name: t.name, Shape: slices.Clone(t.shape)}
			switch data := t.bytes(); t.dtype {
			case float32Type:
				read.Values = decodeFloat32s(data)
			case int64Type:
				for ; len(data) > 0; data = data[8:] {
					read.Counts = append(read.Counts, int64(binary.LittleEndian.Uint64(data)))
				}
			default:
				return malformed("tensor %q is of type %s", t.name, t.dtype)
			}
			all = append(all, read)
		}
		return f.verify()
	})
	if err != nil {
		return nil, fmt.Errorf("weights %s: %w", path, err)
	}
	return all, nil
}
