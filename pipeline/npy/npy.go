package npy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"github.com/x448/float16"
	"golang.org/x/sync/errgroup"
)

// File is an open NumPy file whose header has been read and whose size fits it.
type File struct {
	Shape []int

	f      *os.File
	info   os.FileInfo // when it was opened
	kind   kind
	offset int64  // of the data
	data   []byte // that is mapped; nil if none is
}

// kind is a type that a NumPy file may hold, little-endian.
type kind struct {
	descr string
	size  int
	// One of the two reads a value.
	float func([]byte) float32
	whole func([]byte) int64
}

var kinds = []kind{
	{"<f4", 4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }, nil},
	{"<f2", 2, func(b []byte) float32 { return float16.Frombits(binary.LittleEndian.Uint16(b)).Float32() }, nil},
	{"<f8", 8, func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }, nil},
	{"<i8", 8, nil, func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }},
	{"<i4", 4, nil, func(b []byte) int64 { return int64(int32(binary.LittleEndian.Uint32(b))) }},
}

const (
	magic     = "\x93NUMPY"
	maxHeader = 64 << 10
)

// The three entries of a header, as NumPy writes them.
var (
	descrEntry   = regexp.MustCompile(`'descr'\s*:\s*'([^']*)'`)
	fortranEntry = regexp.MustCompile(`'fortran_order'\s*:\s*(True|False)`)
	shapeEntry   = regexp.MustCompile(`'shape'\s*:\s*\(([0-9, ]*)\)`)
)

// Open opens the file at path and checks its header and its size.
func Open(path string) (_ *File, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	n := &File{f: f}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if n.info, err = f.Stat(); err != nil {
		return nil, err
	}
	text, err := n.readHeader()
	if err == nil {
		err = n.parse(text)
	}
	if err != nil {
		return nil, n.Fault("%w", err)
	}
	return n, nil
}

// Close closes the file. What is mapped stays mapped.
func (n *File) Close() error { return n.f.Close() }

// Fault is an error about the file, with its name.
func (n *File) Fault(format string, args ...any) error {
	return fmt.Errorf("%s: %w", n.f.Name(), fmt.Errorf(format, args...))
}

// readHeader returns the header's text and finds where the data begin.
func (n *File) readHeader() (string, error) {
	notNumPy := fmt.Errorf("not a NumPy file: numpy.save writes one")
	start := make([]byte, 12)
	if got, err := io.ReadFull(n.f, start); err != nil && got < 10 {
		return "", notNumPy
	}
	if !bytes.HasPrefix(start, []byte(magic)) {
		return "", notNumPy
	}
	var length int64
	switch version := start[6]; version {
	case 1:
		length, n.offset = int64(binary.LittleEndian.Uint16(start[8:])), 10
	case 2, 3:
		length, n.offset = int64(binary.LittleEndian.Uint32(start[8:])), 12
	default:
		return "", fmt.Errorf("a NumPy file of version %d: 1 to 3 are read", version)
	}
	if length > maxHeader {
		return "", fmt.Errorf("a header of %d bytes: at most %d are read", length, maxHeader)
	}
	text := make([]byte, length)
	if _, err := n.f.ReadAt(text, n.offset); err != nil {
		return "", fmt.Errorf("the file ends within its header")
	}
	n.offset += length
	return string(text), nil
}

func (n *File) parse(text string) error {
	descr, fortran, shape := descrEntry.FindStringSubmatch(text), fortranEntry.FindStringSubmatch(text), shapeEntry.FindStringSubmatch(text)
	rest := text
	for _, entry := range []*regexp.Regexp{descrEntry, fortranEntry, shapeEntry} {
		rest = entry.ReplaceAllLiteralString(rest, "")
	}
	if descr == nil || fortran == nil || shape == nil || strings.Trim(rest, "{}, \n") != "" {
		return fmt.Errorf("a header that is not understood: %.100q", strings.TrimSpace(text))
	}
	for _, k := range kinds {
		if k.descr == descr[1] {
			n.kind = k
		}
	}
	if n.kind.size == 0 {
		return fmt.Errorf("values of type %q: float32, float16 and float64 are read for features, int64 and int32 for labels, little-endian", descr[1])
	}
	if fortran[1] == "True" {
		return fmt.Errorf("the array is in Fortran order: save numpy.ascontiguousarray of it")
	}
	size := int64(n.kind.size)
	for _, s := range strings.FieldsFunc(shape[1], func(r rune) bool { return r == ',' || r == ' ' }) {
		v, err := strconv.ParseInt(s, 10, 32)
		if err != nil || v > 0 && size > math.MaxInt64/v {
			return fmt.Errorf("a shape of (%s) is too large", shape[1])
		}
		n.Shape = append(n.Shape, int(v))
		size *= v
	}
	if n.info.Size() != n.offset+size {
		return fmt.Errorf("the file has %d bytes, but its header asks for %d: it was cut short or is still being written", n.info.Size(), n.offset+size)
	}
	return nil
}

