package features

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sync/errgroup"

	"icebox/cache"
	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/npy"
)

// Files of a folder of features, as Export writes them.
const (
	featuresFile = "features.npy"
	labelsFile   = "labels.npy"
	indexFile    = "index.csv"
)

// ErrFolder, a [dataset.ErrData], is returned for a path that is no folder of features.
var ErrFolder = fmt.Errorf("%w: not a folder of features (%s and %s)", dataset.ErrData, featuresFile, labelsFile)

// Folder is a source whose rows did not come from a cache: a folder in the form that
// [Export] writes, and its folders val and test, if it has them.
type Folder struct {
	dir    string
	dim    int
	sets   []arraySet // beside the dataset's roots
	digest [sha256.Size]byte
	paged  bool // the rows lie in files that memory cannot hold
	pager  *pager
	ds     *dataset.Dataset
}

var _ Source = (*Folder)(nil)

// arraySet is one folder.
type arraySet struct {
	dir     string
	part    dataset.Part // of all its rows; Unassigned where the index may say
	x       []float32
	labels  []int64
	names   map[int64]string // of labels, from the index; nil without one
	items   []dataset.Item   // until they are the dataset's
	mapped  bool             // x lies in the file
	file    *npy.File        // that x lies in; closed unless it is mapped
	release func() error
}

// OpenFolder reads the folder dir. Its dataset is called name, or, where that is "",
// after the folder. Available is how many bytes of memory there are to hold rows, 0
// being unknown: rows that exceed it are to be read in order; see [Folder.Paged].
func OpenFolder(ctx context.Context, dir, name string, available int64) (*Folder, error) {
	f := &Folder{}
	var err error
	if f.dir, err = filepath.Abs(dir); err == nil {
		err = checkFolder(f.dir)
	}
	if err == nil {
		f.ds, err = f.load(ctx)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	f.ds.Name = cmp.Or(name, dataset.FolderName(f.dir))
	if f.paged = f.Mapped() > 0 && f.Mapped() > available; f.paged {
		var files []*npy.File
		for _, s := range f.sets {
			files = append(files, s.file)
		}
		f.pager = newPager(files)
	}
	return f, nil
}

// checkFolder says what a folder of features lacks, before it is read.
func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: there is no folder %s", ErrFolder, dir)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrFolder, err)
	case !info.IsDir():
		return fmt.Errorf("%w: %s is a file", ErrFolder, dir)
	}
	for _, sub := range []string{"", dataset.Val.String(), dataset.Test.String()} {
		at := filepath.Join(dir, sub)
		if _, err := os.Stat(at); err != nil && sub != "" {
			continue
		}
		for _, name := range []string{featuresFile, labelsFile} {
			if _, err := os.Stat(filepath.Join(at, name)); err != nil {
				return fmt.Errorf("%w: there is no %s in %s", ErrFolder, name, at)
			}
		}
	}
	return nil
}

// Dataset implements [Source].
func (f *Folder) Dataset() *dataset.Dataset { return f.ds }

// Origin implements [Source].
func (f *Folder) Origin() Origin { return Origin{Folder: f.dir, Digest: f.digest, Dim: f.dim} }

// Found implements [Source].
func (f *Folder) Found() Found {
	return Found{Dataset: f.ds.Name, Images: len(f.ds.Items), Features: f.dir, Dim: f.dim}
}

// Work implements [Source].
func (f *Folder) Work() Work { return Work{} }

// Mapped is how many bytes of rows stay in their files.
func (f *Folder) Mapped() int64 {
	n := int64(0)
	for _, s := range f.sets {
		if s.mapped {
			n += 4 * int64(len(s.x))
		}
	}
	return n
}

// Paged reports whether the rows lie in files that memory cannot hold.
func (f *Folder) Paged() bool { return f.paged }

// Close unmaps the rows that lie in files.
func (f *Folder) Close() error {
	if f.pager != nil {
		f.pager.Close()
		f.pager = nil
	}
	var errs []error
	for i := range f.sets {
		if s := &f.sets[i]; s.release != nil {
			errs = append(errs, s.release())
			if s.release = nil; s.mapped {
				errs = append(errs, s.file.Close())
			}
		}
	}
	return errors.Join(errs...)
}

