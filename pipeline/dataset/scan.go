package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"icebox/extract/format"
	"icebox/pipeline/bucket"
	"icebox/pipeline/journal"
)

// Skipped counts the files that are no image icebox reads, by the ending of their name in
// small letters (".heic"); "" are names without one.
type Skipped map[string]int

// Scan lists the items of o's sources and stats each. It opens no file whose name ends as
// those of images do, and reads the first bytes of one whose ending says nothing. Docs have
// the datasets that sources may ask for by [Stored]; nil has none.
func Scan(ctx context.Context, o Options, docs Docs) (*Dataset, error) {
	if o.Train == "" {
		return nil, ErrNoSource
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := o.checkSources(); err != nil {
		return nil, err
	}
	if o.Reading.Root != "" {
		abs, err := filepath.Abs(o.Reading.Root)
		if err != nil {
			return nil, err
		}
		o.Reading.Root = abs
	}
	ds := &Dataset{Name: o.Name, Reading: o.Reading.kept()}
	s := newScanner(ctx, ds)
	s.docs = docs
	s.exclude, _ = newExclusion(o.Reading.Exclude) // Validate has read the patterns
	ds.Sources = o.Sources()
	if err := s.sources(o); err != nil {
		return nil, err
	}
	if len(ds.Items) == 0 {
		return nil, s.nothing(ds.Sources.Train)
	}
	return ds, s.finish()
}

// sources adds the items of every source.
func (s *scanner) sources(o Options) error {
	prefixes := o.prefixes()
	var isStored []bool
	for i, source := range s.ds.Sources.training() {
		before := len(s.ds.Items)
		name, stored := storedName(source)
		var err error
		if stored {
			err = s.stored(name, prefixes[i])
		} else {
			err = s.source(source, prefixes[i], Unassigned, o)
		}
		if err != nil {
			return err
		}
		if len(prefixes) > 1 {
			s.noteUnlabelled(before, source)
		}
		for len(isStored) < len(s.ds.Items) {
			isStored = append(isStored, stored)
		}
	}
	if s.kept != nil {
		s.settleStored(o, isStored)
	}
	for _, part := range []Part{Val, Test} {
		source := map[Part]string{Val: s.ds.Sources.Val, Test: s.ds.Sources.Test}[part]
		if source == "" {
			continue
		}
		if err := s.source(source, o.prefix(part), part, o); err != nil {
			return err
		}
	}
	return nil
}

// nothing is the error of sources without an image.
func (s *scanner) nothing(dir string) error {
	left := s.ds.Skipped.since(nil)
	if left == "" {
		return fmt.Errorf("%w: no image in %s: looked for files ending in %s", ErrData, dir, strings.Join(format.Endings, " "))
	}
	return s.ds.Skipped.without("no image in %s (there are%s)", dir, strings.TrimPrefix(left, ","))
}

// ImagesBelow lists the paths of the images below the folder dir, as Scan finds them, and
// counts the other files there.
func ImagesBelow(ctx context.Context, dir string) ([]string, Skipped, error) {
	s := newScanner(ctx, &Dataset{Roots: []Root{{Dir: dir}}})
	if err := s.walk(0, "", "", Unassigned, nil); err != nil {
		return nil, nil, err
	}
	paths := make([]string, len(s.ds.Items))
	for i := range s.ds.Items {
		paths[i] = s.ds.File(&s.ds.Items[i])
	}
	return paths, s.ds.Skipped, nil
}

func newScanner(ctx context.Context, ds *Dataset) *scanner {
	ds.Skipped = Skipped{}
	return &scanner{ctx: ctx, ds: ds, listed: map[place]contents{}, ownSeen: map[string]bool{}, seen: map[uint64][]fs.FileInfo{}, classNames: map[string]classNames{}}
}

// scanner collects items; names runs beside ds.Items and holds class names.
type scanner struct {
	ctx     context.Context
	docs    Docs // of stored datasets; may be nil
	ds      *Dataset
	exclude exclusion
	names   []string

	unlabelled bool // nobody asks for labels: tables are read for their paths alone

	listed  map[place]contents       // folders that are not walked yet
	ownSeen map[string]bool          // folders and files that are counted in own
	seen    map[uint64][]fs.FileInfo // folders that are walked, by number

	kept []Split // of the stored datasets that are sources

	earlier    map[string][]listedArchive // by path; nil until somebody asks
	classNames map[string]classNames      // by folder

	beside              int // images beside class folders
	empty               []string
	junk, own, excluded passed
}

func (s *scanner) source(dir, prefix string, part Part, o Options) error {
	if bucket.Is(dir) {
		return s.inBucket(dir, prefix, part, o)
	}
	fi, err := os.Stat(dir)
	switch {
	case err != nil && isPattern(dir):
		return s.pattern(dir, prefix, part, o)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s does not exist", ErrData, dir)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrData, err)
	case fi.IsDir():
		return s.folder(dir, prefix, part, o)
	case IsArchive(dir):
		return s.archiveFile(dir, prefix, "", part, o)
	}
	return s.table(dir, prefix, part, o)
}

// folder adds the images in and below a folder, or those of the archives there.
func (s *scanner) folder(dir, prefix string, part Part, o Options) error {
	root := s.addRoot(dir, prefix)
	all, err := s.archivesBelow(root, part, o)
	switch {
	case err != nil:
		return err
	case len(all) > 0:
		s.ds.Roots = s.ds.Roots[:root] // no image lies in the folder itself
		return s.archives(all, o)
	case part == Unassigned:
		return s.trainFolder(root, "", o)
	}
	return s.partFolder(root, "", part, o)
}

// prefix tells the items of several sources apart.
func (o Options) prefix(part Part) string {
	if o.Val == "" && o.Test == "" {
		return ""
	}
	return map[Part]string{Unassigned: "train/", Val: "val/", Test: "test/"}[part]
}

func (s *scanner) addRoot(dir, prefix string) int {
	s.ds.Roots = append(s.ds.Roots, Root{Dir: dir, Prefix: prefix})
	return len(s.ds.Roots) - 1
}

// above returns the folders from the root down to the one that holds rel.
func (s *scanner) above(root int, rel string) []fs.FileInfo {
	var folders []fs.FileInfo
	for rel != "" && rel != "." {
		rel = path.Dir(rel)
		if fi, err := os.Stat(s.dir(root, rel)); err == nil {
			folders = append(folders, fi)
		}
	}
	return folders
}

// walk adds the images below root/rel; above are the folders that led here.
func (s *scanner) walk(root int, rel, class string, part Part, above []fs.FileInfo) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	dir := s.dir(root, rel)
	self, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	if slices.ContainsFunc(above, func(up fs.FileInfo) bool { return os.SameFile(up, self) }) {
		s.note("%s leads back to a folder above it: not followed", dir)
		return nil
	}
	if s.walked(dir, self) {
		s.note("%s is a link to a folder that has been read: not followed", dir)
		return nil
	}
	l, err := s.list(root, rel)
	if err != nil {
		return err
	}
	delete(s.listed, place{root, rel})
	if rel != "" && l.isRun() {
		s.passOwn(rel)
		return nil
	}
	found, err := statImages(s.ctx, dir, l.files)
	if err != nil {
		return err
	}
	for n, name := range l.files {
		full := dir + string(filepath.Separator) + name
		if !s.isImage(full, rel) {
			continue
		}
		fi, err := found[n].FileInfo, found[n].err
		if fi == nil && err == nil { // its first bytes say that it is one
			fi, err = os.Stat(full)
		}
		if err == nil && !fi.Mode().IsRegular() {
			s.note("%s is not a regular file: left out", full)
			continue
		}
		item := Item{Root: root, Path: join(rel, name), Part: part}
		if err == nil {
			item.Stat = StatOf(fi)
		}
		s.add(item, class)
	}
	for _, name := range l.folders {
		if err := s.walk(root, join(rel, name), class, part, append(above, self)); err != nil {
			return err
		}
	}
	return nil
}

