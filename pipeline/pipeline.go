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
	"sync"
	"time"

	"icebox/cache"
	"icebox/extract"
)

// job is the state that stages hand on.
type job struct {
	opts     Options
	progress Progress
	choice   Choice
	prefix   string // of the dataset's document
	start    time.Time

	x       *extract.Extractor
	cache   *cache.Cache // nil until there is a file
	ds      *Dataset
	earlier *Dataset // as the cache had it; nil if it had not
	space   spaceInfo
	bad     failures
	found   []bool // of each item: its feature is in the cache
	tried   quarantine
	arrays  *arrays // features that are not of the cache; nil for those that are

	sum     Summary
	warning sync.Mutex // guards sum.Warnings

	measured measured // by engines
	train    *trained
	sweep    *sweep // nil for a single head
}

// stage is one step of a program.
type stage struct {
	name string
	run  func(context.Context, *job) error
}

// The programs: what icebox does is these lists.
var (
	extractProgram = []stage{
		{"open", openBackbone},
		{"scan", scanImages},
		{"look up", lookUp},
		{"extract", extractMisses},
		{"keep", keepDataset},
	}
	runProgram = []stage{
		{"open", openBackbone},
		{"scan", scanImages},
		{"check", checkTrainable},
		{"look up", lookUp},
		{"extract", extractMisses},
		{"keep", keepDataset},
		{"gather", gatherRows},
		{"train", trainHead},
		{"evaluate", evaluateHead},
		{"report", writeReport},
	}
	trainProgram = []stage{
		{"load", loadFeatures},
		{"check", checkTrainable},
		{"gather", gatherRows},
		{"train", trainHead},
		{"evaluate", evaluateHead},
		{"report", writeReport},
	}
)

// Extract brings the features of o.Data's images into the cache.
func Extract(ctx context.Context, o Options, p Progress) (*Summary, error) {
	j, err := newJob(o, p)
	if err != nil {
		return nil, err
	}
	defer j.close()
	err = j.do(ctx, extractProgram)
	return &j.sum, err
}

// Run extracts what is missing, trains a head on the features, evaluates it and
// writes a run folder. On an error, the summary says how far it came.
func Run(ctx context.Context, o Options, p Progress) (*RunSummary, error) {
	j, err := newJob(o, p)
	if err != nil {
		return nil, err
	}
	defer j.close()
	err = j.do(ctx, runProgram)
	return j.runSummary(), err
}

func newJob(o Options, p Progress) (*job, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &job{opts: o, progress: p, start: time.Now(), prefix: datasetPrefix, tried: quarantine{}}, nil
}

