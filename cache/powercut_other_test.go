//go:build !linux || !amd64

package cache

import "errors"

// childScript is for processes that are traced.
func childScript(string) error { return errors.ErrUnsupported }