// info is what the system says of a file.
type info struct {
	fs.FileInfo
	err error
}

// statImages stats the files in dir whose name ends as those of images do, on all
// processors, since it is most of the time of a scan. Other files have neither info nor
// error.
func statImages(ctx context.Context, dir string, names []string) ([]info, error) {
	const share = 512
	found := make([]info, len(names))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for at := 0; at < len(names); at += share {
		g.Go(func() error {
			for n := at; n < min(at+share, len(names)); n++ {
				if format.ByEnding(names[n]) == format.Image {
					found[n].FileInfo, found[n].err = os.Stat(dir + string(filepath.Separator) + names[n])
				}
			}
			return ctx.Err()
		})
	}
	return found, g.Wait()
}

// walked reports whether dir, which is self, is a symbolic link to a folder that has been
// walked already: links that lead to one folder on many ways would be followed on each of
// them, and on each of those below, 2ⁿ in all.
func (s *scanner) walked(dir string, self fs.FileInfo) bool {
	fi, err := os.Lstat(dir)
	isLink := err == nil && fi.Mode()&fs.ModeSymlink != 0
	number := StatOf(self).Inode
	if number == 0 && !isLink {
		return false // a system that numbers no files, where all would be compared with all
	}
	if slices.ContainsFunc(s.seen[number], func(fi fs.FileInfo) bool { return os.SameFile(fi, self) }) {
		return isLink
	}
	s.seen[number] = append(s.seen[number], self)
	return false
}

// isImage reports whether a file is an image that icebox reads, by its ending or else by
// its first bytes. It counts one that is not. Rel is the folder that the file lies in.
func (s *scanner) isImage(full, rel string) bool {
	switch format.ByEnding(full) {
	case format.Image:
		return true
	case format.Undecided:
		if fi, err := os.Stat(full); err == nil && fi.Mode().IsRegular() && format.Sniff(readHead(full, format.HeadBytes)) != format.None {
			return true
		}
	}
	if isCache(full) {
		s.passOwn(join(rel, filepath.Base(full)))
		return false
	}
	s.ds.Skipped[format.Ending(full)]++
	return false
}

func (s *scanner) add(it Item, class string) {
	s.ds.Items = append(s.ds.Items, it)
	s.names = append(s.names, class)
}

// noteOnce adds a note, unless it is there.
func (s *scanner) noteOnce(text string) {
	if !slices.ContainsFunc(s.ds.Notes, func(n journal.Note) bool { return n.Text == text }) {
		s.note("%s", text)
	}
}

func (s *scanner) note(format string, args ...any) {
	s.ds.Notes = append(s.ds.Notes, journal.Notef(format, args...))
}
