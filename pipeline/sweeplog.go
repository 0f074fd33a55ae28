package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"icebox/headtrain"
)

// sweepLogFile is the file of a sweep's folder that grows while heads are trained:
// the recipe, then a line a head. A sweep that is whole has sweepFile instead.
const sweepLogFile = "heads.jsonl"

// headID says which of a sweep's heads one is.
type headID struct {
	Rung  int `json:"rung"`
	Point int `json:"point"`
	Seed  int `json:"seed"` // counted from 0; added to the seed of the options
	Fold  int `json:"fold"`
}

// headRecord is what a sweep keeps of a head: everything but its weights, which
// training it again gives to the bit.
type headRecord struct {
	headID
	Options   headtrain.Options `json:"options"`
	Fraction  float64           `json:"train_fraction"`
	EpochsRun int               `json:"epochs_run"`
	BestEpoch int               `json:"best_epoch"`
	TrainLoss float64           `json:"train_loss"`
	ValLoss   *float64          `json:"val_loss"`
	ValAcc    *float64          `json:"val_acc"`
	Diverged  bool              `json:"diverged,omitempty"` // in the epoch after epochs_run
}

func newRecord(id headID, o headtrain.Options, fraction float64, r headtrain.Result) headRecord {
	rec := headRecord{headID: id, Options: o, Fraction: fraction, EpochsRun: len(r.History), Diverged: r.Head == nil}
	if rec.Diverged {
		return rec
	}
	kept := r.History[r.BestEpoch-1]
	rec.BestEpoch, rec.TrainLoss, rec.ValLoss, rec.ValAcc = r.BestEpoch, r.TrainLoss, kept.ValLoss, kept.ValAcc
	return rec
}

// sweepRecipe is what heads depend on. A sweep is resumed only by one of the same.
type sweepRecipe struct {
	Format   int               `json:"format"`
	Program  string            `json:"program"`
	Choice   Choice            `json:"choice"`
	Settings map[string]string `json:"settings"` // by config key, as JSON
}

const sweepFormat = 1

// sweepRecipe describes the sweep at hand.
func (j *job) sweepRecipe() sweepRecipe {
	choice := j.choice
	choice.Features = absolute(choice.Features)
	settings := map[string]string{}
	flatten(settings, "head", j.sweep.base)
	o := j.opts.Sweep
	flatten(settings, "sweep", map[string]any{"method": o.Method, "metric": o.Metric, "seeds": o.Seeds, "folds": o.Folds, "trials": o.Trials, "refit": o.Refit})
	for _, a := range o.Axes {
		flatten(settings, "sweep.axes", map[string]any{a.Key: a.text()})
	}
	flatten(settings, "data.split", map[string]any{"val": j.opts.Data.Split.Val, "test": j.opts.Data.Split.Test})
	flatten(settings, "data", map[string]any{"name": j.ds.Name, "rows": j.digest(), "space": j.space.ID})
	return sweepRecipe{Format: sweepFormat, Program: j.opts.Output.Program, Choice: choice, Settings: settings}
}

// text writes an axis as the configuration does.
func (a Axis) text() string {
	if len(a.Values) > 0 {
		return fmt.Sprint(a.Values)
	}
	scale, bounds := "lin", a.Lin
	if len(a.Log) > 0 {
		scale, bounds = "log", a.Log
	}
	return fmt.Sprintf("{%s: %v, steps: %d}", scale, bounds, a.Steps)
}

// flatten adds the fields of v, as JSON, under their names below prefix.
func flatten(to map[string]string, prefix string, v any) {
	text, err := json.Marshal(v)
	var fields map[string]json.RawMessage
	if err == nil && json.Unmarshal(text, &fields) == nil {
		for name, value := range fields {
			flatten(to, prefix+"."+name, value)
		}
		return
	}
	to[prefix] = string(text)
}

