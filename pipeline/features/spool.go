package features

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"unsafe"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/npy"
)

// spool is a file that holds rows which memory cannot, in the order in which they are wanted.
// It has no name: it goes with the process.
type spool struct {
	file    *npy.File
	x       []float32
	release func() error
}

// spoolBuffer is how many bytes a segment gathers before they are written.
const spoolBuffer = 64 << 10

// segmentBytes is about how much of the file is put in order at once. Tests make it smaller.
var segmentBytes = 128 << 20

// spoolRows writes the rows of keys, all of which the cache has, to a spool.
//
// The cache has them in another order, as a rule. So they go in its order to the segment of
// the file that they belong to, each of which is then put in order by itself: the cache is
// read once, and the file written twice and read once, nothing of it here and there.
func (s *Store) spoolRows(space string, keys []cache.Key) (*spool, error) {
	f, mapped, err := s.createSpool(len(keys))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	w := newSegments(f, len(keys))
	found := 0
	err = s.c.Visit(space, keys, func(i int, row []float32) error {
		found++
		return w.add(i, row)
	})
	if err == nil && found < len(keys) {
		err = fmt.Errorf("%w: %d rows went away while they were read: run again", ErrNotExtracted, len(keys)-found)
	}
	if err = cmp.Or(err, w.flush()); err == nil {
		err = w.sort()
	}
	sp := &spool{file: mapped}
	if err == nil {
		err = sp.open()
	}
	if err != nil {
		return nil, errors.Join(err, mapped.Close())
	}
	return sp, nil
}

// open maps the rows.
func (sp *spool) open() (err error) {
	var mapped bool
	sp.x, mapped, sp.release, err = sp.file.Floats(func(int) []float32 { return nil })
	if err == nil && !mapped {
		err = errors.New("its rows cannot be mapped")
	}
	return err
}

// Close lets go of the rows.
func (sp *spool) Close() error { return errors.Join(sp.release(), sp.file.Close()) }

// createSpool makes a file with room for n rows beside the cache, or where temporary files
// go, if that is not allowed there, opens it a second time, and takes its name away.
func (s *Store) createSpool(n int) (f *os.File, mapped *npy.File, err error) {
	pattern := filepath.Base(s.path) + ".rows-*"
	if f, err = os.CreateTemp(filepath.Dir(s.path), pattern); err != nil {
		f, err = os.CreateTemp("", pattern)
	}
	if err != nil {
		return nil, nil, err
	}
	if free, known := cache.FreeDisk(f.Name()); known && free < int64(n)*rowBytes {
		err := fmt.Errorf("%w: their file takes %d MB in %s, and %d MB are free", cache.ErrFull, int64(n)*rowBytes/1e6+1, filepath.Dir(f.Name()), free/1e6)
		return nil, nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	head := npy.Header(npy.Float32, n, extract.Dim)
	if _, err = f.Write(head); err == nil {
		err = f.Truncate(int64(len(head)) + int64(n)*rowBytes)
	}
	if err == nil {
		mapped, err = npy.Open(f.Name())
	}
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, mapped, nil
}

const rowBytes = 4 * extract.Dim

// segments are parts of a spool that is being written.
type segments struct {
	f       *os.File
	begin   int64 // of the rows in the file
	rows    int   // of a segment
	n       int   // of all
	buffers [][]byte
	written []int   // rows of each that are in the file
	to      []int32 // where the row belongs that lies at a place, counted from its segment's beginning
}

func newSegments(f *os.File, n int) *segments {
	w := &segments{f: f, begin: int64(len(npy.Header(npy.Float32, n, extract.Dim))), rows: max(1, segmentBytes/rowBytes), n: n, to: make([]int32, n)}
	count := (n + w.rows - 1) / w.rows
	w.buffers, w.written = make([][]byte, count), make([]int, count)
	return w
}

// add takes the row that belongs to place i.
func (w *segments) add(i int, row []float32) error {
	k := i / w.rows
	w.to[k*w.rows+w.written[k]+len(w.buffers[k])/rowBytes] = int32(i % w.rows)
	w.buffers[k] = appendFloats(w.buffers[k], row)
	if len(w.buffers[k]) < spoolBuffer {
		return nil
	}
	return w.write(k)
}

func (w *segments) write(k int) error {
	_, err := w.f.WriteAt(w.buffers[k], w.at(k*w.rows+w.written[k]))
	w.written[k] += len(w.buffers[k]) / rowBytes
	w.buffers[k] = w.buffers[k][:0]
	return err
}

func (w *segments) at(row int) int64 { return w.begin + int64(row)*rowBytes }

func (w *segments) flush() error {
	for k := range w.buffers {
		if err := w.write(k); err != nil {
			return err
		}
	}
	return nil
}

// sort puts each segment in order.
func (w *segments) sort() error {
	var came, sorted []byte
	for from := 0; from < w.n; from += w.rows {
		n := min(w.rows, w.n-from)
		if came == nil {
			came, sorted = make([]byte, n*rowBytes), make([]byte, n*rowBytes)
		}
		came, sorted = came[:n*rowBytes], sorted[:n*rowBytes]
		if _, err := w.f.ReadAt(came, w.at(from)); err != nil {
			return err
		}
		for i, to := range w.to[from : from+n] {
			copy(sorted[int(to)*rowBytes:][:rowBytes], came[i*rowBytes:])
		}
		if _, err := w.f.WriteAt(sorted, w.at(from)); err != nil {
			return err
		}
	}
	return nil
}

// appendFloats adds values as a file has them, little-endian.
func appendFloats(b []byte, values []float32) []byte {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return append(b, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 4*len(values))...)
	}
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}
