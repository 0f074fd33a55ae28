//go:build !unix

package cache

import "errors"

// childFull has no way to limit the size of a file here.
func childFull(string) error { return errors.ErrUnsupported }
