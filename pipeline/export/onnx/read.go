package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxValues is the most values that a tensor of a file may have.
const maxValues = 1 << 30

// Read reads a model. Fields that Write does not write are passed over. The error wraps
// [ErrFormat].
func Read(data []byte) (*Model, error) {
	m := &Model{}
	err := fields(data, func(n protowire.Number, v uint64, b []byte) error {
		switch n {
		case 2:
			m.Producer = string(b)
		case 3:
			m.ProducerVersion = string(b)
		case 5:
			m.Version = int64(v)
		case 6:
			m.Doc = string(b)
		case 7:
			return m.Graph.decode(b)
		case 8:
			return fields(b, func(n protowire.Number, v uint64, _ []byte) error {
				if n == 2 {
					m.Opset = int64(v)
				}
				return nil
			})
		case 14:
			m.Meta = append(m.Meta, Entry{})
			return m.Meta[len(m.Meta)-1].decode(b)
		}
		return nil
	})
	if err == nil && m.Graph.Nodes == nil {
		err = fmt.Errorf("%w: it has no operator", ErrFormat)
	}
	return m, err
}

// fields calls do with each field of a message: a number, or the bytes of what is longer.
func fields(data []byte, do func(n protowire.Number, v uint64, b []byte) error) error {
	for len(data) > 0 {
		n, kind, used := protowire.ConsumeTag(data)
		if used < 0 {
			return fmt.Errorf("%w: %w", ErrFormat, protowire.ParseError(used))
		}
		data = data[used:]
		var v uint64
		var b []byte
		switch kind {
		case protowire.VarintType:
			v, used = protowire.ConsumeVarint(data)
		case protowire.Fixed32Type:
			var bits uint32
			bits, used = protowire.ConsumeFixed32(data)
			v = uint64(bits)
		case protowire.BytesType:
			b, used = protowire.ConsumeBytes(data)
		default:
			used = protowire.ConsumeFieldValue(n, kind, data)
		}
		if used < 0 {
			return fmt.Errorf("%w: field %d: %w", ErrFormat, n, protowire.ParseError(used))
		}
		data = data[used:]
		if err := do(n, v, b); err != nil {
			return err
		}
	}
	return nil
}

func (e *Entry) decode(data []byte) error {
	return fields(data, func(n protowire.Number, _ uint64, b []byte) error {
		switch n {
		case 1:
			e.Key = string(b)
		case 2:
			e.Value = string(b)
		}
		return nil
	})
}

func (g *Graph) decode(data []byte) error {
	return fields(data, func(n protowire.Number, _ uint64, b []byte) error {
		switch n {
		case 1:
			g.Nodes = append(g.Nodes, Node{})
			return g.Nodes[len(g.Nodes)-1].decode(b)
		case 2:
			g.Name = string(b)
		case 5:
			t := &Tensor{}
			g.Constants = append(g.Constants, t)
			return t.decode(b)
		case 11:
			g.Inputs = append(g.Inputs, Value{})
			return g.Inputs[len(g.Inputs)-1].decode(b)
		case 12:
			g.Outputs = append(g.Outputs, Value{})
			return g.Outputs[len(g.Outputs)-1].decode(b)
		}
		return nil
	})
}

func (o *Node) decode(data []byte) error {
	return fields(data, func(n protowire.Number, _ uint64, b []byte) error {
		switch n {
		case 1:
			o.Inputs = append(o.Inputs, string(b))
		case 2:
			o.Outputs = append(o.Outputs, string(b))
		case 3:
			o.Name = string(b)
		case 4:
			o.Op = string(b)
		case 5:
			o.Attrs = append(o.Attrs, Attr{})
			return o.Attrs[len(o.Attrs)-1].decode(b)
		}
		return nil
	})
}

func (a *Attr) decode(data []byte) error {
	var ints []int64
	err := fields(data, func(n protowire.Number, v uint64, b []byte) error {
		switch n {
		case 1:
			a.Name = string(b)
		case 2:
			a.Value = math.Float32frombits(uint32(v))
		case 3:
			a.Value = int64(v)
		case 4:
			a.Value = string(b)
		case 8:
			ints = append(ints, int64(v))
		}
		return nil
	})
	if ints != nil {
		a.Value = ints
	}
	return err
}

func (t *Tensor) decode(data []byte) error {
	var kind Type
	var raw []byte
	values := 1
	err := fields(data, func(n protowire.Number, v uint64, b []byte) error {
		switch n {
		case 1:
			if v > maxValues || values*int(v) > maxValues {
				return fmt.Errorf("%w: a tensor of too many values", ErrFormat)
			}
			values *= int(v)
			t.Shape = append(t.Shape, int(v))
		case 2:
			kind = Type(v)
		case 8:
			t.Name = string(b)
		case 9:
			raw = b
		}
		return nil
	})
	if err != nil {
		return err
	}
	switch kind {
	case Float:
		for ; len(raw) >= 4; raw = raw[4:] {
			t.Floats = append(t.Floats, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		}
	case Uint8:
		t.Bytes = append([]uint8{}, raw...)
	case Int64:
		t.Ints = []int64{}
		for ; len(raw) >= 8; raw = raw[8:] {
			t.Ints = append(t.Ints, int64(binary.LittleEndian.Uint64(raw)))
		}
	default:
		return fmt.Errorf("%w: tensor %q is of type %d", ErrFormat, t.Name, kind)
	}
	return t.check()
}

func (v *Value) decode(data []byte) error {
	return fields(data, func(n protowire.Number, _ uint64, b []byte) error {
		switch n {
		case 1:
			v.Name = string(b)
		case 2:
			return fields(b, func(n protowire.Number, _ uint64, b []byte) error {
				if n == 6 {
					v.Denotation = string(b)
				}
				if n != 1 {
					return nil
				}
				return v.decodeTensor(b)
			})
		}
		return nil
	})
}

// decodeTensor reads the type and the dimensions.
func (v *Value) decodeTensor(data []byte) error {
	return fields(data, func(n protowire.Number, number uint64, b []byte) error {
		if n == 1 {
			v.Type = Type(number)
		}
		if n != 2 {
			return nil
		}
		return fields(b, func(_ protowire.Number, _ uint64, b []byte) error {
			v.Dims = append(v.Dims, Dim{})
			d := &v.Dims[len(v.Dims)-1]
			return fields(b, func(n protowire.Number, number uint64, b []byte) error {
				switch n {
				case 1:
					d.Size = int64(number)
				case 2:
					d.Name = string(b)
				case 3:
					d.Denotation = string(b)
				}
				return nil
			})
		})
	})
}