// do runs the stages in order and times each.
func (j *job) do(ctx context.Context, program []stage) error {
	defer func() { j.sum.Seconds = seconds(time.Since(j.start)) }()
	for _, s := range program {
		if err := ctx.Err(); err != nil {
			return err
		}
		begin := time.Now()
		err := s.run(ctx, j)
		j.sum.Stages = append(j.sum.Stages, StageTime{s.name, seconds(time.Since(begin))})
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *job) close() {
	if j.sweep != nil {
		j.sweep.log.close()
	}
	if j.train != nil && j.train.dir != nil {
		j.train.dir.abandon()
	}
	if j.x != nil {
		j.x.Close()
	}
	if j.cache != nil {
		j.cache.Close()
	}
	if j.arrays != nil {
		j.arrays.close()
	}
}

// warn may be called from any goroutine; sum.Warnings is read when all are done.
func (j *job) warn(format string, args ...any) {
	w := fmt.Sprintf(format, args...)
	j.warning.Lock()
	j.sum.Warnings = append(j.sum.Warnings, w)
	j.warning.Unlock()
	j.progress.Note(w)
}

// spaceInfo is kept beside a space's rows, so that a head can be trained from the
// cache alone and still name what its features are.
type spaceInfo struct {
	ID          string              `json:"-"`
	Fingerprint extract.Fingerprint `json:"fingerprint"`
	DType       cache.DType         `json:"dtype"`
	Weights     extract.WeightsInfo `json:"weights"`
}

func (s spaceInfo) cacheSpace() (cache.Space, error) {
	info, err := json.Marshal(s)
	return cache.Space{ID: s.ID, DType: s.DType, Dim: extract.Dim, Info: info}, err
}

// openBackbone finds the weights and names the space; the engine stays closed
// until an image needs it.
func openBackbone(ctx context.Context, j *job) error {
	opts := j.opts.extractOptions()
	opts.Note = func(text string) { j.warn("%s", text) }
	opts.Memo = &j.measured
	x, err := extract.Open(ctx, opts)
	if err != nil {
		return err
	}
	j.x = x
	dtype := cache.DType(j.opts.Cache.DType)
	j.space = spaceInfo{ID: x.Fingerprint().ID(string(dtype)), Fingerprint: x.Fingerprint(), DType: dtype, Weights: x.Weights()}
	j.sum.Space = j.space.ID
	j.sum.Engine, j.sum.ISA = x.EngineName()
	j.sum.setWeights(j.space.Weights)
	if j.space.Weights.Random() {
		j.warn("the backbone has random weights (seed %d): good for a smoke test, not for a result. `icebox weights fetch` gets the real ones", j.space.Weights.Seed)
	}
	return j.openCache()
}

// openCache opens the cache if there is one; extractMisses makes it.
func (j *job) openCache() error {
	c, err := cache.Open(j.opts.Cache.Path, cache.Options{})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	j.cache = c
	if damage := c.Recovered(); damage != nil {
		j.warn("the last commit of the cache is damaged, the one before it is in use: %v", damage)
	}
	return nil
}

func scanImages(ctx context.Context, j *job) error {
	j.progress.Start("scan", 0)
	ds, err := scan(ctx, j.opts.Data)
	if err != nil {
		return err
	}
	j.ds = ds
	for _, n := range ds.Notes {
		j.warn("%s", n)
	}
	j.sum.Images = len(ds.Items)
	if err := j.nameDataset(); err != nil {
		return err
	}
	j.sum.Dataset = ds.Name
	if j.prefix == evalPrefix {
		if err := j.splitOfTraining(); err != nil {
			return err
		}
	}
	if j.choice.KeepSplit && j.earlier != nil {
		j.opts.Data.Split = j.earlier.Split
	}
	return nil
}

// checkTrainable finds out early what would fail late: classes that cannot be
// learned, and an output folder that cannot be written.
func checkTrainable(_ context.Context, j *job) error {
	if err := j.ds.checkTrainable(); err != nil {
		return err
	}
	if err := os.MkdirAll(j.opts.Output.Dir, 0o755); err != nil {
		return fmt.Errorf("output.dir: %w", err)
	}
	return nil
}

// nameDataset finds the dataset's name in the cache, and what the cache knows of
// it: the name given, or one derived from the folder's that no other folder has.
func (j *job) nameDataset() error {
	name := j.opts.Data.Name
	derived := name == ""
	if derived {
		name = derivedName(j.ds.Sources.Train)
	}
	for try := 1; ; try++ {
		j.ds.Name = name
		if try > 1 {
			j.ds.Name = fmt.Sprintf("%s-%d", name, try)
		}
		if j.cache == nil {
			return nil
		}
		earlier, err := loadDataset(j.cache, j.prefix, j.ds.Name)
		if errors.Is(err, cache.ErrNoDoc) {
			return nil
		}
		if err != nil {
			return err
		}
		if !derived || earlier.continuedBy(j.ds) {
			j.earlier = earlier
			if earlier.Sources.Train != j.ds.Sources.Train {
				j.warn("dataset %s was of %s and is of %s now", j.ds.Name, earlier.Sources.Train, j.ds.Sources.Train)
			}
			return nil
		}
	}
}

// continuedBy reports whether d, kept earlier, is what now was scanned from, though
// it may have been moved, or got other val and test sources.
func (d *Dataset) continuedBy(now *Dataset) bool {
	if d.Sources.Train == now.Sources.Train {
		return true
	}
	_, err := os.Stat(d.Sources.Train)
	return errors.Is(err, fs.ErrNotExist)
}

// splitOfTraining takes over what the cache knows of the same images as a dataset
// to train on: their parts, which an evaluation is told by.
func (j *job) splitOfTraining() error {
	if j.cache == nil {
		return nil
	}
	for _, name := range DatasetNames(j.cache) {
		ds, err := loadDataset(j.cache, datasetPrefix, name)
		if err != nil {
			return err
		}
		if ds.Sources == j.ds.Sources {
			j.earlier = ds
		}
	}
	return nil
}

// derivedName is the last folder of p that is not named after a part.
func derivedName(p string) string {
	p = strings.TrimSuffix(p, filepath.Ext(p))
	base := filepath.Base(p)
	if _, isPart := ParsePart(base); isPart {
		if up := filepath.Base(filepath.Dir(p)); up != string(filepath.Separator) && up != "." {
			base = up
		}
	}
	if base == string(filepath.Separator) || base == "." || base == "" {
		return "images"
	}
	return base
}
