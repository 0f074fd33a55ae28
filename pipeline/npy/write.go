package npy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
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

// Texts returns a whole file of format 1.0 of an array of texts, in NumPy's own form: each
// takes as many code points as the longest has.
func Texts(all []string) []byte {
	longest := 1
	for _, s := range all {
		longest = max(longest, utf8.RuneCountInString(s))
	}
	out := Header(fmt.Sprintf("<U%d", longest), len(all))
	for _, s := range all {
		end := len(out) + 4*longest
		for _, r := range s {
			out = binary.LittleEndian.AppendUint32(out, uint32(r))
		}
		out = append(out, make([]byte, end-len(out))...)
	}
	return out
}

// Floats32 returns a whole file of format 1.0 of an array of float32 values, row-major.
func Floats32(values []float32, shape ...int) []byte {
	out := Header(Float32, shape...)
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}

// Archive writes an npz: arrays that can be read by name. They are stored as they are.
type Archive struct{ zip *zip.Writer }

// NewArchive begins an npz in w.
func NewArchive(w io.Writer) *Archive { return &Archive{zip.NewWriter(w)} }

// Create begins the array of a name; what is written next is a file of format 1.0.
func (a *Archive) Create(name string) (io.Writer, error) {
	return a.zip.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
}

// Add adds an array that is a file of format 1.0.
func (a *Archive) Add(name string, file []byte) error {
	w, err := a.Create(name)
	if err == nil {
		_, err = w.Write(file)
	}
	return err
}

// Close ends the npz, and leaves its writer open.
func (a *Archive) Close() error { return a.zip.Close() }
