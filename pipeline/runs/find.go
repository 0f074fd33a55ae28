package runs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"icebox/pipeline/words"
)

// Latest stands for the newest run.
const Latest = "latest"

// Find returns the path of the run that a person means by name: path itself, which is name
// as a path of the file system, if a run or a head is there; else the folder called name
// in dir; else the newest run in dir whose folder is called <time>-name, or, for [Latest],
// the newest of all. It returns an [ErrNoRun] where there is none, and an [ErrRun] where path
// is something else.
func Find(dir, name, path string) (string, error) {
	if fi, err := os.Stat(path); err == nil && (!fi.IsDir() || isRun(path)) {
		return path, nil
	}
	all, err := List(dir)
	if err != nil {
		return "", err
	}
	var found string
	for _, run := range all {
		base := filepath.Base(run)
		if base == name {
			return run, nil
		}
		if name == Latest || afterTime(base) == name {
			found = run
		}
	}
	if found != "" {
		return found, nil
	}
	if _, err := os.Stat(path); err == nil {
		return "", fmt.Errorf("%w: %s holds no %s", ErrRun, path, HeadFile)
	}
	if len(all) == 0 {
		return "", fmt.Errorf("%w: %s is not there, and %s holds no run", ErrNoRun, path, dir)
	}
	newest := make([]string, 0, 3)
	for _, run := range slices.Backward(all) {
		if newest = append(newest, filepath.Base(run)); len(newest) == cap(newest) {
			break
		}
	}
	return "", fmt.Errorf("%w: %s; the newest in %s: %s", ErrNoRun, name, dir, words.List(newest))
}

// List returns the paths of the runs in dir that are whole, oldest first; none where dir is
// not there.
func List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	type run struct {
		path, time string
		written    int64 // orders the runs of one second
	}
	var all []run
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if strings.HasSuffix(e.Name(), partial) || !isRun(path) {
			continue
		}
		r := run{path: path}
		if fi, err := os.Stat(filepath.Join(path, HeadFile)); err == nil {
			r.written, r.time = fi.ModTime().UnixNano(), fi.ModTime().Format(timeLayout) // of a folder that was given another name
		}
		if name := afterTime(e.Name()); name != "" {
			r.time = strings.TrimSuffix(e.Name(), "-"+name)
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b run) int {
		return cmp.Or(strings.Compare(a.time, b.time), cmp.Compare(a.written, b.written), strings.Compare(a.path, b.path))
	})
	paths := make([]string, len(all))
	for i, r := range all {
		paths[i] = r.path
	}
	return paths, nil
}

func isRun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, HeadFile))
	return err == nil
}

// Name is what the run in a folder is called: the folder's name without the time that it
// begins with.
func Name(dir string) string {
	base := filepath.Base(dir)
	return cmp.Or(afterTime(base), base)
}

// afterTime is the name of a run's folder without the time that it begins with; "" where it
// begins with none.
func afterTime(name string) string {
	day, rest, _ := strings.Cut(name, "-")
	clock, rest, _ := strings.Cut(rest, "-")
	digits := func(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789") == "" }
	if digits(day, 8) && digits(clock, 6) {
		return rest
	}
	return ""
}
