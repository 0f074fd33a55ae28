package dataset

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"icebox/extract/format"
)

// contents is what a folder holds, by name, sorted bytewise.
type contents struct{ folders, files []string }

// place is a folder of a source.
type place struct {
	root int
	rel  string // below the root, with '/'
}

// list lists a folder without what is hidden, excluded or junk. What it returns is
// remembered until the folder is walked, because the layout is found out first.
func (s *scanner) list(root int, rel string) (contents, error) {
	at := place{root, rel}
	if l, ok := s.listed[at]; ok {
		return l, nil
	}
	l, err := visible(s.dir(root, rel))
	if err != nil {
		return l, fmt.Errorf("%w: %w", ErrData, err)
	}
	l.folders = slices.DeleteFunc(l.folders, func(name string) bool { return s.passOver(rel, name, true) })
	l.files = slices.DeleteFunc(l.files, func(name string) bool { return s.passOver(rel, name, false) })
	s.listed[at] = l
	return l, nil
}

// passOver reports whether a folder or file in rel is junk or excluded, and counts it.
func (s *scanner) passOver(rel, name string, folder bool) bool {
	if s.exclude != nil && s.exclude.excludes(join(rel, name), folder) {
		s.excluded.add(join(rel, name))
		return true
	}
	if (folder || format.ByEnding(name) != format.Image) && isJunk(name, folder) {
		s.junk.add(join(rel, name))
		return true
	}
	return false
}

// dataFolders are the folders of root/rel that are not icebox's own.
func (s *scanner) dataFolders(root int, rel string) ([]string, error) {
	l, err := s.list(root, rel)
	if err != nil {
		return nil, err
	}
	var folders []string
	for _, name := range l.folders {
		own, err := s.isOwn(root, join(rel, name))
		if err != nil {
			return nil, err
		}
		if own {
			s.passOwn(join(rel, name))
		} else {
			folders = append(folders, name)
		}
	}
	return folders, nil
}

// passOwn counts a folder or file of icebox, once.
func (s *scanner) passOwn(rel string) {
	if !s.ownSeen[rel] {
		s.ownSeen[rel] = true
		s.own.add(rel)
	}
}

// dir is the path of a folder on this machine.
func (s *scanner) dir(root int, rel string) string {
	return filepath.Join(s.ds.Roots[root].Dir, filepath.FromSlash(rel))
}

// join is path.Join for a folder below a root and a name in it.
func join(rel, name string) string {
	if rel == "" {
		return name
	}
	return rel + "/" + name
}

// visible lists a folder without hidden names (which .ipynb_checkpoints is). Symbolic
// links count as what they lead to; one that leads nowhere counts as a file.
func visible(dir string) (l contents, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return l, err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		isDir := e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			fi, err := os.Stat(filepath.Join(dir, e.Name()))
			isDir = err == nil && fi.IsDir()
		}
		if isDir {
			l.folders = append(l.folders, e.Name())
		} else {
			l.files = append(l.files, e.Name())
		}
	}
	return l, nil
}
