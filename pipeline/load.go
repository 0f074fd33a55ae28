package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"icebox/cache"
	"icebox/extract"
)

// Choice picks the features to train or to judge on: a dataset and a space of a
// cache that holds several, or a folder.
type Choice struct {
	Dataset string // name; "" is the one of the sources in the options, or the only one
	Space   string // ID or the beginning of one; "" is the only one with features of the dataset

	// ByBackbone takes, where several spaces fit, that of the options' backbone.
	ByBackbone bool

	// KeepSplit leaves the parts of the dataset as they are, whatever the options'
	// fractions; images without a part are still given one.
	KeepSplit bool

	// Features is a folder of features in the form that [Export] writes, to be used
	// instead of the cache.
	Features string
}

// Train trains, evaluates and reports from the cache alone, or from c.Features.
// Where the images are at hand it stats them and says what has changed, and opens
// none.
func Train(ctx context.Context, o Options, c Choice, p Progress) (*RunSummary, error) {
	j, err := newJob(o, p)
	if err != nil {
		return nil, err
	}
	defer j.close()
	j.choice = c
	err = j.do(ctx, trainProgram)
	return j.runSummary(), err
}

// loadFeatures finds what is to be trained on.
func loadFeatures(ctx context.Context, j *job) error {
	if j.choice.Features != "" {
		return loadFolder(ctx, j)
	}
	return loadFromCache(ctx, j)
}

// loadFolder takes the features from a folder.
func loadFolder(ctx context.Context, j *job) error {
	if err := checkFolder(absolute(j.choice.Features)); err != nil {
		return err
	}
	return loadArrays(ctx, j)
}

// loadFromCache finds the dataset and the space that are to be trained on.
func loadFromCache(ctx context.Context, j *job) error {
	if err := j.openCache(); err != nil {
		return err
	}
	if j.cache == nil {
		return fmt.Errorf("%w: there is no cache at %s: `icebox extract --data DIR` or `icebox run --data DIR` makes it", ErrNotExtracted, absolute(j.opts.Cache.Path))
	}
	var err error
	if j.ds, err = chooseDataset(j.cache, j.choice.Dataset, j.opts.Data); err != nil {
		return err
	}
	if j.space, err = j.findSpace(ctx); err != nil {
		return err
	}
	if j.bad, err = loadFailures(j.cache, j.space.ID); err != nil {
		return err
	}
	j.noteChanges(ctx)
	if err := j.splitAgain(); err != nil {
		return err
	}
	j.countFeatures()
	return nil
}

func (j *job) countFeatures() {
	j.sum.Dataset, j.sum.Space, j.sum.Images = j.ds.Name, j.space.ID, len(j.ds.Items)
	j.sum.setWeights(j.space.Weights)
	if j.space.Weights.Random() {
		j.warn("the features come from random weights (seed %d): good for a smoke test, not for a result", j.space.Weights.Seed)
	}
	for i := range j.ds.Items {
		it := &j.ds.Items[i]
		if it.Hashed() && j.cache.Has(j.space.ID, it.Hash) {
			j.sum.Hits++
		} else if reason, ok := j.bad[it.Hash]; ok && it.Hashed() {
			j.tried[j.ds.Display(it)] = reason
		}
	}
	j.sum.KnownBad, j.sum.Quarantined, j.sum.Quarantine = len(j.tried), len(j.tried), j.tried.list()
	j.sum.Misses = j.sum.Images - j.sum.Hits - j.sum.KnownBad
}

