package pipeline

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

	"icebox/headtrain"
)

// npy is an open NumPy file whose header has been read and whose size fits it.
type npy struct {
	f      *os.File
	kind   npyKind
	shape  []int
	offset int64 // of the data
}

// npyKind is a type that a NumPy file may hold, little-endian.
type npyKind struct {
	descr string
	size  int
	// One of the two reads a value.
	float func([]byte) float32
	whole func([]byte) int64
}

var npyKinds = []npyKind{
	{"<f4", 4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }, nil},
	{"<f2", 2, func(b []byte) float32 { return float16.Frombits(binary.LittleEndian.Uint16(b)).Float32() }, nil},
	{"<f8", 8, func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }, nil},
	{"<i8", 8, nil, func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }},
	{"<i4", 4, nil, func(b []byte) int64 { return int64(int32(binary.LittleEndian.Uint32(b))) }},
}

const (
	npyMagic     = "\x93NUMPY"
	maxNPYHeader = 64 << 10
)

// The three entries of a header, as NumPy writes them.
var (
	npyDescr   = regexp.MustCompile(`'descr'\s*:\s*'([^']*)'`)
	npyFortran = regexp.MustCompile(`'fortran_order'\s*:\s*(True|False)`)
	npyShape   = regexp.MustCompile(`'shape'\s*:\s*\(([0-9, ]*)\)`)
)

// openNPY opens the file at path and checks its header and its size.
func openNPY(path string) (_ *npy, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	n := &npy{f: f}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	text, err := n.readHeader()
	if err == nil {
		err = n.parse(text)
	}
	if err != nil {
		return nil, n.fault("%w", err)
	}
	return n, nil
}

func (n *npy) Close() error { return n.f.Close() }

func (n *npy) fault(format string, args ...any) error {
	return fmt.Errorf("%w: %s: %w", ErrData, n.f.Name(), fmt.Errorf(format, args...))
}

// readHeader returns the header's text and finds where the data begin.
func (n *npy) readHeader() (string, error) {
	notNumPy := fmt.Errorf("not a NumPy file: numpy.save writes one")
	start := make([]byte, 12)
	if got, err := io.ReadFull(n.f, start); err != nil && got < 10 {
		return "", notNumPy
	}
	if !bytes.HasPrefix(start, []byte(npyMagic)) {
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
	if length > maxNPYHeader {
		return "", fmt.Errorf("a header of %d bytes: at most %d are read", length, maxNPYHeader)
	}
	text := make([]byte, length)
	if _, err := n.f.ReadAt(text, n.offset); err != nil {
		return "", fmt.Errorf("the file ends within its header")
	}
	n.offset += length
	return string(text), nil
}

func (n *npy) parse(text string) error {
	descr, fortran, shape := npyDescr.FindStringSubmatch(text), npyFortran.FindStringSubmatch(text), npyShape.FindStringSubmatch(text)
	rest := text
	for _, entry := range []*regexp.Regexp{npyDescr, npyFortran, npyShape} {
		rest = entry.ReplaceAllLiteralString(rest, "")
	}
	if descr == nil || fortran == nil || shape == nil || strings.Trim(rest, "{}, \n") != "" {
		return fmt.Errorf("a header that is not understood: %.100q", strings.TrimSpace(text))
	}
	for _, k := range npyKinds {
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
		n.shape = append(n.shape, int(v))
		size *= v
	}
	info, err := n.f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != n.offset+size {
		return fmt.Errorf("the file has %d bytes, but its header asks for %d: it was cut short or is still being written", info.Size(), n.offset+size)
	}
	return nil
}

// values is the number of values in the file.
func (n *npy) values() int {
	all := 1
	for _, s := range n.shape {
		all *= s
	}
	return all
}

// readBlock is how many values are read at a time.
const readBlock = 1 << 20

// each reads all values in blocks, several at a time, and hands them to do: at is
// the place of the first.
func (n *npy) each(do func(at int, block []byte)) error {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	all := n.values()
	for at := 0; at < all; at += readBlock {
		g.Go(func() error {
			block := make([]byte, min(readBlock, all-at)*n.kind.size)
			if _, err := n.f.ReadAt(block, n.offset+int64(at)*int64(n.kind.size)); err != nil {
				return n.fault("%w", err)
			}
			do(at, block)
			return nil
		})
	}
	return g.Wait()
}

// mapAbove is the size in bytes past which float32 features stay in the file and
// are mapped, so that they may exceed the memory. Smaller ones are copied: a file
// that is truncated under a mapping takes the process with it.
var mapAbove int64 = 1 << 30

// floats returns all values, whether they lie in the file, and what gives them back.
func (n *npy) floats() (x []float32, mapped bool, release func() error, err error) {
	if n.kind.float == nil {
		return nil, false, nil, n.fault("values of type %q: features are float32, float16 or float64", n.kind.descr)
	}
	if x, release, ok := n.mapped(); ok {
		return x, true, release, nil
	}
	x = headtrain.NewFeatures(n.values())
	err = n.each(func(at int, block []byte) {
		for i := range len(block) / n.kind.size {
			x[at+i] = n.kind.float(block[i*n.kind.size:])
		}
	})
	return x, false, func() error { return nil }, err
}

// mapped maps the values, if they are worth it and lie in the file as they lie in
// memory.
func (n *npy) mapped() (x []float32, release func() error, ok bool) {
	size := n.offset + int64(n.values())*4
	little := binary.NativeEndian.Uint16([]byte{1, 0}) == 1
	if n.kind.descr != "<f4" || n.offset%4 != 0 || size <= mapAbove || !little || size > math.MaxInt {
		return nil, nil, false
	}
	data, release, err := mapFile(n.f, int(size))
	if err != nil {
		return nil, nil, false
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&data[n.offset])), n.values()), release, true
}

// wholes returns all values of a file of whole numbers.
func (n *npy) wholes() ([]int64, error) {
	if n.kind.whole == nil {
		return nil, n.fault("values of type %q: labels are int64 or int32", n.kind.descr)
	}
	x := make([]int64, n.values())
	err := n.each(func(at int, block []byte) {
		for i := range len(block) / n.kind.size {
			x[at+i] = n.kind.whole(block[i*n.kind.size:])
		}
	})
	return x, err
}