func (f *Folder) load(ctx context.Context) (*dataset.Dataset, error) {
	for _, sub := range []struct {
		name string
		part dataset.Part
	}{{"", dataset.Unassigned}, {"val", dataset.Val}, {"test", dataset.Test}} {
		s := arraySet{dir: filepath.Join(f.dir, sub.name), part: sub.part}
		if _, err := os.Stat(s.dir); sub.name != "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		err := f.loadSet(&s)
		f.sets = append(f.sets, s) // to be released, whatever err is
		if err != nil {
			return nil, err
		}
	}
	if err := f.checkParts(); err != nil {
		return nil, err
	}
	ds := &dataset.Dataset{Sources: dataset.Sources{Train: f.dir}}
	if err := f.nameClasses(ds); err != nil {
		return nil, err
	}
	total := 0
	for _, s := range f.sets {
		total += len(s.labels)
	}
	if len(f.sets) > 1 {
		ds.Items = make([]dataset.Item, 0, total)
	}
	for i := range f.sets {
		s, prefix := &f.sets[i], ""
		if i > 0 {
			prefix = s.part.String() + "/"
		}
		ds.Roots = append(ds.Roots, dataset.Root{Dir: s.dir, Prefix: prefix})
		for n := range s.items {
			s.items[n].Root = i
		}
		if ds.Items == nil {
			ds.Items = s.items // not a second time in memory
		} else {
			ds.Items = append(ds.Items, s.items...)
		}
		s.items = nil
	}
	return ds, f.hashRows(ctx, ds)
}

// loadSet reads the arrays of s and its index.
func (f *Folder) loadSet(s *arraySet) error {
	if err := f.loadArrays(s); err != nil {
		return fmt.Errorf("%w: %w", dataset.ErrData, err)
	}
	return s.index()
}

func (f *Folder) loadArrays(s *arraySet) error {
	file, err := npy.Open(filepath.Join(s.dir, featuresFile))
	if err != nil {
		return err
	}
	defer func() {
		if !s.mapped {
			file.Close()
		}
	}()
	if len(file.Shape) != 2 || file.Shape[0] == 0 || file.Shape[1] == 0 {
		return file.Fault("an array of shape %v: features are rows × dimensions", file.Shape)
	}
	if f.dim == 0 {
		f.dim = file.Shape[1]
	}
	if file.Shape[1] != f.dim {
		return file.Fault("rows of %d features, where %s has %d", file.Shape[1], f.dir, f.dim)
	}
	s.file = file
	s.x, s.mapped, s.release, err = file.Floats(headtrain.NewFeatures)
	if err := cmp.Or(unchanged(file), err); err != nil {
		return err
	}
	labels, err := npy.Open(filepath.Join(s.dir, labelsFile))
	if err != nil {
		return err
	}
	defer labels.Close()
	if len(labels.Shape) != 1 || labels.Shape[0] != file.Shape[0] {
		return labels.Fault("an array of shape %v, where %s has %d rows: one label a row", labels.Shape, featuresFile, file.Shape[0])
	}
	s.labels, err = labels.Wholes()
	if err := cmp.Or(unchanged(labels), err); err != nil {
		return err
	}
	if i := slices.IndexFunc(s.labels, func(y int64) bool { return y < -1 || y > math.MaxInt32 }); i >= 0 {
		return labels.Fault("row %d has label %d: labels are whole numbers from 0 up, or -1 for none", i, s.labels[i])
	}
	return nil
}

// checkParts refuses an index that names a part which has a folder of its own.
func (f *Folder) checkParts() error {
	for _, s := range f.sets[1:] {
		for i := range f.sets[0].items {
			if it := &f.sets[0].items[i]; it.Part == s.part {
				return fmt.Errorf("%w: %s: row %d is %s by %s, and there is a folder %s: keep one of the two", dataset.ErrData, f.dir, i, s.part, indexFile, s.part)
			}
		}
	}
	return nil
}

