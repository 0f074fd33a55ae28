package dataset

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"icebox/extract/format"
	"icebox/pipeline/bucket"
)

// Place is where images lie that a head answers for: a file, an archive, a folder with images
// or else archives anywhere below it, or, if it has no name, also a table, a pattern of
// archives or a dataset of the cache.
type Place struct {
	Path string // absolute; or [Stored] and a name
	// Name is what a person calls Path: the images are called Name, or Name/…. Without a
	// name they are called as a folder has them below it, or as a table has them.
	Name string
}

// Pool lists the images of places, in the order of the places and, below a folder, as
// [Scan] finds them, whatever its layout is. No item has a label or a part. A file that is
// named is an item even if it is not there or no image; a folder or table that is not there
// is an [ErrData]. Docs are those of [Scan].
func Pool(ctx context.Context, places []Place, r Reading, docs Docs) (*Dataset, error) {
	r.Columns = Columns{Path: r.Columns.Path} // the others are of no use here, and need not be there
	ds := &Dataset{Reading: r.kept()}
	s := newScanner(ctx, ds)
	s.docs, s.unlabelled = docs, true
	var err error
	if s.exclude, err = newExclusion(r.Exclude); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	for _, p := range places {
		if err := s.place(p, Options{Train: p.Path, Reading: r}); err != nil {
			return nil, err
		}
	}
	clear(s.names)
	if len(ds.Items) == 0 && len(places) > 0 {
		return nil, s.nothing(places[0].Path)
	}
	if len(places) > 0 {
		ds.Sources.Train = places[0].Path
	}
	s.ds.labelAll(s.names)
	for i := range ds.Items {
		ds.Items[i].Part, ds.Items[i].Assigned = Unassigned, false
	}
	s.notePassedOver()
	return ds, nil
}

// place adds the images of one place.
func (s *scanner) place(p Place, o Options) error {
	if name, ok := storedName(p.Path); ok && p.Name == "" {
		return s.stored(name, "")
	}
	if bucket.Is(p.Path) {
		return s.inBucket(p.Path, "", Unassigned, o)
	}
	fi, err := os.Stat(p.Path)
	switch {
	case err == nil && fi.IsDir():
		return s.poolFolder(p, o)
	case err != nil && isPattern(p.Path):
		return s.pattern(p.Path, "", Unassigned, o)
	case err == nil && IsArchive(p.Path):
		return s.archiveFile(p.Path, "", filepath.ToSlash(p.Name), Unassigned, o)
	case p.Name == "" && err != nil:
		if os.IsNotExist(err) {
			return fmt.Errorf("%w: %s does not exist", ErrData, p.Path)
		}
		return fmt.Errorf("%w: %w", ErrData, err)
	case p.Name == "" && slices.Contains(tableEndings, format.Ending(p.Path)):
		return s.table(p.Path, "", Unassigned, o)
	}
	s.addFile(p, fi)
	return nil
}

// poolFolder adds the images below a folder, or those of the archives there.
func (s *scanner) poolFolder(p Place, o Options) error {
	prefix := ""
	if p.Name != "" {
		prefix = strings.TrimSuffix(filepath.ToSlash(p.Name), "/") + "/"
	}
	root := s.addRoot(p.Path, prefix)
	all, err := s.archivesBelow(root, Unassigned, o)
	if err != nil {
		return err
	}
	if len(all) > 0 {
		s.ds.Roots = s.ds.Roots[:root]
		return s.archives(all, o)
	}
	return s.walk(root, "", "", Unassigned, nil)
}

// addFile adds a file, which may not be there. Files of one folder, one after the other,
// share a root.
func (s *scanner) addFile(p Place, fi fs.FileInfo) {
	dir, base := filepath.Split(p.Path)
	dir = filepath.Clean(dir)
	prefix, name := "", filepath.ToSlash(p.Name)
	if at := strings.LastIndexByte(name, '/'); at >= 0 {
		prefix = name[:at+1]
	}
	root := len(s.ds.Roots) - 1
	if root < 0 || s.ds.Roots[root] != (Root{Dir: dir, Prefix: prefix}) {
		root = s.addRoot(dir, prefix)
	}
	it := Item{Root: root, Path: base}
	if fi != nil && fi.Mode().IsRegular() {
		it.Stat = StatOf(fi)
	}
	s.add(it, "")
}
