package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"time"
)

// asFull makes ErrFull of the errors that mean it. bbolt flattens some to text, so
// the text is looked at too.
func asFull(err error) error {
	if err == nil {
		return nil
	}
	for _, e := range fullErrnos {
		if errors.Is(err, e) || strings.HasSuffix(err.Error(), e.Error()) {
			return fmt.Errorf("%w: %w; what was committed before is kept", ErrFull, err)
		}
	}
	return err
}

// placeNew gives a complete file its name, unless there is a file of that name by now, and
// makes the name durable.
func placeNew(tmp, path string) error {
	err := os.Link(tmp, path)
	switch {
	case err == nil || errors.Is(err, fs.ErrExist):
		err = os.Remove(tmp)
	default: // the file system has no links
		if _, there := os.Lstat(path); there == nil {
			return os.Remove(tmp)
		}
		err = os.Rename(tmp, path)
	}
	return errors.Join(err, syncDir(path))
}

// moveInto renames a complete file to path and makes the name durable. Where open
// files cannot be replaced (Windows), it waits for their readers.
func moveInto(tmp, path string, wait time.Duration) error {
	deadline := time.Now().Add(wait)
	err := os.Rename(tmp, path)
	for runtime.GOOS == "windows" && errors.Is(err, fs.ErrPermission) && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return err
	}
	return syncDir(path)
}
