package origin

import (
	"errors"
	"fmt"
	"io"
	"os"

	"icebox/extract"
	"icebox/pipeline/dataset"
)

// MaxFileBytes bounds what is read of one image.
const MaxFileBytes = 1 << 30

// ReadStream reads r, whose length nobody knows, up to limit bytes. More is an error.
func ReadStream(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%w: it has more than %d bytes", extract.ErrImageTooLarge, limit)
	}
	return data, pathless(err)
}

// File reads the image in a file, of up to [MaxFileBytes], and its stat as of before the first
// byte. An error of the file system comes without the path.
func File(path string) ([]byte, dataset.Stat, error) {
	return readFile(path, MaxFileBytes, func(int64) error { return nil })
}

// readFile reads a whole file, and its stat as of before the first byte. It asks reserve for
// the memory that it takes.
func readFile(path string, limit int64, reserve func(bytes int64) error) ([]byte, dataset.Stat, error) {
	f, fi, err := open(path)
	if err != nil {
		return nil, dataset.Stat{}, err
	}
	defer f.Close()
	if err := checkSize(fi.Size(), limit); err != nil {
		return nil, dataset.Stat{}, err
	}
	if !fi.Mode().IsRegular() { // a pipe, for which memory is doubled as it grows
		if err := reserve(limit); err != nil {
			return nil, dataset.Stat{}, err
		}
		data, err := ReadStream(f, limit/3)
		return data, dataset.Stat{}, err
	}
	if err := reserve(fi.Size()); err != nil {
		return nil, dataset.Stat{}, err
	}
	data := make([]byte, fi.Size())
	n, err := io.ReadFull(f, data)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil // it shrank; what is there now is the image
	}
	return data[:n], dataset.StatOf(fi), pathless(err)
}

// open opens a file and stats it.
func open(path string) (*os.File, os.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, pathless(err)
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, pathless(err)
	}
	return f, fi, nil
}

func checkSize(size, limit int64) error {
	if size > limit {
		return fmt.Errorf("%w: the file has %d bytes, %d are the limit", extract.ErrImageTooLarge, size, limit)
	}
	return nil
}

// pathless drops the path from an error of the file system, where it stands
// beside the message already.
func pathless(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