// digest names the rows that heads learn from and are judged by: their content,
// labels and parts. The features themselves are named by the space, or hashed.
func (j *job) digest() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", j.ds.Classes)
	for _, p := range []Part{TrainPart, ValPart, TestPart} {
		r := j.train.parts[p]
		for n, i := range r.items {
			fmt.Fprintf(h, "%d %d %x %q\n", p, r.data.Labels[n], j.ds.Items[i].Hash, j.ds.Items[i].Group)
		}
	}
	if j.arrays != nil {
		h.Write(j.arrays.digest[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// differences lists what is not in now as it is in r, a line a setting.
func (r sweepRecipe) differences(now sweepRecipe) []string {
	keys := map[string]bool{}
	for k := range r.Settings {
		keys[k] = true
	}
	for k := range now.Settings {
		keys[k] = true
	}
	var lines []string
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		was, is := r.Settings[k], now.Settings[k]
		switch {
		case was == is:
		case k == "data.rows":
			lines = append(lines, "the images, their labels or their split are others")
		default:
			lines = append(lines, fmt.Sprintf("%s was %s and is %s", k, orNothing(was), orNothing(is)))
		}
	}
	return lines
}

func orNothing(s string) string {
	if s == "" {
		return "not there"
	}
	return s
}

// sweepLog is the open log of a sweep and what is in it.
type sweepLog struct {
	path   string
	recipe sweepRecipe
	heads  map[headID]headRecord
	f      *os.File
}

func newSweepLog(dir string, recipe sweepRecipe) (*sweepLog, error) {
	l := &sweepLog{path: filepath.Join(dir, sweepLogFile), recipe: recipe, heads: map[headID]headRecord{}}
	var err error
	if l.f, err = os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644); err != nil {
		return nil, err
	}
	return l, l.write(recipe)
}

// write appends values, a line each, and sees them on the disk.
func (l *sweepLog) write(values ...any) error {
	var lines bytes.Buffer
	for _, v := range values {
		line, err := json.Marshal(v)
		if err != nil {
			return err
		}
		lines.Write(append(line, '\n'))
	}
	if _, err := l.f.Write(lines.Bytes()); err != nil {
		return err
	}
	return l.f.Sync()
}

func (l *sweepLog) append(records []headRecord) error {
	var lines []any
	for _, r := range records {
		l.heads[r.headID] = r
		lines = append(lines, r)
	}
	if len(lines) == 0 {
		return nil
	}
	return l.write(lines...)
}

// epochs is the number of epochs that the heads in the log were trained for.
func (l *sweepLog) epochs() int {
	n := 0
	for _, r := range l.heads {
		n += r.EpochsRun
	}
	return n
}

func (l *sweepLog) close() error {
	if l == nil || l.f == nil {
		return nil
	}
	err := l.f.Close()
	l.f = nil
	return err
}

// readSweepLog reads the log in dir. The last line of a sweep that was killed may
// be half a line; size is that of the whole ones.
func readSweepLog(dir string) (l *sweepLog, size int64, err error) {
	l = &sweepLog{path: filepath.Join(dir, sweepLogFile), heads: map[headID]headRecord{}}
	text, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, whole := os.Stat(filepath.Join(dir, sweepFile)); whole == nil {
			return nil, 0, fmt.Errorf("%w: the sweep in %s is complete: there is nothing to go on with", ErrResume, dir)
		}
		return nil, 0, fmt.Errorf("%w: %s holds no interrupted sweep (%s)", ErrResume, dir, sweepLogFile)
	}
	if err != nil {
		return nil, 0, err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	for n, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		var r headRecord
		if n == 0 {
			err = json.Unmarshal(line, &l.recipe)
		} else {
			err = json.Unmarshal(line, &r)
			l.heads[r.headID] = r
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%w: %s:%d is damaged: %w; begin a new sweep", ErrResume, l.path, n+1, err)
		}
	}
	if l.recipe.Format != sweepFormat {
		return nil, 0, fmt.Errorf("%w: %s has format %d, this icebox writes %d", ErrResume, l.path, l.recipe.Format, sweepFormat)
	}
	return l, int64(len(text)), nil
}

// resumeSweepLog opens the log in dir to go on with it, if it is of the same recipe.
func resumeSweepLog(dir string, now sweepRecipe) (*sweepLog, error) {
	l, size, err := readSweepLog(dir)
	if err != nil {
		return nil, err
	}
	if changed := l.recipe.differences(now); len(changed) > 0 {
		return nil, fmt.Errorf("%w: it was begun with other settings: %s; set them back, or begin a new sweep without --resume", ErrResume, strings.Join(changed, "; "))
	}
	if l.f, err = os.OpenFile(l.path, os.O_WRONLY, 0o644); err != nil {
		return nil, err
	}
	_, err = l.f.Seek(size, 0)
	return l, errors.Join(err, l.f.Truncate(size))
}

// Interrupted says what an interrupted sweep was begun with, beside its
// configuration, which is config.yaml in the same folder.
func Interrupted(dir string) (Choice, error) {
	l, _, err := readSweepLog(dir)
	if err != nil {
		return Choice{}, err
	}
	return l.recipe.Choice, nil
}

// sameOptions compares options as their JSON does, which leaves threads and some
// defaults out.
func sameOptions(a, b headtrain.Options) bool {
	a, b = a.WithDefaults(), b.WithDefaults()
	a.Threads, b.Threads = 0, 0
	return reflect.DeepEqual(a, b)
}
