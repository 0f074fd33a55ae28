package oip

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
)

// varints are numbers, packed.
func varints(all ...uint64) (out []byte) {
	for _, v := range all {
		out = protowire.AppendVarint(out, v)
	}
	return out
}

// asked is a request, field by field, with contents in their types.
func asked() []byte {
	contents := inner(nil, 8, []byte("one"))
	image := inner(inner(texts(nil, 1, "image", "BYTES"), 3, varints(1, 2)), 5, contents)
	image = inner(image, 5, inner(nil, 8, nil)) // the rest of the contents
	single := protowire.AppendFixed32(protowire.AppendTag(nil, 6, protowire.Fixed32Type), 0x3f800000)
	features := protowire.AppendVarint(protowire.AppendTag(texts(nil, 1, "features", "FP32"), 3, protowire.VarintType), 3)
	features = inner(features, 5, append(single, inner(nil, 6, []byte{0, 0, 128, 63, 0, 0, 0, 64})...))
	pixels := inner(inner(texts(nil, 1, "pixels", "UINT8"), 3, varints(2)), 5, inner(nil, 4, varints(7, 255)))
	out := texts(nil, 1, "m", "v", "id")
	for _, t := range [][]byte{image, features, pixels} {
		out = inner(out, 5, t)
	}
	return inner(inner(out, 6, texts(nil, 1, "label")), 6, texts(nil, 1, "probabilities"))
}

func TestReadRequest(t *testing.T) {
	got, err := ReadRequest(asked())
	if err != nil {
		t.Fatal(err)
	}
	want := &Request{Model: "m", Version: "v", ID: "id", Outputs: []string{"label", "probabilities"}, Inputs: []Tensor{
		{Name: "image", Datatype: "BYTES", Shape: []int64{1, 2}, Raw: []byte("\x03\x00\x00\x00one\x00\x00\x00\x00")},
		{Name: "features", Datatype: "FP32", Shape: []int64{3}, Raw: []byte{0, 0, 128, 63, 0, 0, 128, 63, 0, 0, 0, 64}},
		{Name: "pixels", Datatype: "UINT8", Shape: []int64{2}, Raw: []byte{7, 255}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := ReadRequest(nil); err != nil || len(got.Inputs) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// The messages that are written have the fields of the specification.
func TestWrite(t *testing.T) {
	r := Response{Model: "m", Version: "v", ID: "é", Outputs: []Tensor{{Name: "label", Datatype: "BYTES", Shape: []int64{2}, Raw: []byte("raw")}, {Name: "p", Datatype: "FP32", Shape: []int64{-1, 3}}}}
	tensors := "\x2a\x11\x0a\x05label\x12\x05BYTES\x1a\x01\x02" + "\x2a\x16\x0a\x01p\x12\x04FP32\x1a\x0b\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x03"
	for name, c := range map[string]struct{ got, want string }{
		"response": {string(r.Bytes()), "\x0a\x01m\x12\x01v\x1a\x02é" + tensors + "\x32\x03raw\x32\x00"},
		"metadata": {string((&Metadata{Name: "m", Version: "v", Platform: "p", Inputs: r.Outputs[:1], Outputs: r.Outputs[1:]}).Bytes()),
			"\x0a\x01m\x12\x01v\x1a\x01p" + strings.Replace(tensors[:19], "\x2a", "\x22", 1) + tensors[19:]},
		"server": {string(Server("s", "1", "e")), "\x0a\x01s\x12\x011\x1a\x01e"},
		"yes":    {string(Yes(true)), "\x08\x01"},
		"no":     {string(Yes(false)), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", name, c.got, c.want)
		}
	}
}

// Whatever is read, nothing is read beyond the message, and an error is one of the package.
func FuzzRead(f *testing.F) {
	f.Add(asked())
	f.Add(asked()[:40])
	f.Add([]byte("hello"))
	f.Add(inner(nil, 7, []byte{1, 0, 0, 0, 1}))
	f.Add(slices.Repeat(inner(nil, 5, nil), 20))
	f.Fuzz(func(t *testing.T, message []byte) {
		q, err := ReadRequest(message)
		if err != nil && !errors.Is(err, ErrMessage) {
			t.Errorf("%v", err)
		}
		if err == nil {
			raw := 0
			for _, in := range q.Inputs {
				raw += len(in.Raw)
			}
			if raw > 2*len(message)+len(message)/2 || len(q.Inputs) > most {
				t.Errorf("%d bytes and %d inputs of a message of %d", raw, len(q.Inputs), len(message))
			}
			answer := Response{Model: q.Model, Version: q.Version, ID: q.ID, Outputs: q.Inputs}
			if err := ReadNothing(answer.Bytes()); err != nil {
				t.Errorf("what is written of it cannot be read: %v", err)
			}
		}
		if _, _, err := ReadModel(message); err != nil && !errors.Is(err, ErrMessage) {
			t.Errorf("%v", err)
		}
	})
}
