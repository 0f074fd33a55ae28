package bucket

import (
	"context"
	"errors"
	"io"
	"os"
)

// Locate opens the bucket that an object is in, by the object's address.
func Locate(address string) (of *Bucket, name string, err error) {
	folder, name, err := Split(address)
	if err != nil {
		return nil, "", err
	}
	of, err = Open(folder, os.Getenv)
	return of, name, err
}

// Scratch is a temporary file that goes when it is closed.
type Scratch struct {
	*os.File
	named bool
}

// NewScratch makes a temporary file. Where the system has files without a name, it is one, so
// that nothing is left of a process that is killed; with named, it has one all the same.
func NewScratch(named bool) (*Scratch, error) {
	f, err := os.CreateTemp("", "icebox-*")
	if err != nil {
		return nil, err
	}
	return &Scratch{f, named || os.Remove(f.Name()) != nil}, nil
}

// Close closes the file, and removes it.
func (s *Scratch) Close() error {
	err := s.File.Close()
	if s.named {
		err = errors.Join(err, os.Remove(s.Name()))
	}
	return err
}

// pieceBytes is how much of an object is asked for at a time when all of it is read: a piece
// that breaks is asked for again.
const pieceBytes = 8 << 20

// CopyTo writes the object.
func (f *File) CopyTo(w io.Writer) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{io.NewSectionReader(f, 0, f.Size)}, make([]byte, pieceBytes))
	return err
}

// Copy brings an object into a temporary file.
func (b *Bucket) Copy(ctx context.Context, name string, named bool) (*Scratch, Object, error) {
	from, err := b.Open(ctx, name)
	if err != nil {
		return nil, Object{}, err
	}
	s, err := NewScratch(named)
	if err != nil {
		return nil, Object{}, err
	}
	if err := from.CopyTo(s); err != nil {
		s.Close()
		return nil, Object{}, err
	}
	return s, from.Object, nil
}
