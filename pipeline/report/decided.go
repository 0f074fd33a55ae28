package report

import (
	"fmt"
	"strings"

	"icebox/pipeline/sweep"
	"icebox/pipeline/words"
)

// Decide says which rows chose what, in a sentence.
func (r *Report) Decide() {
	if r.Sweep != nil {
		r.Decided = r.decidedBySweep()
		return
	}
	by := "the last epoch's weights stand; validation chose no weights"
	switch tuned := r.Summary.Tuned; {
	case tuned != nil && tuned.Note == "":
		by = r.decidedByTuning(tuned)
	case r.Summary.Refit:
		by = "the last epoch's weights stand; the head was trained on the training images and those of validation"
	case r.Summary.ValRows == 0:
		by = "the last epoch's weights stand; there are no validation images"
	case r.Head.EarlyStopping.Patience > 0:
		by = r.stoppedBy()
	}
	r.Decided = by + r.fittedOn() + r.testOnce()
}

// decidedByTuning says which rows chose the options, and which the head learned from.
func (r *Report) decidedByTuning(t *Tuning) string {
	rows := "the training images"
	if t.ValRows > 0 && r.Summary.ValRows == 0 {
		rows += " and those of validation"
	}
	on := "validation"
	switch {
	case t.Folds == 1:
		on = fmt.Sprintf("%s of %s held out of it", words.Count(t.Rows, "image"), rows)
	case t.Folds > 1:
		on = fmt.Sprintf("%d folds of %s", t.Folds, rows)
	}
	text := fmt.Sprintf("the loss on %s chose the options; then the head was trained on %s", on, rows)
	if t.Folds == 0 && r.Summary.ValRows > 0 && r.Summary.TestRows == 0 {
		text += "; there is no test: the accuracy on validation flatters the head a little, whose options were chosen by it"
	}
	if r.Head.EarlyStopping.Patience > 0 {
		text += "; " + r.stoppedBy()
	}
	return text
}

func (r *Report) stoppedBy() string {
	return fmt.Sprintf("validation (%s) chose epoch %d", r.Head.EarlyStopping.Metric, r.Summary.BestEpoch)
}

// fittedOn says which rows temperature and threshold come from.
func (r *Report) fittedOn() string {
	a := &r.Answers
	var what []string
	if a.Temperature != 1 {
		what = append(what, "the temperature")
	}
	if a.Threshold > 0 {
		what = append(what, "the threshold of unknown")
	}
	if len(what) == 0 {
		return ""
	}
	on := "validation"
	if f := a.OutOfFold; f != nil {
		on = fmt.Sprintf("the out-of-fold scores of the training images (%d folds)", f.Folds)
	}
	return fmt.Sprintf("; %s gave %s", on, strings.Join(what, " and "))
}

func (r *Report) testOnce() string {
	if r.Summary.TestRows == 0 {
		return ""
	}
	return "; test was looked at once, at the end"
}

// decidedBySweep says which rows chose the point, the weights and the answers.
func (r *Report) decidedBySweep() string {
	s := r.Sweep
	onlySome := ""
	if s.fraction < 1 {
		onlySome = fmt.Sprintf(" (%s of them, as chosen)", words.Percent(s.fraction))
	}
	rows := "the training images"
	if s.Refit && s.valRows > 0 {
		rows = "training and validation images together"
	}
	text := s.choice() + "; then the chosen options were trained once more, on " + rows + onlySome
	if s.Seeds > 1 {
		text += fmt.Sprintf(" with seed %d, which was not chosen", r.Head.Seed)
	}
	switch {
	case r.Head.EarlyStopping.Patience > 0:
		text += "; " + r.stoppedBy()
	case s.base.EarlyStopping.Patience > 0:
		text += fmt.Sprintf("; it was trained for %s, the median of those that early stopping kept in the sweep, because no images were left to stop by", words.Count(r.Head.Epochs, "epoch"))
	case s.Folds > 0 && s.valRows > 0 && !s.Refit:
		text += "; validation chose no options and no weights"
	}
	return text + r.fittedOn() + r.flattered() + r.testOnce()
}

// choice says what the point was chosen by.
func (s *Sweep) choice() string {
	by := fmt.Sprintf("%s on validation (%s)", s.Metric, words.Count(s.valRows, "image"))
	switch {
	case s.Metric == sweep.TrainLoss:
		by = "the training loss, because nothing was held out,"
	case s.Folds > 0:
		by = fmt.Sprintf("%s in %d folds of the training images", s.Metric, s.Folds)
	}
	if s.Seeds > 1 {
		by += fmt.Sprintf(", the mean of %d seeds,", s.Seeds)
	}
	if s.Points == 1 {
		return "there was one point and nothing to choose; it was judged by " + strings.TrimSuffix(by, ",")
	}
	text := fmt.Sprintf("%s chose among %s", by, words.Count(s.Points, "point"))
	if s.halved {
		text += ", dropping the worse two thirds again and again after fewer epochs"
	}
	return text
}

// flattered warns of reading the score that made the choice as the head's own, where
// there is no test to say what that is.
func (r *Report) flattered() string {
	s := r.Sweep
	if r.Summary.TestRows > 0 || s.Points == 1 || s.Metric == sweep.TrainLoss {
		return ""
	}
	return fmt.Sprintf("; there is no test: the best %s of %s flatters the head, which was chosen by it", s.Metric, words.Count(s.Points, "point"))
}
