package runs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"icebox/pipeline/internal/lock"
)

// Tidy deletes the folders in dir that killed runs left, and returns their names: folders
// that are not whole, that no process has locked any more and that hold nothing but what
// a run writes before its report. What an interrupted sweep has found is kept, and so is
// a folder of which nobody can say whether its run is over.
func Tidy(dir string) (gone []string) {
	entries, _ := os.ReadDir(dir) // what cannot be read is no concern of a run that goes elsewhere
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !e.IsDir() || !strings.HasSuffix(e.Name(), partial) || !onlyOwn(path) {
			continue
		}
		l := lock.TakeLeft(path)
		if l == nil {
			continue
		}
		if onlyOwn(path) && os.RemoveAll(path) == nil {
			gone = append(gone, e.Name())
		}
		l.Release()
	}
	return gone
}

// onlyOwn reports whether a folder has a configuration, which is written after the lock is
// taken, and nothing that a run would not write.
func onlyOwn(path string) bool {
	entries, err := os.ReadDir(path)
	if err != nil {
		return false
	}
	begun := false
	for _, e := range entries {
		begun = begun || e.Name() == ConfigFile
		if e.IsDir() || !slices.Contains([]string{lock.Name, ConfigFile, MetricsFile, HeadFile, LastFile, LabelsFile}, e.Name()) {
			return false
		}
	}
	return begun
}
