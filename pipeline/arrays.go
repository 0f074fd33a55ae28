package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sync/errgroup"

	"icebox/cache"
	"icebox/headtrain"
)

// Files of a folder of features, as Export writes them.
const (
	featuresFile = "features.npy"
	labelsNPY    = "labels.npy"
	indexFile    = "index.csv"
)

// arrays are features that did not come from a cache: a folder in the form that
// [Export] writes, and its folders val and test, if it has them.
type arrays struct {
	dir    string
	dim    int
	sets   []arraySet // beside the dataset's roots
	digest [sha256.Size]byte
	paged  bool // they lie in files that memory cannot hold
}

// arraySet is one folder.
type arraySet struct {
	dir     string
	part    Part // of all its rows; Unassigned where the index may say
	x       []float32
	labels  []int64
	names   map[int64]string // of labels, from the index; nil without one
	items   []Item           // until they are the dataset's
	mapped  bool             // x lies in the file
	release func() error
}

func (a *arrays) close() {
	for _, s := range a.sets {
		if s.release != nil {
			s.release()
		}
	}
}

// loadArrays takes the features from a folder.
func loadArrays(ctx context.Context, j *job) error {
	dir := absolute(j.choice.Features)
	j.progress.Start("load", 0)
	j.arrays = &arrays{dir: dir}
	ds, err := j.arrays.load(ctx)
	if err != nil {
		return err
	}
	ds.Name = derivedName(dir)
	if j.opts.Data.Name != "" {
		ds.Name = j.opts.Data.Name
	}
	j.ds = ds
	j.sum.Dataset, j.sum.Images, j.sum.Features, j.sum.Dim = ds.Name, len(ds.Items), dir, j.arrays.dim
	j.checkMemory(availableMemory(os.DirFS("/")))
	return nil
}

// checkMemory finds out whether the features fit into what is available, 0 being
// unknown, and says so if training would read most rows from the disk one by one. No
// result depends on it.
func (j *job) checkMemory(available int64) {
	mapped := int64(0)
	for _, s := range j.arrays.sets {
		if s.mapped {
			mapped += 4 * int64(len(s.x))
		}
	}
	j.arrays.paged = mapped > 0 && mapped > available
	if o := j.opts.Head; j.arrays.paged && available > 0 && o.Shuffle.IsZero() && o.Optimizer != headtrain.OptimizerLBFGS {
		const gib = 1 << 30
		j.progress.Note(fmt.Sprintf("the features take %.1f GiB, but there is memory for %.1f: with head.shuffle=rows nearly every row of an epoch is a read from the disk; head.shuffle=blocks reads in order",
			float64(mapped)/gib, float64(available)/gib))
	}
}