// nameClasses numbers the labels that occur, in their order, and gives each its
// name in an index, or else its number.
func (f *Folder) nameClasses(ds *dataset.Dataset) error {
	names := map[int64]string{}
	for _, s := range f.sets {
		for _, y := range s.labels {
			if _, ok := names[y]; !ok && y >= 0 {
				names[y] = ""
			}
		}
		for y, name := range s.names {
			if was := names[y]; was != "" && was != name {
				return fmt.Errorf("%w: %s: label %d is class %q here and class %q there", dataset.ErrData, s.dir, y, name, was)
			}
			names[y] = name
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("%w: no row of %s has a label", dataset.ErrData, f.dir)
	}
	class := make(map[int64]int32, len(names))
	labelOf := make(map[string]int64, len(names))
	for i, y := range slices.Sorted(maps.Keys(names)) {
		name := cmp.Or(names[y], strconv.FormatInt(y, 10))
		if twin, ok := labelOf[name]; ok {
			return fmt.Errorf("%w: %s: labels %d and %d are both class %q", dataset.ErrData, f.dir, twin, y, name)
		}
		class[y], labelOf[name] = int32(i), y
		ds.Classes = append(ds.Classes, name)
	}
	for _, s := range f.sets {
		for n, y := range s.labels {
			s.items[n].Label = dataset.Unlabelled
			if y >= 0 {
				s.items[n].Label = class[y]
			}
		}
	}
	return nil
}

// hashBlock is how many rows are hashed at a time.
const hashBlock = 256

// hashRows finds values that are no numbers, gives items without a content hash
// that of their row, and takes the digest of all.
func (f *Folder) hashRows(ctx context.Context, ds *dataset.Dataset) error {
	var blocks []*cache.Key
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	first := 0
	for _, s := range f.sets {
		items := ds.Items[first : first+len(s.labels)]
		first += len(s.labels)
		for at := 0; at < len(items); at += hashBlock {
			block := new(cache.Key)
			blocks = append(blocks, block)
			g.Go(func() error {
				return f.Guard(func() error {
					all := sha256.New()
					for n := at; n < min(at+hashBlock, len(items)) && ctx.Err() == nil; n++ {
						row := s.x[n*f.dim : (n+1)*f.dim]
						if bad := slices.IndexFunc(row, notFinite); bad >= 0 {
							return fmt.Errorf("%w: %s: row %d, feature %d is %v", dataset.ErrData, filepath.Join(s.dir, featuresFile), n, bad, row[bad])
						}
						sum := sha256.Sum256(unsafe.Slice((*byte)(unsafe.Pointer(&row[0])), 4*len(row)))
						all.Write(sum[:])
						if !items[n].Hashed() {
							items[n].Hash = sum
						}
					}
					all.Sum(block[:0])
					return ctx.Err()
				})
			})
		}
	}
	err := g.Wait()
	all := sha256.New()
	for _, block := range blocks {
		all.Write(block[:])
	}
	all.Sum(f.digest[:0])
	return err
}

func notFinite(v float32) bool { return math.Float32bits(v)&0x7f800000 == 0x7f800000 }

// Rows implements [Source]. Rows that lie together are not copied.
func (f *Folder) Rows(wanted func(*dataset.Item) bool) (*Rows, error) {
	ds := f.ds
	r := &Rows{Data: &headtrain.Dataset{Dim: f.dim, Classes: ds.Classes, Finite: true}}
	count := 0
	for i := range ds.Items {
		if it := &ds.Items[i]; it.Label != dataset.Unlabelled && wanted(it) {
			count++
		}
	}
	r.Items, r.Data.Labels = make([]int, 0, count), make([]int32, 0, count)
	for i := range ds.Items {
		if it := &ds.Items[i]; it.Label != dataset.Unlabelled && wanted(it) {
			r.Items = append(r.Items, i)
			r.Data.Labels = append(r.Data.Labels, it.Label)
		}
	}
	if len(r.Items) == 0 {
		return r, nil
	}
	lo, hi := r.Items[0], r.Items[len(r.Items)-1]
	first, root := 0, ds.Items[lo].Root
	for _, s := range f.sets[:root] {
		first += len(s.labels)
	}
	if hi-lo == len(r.Items)-1 && ds.Items[hi].Root == root {
		r.Data.X = f.sets[root].x[(lo-first)*f.dim : (hi-first+1)*f.dim]
		r.Data.Paged = f.paged && f.sets[root].mapped
		return r, nil
	}
	r.Data.X = headtrain.NewFeatures(len(r.Items) * f.dim)[:0]
	for _, i := range r.Items {
		for root != ds.Items[i].Root {
			first += len(f.sets[root].labels)
			root++
		}
		r.Data.X = append(r.Data.X, f.sets[root].x[(i-first)*f.dim:(i-first+1)*f.dim]...)
	}
	return r, nil
}
