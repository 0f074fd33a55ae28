package features

import (
	"errors"
	"fmt"
	"io"
	"os"

	"icebox/extract"
	"icebox/pipeline/dataset"
)

// MaxFileBytes bounds what a worker reads of one file.
const MaxFileBytes = 1 << 30

// ReadImage reads a whole file of up to 1 GiB, and its stat as of before the first byte.
// An error of the file system comes without the path.
func ReadImage(path string) ([]byte, dataset.Stat, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, dataset.Stat{}, pathless(err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, dataset.Stat{}, pathless(err)
	}
	if fi.Size() > MaxFileBytes {
		return nil, dataset.Stat{}, fmt.Errorf("%w: the file has %d bytes, %d are the limit", extract.ErrImageTooLarge, fi.Size(), MaxFileBytes)
	}
	if !fi.Mode().IsRegular() { // a pipe, whose size nobody knows
		data, err := io.ReadAll(io.LimitReader(f, MaxFileBytes))
		return data, dataset.Stat{}, pathless(err)
	}
	data := make([]byte, fi.Size())
	n, err := io.ReadFull(f, data)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil // it shrank; what is there now is the image
	}
	return data[:n], dataset.StatOf(fi), pathless(err)
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