// Unchanged returns an error if the file is no longer as long, or was written to, since it
// was opened. Another file of the same name is of no concern.
func (n *File) Unchanged() error {
	now, err := n.f.Stat()
	switch {
	case err != nil:
		return err
	case now.Size() != n.info.Size():
		return n.Fault("it had %d bytes, and has %d now", n.info.Size(), now.Size())
	case !now.ModTime().Equal(n.info.ModTime()):
		return n.Fault("it was written to")
	}
	return nil
}

// values is the number of values in the file.
func (n *File) values() int {
	all := 1
	for _, s := range n.Shape {
		all *= s
	}
	return all
}

// readBlock is how many values are read at a time.
const readBlock = 1 << 20

// each reads all values in blocks, several at a time, and hands them to do: at is
// the place of the first.
func (n *File) each(do func(at int, block []byte)) error {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	all := n.values()
	for at := 0; at < all; at += readBlock {
		g.Go(func() error {
			block := make([]byte, min(readBlock, all-at)*n.kind.size)
			if _, err := n.f.ReadAt(block, n.offset+int64(at)*int64(n.kind.size)); err != nil {
				return n.Fault("%w", err)
			}
			do(at, block)
			return nil
		})
	}
	return g.Wait()
}

// MapAbove is the size in bytes past which float32 features stay in the file and
// are mapped, so that they may exceed the memory. Smaller ones are copied: to read a
// file that is truncated under a mapping is a fault.
var MapAbove int64 = 1 << 30

// Floats returns all values of an array of float32, float16 or float64, whether they
// lie in the file (they must then not be written to), and what gives them back. Room
// makes the slice for those that are read.
func (n *File) Floats(room func(n int) []float32) (x []float32, mapped bool, release func() error, err error) {
	if n.kind.float == nil {
		return nil, false, nil, n.Fault("values of type %q: features are float32, float16 or float64", n.kind.descr)
	}
	if x, release, ok := n.mapped(); ok {
		return x, true, release, nil
	}
	x = room(n.values())
	err = n.each(func(at int, block []byte) {
		for i := range len(block) / n.kind.size {
			x[at+i] = n.kind.float(block[i*n.kind.size:])
		}
	})
	return x, false, func() error { return nil }, err
}

// mapped maps the values, if they are worth it and lie in the file as they lie in
// memory.
func (n *File) mapped() (x []float32, release func() error, ok bool) {
	size := n.offset + int64(n.values())*4
	little := binary.NativeEndian.Uint16([]byte{1, 0}) == 1
	if n.kind.descr != "<f4" || n.offset%4 != 0 || size <= MapAbove || !little || size > math.MaxInt {
		return nil, nil, false
	}
	data, unmap, err := mapFile(n.f, int(size))
	if err != nil {
		return nil, nil, false
	}
	n.data = data
	return unsafe.Slice((*float32)(unsafe.Pointer(&data[n.offset])), n.values()), func() error { n.data = nil; return unmap() }, true
}

// Forget lets the system have the memory of the values that Floats has mapped, if it did: who
// reads them next gets them from the file again.
func (n *File) Forget() {
	if n.data != nil {
		forget(n.data)
	}
}

// Wholes returns all values of an array of int64 or int32.
func (n *File) Wholes() ([]int64, error) {
	if n.kind.whole == nil {
		return nil, n.Fault("values of type %q: labels are int64 or int32", n.kind.descr)
	}
	x := make([]int64, n.values())
	err := n.each(func(at int, block []byte) {
		for i := range len(block) / n.kind.size {
			x[at+i] = n.kind.whole(block[i*n.kind.size:])
		}
	})
	return x, err
}
