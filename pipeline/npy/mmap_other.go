//go:build !unix

package npy

import (
	"errors"
	"os"
)

// CanMap says whether files can be mapped here.
const CanMap = false

func forget([]byte) {}

// mapFile says that files are not mapped here; they are read instead.
func mapFile(*os.File, int) ([]byte, func() error, error) {
	return nil, nil, errors.ErrUnsupported
}
