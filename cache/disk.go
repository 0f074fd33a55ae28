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
