//go:build !unix

package weights

import (
	"io"
	"os"
)

// mapFile reads the size bytes of f, and returns them and a function that does nothing.
func mapFile(f *os.File, size int) ([]byte, func() error, error) {
	data := make([]byte, size)
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, nil, err
	}
	return data, func() error { return nil }, nil
}
