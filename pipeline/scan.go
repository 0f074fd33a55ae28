package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// imageEndings are the file names taken for images, in any case.
var imageEndings = []string{".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"}

func isImageName(name string) bool {
	return slices.Contains(imageEndings, strings.ToLower(path.Ext(name)))
}

// scan lists the items of d's sources and stats each; it opens no image.
func scan(ctx context.Context, d Data) (*Dataset, error) {
	ds := &Dataset{Name: d.Name}
	s := newScanner(ctx, ds)
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
	return ds, s.finish()
}

func newScanner(ctx context.Context, ds *Dataset) *scanner {
	return &scanner{ctx: ctx, ds: ds, others: map[string]int{}}
}

// scanner collects items; names runs beside ds.Items and holds class names.
type scanner struct {
	ctx     context.Context
	ds      *Dataset
	names   []string
	skipped int            // images beside class folders
	others  map[string]int // files that are no images by their name, by ending
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
		return s.csvSource(key, dir, part, d.prefix(part))
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
	return s.classFolders(s.addRoot(dir, d.prefix(part)), "", part)
}

// prefix tells the items of several sources apart.
func (d Data) prefix(part Part) string {
	if d.Val == "" && d.Test == "" {
		return ""
	}
	return map[Part]string{Unassigned: "train/", ValPart: "val/", TestPart: "test/"}[part]
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
		return s.walk(root, base, "", part, s.above(root, base))
	}
	for _, f := range files {
		if isImageName(f) {
			s.skipped++
		}
	}
	for _, class := range classes {
		before, others := len(s.ds.Items), maps.Clone(s.others)
		if err := s.walk(root, path.Join(base, class), class, part, s.above(root, path.Join(base, class))); err != nil {
			return err
		}
		if len(s.ds.Items) == before {
			if part == Unassigned {
				return fmt.Errorf("%w: class %q holds no image (%s%s): add some, or take the folder away", ErrData, class, filepath.Join(dir, class), othersSince(others, s.others))
			}
			s.empty = append(s.empty, path.Join(base, class))
		}
	}
	return nil
}

// above returns the folders from the root down to the one that holds rel.
func (s *scanner) above(root int, rel string) []fs.FileInfo {
	var folders []fs.FileInfo
	for rel != "" && rel != "." {
		rel = path.Dir(rel)
		if fi, err := os.Stat(filepath.Join(s.ds.Roots[root].Dir, filepath.FromSlash(rel))); err == nil {
			folders = append(folders, fi)
		}
	}
	return folders
}

// othersSince lists the endings counted in now and not before: ", 11 .heic".
func othersSince(before, now map[string]int) string {
	text := ""
	for _, ending := range slices.Sorted(maps.Keys(now)) {
		if n := now[ending] - before[ending]; n > 0 {
			text += fmt.Sprintf(", %d %s", n, ending)
		}
	}
	return text
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
			s.others[cmp.Or(strings.ToLower(path.Ext(name)), "without an ending")]++
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

// finish names classes and remarks on what is odd. Where val or test is to be taken
// from the training items, a manifest's items of train may be taken for it.
func (s *scanner) finish() error {
	s.ds.labelAll(s.names)
	if s.ds.Count(ValPart) == 0 || s.ds.Count(TestPart) == 0 {
		for i := range s.ds.Items {
			if it := &s.ds.Items[i]; it.Part == TrainPart {
				it.Part = Unassigned
			}
		}
	}
	var parts []string
	for _, c := range s.ds.Classes {
		if strings.ContainsFunc(c, unicode.IsControl) {
			return fmt.Errorf("%w: the class name %q holds a control character: rename it", ErrData, c)
		}
		if _, ok := ParsePart(c); ok {
			parts = append(parts, c)
		}
	}
	if len(parts) > 1 {
		s.note("%s are taken for classes, for not all folders beside them are parts that hold class folders; name parts with data.train, data.val and data.test", quoteList(parts))
	}
	if text := othersSince(nil, s.others); text != "" {
		s.note("files that are no images icebox reads, left out: %s", text[2:])
	}
	if s.skipped > 0 {
		s.note("%d images lie beside the class folders and belong to none: left out", s.skipped)
	}
	if len(s.empty) > 0 {
		s.note("no image in %s", quoteList(s.empty))
	}
	return nil
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
