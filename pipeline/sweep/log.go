package sweep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"icebox/headtrain"
)

// Files of a sweep's folder.
const (
	// LogFile grows while heads are trained: the recipe, then a line a head. Once the
	// folder is whole, it is removed.
	LogFile = "heads.jsonl"
	// ResultFile says the same of a sweep that is over: a line a point, with every head.
	ResultFile = "sweep.jsonl"
)

// HeadID says which of a sweep's heads one is.
type HeadID struct {
	Rung  int `json:"rung"`
	Point int `json:"point"`
	Seed  int `json:"seed"` // counted from 0; added to the seed of the options
	Fold  int `json:"fold"`
}

// Record is what a sweep keeps of a head: everything but its weights, which
// training it again gives to the bit.
type Record struct {
	HeadID
	Options   headtrain.Options `json:"options"`
	Fraction  float64           `json:"train_fraction"`
	EpochsRun int               `json:"epochs_run"`
	BestEpoch int               `json:"best_epoch"`
	TrainLoss float64           `json:"train_loss"`
	ValLoss   *float64          `json:"val_loss"`
	ValAcc    *float64          `json:"val_acc"`

	ValMacroF1     *float64 `json:"val_macro_f1,omitempty"` // records of earlier versions lack both
	ValBalancedAcc *float64 `json:"val_balanced_acc,omitempty"`

	Diverged bool `json:"diverged,omitempty"` // in the epoch after epochs_run
}

func newRecord(id HeadID, o headtrain.Options, fraction float64, r headtrain.Result) Record {
	rec := Record{HeadID: id, Options: o, Fraction: fraction, EpochsRun: len(r.History), Diverged: r.Head == nil}
	if rec.Diverged {
		return rec
	}
	kept := r.History[r.BestEpoch-1]
	rec.BestEpoch, rec.TrainLoss = r.BestEpoch, r.TrainLoss
	rec.ValLoss, rec.ValAcc, rec.ValMacroF1, rec.ValBalancedAcc = kept.ValLoss, kept.ValAcc, kept.ValMacroF1, kept.ValBalancedAcc
	return rec
}

// Log is the open log of a sweep and what is in it.
type Log struct {
	path   string
	recipe Recipe
	heads  map[HeadID]Record
	f      *os.File
}

// NewLog begins a log in the folder dir.
func NewLog(dir string, recipe Recipe) (*Log, error) {
	l := &Log{path: filepath.Join(dir, LogFile), recipe: recipe, heads: map[HeadID]Record{}}
	var err error
	if l.f, err = os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644); err != nil {
		return nil, err
	}
	if _, err := l.write(recipe); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// write appends values, a line each, and sees them on the disk. It returns how many of
// them are whole in the file.
func (l *Log) write(values ...any) (whole int, err error) {
	var lines bytes.Buffer
	for _, v := range values {
		line, err := json.Marshal(v)
		if err != nil {
			return 0, err
		}
		lines.Write(append(line, '\n'))
	}
	n, err := l.f.Write(lines.Bytes())
	if err == nil {
		err = l.f.Sync()
	}
	return bytes.Count(lines.Bytes()[:n], []byte("\n")), err
}

// append adds records to the log, as many as the disk takes.
func (l *Log) append(records []Record) error {
	var lines []any
	for _, r := range records {
		lines = append(lines, r)
	}
	if len(lines) == 0 {
		return nil
	}
	whole, err := l.write(lines...)
	for _, r := range records[:whole] {
		l.heads[r.HeadID] = r
	}
	return err
}

// Epochs is the number of epochs that the heads in the log were trained for.
func (l *Log) Epochs() int {
	n := 0
	for _, r := range l.heads {
		n += r.EpochsRun
	}
	return n
}

// Close closes the file. It may be called more than once.
func (l *Log) Close() error {
	if l.f == nil {
		return nil
	}
	err := l.f.Close()
	l.f = nil
	return err
}

