package oip

import "google.golang.org/protobuf/encoding/protowire"

// Response answers a [Request].
type Response struct {
	Model, Version, ID string
	Outputs            []Tensor
}

// Bytes are the message, with raw contents.
func (r *Response) Bytes() []byte {
	out := texts(nil, 1, r.Model, r.Version, r.ID)
	for i := range r.Outputs {
		out = inner(out, 5, r.Outputs[i].head())
	}
	for i := range r.Outputs {
		out = inner(out, 6, r.Outputs[i].Raw)
	}
	return out
}

// Metadata says what a model takes and answers; tensors have no contents, and -1 is a side of
// any length.
type Metadata struct {
	Name, Version, Platform string
	Inputs, Outputs         []Tensor
}

// Bytes are the message.
func (m *Metadata) Bytes() []byte {
	out := texts(nil, 1, m.Name, m.Version, m.Platform)
	for i := range m.Inputs {
		out = inner(out, 4, m.Inputs[i].head())
	}
	for i := range m.Outputs {
		out = inner(out, 5, m.Outputs[i].head())
	}
	return out
}

// Server is the message that says what a server is.
func Server(name, version string, extensions ...string) []byte {
	out := texts(nil, 1, name, version)
	for _, e := range extensions {
		out = inner(out, 3, []byte(e))
	}
	return out
}

// Yes is the message that says whether a server is live or ready, or a model is ready.
func Yes(yes bool) []byte {
	if !yes {
		return nil // as all fields that have the value of nothing said
	}
	return protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1)
}

// head is the tensor without its elements.
func (t *Tensor) head() []byte {
	out := texts(nil, 1, t.Name, t.Datatype)
	var shape []byte
	for _, side := range t.Shape {
		shape = protowire.AppendVarint(shape, uint64(side))
	}
	return inner(out, 3, shape)
}

// texts adds strings in fields of numbers that follow each other; an empty one has no field.
func texts(out []byte, number protowire.Number, all ...string) []byte {
	for i, text := range all {
		if text != "" {
			out = inner(out, number+protowire.Number(i), []byte(text))
		}
	}
	return out
}

func inner(out []byte, number protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(out, number, protowire.BytesType), message)
}
