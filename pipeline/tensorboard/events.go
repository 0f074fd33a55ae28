package tensorboard

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Scalar is a number of a curve.
type Scalar struct {
	Tag   string // names the curve; curves with the same text before a slash stand together
	Value float64
}

// Writer writes an event file.
type Writer struct {
	w   io.Writer
	err error // the first
}

// New begins a file in w.
func New(w io.Writer, at time.Time) *Writer {
	out := &Writer{w: w}
	event := wallTime(at)
	event = protowire.AppendTag(event, 3, protowire.BytesType)
	out.record(protowire.AppendString(event, "brain.Event:2"))
	return out
}

// Scalars adds numbers of one step.
func (w *Writer) Scalars(at time.Time, step int, scalars ...Scalar) {
	var summary []byte
	for _, s := range scalars {
		value := protowire.AppendTag(nil, 1, protowire.BytesType)
		value = protowire.AppendString(value, s.Tag)
		value = protowire.AppendTag(value, 2, protowire.Fixed32Type)
		value = protowire.AppendFixed32(value, math.Float32bits(float32(s.Value)))
		summary = protowire.AppendTag(summary, 1, protowire.BytesType)
		summary = protowire.AppendBytes(summary, value)
	}
	event := wallTime(at)
	event = protowire.AppendTag(event, 2, protowire.VarintType)
	event = protowire.AppendVarint(event, uint64(step))
	event = protowire.AppendTag(event, 5, protowire.BytesType)
	w.record(protowire.AppendBytes(event, summary))
}

// Err is the first error of writing.
func (w *Writer) Err() error { return w.err }

func wallTime(at time.Time) []byte {
	b := protowire.AppendTag(nil, 1, protowire.Fixed64Type)
	return protowire.AppendFixed64(b, math.Float64bits(float64(at.UnixNano())/1e9))
}

func (w *Writer) record(event []byte) {
	if w.err != nil {
		return
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(event)))
	b = binary.LittleEndian.AppendUint32(b, masked(b))
	b = append(b, event...)
	_, w.err = w.w.Write(binary.LittleEndian.AppendUint32(b, masked(event)))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is a sum that differs from the sum of bytes which hold sums themselves.
func masked(b []byte) uint32 {
	sum := crc32.Checksum(b, castagnoli)
	return (sum>>15 | sum<<17) + 0xa282ead8
}