// readLog reads the log in dir. The last line of a sweep that was killed may
// be half a line; size is that of the whole ones.
func readLog(dir string) (l *Log, size int64, err error) {
	l = &Log{path: filepath.Join(dir, LogFile), heads: map[HeadID]Record{}}
	text, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, whole := os.Stat(filepath.Join(dir, ResultFile)); whole == nil {
			return nil, 0, fmt.Errorf("%w: the sweep in %s is complete: there is nothing to go on with", ErrResume, dir)
		}
		return nil, 0, fmt.Errorf("%w: %s holds no interrupted sweep (%s)", ErrResume, dir, LogFile)
	}
	if err != nil {
		return nil, 0, err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	for n, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		var r Record
		if n == 0 {
			err = json.Unmarshal(line, &l.recipe)
		} else {
			err = json.Unmarshal(line, &r)
			l.heads[r.HeadID] = r
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%w: %s:%d is damaged: %w; begin a new sweep", ErrResume, l.path, n+1, err)
		}
	}
	if l.recipe.Format != recipeFormat {
		return nil, 0, fmt.Errorf("%w: %s has format %d, this icebox writes %d", ErrResume, l.path, l.recipe.Format, recipeFormat)
	}
	return l, int64(len(text)), nil
}

// ResumeLog opens the log in dir to go on with it. It returns an [ErrResume] unless it is
// of the same recipe.
func ResumeLog(dir string, now Recipe) (*Log, error) {
	l, size, err := readLog(dir)
	if err != nil {
		return nil, err
	}
	if changed := l.recipe.differences(now); len(changed) > 0 {
		return nil, fmt.Errorf("%w: it was begun with other settings: %s; set them back, or begin a new sweep", ErrResume, strings.Join(changed, "; "))
	}
	if l.f, err = os.OpenFile(l.path, os.O_WRONLY, 0o644); err != nil {
		return nil, err
	}
	_, err = l.f.Seek(size, 0)
	if err := errors.Join(err, l.f.Truncate(size)); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Interrupted decodes into choice how the rows of the interrupted sweep in dir were
// found; see [NewRecipe].
func Interrupted(dir string, choice any) error {
	l, _, err := readLog(dir)
	if err != nil {
		return err
	}
	return json.Unmarshal(l.recipe.Choice, choice)
}

// Len is the number of heads in the log.
func (l *Log) Len() int { return len(l.heads) }

// Diverged is the number of heads in the log that did.
func (l *Log) Diverged() int {
	n := 0
	for _, r := range l.heads {
		if r.Diverged {
			n++
		}
	}
	return n
}

// check refuses heads that the plan does not have, or that lack what points are compared
// by: those of another icebox.
func (l *Log) check(p *Plan, m Metric) error {
	for id, r := range l.heads {
		if !p.has(id) || !sameOptions(p.options(id), r.Options) || !r.sound(p.options(id), m) {
			return fmt.Errorf("%w: head %+v in %s is not in this sweep: another version wrote it (%s); begin a new sweep", ErrResume, id, l.path, l.recipe.Program)
		}
	}
	return nil
}

// sound reports whether the numbers of a head with options o are those of one that was
// trained: validated where m is a metric of validation.
func (r Record) sound(o headtrain.Options, m Metric) bool {
	if r.BestEpoch < 0 || r.BestEpoch > r.EpochsRun || r.EpochsRun > o.Epochs {
		return false
	}
	held, byClass := m != TrainLoss, m == headtrain.MetricValMacroF1 || m == headtrain.MetricValBalancedAcc
	return r.Diverged || (r.ValAcc != nil) == held && (r.ValLoss != nil) == held &&
		(r.ValMacroF1 != nil) == (r.ValBalancedAcc != nil) && (r.ValMacroF1 != nil || !byClass)
}

// has reports whether a head is one of the plan's.
func (p *Plan) has(id HeadID) bool {
	below := func(n, limit int) bool { return n >= 0 && n < limit }
	return below(id.Rung, len(p.Rungs)) && below(id.Point, len(p.Points)) && below(id.Seed, p.Seeds) && below(id.Fold, max(1, p.Folds))
}

// sameOptions compares options that have their defaults, and leaves threads out, which
// have no influence on a head.
func sameOptions(a, b headtrain.Options) bool {
	a, b = a.WithDefaults(), b.WithDefaults()
	a.Threads, b.Threads = 0, 0
	return reflect.DeepEqual(a, b)
}
