package dataset

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

	"icebox/pipeline/journal"
	"icebox/pipeline/words"
)

// imageEndings are the file names taken for images, in any case.
var imageEndings = []string{".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"}

func isImageName(name string) bool {
	return slices.Contains(imageEndings, strings.ToLower(path.Ext(name)))
}

// scan lists the items of d's sources and stats each; it opens no image.
func Scan(ctx context.Context, d Options) (*Dataset, error) {
	ds := &Dataset{Name: d.Name}
	s := newScanner(ctx, ds)
	if d.Train == "" {
		return nil, ErrNoSource
	}
	sources := []struct {
		path string
		part Part
		kept *string
	}{
		{d.Train, Unassigned, &ds.Sources.Train},
		{d.Val, Val, &ds.Sources.Val},
		{d.Test, Test, &ds.Sources.Test},
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
		if err := s.source(abs, src.part, d); err != nil {
			return nil, err
		}
	}
	if len(ds.Items) == 0 {
		return nil, fmt.Errorf("%w: no image in %s: looked for files ending in %s", ErrData, ds.Sources.Train, strings.Join(imageEndings, " "))
	}
	return ds, s.finish()
}

// ImagesBelow lists the paths of the images below the folder dir, as Scan finds them.
func ImagesBelow(ctx context.Context, dir string) ([]string, error) {
	s := newScanner(ctx, &Dataset{Roots: []Root{{Dir: dir}}})
	if err := s.walk(0, "", "", Unassigned, nil); err != nil {
		return nil, err
	}
	paths := make([]string, len(s.ds.Items))
	for i := range s.ds.Items {
		paths[i] = s.ds.File(&s.ds.Items[i])
	}
	return paths, nil
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

func (s *scanner) source(dir string, part Part, d Options) error {
	fi, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s does not exist", ErrData, dir)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrData, err)
	case !fi.IsDir():
		return s.table(dir, part, d.prefix(part))
	}
	if part == Unassigned {
		parts, err := partFolders(dir)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrData, err)
		}
		if parts != nil {
			return s.holder(dir, parts, d)
		}
	}
	return s.classFolders(s.addRoot(dir, d.prefix(part)), "", part)
}

// prefix tells the items of several sources apart.
func (d Options) prefix(part Part) string {
	if d.Val == "" && d.Test == "" {
		return ""
	}
	return map[Part]string{Unassigned: "train/", Val: "val/", Test: "test/"}[part]
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
func (s *scanner) holder(dir string, parts map[Part]string, d Options) error {
	root := s.addRoot(dir, "")
	for _, p := range []Part{Train, Val, Test} {
		name, ok := parts[p]
		if !ok || p == Val && d.Val != "" || p == Test && d.Test != "" {
			continue
		}
		part := p
		if p == Train {
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
			item.Stat = StatOf(fi)
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
	s.ds.Notes = append(s.ds.Notes, journal.Notef(format, args...))
}

// finish names classes and remarks on what is odd. Where val or test is to be taken
// from the training items, a manifest's items of train may be taken for it.
func (s *scanner) finish() error {
	s.ds.labelAll(s.names)
	if s.ds.Count(Val) == 0 || s.ds.Count(Test) == 0 {
		for i := range s.ds.Items {
			if it := &s.ds.Items[i]; it.Part == Train {
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
		s.ds.Notes = append(s.ds.Notes, journal.Note{
			Text:  words.List(parts) + " are taken for classes, because not all folders beside them are parts that hold class folders",
			Steps: []journal.Step{{Do: journal.NamePart}},
		})
	}
	if text := othersSince(nil, s.others); text != "" {
		s.note("files left out that are no image icebox reads: %s", text[2:])
	}
	if s.skipped > 0 {
		s.note("%s left out: beside the class folders and in none of them", words.Count(s.skipped, "image"))
	}
	if len(s.empty) > 0 {
		s.note("no image in %s", words.List(s.empty))
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
