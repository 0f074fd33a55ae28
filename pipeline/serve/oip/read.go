package oip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// ErrMessage is wrapped by all errors of reading.
var ErrMessage = errors.New("the message is not one of the Open Inference Protocol")

// most is how many tensors, outputs and sides of a shape a message may name. Each takes a few
// bytes of a message, and many more in memory.
const most = 16

// Request asks a model to answer for inputs.
type Request struct {
	Model, Version, ID string
	Inputs             []Tensor
	Outputs            []string // the names of those that are asked for; none is all
}

// Tensor is an input or an output.
type Tensor struct {
	Name, Datatype string
	Shape          []int64
	// Raw are the elements, row by row, in little endian; before each of BYTES stands its
	// length, in four bytes. It may share memory with the message that it was read from.
	Raw []byte
}

// ReadRequest reads a request to infer. Values of inputs may be raw, for all inputs, or of
// the types BYTES, UINT8 and FP32; fields that are not known are passed over.
func ReadRequest(message []byte) (*Request, error) {
	q := &Request{}
	var contents, raw [][]byte // contents have a place for each input
	err := fields(message, func(f field) (err error) {
		if f.kind != protowire.BytesType {
			return nil // it is none of those
		}
		switch f.number {
		case 1:
			q.Model, err = f.text()
		case 2:
			q.Version, err = f.text()
		case 3:
			q.ID, err = f.text()
		case 5:
			var t Tensor
			var values []byte
			if t, values, err = readInput(f.bytes); err == nil {
				q.Inputs, contents, err = append(q.Inputs, t), append(contents, values), few(len(q.Inputs))
			}
		case 6:
			q.Outputs, err = append(q.Outputs, ""), few(len(q.Outputs))
			if err == nil {
				err = readName(f.bytes, &q.Outputs[len(q.Outputs)-1])
			}
		case 7:
			raw, err = append(raw, f.bytes), few(len(raw))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if raw != nil && len(raw) != len(q.Inputs) {
		return nil, fmt.Errorf("%w: it has %d inputs and raw contents of %d", ErrMessage, len(q.Inputs), len(raw))
	}
	for i := range q.Inputs {
		t := &q.Inputs[i]
		if raw == nil {
			err = t.readContents(contents[i])
		} else if t.Raw = raw[i]; contents[i] != nil {
			err = fmt.Errorf("%w: input %q has its contents twice, raw and in its type", ErrMessage, t.Name)
		}
		if err != nil {
			return nil, err
		}
	}
	return q, nil
}

// readInput reads an input, and the message of its values; nil is none.
func readInput(message []byte) (t Tensor, contents []byte, err error) {
	err = fields(message, func(f field) (err error) {
		switch f.number {
		case 1:
			t.Name, err = f.text()
		case 2:
			t.Datatype, err = f.text()
		case 3:
			err = f.varints(func(v uint64) error {
				t.Shape = append(t.Shape, int64(v))
				return few(len(t.Shape))
			})
		case 5:
			if contents == nil {
				contents = slices.Clip(f.bytes)
			} else { // a message that comes in parts is their sum
				contents = append(contents, f.bytes...)
			}
		}
		return err
	})
	return t, contents, err
}

// readContents makes values of the tensor's type raw.
func (t *Tensor) readContents(message []byte) error {
	t.Raw = []byte{}
	return fields(message, func(f field) error {
		switch {
		case f.number == 4 && t.Datatype == "UINT8":
			return f.varints(func(v uint64) error {
				if v > 255 {
					return fmt.Errorf("%w: input %q has the value %d, and those of UINT8 are up to 255", ErrMessage, t.Name, v)
				}
				t.Raw = append(t.Raw, byte(v))
				return nil
			})
		case f.number == 6 && t.Datatype == "FP32" && f.kind == protowire.Fixed32Type:
			t.Raw = binary.LittleEndian.AppendUint32(t.Raw, uint32(f.value))
		case f.number == 6 && t.Datatype == "FP32" && len(f.bytes)%4 == 0:
			t.Raw = append(t.Raw, f.bytes...)
		case f.number == 8 && t.Datatype == "BYTES" && f.kind == protowire.BytesType:
			t.Raw = append(binary.LittleEndian.AppendUint32(t.Raw, uint32(len(f.bytes))), f.bytes...)
		case f.number <= 8:
			return fmt.Errorf("%w: input %q of %s has contents of another type: BYTES, UINT8 and FP32 are taken", ErrMessage, t.Name, t.Datatype)
		}
		return nil
	})
}

// ReadModel reads the name and version of a model, as ModelReady and ModelMetadata ask for.
func ReadModel(message []byte) (name, version string, err error) {
	err = fields(message, func(f field) (err error) {
		switch f.number {
		case 1:
			name, err = f.text()
		case 2:
			version, err = f.text()
		}
		return err
	})
	return name, version, err
}

// ReadNothing reads a message of which no field is known.
func ReadNothing(message []byte) error { return fields(message, func(field) error { return nil }) }

// readName reads a message of which only the name matters.
func readName(message []byte, name *string) error {
	return fields(message, func(f field) (err error) {
		if f.number == 1 {
			*name, err = f.text()
		}
		return err
	})
}

func few(n int) error {
	if n > most {
		return fmt.Errorf("%w: it names more than %d of a thing", ErrMessage, most)
	}
	return nil
}

// field is a field of a message: a number, or the bytes of what is longer.
type field struct {
	number protowire.Number
	kind   protowire.Type
	value  uint64
	bytes  []byte
}

// fields calls do with each field of a message, until it returns an error.
func fields(message []byte, do func(field) error) error {
	for len(message) > 0 {
		number, kind, used := protowire.ConsumeTag(message)
		if used < 0 {
			return fmt.Errorf("%w: %w", ErrMessage, protowire.ParseError(used))
		}
		message = message[used:]
		f := field{number: number, kind: kind}
		switch kind {
		case protowire.VarintType:
			f.value, used = protowire.ConsumeVarint(message)
		case protowire.Fixed32Type:
			var bits uint32
			bits, used = protowire.ConsumeFixed32(message)
			f.value = uint64(bits)
		case protowire.BytesType:
			f.bytes, used = protowire.ConsumeBytes(message)
		default:
			used = protowire.ConsumeFieldValue(number, kind, message)
		}
		if used < 0 {
			return fmt.Errorf("%w: field %d: %w", ErrMessage, number, protowire.ParseError(used))
		}
		message = message[used:]
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}

// text is the field as a string.
func (f field) text() (string, error) {
	if f.kind != protowire.BytesType || !utf8.Valid(f.bytes) {
		return "", fmt.Errorf("%w: field %d is no text in UTF-8", ErrMessage, f.number)
	}
	return string(f.bytes), nil
}

// varints calls do with each number of the field, which has one, or several packed.
func (f field) varints(do func(uint64) error) error {
	if f.kind == protowire.VarintType {
		return do(f.value)
	}
	for rest := f.bytes; len(rest) > 0; {
		v, used := protowire.ConsumeVarint(rest)
		if used < 0 {
			return fmt.Errorf("%w: field %d: %w", ErrMessage, f.number, protowire.ParseError(used))
		}
		if err := do(v); err != nil {
			return err
		}
		rest = rest[used:]
	}
	return nil
}
