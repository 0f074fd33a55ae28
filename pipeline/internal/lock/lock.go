// Package lock locks a folder that a process writes to, by a file in it. The lock goes with
// the process, however that ends, so that what a killed one left can be told from what a
// living one is at.
package lock

import "errors"

// Name is the name of the lock file of a folder.
const Name = "lock"

// ErrHeld is returned for a folder that another process has locked.
var ErrHeld = errors.New("another process writes to it")
