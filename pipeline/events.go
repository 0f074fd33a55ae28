package pipeline

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"icebox/headtrain"
	"icebox/pipeline/files"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
	"icebox/pipeline/tensorboard"
)

// writeEvents writes the numbers of each epoch into the run folder as TensorBoard reads them,
// and those of the head that is kept after the last.
func writeEvents(dir *runs.Dir, history []headtrain.Epoch, s *report.RunSummary, started time.Time) error {
	var out bytes.Buffer
	w := tensorboard.New(&out, started)
	at := started
	for _, e := range history {
		at = at.Add(time.Duration(e.Seconds * float64(time.Second)))
		all := []tensorboard.Scalar{{Tag: "loss/train_running", Value: e.TrainLoss}, {Tag: "accuracy/train_running", Value: e.TrainAcc}, {Tag: "lr", Value: e.LR}}
		w.Scalars(at, e.Epoch, append(all, given(map[string]*float64{
			"loss/val": e.ValLoss, "accuracy/val": e.ValAcc, "macro_f1/val": e.ValMacroF1, "balanced_accuracy/val": e.ValBalancedAcc,
		})...)...)
	}
	w.Scalars(at, s.Epochs, given(map[string]*float64{
		"head/train_loss": &s.TrainLoss, "head/train_acc": &s.TrainAcc, "head/val_loss": s.ValLoss, "head/val_acc": s.ValAcc,
		"head/test_loss": s.TestLoss, "head/test_acc": s.TestAcc,
	})...)
	if w.Err() != nil {
		return w.Err()
	}
	return files.Write(dir.File(runs.EventsFile), out.Bytes())
}

// given are the numbers that there are, by their names.
func given(numbers map[string]*float64) (all []tensorboard.Scalar) {
	for _, tag := range slices.Sorted(maps.Keys(numbers)) {
		if v := numbers[tag]; v != nil {
			all = append(all, tensorboard.Scalar{Tag: tag, Value: *v})
		}
	}
	return all
}
