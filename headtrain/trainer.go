package headtrain

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"icebox/headtrain/internal/fault"
	"icebox/headtrain/internal/labelled"
)

// Trainer fits heads. Fit may be called by several goroutines at once. A head's
// bits depend on the datasets, its own Options and its Part, and on nothing else:
// not on the other heads of the job, the threads or the time, and where the order
// of summation below is kept not on the machine either.
//
// Results are in the order of Job.Heads. When ctx ends, Fit returns its error and
// the results up to the last head that finished before; those of heads that did
// not finish are zero. A head that diverges has a Result without Head, and its
// Divergence is in the joined error that Fit returns; the other heads go on.
//
// # Order of summation
//
// The recipe of a head names an order of summation. This is "linear/2", and "linear/3" of
// heads of L-BFGS, which any engine of that name keeps to. Values are float32, and each
// operation is rounded by itself, a fused multiply-add (fma) once, where float64 is not
// said. In every sum the numbers of rows, classes and features go up.
//
//   - Initial weights are drawn as layer.go says, the order of rows in each epoch
//     as order.go says. Batches are consecutive rows of that order; the last one
//     of an epoch may be smaller.
//   - A feature is mapped to ((x-mean)·scale)·rowScale. Mean and scale come from
//     float64 sums over the labelled rows; rowScale is 1/length for the input
//     "l2", else 1.
//   - With mixup, the partners and λ of a step come from mixup.go, and each value,
//     and each loss and gradient of a logit, of row a with partner b becomes
//     a+(1-λ)·(b-a).
//   - A logit is made of 16 sums. Sum 0 begins at the bias, the others at 0, and
//     sum i takes one fma for each of the features i, i+16, i+32, …. Then sums that
//     are 8 apart are added, then 4, 2 and 1.
//   - Softmax is e[c] = exp(z[c]-max) and the sum of e over the classes, with the
//     exp and the logarithm of internal/kernel.
//   - The gradient of a logit is (soft[y]/sum)·e[c] - spread[c], less hot[y] for
//     class y itself; see loss.go.
//   - The gradient of a weight begins at 0 in each chunk of 64 rows of the batch
//     and takes one fma a row. The sums of the chunks are added in order.
//   - The gradient of a bias adds row r of a chunk to sum r mod 32. Then sums that
//     are 16 apart are added, then 8, 4, 2 and 1. The sums of the chunks are added
//     in order.
//   - A step does the operations of Adam or SGD in internal/kernel. Its scalars are
//     computed in float64.
//   - L-BFGS is float64 but for logits, losses of rows, the gradient of 1024 rows at a
//     time, and in its preconditioner, which "linear/2" had not, the products of these
//     rows and of gradients.
//   - The average of weights (EMA) begins at 0 and takes a += share·(w-a), with
//     share 1 in the first step and 1-decay, computed in float64, in later ones.
//   - Losses of rows are added up in float64: over blocks of 32 rows, then over
//     the blocks of a panel, then over the panels. A panel is at most 1024 rows of
//     a batch. Where rows are only judged, it is as many as a batch has, rounded up
//     to whole blocks, but at least 512 and at most 1024.
//
// No sum runs across the weights of two classes or of two heads. That is why heads
// that see the same batches can be trained side by side, in one pass.
type Trainer interface {
	Fit(ctx context.Context, job Job) ([]Result, error)
}

// Job is a training set and the heads to train on it. Heads of the same seed,
// batch size, input, mixup, shuffle and Part see the same batches in the same
// order, and are trained in one pass over the features. Two Parts are the same if
// their slices are the very same ones: build one Part for each fold and give it to
// each head of the fold.
type Job struct {
	Train *Dataset
	Val   *Dataset // nil for none; of the same Dim and Classes as Train
	Heads []Options
	Parts []Part // nil, or one for each head

	// From is a head that L-BFGS begins at, instead of weights of 0; other optimizers pass over
	// it. Where few labels have changed since, the optimum, which is the same whatever it is
	// begun at, is then some passes away and not a hundred. The bits are not the same. Classes
	// go by their names, and begin at 0 where the head lacks them.
	From *Head
	// Tolerance ends L-BFGS where no value of the gradient is larger; 0 is [LBFGSTolerance].
	// With a tolerance, the bits of a head are others, too, and only its last epoch is
	// validated, unless early stopping watches all of them.
	Tolerance float64

	// OnEpoch, if set, is told of each finished epoch, one call at a time. Head
	// is the place in Heads.
	OnEpoch func(head int, e Epoch)
}

// Validate returns every fault of the job, joined: those of the datasets wrap
// ErrDataset, those of options are Faults.
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

// checkHead checks options, and against the training rows too unless those are
// nil because the data are at fault.
func (j Job) checkHead(o Options, p Part, train *labelled.Set) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if train != nil && j.Val == nil && p.Val == nil && o.EarlyStopping.Patience > 0 {
		return Fault{Field: "EarlyStopping.Patience", Text: fmt.Sprintf("(%d) needs a validation set", o.EarlyStopping.Patience)}
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
