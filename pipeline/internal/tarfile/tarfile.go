// Package tarfile lists the members of a tar and where their bytes begin, so that each can be
// read by itself. It reads the headers, in all forms that archive/tar knows, and seeks over
// what lies between them.
package tarfile

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Member is a regular file in a tar.
type Member struct {
	Name         string // as it stands in the tar
	Offset, Size int64  // of its bytes
	Sparse       bool   // its bytes are not one piece of the tar
}

// Index is what a tar holds.
type Index struct {
	Members []Member
	Links   int  // members that are links to others, hard or symbolic
	Ended   bool // the tar has the mark that ends one; without it, it may have been cut off
}

var (
	// ErrFormat is returned for a file that is no tar, or is damaged.
	ErrFormat = errors.New("no sound tar")
	// ErrCut is returned for a tar that ends within a member.
	ErrCut = errors.New("the tar is cut off")
)

// List lists the members of a tar of size bytes, in their order. Names may occur twice. On an
// error, the index has the members before it.
func List(r io.ReaderAt, size int64) (x Index, err error) {
	w := &window{r: r, size: size}
	t := tar.NewReader(w)
	for {
		h, err := t.Next()
		switch {
		case err == io.EOF: //nolint:errorlint // archive/tar returns it bare at the end alone
			if x.Ended, err = w.endsInZeros(); err == nil && !x.Ended && size%block != 0 {
				err = x.fault(io.ErrUnexpectedEOF, size)
			}
			return x, err
		case err != nil:
			return x, x.fault(err, size)
		}
		switch h.Typeflag {
		case tar.TypeLink, tar.TypeSymlink:
			x.Links++
		case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
			m := Member{Name: h.Name, Offset: w.at, Size: h.Size, Sparse: isSparse(h)}
			if !m.Sparse && m.Size > size-m.Offset {
				return x, x.fault(io.ErrUnexpectedEOF, size)
			}
			x.Members = append(x.Members, m)
		}
	}
}

// isSparse reports whether a member has holes.
func isSparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// fault says where a tar of size bytes ends to make sense.
func (x *Index) fault(err error, size int64) error {
	cut, last := errors.Is(err, io.ErrUnexpectedEOF), "before its first member"
	if cut {
		x.dropCut(size)
	}
	if n := len(x.Members); n > 0 {
		last = fmt.Sprintf("behind %q, its member %d", x.Members[n-1].Name, n)
	}
	if cut {
		return fmt.Errorf("%w %s", ErrCut, last)
	}
	return fmt.Errorf("%w: %w %s", ErrFormat, err, last)
}

// dropCut takes the last member away if the tar ends within its bytes.
func (x *Index) dropCut(size int64) {
	if n := len(x.Members); n > 0 && !x.Members[n-1].Sparse && x.Members[n-1].Offset+x.Members[n-1].Size > size {
		x.Members = x.Members[:n-1]
	}
}

// block is what a tar is made of.
const block = 512

// windowBytes are read at a time: a header, what is added to it, and the small texts that lie
// beside images.
const windowBytes = 8 << 10

// window reads a file piece by piece, from where somebody reads.
type window struct {
	r        io.ReaderAt
	size, at int64
	from     int64 // of what is in memory
	held     []byte
	buf      [windowBytes]byte
}

// Read implements [io.Reader].
func (w *window) Read(p []byte) (int, error) {
	if w.at >= w.size {
		return 0, io.EOF
	}
	if w.at < w.from || w.at >= w.from+int64(len(w.held)) {
		n, err := w.r.ReadAt(w.buf[:min(windowBytes, w.size-w.at)], w.at)
		if n == 0 {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF // it shrank
			}
			return 0, err
		}
		w.from, w.held = w.at, w.buf[:n]
	}
	n := copy(p, w.held[w.at-w.from:])
	w.at += int64(n)
	return n, nil
}

// Seek implements [io.Seeker] as far as archive/tar needs it: forwards from where it is.
func (w *window) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekCurrent || offset < 0 || w.at+offset < 0 {
		return 0, errors.ErrUnsupported
	}
	w.at += offset
	return w.at, nil
}

// endsInZeros reports whether the block that was read last is one of those that end a tar.
func (w *window) endsInZeros() (bool, error) {
	if w.at < block {
		return false, nil
	}
	var last [block]byte
	if _, err := w.r.ReadAt(last[:], w.at-block); err != nil && err != io.EOF {
		return false, err
	}
	return last == [block]byte{}, nil
}
