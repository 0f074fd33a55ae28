package web

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"

	"icebox/extract"
)

// tensor is an input or an output.
type tensor struct {
	Name       string          `json:"name"`
	Shape      []int64         `json:"shape"`
	Datatype   string          `json:"datatype"`
	Parameters map[string]any  `json:"parameters,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`

	raw []byte // of the binary extension
}

// elements is the product of the shape, which is bounded.
func (t *tensor) elements() (int, error) {
	n := int64(1)
	for _, side := range t.Shape {
		if side < 0 || side > 1<<31 || n*side > 1<<31 {
			return 0, bad("input %q has the shape %v", t.Name, t.Shape)
		}
		n *= side
	}
	return int(n), nil
}

// images are those of a tensor of BYTES.
func (t *tensor) images() ([][]byte, error) {
	n, err := t.elements()
	if err != nil {
		return nil, err
	}
	var images [][]byte
	if t.raw != nil {
		for rest := t.raw; len(rest) > 0; {
			if len(rest) < 4 || uint64(binary.LittleEndian.Uint32(rest)) > uint64(len(rest)-4) {
				return nil, bad("input %q ends within an element", t.Name)
			}
			if len(images) == MaxImages {
				return nil, tooManyImages(n)
			}
			size := int(binary.LittleEndian.Uint32(rest))
			images, rest = append(images, rest[4:4+size]), rest[4+size:]
		}
	} else {
		var texts []string
		if err := json.Unmarshal(t.Data, &texts); err != nil {
			return nil, bad("the data of input %q are no list of texts: %v", t.Name, err)
		}
		for _, text := range texts {
			data, err := fromBase64(text)
			if err != nil {
				return nil, err
			}
			images = append(images, data)
		}
	}
	if len(images) != n {
		return nil, bad("input %q has %d elements, and its shape %v says %d", t.Name, len(images), t.Shape, n)
	}
	return images, nil
}

// pixels are the crops of a tensor of UINT8.
func (t *tensor) pixels() ([]byte, error) {
	n, err := t.elements()
	if err != nil {
		return nil, err
	}
	if len(t.Shape) != 4 || t.Shape[1] != extract.Side || t.Shape[2] != extract.Side || t.Shape[3] != 3 {
		return nil, bad("pixels have the shape [N, %d, %d, 3], and not %v", extract.Side, extract.Side, t.Shape)
	}
	data := t.raw
	if data == nil {
		var values flat
		if err := values.read(t.Data, n); err != nil {
			return nil, bad("the data of input %q: %v", t.Name, err)
		}
		data = make([]byte, len(values))
		for i, v := range values {
			if v != math.Trunc(v) || v < 0 || v > 255 {
				return nil, bad("the data of input %q have %v, and pixels are from 0 to 255", t.Name, v)
			}
			data[i] = byte(v)
		}
	}
	if len(data) != n {
		return nil, bad("input %q has %d bytes, and its shape %v says %d", t.Name, len(data), t.Shape, n)
	}
	return data, nil
}

// floats are the values of a tensor of FP32.
func (t *tensor) floats() ([]float32, error) {
	n, err := t.elements()
	if err != nil {
		return nil, err
	}
	if t.raw != nil {
		if len(t.raw) != 4*n {
			return nil, bad("input %q has %d bytes, and its shape %v says %d", t.Name, len(t.raw), t.Shape, 4*n)
		}
		x := make([]float32, n)
		for i := range x {
			x[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.raw[4*i:]))
		}
		return x, finite(t.Name, x)
	}
	var values flat
	if err := values.read(t.Data, n); err != nil {
		return nil, bad("the data of input %q: %v", t.Name, err)
	}
	x := make([]float32, len(values))
	for i, v := range values {
		x[i] = float32(v)
	}
	if len(x) != n {
		return nil, bad("input %q has %d values, and its shape %v says %d", t.Name, len(x), t.Shape, n)
	}
	return x, finite(t.Name, x)
}

// finite refuses features that are no numbers.
func finite(name string, x []float32) error {
	for i, v := range x {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return bad("input %q has %v at %d", name, v, i)
		}
	}
	return nil
}

// flat is a list of numbers, however deep it is nested: both forms are allowed.
type flat []float64

func (f *flat) read(data []byte, most int) error {
	d := json.NewDecoder(bytes.NewReader(data))
	for {
		token, err := d.Token()
		if err != nil {
			if len(*f) > 0 || d.InputOffset() > 0 && err.Error() == "EOF" {
				return nil
			}
			return errors.New("a list of numbers was expected")
		}
		switch v := token.(type) {
		case json.Delim:
			if v != '[' && v != ']' {
				return errors.New("a list of numbers was expected")
			}
		case float64:
			if *f = append(*f, v); len(*f) > most {
				return errors.New("it has more values than its shape says")
			}
		default:
			return errors.New("a list of numbers was expected")
		}
	}
}
