package onnx

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// irVersion is the version of the file's form: that of opsets 15 to 18.
const irVersion = 8

// message is a protocol buffer in parts: bytes, and values that become bytes when they are
// written, so that weights are never in memory twice.
type message struct {
	parts []part
	size  int
}

type part struct {
	bytes  []byte
	floats []float32
}

func (m *message) add(p part) {
	m.parts = append(m.parts, p)
	m.size += len(p.bytes) + 4*len(p.floats)
}

func (m *message) number(field protowire.Number, v int64) {
	b := protowire.AppendTag(nil, field, protowire.VarintType)
	m.add(part{bytes: protowire.AppendVarint(b, uint64(v))})
}

// text adds a string, unless it is empty.
func (m *message) text(field protowire.Number, s string) {
	if s != "" {
		m.force(field, s)
	}
}

// force adds a string, be it empty.
func (m *message) force(field protowire.Number, s string) {
	b := protowire.AppendTag(nil, field, protowire.BytesType)
	m.add(part{bytes: protowire.AppendString(b, s)})
}

func (m *message) message(field protowire.Number, inner *message) {
	b := protowire.AppendTag(nil, field, protowire.BytesType)
	m.add(part{bytes: protowire.AppendVarint(b, uint64(inner.size))})
	m.parts = append(m.parts, inner.parts...)
	m.size += inner.size
}

// Write writes the model. The error is that of w, or names a tensor whose values do not fit
// its shape.
func (m *Model) Write(w io.Writer) error {
	all, err := m.encode()
	if err != nil {
		return err
	}
	var block []byte
	for _, p := range all.parts {
		if _, err := w.Write(p.bytes); err != nil {
			return err
		}
		for rest := p.floats; len(rest) > 0; {
			n := min(len(rest), 1<<14)
			block = block[:0]
			for _, v := range rest[:n] {
				block = binary.LittleEndian.AppendUint32(block, math.Float32bits(v))
			}
			if _, err := w.Write(block); err != nil {
				return err
			}
			rest = rest[n:]
		}
	}
	return nil
}

func (m *Model) encode() (*message, error) {
	var out, opset message
	out.number(1, irVersion)
	out.text(2, m.Producer)
	out.text(3, m.ProducerVersion)
	out.number(5, m.Version)
	out.text(6, m.Doc)
	graph, err := m.Graph.encode()
	if err != nil {
		return nil, err
	}
	out.message(7, graph)
	opset.force(1, "") // the operators of ONNX itself
	opset.number(2, m.Opset)
	out.message(8, &opset)
	for _, e := range m.Meta {
		var entry message
		entry.force(1, e.Key)
		entry.force(2, e.Value)
		out.message(14, &entry)
	}
	return &out, nil
}

func (g *Graph) encode() (*message, error) {
	var out message
	for i := range g.Nodes {
		node, err := g.Nodes[i].encode()
		if err != nil {
			return nil, err
		}
		out.message(1, node)
	}
	out.text(2, g.Name)
	for _, t := range g.Constants {
		if err := t.check(); err != nil {
			return nil, err
		}
		out.message(5, t.encode())
	}
	for _, v := range g.Inputs {
		out.message(11, v.encode())
	}
	for _, v := range g.Outputs {
		out.message(12, v.encode())
	}
	return &out, nil
}

func (n *Node) encode() (*message, error) {
	var out message
	for _, name := range n.Inputs {
		out.force(1, name)
	}
	for _, name := range n.Outputs {
		out.force(2, name)
	}
	out.text(3, n.Name)
	out.text(4, n.Op)
	for _, a := range n.Attrs {
		attr, err := a.encode()
		if err != nil {
			return nil, fmt.Errorf("%w: operator %s: %w", ErrFormat, n.Op, err)
		}
		out.message(5, attr)
	}
	return &out, nil
}

// The numbers of the kinds of attribute that are written.
const (
	floatAttr = 1
	intAttr   = 2
	textAttr  = 3
	intsAttr  = 7
)

func (a *Attr) encode() (*message, error) {
	var out message
	out.text(1, a.Name)
	kind := int64(0)
	switch v := a.Value.(type) {
	case float32:
		kind = floatAttr
		b := protowire.AppendTag(nil, 2, protowire.Fixed32Type)
		out.add(part{bytes: protowire.AppendFixed32(b, math.Float32bits(v))})
	case int64:
		kind = intAttr
		out.number(3, v)
	case string:
		kind = textAttr
		out.force(4, v)
	case []int64:
		kind = intsAttr
		for _, n := range v {
			out.number(8, n)
		}
	default:
		return nil, fmt.Errorf("attribute %s is a %T", a.Name, v)
	}
	out.number(20, kind)
	return &out, nil
}

func (t *Tensor) encode() *message {
	var out message
	for _, d := range t.Shape {
		out.number(1, int64(d))
	}
	out.number(2, int64(t.Type()))
	out.text(8, t.Name)
	raw := &message{}
	switch t.Type() {
	case Float:
		raw.add(part{floats: t.Floats})
	case Uint8:
		raw.add(part{bytes: t.Bytes})
	case Int64:
		var b []byte
		for _, v := range t.Ints {
			b = binary.LittleEndian.AppendUint64(b, uint64(v))
		}
		raw.add(part{bytes: b})
	}
	out.message(9, raw)
	return &out
}

func (v *Value) encode() *message {
	var out, kind, tensor, shape message
	for _, d := range v.Dims {
		var dim message
		if d.Name != "" {
			dim.text(2, d.Name)
		} else {
			dim.number(1, d.Size)
		}
		dim.text(3, d.Denotation)
		shape.message(1, &dim)
	}
	tensor.number(1, int64(v.Type))
	tensor.message(2, &shape)
	kind.message(1, &tensor)
	kind.text(6, v.Denotation)
	out.text(1, v.Name)
	out.message(2, &kind)
	return &out
}