func (a *arrays) load(ctx context.Context) (*Dataset, error) {
	for _, sub := range []struct {
		name string
		part Part
	}{{"", Unassigned}, {"val", ValPart}, {"test", TestPart}} {
		s := arraySet{dir: filepath.Join(a.dir, sub.name), part: sub.part}
		if _, err := os.Stat(s.dir); sub.name != "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		err := a.loadSet(&s)
		a.sets = append(a.sets, s) // to be released, whatever err is
		if err != nil {
			return nil, err
		}
	}
	if err := a.checkParts(); err != nil {
		return nil, err
	}
	ds := &Dataset{Sources: Sources{Train: a.dir}}
	if err := a.nameClasses(ds); err != nil {
		return nil, err
	}
	total := 0
	for _, s := range a.sets {
		total += len(s.labels)
	}
	if len(a.sets) > 1 {
		ds.Items = make([]Item, 0, total)
	}
	for i := range a.sets {
		s, prefix := &a.sets[i], ""
		if i > 0 {
			prefix = s.part.String() + "/"
		}
		ds.Roots = append(ds.Roots, Root{Dir: s.dir, Prefix: prefix})
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
	return ds, a.hashRows(ctx, ds)
}

func (a *arrays) loadSet(s *arraySet) error {
	file, err := openNPY(filepath.Join(s.dir, featuresFile))
	if err != nil {
		return err
	}
	defer file.Close()
	if len(file.shape) != 2 || file.shape[0] == 0 || file.shape[1] == 0 {
		return file.fault("an array of shape %v: features are rows × dimensions", file.shape)
	}
	if a.dim == 0 {
		a.dim = file.shape[1]
	}
	if file.shape[1] != a.dim {
		return file.fault("rows of %d features, where %s has %d", file.shape[1], a.dir, a.dim)
	}
	if s.x, s.mapped, s.release, err = file.floats(); err != nil {
		return err
	}
	labels, err := openNPY(filepath.Join(s.dir, labelsNPY))
	if err != nil {
		return err
	}
	defer labels.Close()
	if len(labels.shape) != 1 || labels.shape[0] != file.shape[0] {
		return labels.fault("an array of shape %v, where %s has %d rows: one label a row", labels.shape, featuresFile, file.shape[0])
	}
	if s.labels, err = labels.wholes(); err != nil {
		return err
	}
	if i := slices.IndexFunc(s.labels, func(y int64) bool { return y < -1 || y > math.MaxInt32 }); i >= 0 {
		return labels.fault("row %d has label %d: labels are whole numbers from 0 up, or -1 for none", i, s.labels[i])
	}
	return s.index()
}

// index makes the items, with what index.csv says of them, if it is there.
func (s *arraySet) index() error {
	s.items = make([]Item, len(s.labels))
	for i := range s.items {
		s.items[i].Part = cmp.Or(s.part, TrainPart)
	}
	s.nameRows()
	path := filepath.Join(s.dir, indexFile)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("%w: %s: no header line (row,path,label,split,sha256): %w", ErrData, path, err)
	}
	at := map[string]int{}
	for i, h := range header {
		at[strings.TrimSpace(h)] = i
	}
	s.names = map[int64]string{}
	for n := range s.items {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: %s has %d rows, but %s has %d", ErrData, path, n, featuresFile, len(s.items))
		}
		if err == nil {
			err = s.indexLine(n, record, at)
		}
		if err != nil {
			return fmt.Errorf("%w: %s: row %d: %w", ErrData, path, n, err)
		}
	}
	if _, err := r.Read(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %s has more rows than %s, which has %d", ErrData, path, featuresFile, len(s.items))
	}
	return nil
}

// nameRows makes the paths of rows, which are slices of one string: there may be
// millions.
func (s *arraySet) nameRows() {
	const prefix = "row "
	var all []byte
	for i := range s.items {
		all = strconv.AppendInt(append(all, prefix...), int64(i), 10)
	}
	rest, digits, next := string(all), 1, 10
	for i := range s.items {
		if i == next {
			digits, next = digits+1, next*10
		}
		s.items[i].Path, rest = rest[:len(prefix)+digits], rest[len(prefix)+digits:]
	}
}

