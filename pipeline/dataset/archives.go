package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"icebox/extract/format"
	"icebox/pipeline/bucket"
	"icebox/pipeline/journal"
	"icebox/pipeline/words"
)

// archive is an archive that a source names, and what it holds.
type archive struct {
	file   string // absolute
	kind   string
	prefix string // before its images' paths, for people
	part   Part   // of images that the archive does not give one
	stat   Stat
	names  classNames // beside it
	Index
	items   []Item   // without a root
	classes []string // of items; "" is none
	kept    bool     // they are those of an earlier scan

	captions bool // texts lie beside images that nobody says are labels
}

// errTable is the error of a parquet file that holds no images, but may name some.
var errTable = errors.New("it holds no images")

// compressedTar are the endings of tars that cannot be read at random.
var compressedTar = []string{".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst"}

// checkCompressed refuses a compressed tar.
func checkCompressed(file string) error {
	lower := strings.ToLower(file)
	if slices.ContainsFunc(compressedTar, func(e string) bool { return strings.HasSuffix(lower, e) }) {
		return fmt.Errorf("%w: %s is compressed, and images in it cannot be read one by one: unpack it, or take the compression off (the images are compressed themselves)", ErrData, file)
	}
	return nil
}

// pattern adds the images of the archives that a pattern names.
func (s *scanner) pattern(pattern, prefix string, part Part, o Options) error {
	files, err := expand(pattern)
	if err != nil {
		return err
	}
	all := make([]*archive, len(files))
	for i, file := range files {
		all[i] = &archive{file: file, kind: archiveKind(file), prefix: prefix + filepath.Base(file) + inArchive, part: part}
	}
	taken := map[string]bool{}
	for _, a := range all { // the same name in several folders
		if taken[a.prefix] {
			a.prefix = prefix + filepath.ToSlash(a.file) + inArchive
		}
		taken[a.prefix] = true
	}
	return s.archives(all, o)
}

// archiveFile adds the images of one archive. A parquet file without images is a table.
func (s *scanner) archiveFile(file, prefix, name string, part Part, o Options) error {
	a := &archive{file: file, kind: archiveKind(file), prefix: prefix + cmp.Or(name, filepath.Base(file)) + inArchive, part: part}
	err := s.archives([]*archive{a}, o)
	if errors.Is(err, errTable) && !bucket.Is(file) {
		return s.table(file, prefix, part, o)
	}
	return err
}

// archivesBelow finds the archives in the folder of a root, and below it, where these take
// the place of images: there is no image. Folders and files named after parts are parts. Tars
// come first: a parquet file beside them holds what is known of their images.
func (s *scanner) archivesBelow(root int, part Part, o Options) ([]*archive, error) {
	if s.holdsImage(root, "", 0) {
		return nil, nil
	}
	var all []*archive
	s.findArchives(root, "", part, 0, &all)
	if slices.ContainsFunc(all, func(a *archive) bool { return a.kind == Tar }) {
		n := len(all)
		all = slices.DeleteFunc(all, func(a *archive) bool { return a.kind != Tar })
		if left := n - len(all); left > 0 {
			s.note("%s beside the tars left out: the images are taken from the tars", words.Count(left, "parquet file"))
		}
	}
	return slices.DeleteFunc(all, func(a *archive) bool {
		return part == Unassigned && (a.part == Val && o.Val != "" || a.part == Test && o.Test != "")
	}), nil
}

// findArchives collects the archives in root/rel and below.
func (s *scanner) findArchives(root int, rel string, part Part, depth int, all *[]*archive) {
	l, err := s.list(root, rel)
	if err != nil || depth > maxDepth || rel != "" && l.isRun() {
		return
	}
	for _, name := range l.files {
		if kind := archiveKind(name); kind != "" {
			a := &archive{file: filepath.Join(s.dir(root, rel), name), kind: kind, prefix: s.ds.Roots[root].Prefix + join(rel, name) + inArchive, part: part}
			if p, ok := partIn(name); ok && part == Unassigned {
				a.part = p
			}
			*all = append(*all, a)
		}
	}
	for _, name := range l.folders {
		inner := part
		if p, ok := ParsePart(name); ok && part == Unassigned {
			inner = p
		}
		s.findArchives(root, join(rel, name), inner, depth+1, all)
	}
}

// partIn is the part that a word in the name of an archive says, as in train-000001.tar and
// validation-00000-of-00002.parquet.
func partIn(name string) (part Part, ok bool) {
	name = strings.TrimSuffix(name, path.Ext(name))
	for _, word := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("-._ 0123456789", r) }) {
		if p, is := partWords[word]; is {
			if ok && p != part {
				return Unassigned, false
			}
			part, ok = p, true
		}
	}
	return part, ok
}

// archives adds the images of the archives of one source.
func (s *scanner) archives(all []*archive, o Options) error {
	if err := statArchives(s.ctx, all); err != nil {
		return err
	}
	for _, a := range all {
		if !bucket.Is(a.file) {
			a.names = s.namesBeside(a.file)
		}
		if err := s.recallArchive(a, o); err != nil {
			return err
		}
	}
	if err := s.listArchives(all, o); err != nil {
		return err
	}
	for _, a := range all {
		s.dropExcluded(a)
	}
	if !s.unlabelled && !slices.ContainsFunc(all, func(a *archive) bool { return a.Labelled }) {
		if err := s.classByFolder(all, o); err != nil {
			return err
		}
	}
	for _, a := range all {
		s.addArchive(a)
	}
	return nil
}

