package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// imageEndings are the file names taken for images, in any case.
var imageEndings = []string{".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"}

func isImageName(name string) bool {
	return slices.Contains(imageEndings, strings.ToLower(path.Ext(name)))
}

// scan lists the items of d's sources and stats each; it opens no image.
func scan(ctx context.Context, d Data) (*Dataset, error) {
	ds := &Dataset{Name: d.Name}
	s := &scanner{ctx: ctx, ds: ds}
	sources := []struct {
		key, path string
		part      Part
		kept      *string
	}{
		{"data.train", d.Train, Unassigned, &ds.Sources.Train},
		{"data.val", d.Val, ValPart, &ds.Sources.Val},
		{"data.test", d.Test, TestPart, &ds.Sources.Test},
	}
	if d.Train == "" {
		return nil, fmt.Errorf("%w: no images named: say where they are with --data DIR or the key data.train", ErrData)
	}
	for _, src := range sources {
		if src.path == "" {
			continue
		}
		abs, err := filepath.Abs(src.path)
		if err != nil {
			return nil, err
		}
		*src.kept = abs
		if err := s.source(src.key, abs, src.part, d); err != nil {
			return nil, err
		}
	}
	if len(ds.Items) == 0 {
		return nil, fmt.Errorf("%w: no image in %s: looked for files ending in %s", ErrData, ds.Sources.Train, strings.Join(imageEndings, " "))
	}
	s.finish()
	return ds, nil
}

// scanner collects items; names runs beside ds.Items and holds class names.
type scanner struct {
	ctx     context.Context
	ds      *Dataset
	names   []string
	skipped int // files that are no images by their name
	empty   []string
}

func (s *scanner) source(key, dir string, part Part, d Data) error {
	fi, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s: %s does not exist", ErrData, key, dir)
	case err != nil:
		return fmt.Errorf("%w: %s: %w", ErrData, key, err)
	case !fi.IsDir():
		return s.csvSource(key, dir, part)
	}
	if part == Unassigned {
		parts, err := partFolders(dir)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrData, key, err)
		}
		if parts != nil {
			return s.holder(dir, parts, d)
		}
	}
	prefix := ""
	if d.Val != "" || d.Test != "" {
		prefix = map[Part]string{Unassigned: "train/", ValPart: "val/", TestPart: "test/"}[part]
	}
	root := s.addRoot(dir, prefix)
	return s.classFolders(root, "", part)
}

func (s *scanner) addRoot(dir, prefix string) int {
	s.ds.Roots = append(s.ds.Roots, Root{Dir: dir, Prefix: prefix})
	return len(s.ds.Roots) - 1
}

// partFolders returns the folders of dir by part if dir holds a split data set:
// all its folders are named train, val or test and hold folders themselves. A
// class may be called "train": then some other folder is not a part's.
func partFolders(dir string) (map[Part]string, error) {
	folders, _, err := visible(dir)
	if err != nil || len(folders) == 0 {
		return nil, err
	}
	parts := map[Part]string{}
	for _, name := range folders {
		part, ok := ParsePart(name)
		if !ok || parts[part] != "" {
			return nil, nil
		}
		inner, _, err := visible(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if len(inner) == 0 {
			return nil, nil
		}
		parts[part] = name
	}
	return parts, nil
}

// holder scans a folder that holds train, val, test; explicit val and test
// sources of d win over its own.
func (s *scanner) holder(dir string, parts map[Part]string, d Data) error {
	root := s.addRoot(dir, "")
	for _, p := range []Part{TrainPart, ValPart, TestPart} {
		name, ok := parts[p]
		if !ok || p == ValPart && d.Val != "" || p == TestPart && d.Test != "" {
			continue
		}
		part := p
		if p == TrainPart {
			part = Unassigned
		}
		if err := s.classFolders(root, name, part); err != nil {
			return err
		}
	}
	return nil
}

// classFolders adds the items of the class folders below root/base, or of
// root/base itself, unlabelled, if it holds no folder.
func (s *scanner) classFolders(root int, base string, part Part) error {
	dir := filepath.Join(s.ds.Roots[root].Dir, filepath.FromSlash(base))
	classes, files, err := visible(dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	if len(classes) == 0 {
		return s.walk(root, base, "", part, nil)
	}
	for _, f := range files {
		if isImageName(f) {
			s.skipped++
		}
	}
	for _, class := range classes {
		before := len(s.ds.Items)
		if err := s.walk(root, path.Join(base, class), class, part, nil); err != nil {
			return err
		}
		if len(s.ds.Items) == before {
			if part == Unassigned {
				return fmt.Errorf("%w: class %q holds no image (%s): add some, or take the folder away", ErrData, class, filepath.Join(dir, class))
			}
			s.empty = append(s.empty, path.Join(base, class))
		}
	}
	return nil
}

// walk adds the images below root/rel; above are the folders that led here.
func (s *scanner) walk(root int, rel, class string, part Part, above []fs.FileInfo) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	dir := filepath.Join(s.ds.Roots[root].Dir, filepath.FromSlash(rel))
	self, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	if slices.ContainsFunc(above, func(up fs.FileInfo) bool { return os.SameFile(up, self) }) {
		s.note("%s leads back to a folder above it: not followed", dir)
		return nil
	}
	folders, files, err := visible(dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	for _, name := range files {
		if !isImageName(name) {
			continue
		}
		fi, err := os.Stat(filepath.Join(dir, name))
		if err == nil && !fi.Mode().IsRegular() {
			s.note("%s is not a regular file: left out", filepath.Join(dir, name))
			continue
		}
		item := Item{Root: root, Path: path.Join(rel, name), Part: part}
		if err == nil {
			item.Stat = statOf(fi)
		}
		s.add(item, class)
	}
	for _, name := range folders {
		if err := s.walk(root, path.Join(rel, name), class, part, append(above, self)); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) add(it Item, class string) {
	s.ds.Items = append(s.ds.Items, it)
	s.names = append(s.names, class)
}

func (s *scanner) note(format string, args ...any) {
	s.ds.Notes = append(s.ds.Notes, fmt.Sprintf(format, args...))
}

// finish names classes, and settles the training part: items that are to be split
// stay Unassigned.
func (s *scanner) finish() {
	s.ds.labelAll(s.names)
	if s.skipped > 0 {
		s.note("%d images lie beside the class folders and belong to none: left out", s.skipped)
	}
	if len(s.empty) > 0 {
		s.note("no image in %s", quoteList(s.empty))
	}
}

// visible lists the folders and files of dir, sorted bytewise, without hidden
// ones (which .ipynb_checkpoints is). Symbolic links count as what they lead to;
// one that leads nowhere counts as a file.
func visible(dir string) (folders, files []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
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
			folders = append(folders, e.Name())
		} else {
			files = append(files, e.Name())
		}
	}
	return folders, files, nil
}
