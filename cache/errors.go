package cache

import (
	"errors"
	"fmt"
)

// What a file can be.
var (
	// ErrNotCache is returned for a file that some other program made.
	ErrNotCache = errors.New("not a cache of icebox")

	// ErrNewer is returned for a file, block or document of a later format than this
	// program reads. It needs a newer icebox; the file is sound.
	ErrNewer = errors.New("written by a newer icebox")

	// ErrCorrupt is the class of all damage: a checksum that differs, a file cut
	// short, a page that points nowhere.
	ErrCorrupt = errors.New("damaged cache")
)

// What is not in a file.
var (
	// ErrNoDoc is returned for a document that the cache has not.
	ErrNoDoc = errors.New("no such document")

	// ErrNoSpace is returned for a space that the cache has not, or that a Writer was
	// not told of.
	ErrNoSpace = errors.New("no such space")
)

// What can stop a writer.
var (
	// ErrLocked is returned when another process has the cache: the message names it.
	ErrLocked = errors.New("cache in use")

	// ErrSpaceMismatch is returned when a space is declared with another dtype or
	// dimension than it has.
	ErrSpaceMismatch = errors.New("space has another shape")

	// ErrFull is returned when the disk, the quota or the largest size of a file is
	// used up. What was committed before stays.
	ErrFull = errors.New("no room on the disk")

	// ErrValue is returned for a row that cannot be stored: NaN, an infinity, or a
	// number beyond the range of float16.
	ErrValue = errors.New("value cannot be stored")

	// ErrClosed is returned by a Cache or Writer after Close.
	ErrClosed = errors.New("cache is closed")
)

// corruptf makes an error of the class ErrCorrupt.
func corruptf(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrCorrupt, fmt.Errorf(format, args...))
}

// inFile names the file.
func inFile(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrCorrupt), errors.Is(err, ErrNewer), errors.Is(err, ErrNotCache):
		return fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Errorf("cache %s: %w", path, err)
}