// listArchives reads what is not known of archives, some at a time.
func (s *scanner) listArchives(all []*archive, o Options) error {
	g, ctx := errgroup.WithContext(s.ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, a := range all {
		if a.kept {
			continue
		}
		s.ds.listed++
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			a.Stat, a.Fresh = a.stat, !bucket.Is(a.file) && a.stat.Racy(time.Now())
			list := listTar
			if a.kind == Parquet {
				list = listParquet
			}
			file, over, err := a.local(ctx)
			if err != nil {
				return err
			}
			err = errors.Join(list(a, file, o.Reading, s.unlabelled), over.Close())
			if errors.Is(err, errTable) {
				return a.fault("%w in a column of bytes", err)
			}
			if err != nil {
				return err
			}
			return a.nameNumbers()
		})
	}
	return g.Wait()
}

// dropExcluded takes out the images that are excluded.
func (s *scanner) dropExcluded(a *archive) {
	if s.exclude == nil {
		return
	}
	n := 0
	for i := range a.items {
		if !s.excludedPath(a.items[i].Path) {
			a.items[n], a.classes[n] = a.items[i], a.classes[i]
			n++
		}
	}
	a.items, a.classes = a.items[:n], a.classes[:n]
}

// addArchive adds the images of an archive that is listed.
func (s *scanner) addArchive(a *archive) {
	root := s.addRoot(a.file, a.prefix)
	index := a.Index
	s.ds.Roots[root].Kind, s.ds.Roots[root].Index = a.kind, &index
	for ending, n := range a.Skipped {
		s.ds.Skipped[ending] += n
	}
	for _, text := range a.Notes {
		s.noteOnce(text)
	}
	if a.captions && !a.Labelled {
		s.ds.noLabels = journal.Note{Text: a.file + " says no class of its images: it has texts beside them (.txt), which are taken for captions", Steps: []journal.Step{journal.SetTo("Data.Reading.Columns.Label", "txt")}}
	}
	for i := range a.items {
		it := a.items[i]
		it.Root, it.Hash = root, [32]byte{}
		if a.kind != Bucket { // whose objects have their own
			it.Stat.MTime, it.Stat.CTime, it.Stat.Inode = a.stat.MTime, a.stat.CTime, a.stat.Inode
		}
		if it.Part == Unassigned {
			it.Part = a.part
		}
		s.add(it, a.classes[i])
	}
}

// foundImage reports whether a member is an image, by its ending or else by its first bytes,
// and counts it where it is none.
func (a *archive) foundImage(name string, head func() []byte) bool {
	switch format.ByEnding(name) {
	case format.Image:
		return true
	case format.Undecided:
		if format.Sniff(head()) != format.None {
			return true
		}
	}
	a.skip(name)
	return false
}

func (a *archive) skip(name string) {
	if a.Skipped == nil {
		a.Skipped = Skipped{}
	}
	a.Skipped[format.Ending(name)]++
}

func (a *archive) note(format string, args ...any) {
	a.Notes = append(a.Notes, fmt.Sprintf(format, args...))
}

// fault is an error of the archive's content.
func (a *archive) fault(format string, args ...any) error {
	return fmt.Errorf("%w: %s: "+format, append([]any{ErrData, a.file}, args...)...)
}

// recallArchive takes what an earlier scan of a's file has found, if the file and all that
// its images' labels come from are as they were. It opens nothing.
func (s *scanner) recallArchive(a *archive, o Options) error {
	if s.earlier == nil {
		var err error
		if s.earlier, err = s.loadArchives(); err != nil {
			return err
		}
	}
	reading := o.Reading.kept()
	for _, e := range s.earlier[a.file] {
		r := &e.ds.Roots[e.root]
		if r.Kind != a.kind || r.Prefix != a.prefix || r.Index.Fresh || r.Index.Stat != a.stat || r.Index.Names != a.names.digest || !e.ds.Reading.Equal(reading) {
			continue
		}
		a.Index, a.kept = *r.Index, true
		for _, i := range e.items {
			it := e.ds.Items[i]
			class := e.ds.Class(&it)
			if it.Assigned {
				it.Part, it.Assigned = Unassigned, false
			}
			a.items, a.classes = append(a.items, it), append(a.classes, class)
		}
		return nil
	}
	return nil
}

// listedArchive is an archive as a kept dataset has it.
type listedArchive struct {
	ds    *Dataset
	root  int
	items []int
}

// loadArchives finds the archives of all kept datasets, by their paths. A pool has no labels,
// and is known from pools alone.
func (s *scanner) loadArchives() (map[string][]listedArchive, error) {
	all := map[string][]listedArchive{}
	if s.docs == nil {
		return all, nil
	}
	for _, p := range Purposes {
		if (p == ForPrediction) != s.unlabelled {
			continue
		}
		for _, name := range Names(s.docs, p) {
			d, err := Load(s.docs, p, name)
			if errors.Is(err, ErrDocument) {
				continue
			}
			if err != nil {
				return nil, err
			}
			items := make([][]int, len(d.Roots))
			for i := range d.Items {
				items[d.Items[i].Root] = append(items[d.Items[i].Root], i)
			}
			for i := range d.Roots {
				if d.Roots[i].Index != nil {
					all[d.Roots[i].Dir] = append(all[d.Roots[i].Dir], listedArchive{d, i, items[i]})
				}
			}
		}
	}
	return all, nil
}
