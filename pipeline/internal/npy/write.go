package npy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// Types of the values of an array, little-endian.
const (
	Float32 = "<f4"
	Int64   = "<i8"
)

// Header returns the header of format 1.0 of an array of a type and shape, padded so
// that the values begin at a multiple of 64 bytes.
func Header(kind string, shape ...int) []byte {
	const start = magic + "\x01\x00"
	dims := ""
	for i, n := range shape {
		if i > 0 {
			dims += ", "
		}
		dims += fmt.Sprint(n)
	}
	if len(shape) == 1 {
		dims += ","
	}
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", kind, dims)
	pad := 63 - (len(start)+2+len(head))%64
	head += strings.Repeat(" ", pad) + "\n"
	var out bytes.Buffer
	out.WriteString(start)
	out.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(head))))
	out.WriteString(head)
	return out.Bytes()
}
