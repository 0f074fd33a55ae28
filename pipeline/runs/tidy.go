package runs

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"icebox/pipeline/files"
	"icebox/pipeline/internal/lock"
)

// Tidy deletes the folders in dir that killed runs left, and returns their names: folders
// that are not whole, that no process has locked any more and that hold nothing but what
// a run writes. What an interrupted sweep has found is kept, and so is a folder of which
// nobody can say whether its run is over. From a folder that is whole it takes what its run
// was killed before it could remove.
func Tidy(dir string) (gone []string) {
	entries, _ := os.ReadDir(dir) // what cannot be read is no concern of a run that goes elsewhere
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		begun := strings.HasSuffix(e.Name(), partial)
		if !e.IsDir() || begun && !onlyOwn(path) || !begun && !exists(filepath.Join(path, lock.Name)) {
			continue
		}
		l := lock.TakeLeft(path)
		if l == nil {
			continue
		}
		if !begun {
			if isRun(path) {
				clean(path)
			}
		} else if onlyOwn(path) && lock.RemoveFolder(path) == nil {
			gone = append(gone, e.Name())
		}
		l.Release()
	}
	return gone
}

// own are the files that a run writes.
var own = []string{
	lock.Name, ConfigFile, MetricsFile, HeadFile, LastFile, LabelsFile,
	ReportFile, ReportTextFile, PageFile, QuarantineFile, EventsFile, CorrectionsFile, sweepResultFile, SweepTableFile,
}

// unfinishedHead is the name of a head that was being written.
var unfinishedHead = regexp.MustCompile(`^(head|last)\.safetensors\.tmp\d+$`)

// onlyOwn reports whether a folder has nothing that a run would not write, and no log of a
// sweep that can be gone on with: one whose first line, the recipe, is whole.
func onlyOwn(path string) bool {
	entries, err := os.ReadDir(path)
	return err == nil && !slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		if e.Name() == sweepLogFile {
			text, err := os.ReadFile(filepath.Join(path, e.Name()))
			return err != nil || bytes.IndexByte(text, '\n') >= 0
		}
		return e.IsDir() || !slices.Contains(own, e.Name()) && !isUnfinished(e.Name())
	})
}

// isUnfinished reports whether name is that of a file that a run was writing.
func isUnfinished(name string) bool {
	return unfinishedHead.MatchString(name) || slices.ContainsFunc(own, func(final string) bool {
		return files.IsUnfinished(name, final)
	})
}

// removeUnfinished removes what a killed run was writing in a folder that is locked.
func removeUnfinished(path string) {
	entries, _ := os.ReadDir(path)
	for _, e := range entries {
		if isUnfinished(e.Name()) {
			_ = os.Remove(filepath.Join(path, e.Name()))
		}
	}
}