// chooseDataset loads the dataset of the given name, else the one scanned from
// d's sources, else the only one.
func chooseDataset(c *cache.Cache, name string, d Data) (*Dataset, error) {
	if name == "" {
		name = d.Name
	}
	names := DatasetNames(c)
	if name != "" {
		ds, err := loadDataset(c, datasetPrefix, name)
		if errors.Is(err, cache.ErrNoDoc) {
			return nil, fmt.Errorf("%w: the cache has no dataset %q: it has %s", ErrData, name, quoteList(names))
		}
		return ds, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: the cache holds no dataset: `icebox extract --data DIR` makes one", ErrData)
	}
	var all []*Dataset
	for _, n := range names {
		ds, err := loadDataset(c, datasetPrefix, n)
		if err != nil {
			return nil, err
		}
		if d.Train != "" && ds.Sources == absoluteSources(d) {
			return ds, nil
		}
		all = append(all, ds)
	}
	if d.Train != "" {
		return nil, fmt.Errorf("%w: the cache has no dataset of %s: `icebox extract` makes it; it has %s", ErrData, d.Train, quoteList(names))
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return nil, fmt.Errorf("%w: the cache holds %d datasets: name one with --dataset: %s", ErrChoose, len(all), strings.Join(names, ", "))
}

func absoluteSources(d Data) Sources {
	return Sources{Train: absolute(d.Train), Val: absolute(d.Val), Test: absolute(d.Test)}
}

// absolute returns p as an absolute path; "" stays.
func absolute(p string) string {
	if p == "" {
		return ""
	}
	abs, err := filepath.Abs(p)
	if err != nil {
		return p
	}
	return abs
}

// findSpace chooses the space by the choice's ID; of several, it takes the one of
// the backbone that the options name, if asked to.
func (j *job) findSpace(ctx context.Context) (spaceInfo, error) {
	space, err := chooseSpace(j.cache, j.choice.Space, j.ds)
	if !errors.Is(err, ErrChoose) || !j.choice.ByBackbone {
		return space, err
	}
	x, xerr := extract.Open(ctx, j.opts.extractOptions())
	if xerr != nil {
		return space, errors.Join(err, xerr)
	}
	defer x.Close()
	return chooseSpace(j.cache, x.Fingerprint().ID(j.opts.Cache.DType), j.ds)
}

// chooseSpace finds the space that begins with id; if id is "", the only one that
// has features of ds (ds may be nil: any).
func chooseSpace(c *cache.Cache, id string, ds *Dataset) (spaceInfo, error) {
	var fit []cache.SpaceStat
	for _, s := range c.Spaces() {
		if strings.HasPrefix(s.ID, id) && (id != "" || hasAny(c, s.ID, ds)) {
			fit = append(fit, s)
		}
	}
	switch {
	case len(fit) == 1:
		return spaceInfoOf(fit[0].Space)
	case len(fit) == 0 && id != "":
		return spaceInfo{}, fmt.Errorf("%w: no space of the cache begins with %s: `icebox cache stat` lists them", cache.ErrNoSpace, id)
	case len(fit) == 0:
		return spaceInfo{}, fmt.Errorf("%w: the cache has no feature of this dataset: `icebox extract` computes them", ErrNotExtracted)
	}
	var lines []string
	for _, s := range fit {
		info, err := spaceInfoOf(s.Space)
		if err != nil {
			return spaceInfo{}, err
		}
		lines = append(lines, fmt.Sprintf("%.12s (%d rows, weights %s, %s)", s.ID, s.Rows, info.Weights, info.DType))
	}
	return spaceInfo{}, fmt.Errorf("%w: features of this dataset lie in %d spaces: name one with --space: %s", ErrChoose, len(fit), strings.Join(lines, "; "))
}

func hasAny(c *cache.Cache, space string, ds *Dataset) bool {
	if ds == nil {
		return true
	}
	for i := range ds.Items {
		if it := &ds.Items[i]; it.Hashed() && c.Has(space, it.Hash) {
			return true
		}
	}
	return false
}

func spaceInfoOf(s cache.Space) (spaceInfo, error) {
	info := spaceInfo{ID: s.ID, DType: s.DType}
	if err := json.Unmarshal(s.Info, &info); err != nil {
		return info, fmt.Errorf("%w: description of space %.12s: %w", cache.ErrCorrupt, s.ID, err)
	}
	return info, nil
}

// noteChanges stats the images, if they are at hand, and says what is not as the
// dataset has it.
func (j *job) noteChanges(ctx context.Context) {
	src := j.ds.Sources
	if _, err := os.Stat(src.Train); err != nil {
		j.progress.Note(fmt.Sprintf("the images are not at %s: training from the cache alone", src.Train))
		return
	}
	now, err := scan(ctx, Data{Train: src.Train, Val: src.Val, Test: src.Test})
	if err != nil {
		j.warn("the images have changed since they were extracted: %v", err)
		return
	}
	was := map[string]*Item{}
	for i := range j.ds.Items {
		was[j.ds.Display(&j.ds.Items[i])] = &j.ds.Items[i]
	}
	added, changed := 0, 0
	for i := range now.Items {
		it := &now.Items[i]
		before, ok := was[now.Display(it)]
		switch {
		case !ok:
			added++
		case before.Stat != it.Stat && before.Stat != fileStat{} || j.ds.Class(before) != now.Class(it):
			changed++
		}
	}
	gone := len(was) - (len(now.Items) - added)
	if added+changed+gone > 0 {
		j.warn("since the features were extracted, %d images are new, %d changed, %d gone: `icebox run` or `icebox extract` takes that up; this training does not", added, changed, gone)
	}
}

// splitAgain assigns parts anew if other fractions are wanted than the dataset was
// split by, or if some items have none yet, and keeps them if it can.
func (j *job) splitAgain() error {
	want := effectiveSplit(j.ds, j.opts.Data.Split)
	if j.choice.KeepSplit {
		want = j.ds.Split
	}
	unassigned := 0
	for i := range j.ds.Items {
		it := &j.ds.Items[i]
		if it.Assigned && want != j.ds.Split {
			it.Part, it.Assigned = Unassigned, false
		}
		if it.Part == Unassigned && it.Hashed() {
			unassigned++
		}
	}
	if unassigned == 0 && want == j.ds.Split {
		return nil
	}
	j.ds.Split = want
	assignParts(j.ds)
	err := j.storeDataset()
	if errors.Is(err, cache.ErrLocked) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		j.warn("the split is not kept: %v", err)
		return nil
	}
	return err
}

// storeDataset keeps j.ds in the cache.
func (j *job) storeDataset() error {
	w, err := j.cache.Writer()
	if err != nil {
		return err
	}
	doc, err := j.ds.encode()
	if err == nil {
		err = w.PutDoc(j.prefix+j.ds.Name, doc)
	}
	return errors.Join(err, w.Close())
}

// SpaceID completes the beginning of a space's ID.
func SpaceID(path, prefix string) (string, error) {
	c, err := cache.Open(path, cache.Options{})
	if err != nil {
		return "", err
	}
	defer c.Close()
	info, err := chooseSpace(c, prefix, nil)
	return info.ID, err
}

// DescribeSpace says in a few words what the features of a space are: their numeric
// class and the weights.
func DescribeSpace(s cache.Space) (string, error) {
	info, err := spaceInfoOf(s)
	return fmt.Sprintf("%s, weights %s (%.12s)", info.Fingerprint.Numeric, info.Weights, info.Weights.Hash), err
}
