package headtrain

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"icebox/headtrain/internal/fault"
	"icebox/headtrain/internal/labelled"
)

// Trainer fits heads. Fit is safe for concurrent use. A head's bits depend on
// the datasets, its own Options and Part and nothing else: not on the other
// heads of the job, the threads, the machine or the time.
//
// Results are in the order of Job.Heads. On a cancelled context Fit returns its
// error and the results up to the last head that finished before; those between
// that did not are zero. A head that diverges leaves a Result without Head and
// its error, wrapping ErrDiverged, in the joined error that Fit returns; the
// other heads go on.
type Trainer interface {
	Fit(ctx context.Context, job Job) ([]Result, error)
}

// Job is a training set and the heads to train on it. Heads with the same
// seed, batch size, input, mixup, shuffle and Part see the same batches in the same
// order, and are trained in one pass over the features. Parts are the same if their
// slices are: build one a fold and give it to each head of the fold.
type Job struct {
	Train *Dataset
	Val   *Dataset // nil for none; same Dim and Classes as Train
	Heads []Options
	Parts []Part // nil, or one a head

	// OnEpoch, if set, is told of each finished epoch, one call at a time.
	OnEpoch func(head int, e Epoch)
}

// Validate reports every fault of the job at once.
func (j Job) Validate() error {
	data := j.checkData()
	if data == nil {
		data = j.checkParts()
	}
	errs := []error{data}
	if len(j.Heads) == 0 {
		errs = append(errs, fmt.Errorf("%w: the job has no heads", ErrOptions))
	}
	sets := map[partKey]*labelled.Set{}
	for i, o := range j.Heads {
		var p Part
		var train *labelled.Set // unless the data are at fault
		if data == nil {
			p = j.part(i)
			if train = sets[p.key()]; train == nil {
				train = setOf(j.Train, InputNone, p.Train)
				sets[p.key()] = train
			}
		}
		err := j.checkHead(o, p, train)
		if err != nil && len(j.Heads) > 1 {
			err = fmt.Errorf("head %d: %w", i, err)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// checkHead checks options against the training rows too, where those are
// sound and given.
func (j Job) checkHead(o Options, p Part, train *labelled.Set) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if train != nil && j.Val == nil && p.Val == nil && o.EarlyStopping.Patience > 0 {
		return fmt.Errorf("%w: early stopping needs a validation set", ErrOptions)
	}
	if train == nil {
		return nil
	}
	return o.WithDefaults().ClassWeights.check(train)
}

func (j Job) checkData() error {
	if j.Train == nil {
		return fmt.Errorf("%w: the job has no training set", ErrDataset)
	}
	if err := checkSet("training", j.Train); err != nil || j.Val == nil {
		return err
	}
	var f fault.List
	f.Check(j.Val.Dim == j.Train.Dim, "the validation set has dimension %d, the training set %d", j.Val.Dim, j.Train.Dim)
	f.Check(slices.Equal(j.Val.Classes, j.Train.Classes), "validation and training set have different classes")
	return errors.Join(checkSet("validation", j.Val), f.Err(ErrDataset))
}

func checkSet(name string, d *Dataset) error {
	if err := d.Validate(); err != nil {
		return fmt.Errorf("%s set: %w", name, err)
	}
	if !slices.ContainsFunc(d.Labels, func(y int32) bool { return y >= 0 }) {
		return fmt.Errorf("%w: the %s set has no labelled row", ErrDataset, name)
	}
	return nil
}
