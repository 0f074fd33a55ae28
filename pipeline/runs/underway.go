package runs

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"time"

	"icebox/pipeline/internal/lock"
)

// Underway is a run whose folder is not whole yet.
type Underway struct {
	Name    string
	Sweep   bool
	Lines   int       // heads of a sweep that are trained, or epochs of a head
	Changed time.Time // when the last of them was written
}

// fresh is how long ago a run has written something that is taken for one that goes on: what
// a killed one has left looks the same, and a lock would be in the way of those that go on.
const fresh = 10 * time.Minute

// ListUnderway lists the runs in dir that seem to go on, the oldest first. It takes no lock.
func ListUnderway(dir string) (all []Underway) {
	entries, _ := os.ReadDir(dir) // none is none
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !e.IsDir() || !strings.HasSuffix(e.Name(), partial) || !exists(filepath.Join(path, lock.Name)) {
			continue // one that was interrupted, and is kept to go on with, has no lock
		}
		u := Underway{Name: strings.TrimSuffix(e.Name(), partial)}
		for _, name := range []string{MetricsFile, sweepLogFile} {
			info, err := os.Stat(filepath.Join(path, name))
			if err != nil {
				continue
			}
			text, _ := os.ReadFile(filepath.Join(path, name)) // it is counted again soon
			u.Changed, u.Lines = info.ModTime(), bytes.Count(text, []byte("\n"))
			if u.Sweep = name == sweepLogFile; u.Sweep {
				u.Lines = max(u.Lines-1, 0) // the first says what is swept
			}
		}
		if time.Since(u.Changed) < fresh {
			all = append(all, u)
		}
	}
	return all
}