// indexLine takes what a line says of row n. Columns that are not there say nothing.
func (s *arraySet) indexLine(n int, record []string, at map[string]int) error {
	field := func(name string) string {
		if i, ok := at[name]; ok {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	if row := field("row"); row != "" && row != strconv.Itoa(n) {
		return fmt.Errorf("the line is of row %q: lines are in the order of the rows", row)
	}
	it := &s.items[n]
	it.Path, it.Group = cmp.Or(strings.Clone(field("path")), it.Path), strings.Clone(field("group"))
	if split := field("split"); split != "" && s.part == Unassigned {
		var ok bool
		if it.Part, ok = ParsePart(split); !ok {
			return fmt.Errorf("split %q is not train, val or test", split)
		}
	}
	if sum := field("sha256"); sum != "" {
		raw, err := hex.DecodeString(sum)
		if err != nil || len(raw) != len(it.Hash) {
			return fmt.Errorf("sha256 %q is not 64 hexadecimal digits", sum)
		}
		copy(it.Hash[:], raw)
	}
	name, label := field("label"), s.labels[n]
	known, seen := s.names[label]
	switch {
	case name == "":
		return nil
	case label < 0:
		return fmt.Errorf("class %q, but the label in %s is -1, for none", name, labelsNPY)
	case seen && known != name:
		return fmt.Errorf("class %q, but other rows of label %d are of class %q", name, label, known)
	}
	if !seen {
		s.names[label] = strings.Clone(name)
	}
	return nil
}

// checkParts refuses an index that names a part which has a folder of its own.
func (a *arrays) checkParts() error {
	for _, s := range a.sets[1:] {
		for i := range a.sets[0].items {
			if it := &a.sets[0].items[i]; it.Part == s.part {
				return fmt.Errorf("%w: %s: row %d is %s by %s, and there is a folder %s: keep one of the two", ErrData, a.dir, i, s.part, indexFile, s.part)
			}
		}
	}
	return nil
}

// nameClasses numbers the labels that occur, in their order, and gives each its
// name in an index, or else its number.
func (a *arrays) nameClasses(ds *Dataset) error {
	names := map[int64]string{}
	for _, s := range a.sets {
		for _, y := range s.labels {
			if _, ok := names[y]; !ok && y >= 0 {
				names[y] = ""
			}
		}
		for y, name := range s.names {
			if was := names[y]; was != "" && was != name {
				return fmt.Errorf("%w: %s: label %d is class %q here and class %q there", ErrData, s.dir, y, name, was)
			}
			names[y] = name
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("%w: no row of %s has a label", ErrData, a.dir)
	}
	class := make(map[int64]int32, len(names))
	labelOf := make(map[string]int64, len(names))
	for i, y := range slices.Sorted(maps.Keys(names)) {
		name := cmp.Or(names[y], strconv.FormatInt(y, 10))
		if twin, ok := labelOf[name]; ok {
			return fmt.Errorf("%w: %s: labels %d and %d are both class %q", ErrData, a.dir, twin, y, name)
		}
		class[y], labelOf[name] = int32(i), y
		ds.Classes = append(ds.Classes, name)
	}
	for _, s := range a.sets {
		for n, y := range s.labels {
			s.items[n].Label = Unlabelled
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
func (a *arrays) hashRows(ctx context.Context, ds *Dataset) error {
	var blocks []*cache.Key
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	first := 0
	for _, s := range a.sets {
		items := ds.Items[first : first+len(s.labels)]
		first += len(s.labels)
		for at := 0; at < len(items); at += hashBlock {
			block := new(cache.Key)
			blocks = append(blocks, block)
			g.Go(func() error {
				all := sha256.New()
				for n := at; n < min(at+hashBlock, len(items)) && ctx.Err() == nil; n++ {
					row := s.x[n*a.dim : (n+1)*a.dim]
					if bad := slices.IndexFunc(row, notFinite); bad >= 0 {
						return fmt.Errorf("%w: %s: row %d, feature %d is %v", ErrData, filepath.Join(s.dir, featuresFile), n, bad, row[bad])
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
		}
	}
	err := g.Wait()
	all := sha256.New()
	for _, block := range blocks {
		all.Write(block[:])
	}
	all.Sum(a.digest[:0])
	return err
}

func notFinite(v float32) bool { return math.Float32bits(v)&0x7f800000 == 0x7f800000 }

// rows gives the labelled items that are wanted. Rows that lie together are not copied.
func (a *arrays) rows(ds *Dataset, wanted func(*Item) bool) *rows {
	r := &rows{data: &headtrain.Dataset{Dim: a.dim, Classes: ds.Classes, Finite: true}}
	count := 0
	for i := range ds.Items {
		if it := &ds.Items[i]; it.Label != Unlabelled && wanted(it) {
			count++
		}
	}
	r.items, r.data.Labels = make([]int, 0, count), make([]int32, 0, count)
	for i := range ds.Items {
		if it := &ds.Items[i]; it.Label != Unlabelled && wanted(it) {
			r.items = append(r.items, i)
			r.data.Labels = append(r.data.Labels, it.Label)
		}
	}
	if len(r.items) == 0 {
		return r
	}
	lo, hi := r.items[0], r.items[len(r.items)-1]
	first, root := 0, ds.Items[lo].Root
	for _, s := range a.sets[:root] {
		first += len(s.labels)
	}
	if hi-lo == len(r.items)-1 && ds.Items[hi].Root == root {
		r.data.X = a.sets[root].x[(lo-first)*a.dim : (hi-first+1)*a.dim]
		r.data.Paged = a.paged && a.sets[root].mapped
		return r
	}
	r.data.X = headtrain.NewFeatures(len(r.items) * a.dim)[:0]
	for _, i := range r.items {
		for root != ds.Items[i].Root {
			first += len(a.sets[root].labels)
			root++
		}
		r.data.X = append(r.data.X, a.sets[root].x[(i-first)*a.dim:(i-first+1)*a.dim]...)
	}
	return r
}
