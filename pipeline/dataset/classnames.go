package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// classNameFiles are the files beside archives that name numbered classes, a line a class.
var classNameFiles = []string{"classnames.txt", "classes.txt"}

// classNames are the names of numbered classes that lie beside an archive.
type classNames struct {
	file   string // "" where there is none
	names  []string
	digest string // SHA-256 of the file
}

// namesBeside reads the names of classes beside a file, or, where its folder is named after a
// part, beside that folder.
func (s *scanner) namesBeside(file string) classNames {
	dir := filepath.Dir(file)
	n, ok := s.classNames[dir]
	if ok {
		return n
	}
	if n = readClassNames(dir); n.file == "" {
		if _, ok := ParsePart(filepath.Base(dir)); ok {
			n = readClassNames(filepath.Dir(dir))
		}
	}
	s.classNames[dir] = n
	return n
}

// maxClassNames bounds a file of names of classes.
const maxClassNames = 16 << 20

// readClassNames reads the names of classes in a folder; a file that is too large, or no
// text, holds none.
func readClassNames(dir string) classNames {
	for _, name := range classNameFiles {
		at := filepath.Join(dir, name)
		if fi, err := os.Stat(at); err != nil || !fi.Mode().IsRegular() || fi.Size() > maxClassNames {
			continue
		}
		text, err := readText(at)
		if err != nil {
			continue
		}
		sum := sha256.Sum256(text)
		n := classNames{file: at, digest: hex.EncodeToString(sum[:])}
		for line := range strings.Lines(strings.TrimRight(string(text), "\r\n ")) {
			n.names = append(n.names, strings.TrimSpace(line))
		}
		return n
	}
	return classNames{}
}

// nameNumbers gives numbered classes the names that lie beside the archive. Classes that are
// not all whole numbers keep what they are called.
func (a *archive) nameNumbers() error {
	a.Names = a.names.digest
	if a.names.file == "" || !a.Labelled {
		return nil
	}
	numbers := make([]int, len(a.classes))
	for i, class := range a.classes {
		n, err := strconv.Atoi(class)
		if class != "" && (err != nil || n < 0) {
			return nil //nolint:nilerr // it is a name
		}
		numbers[i] = n
	}
	if twice := firstDouble(a.names.names); twice != "" {
		a.note("%s names %q twice: the classes are called by their numbers", a.names.file, twice)
		return nil
	}
	for i, n := range numbers {
		switch {
		case a.classes[i] == "":
		case n >= len(a.names.names) || a.names.names[n] == "":
			return a.fault("%s is of class %d, and %s has no name for it: it names %d, counted from 0", a.items[i].Path, n, a.names.file, len(a.names.names))
		default:
			a.classes[i] = a.names.names[n]
		}
	}
	a.note("the classes are called as in %s", a.names.file)
	return nil
}
