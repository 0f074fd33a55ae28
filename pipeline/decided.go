package pipeline

import (
	"fmt"
	"strings"
)

// decided says which rows chose what, in a sentence.
func decided(t *trained) string {
	by := "the last epoch's weights stand; validation chose no weights"
	switch {
	case len(t.parts[ValPart].items) == 0:
		by = "the last epoch's weights stand; there are no validation images"
	case t.opts.EarlyStopping.Patience > 0:
		by = fmt.Sprintf("validation (%s) chose epoch %d", t.opts.EarlyStopping.Metric, t.result.BestEpoch)
	}
	return by + t.fittedOn() + t.testOnce()
}

// fittedOn says which rows temperature and threshold come from.
func (t *trained) fittedOn() string {
	a := &t.answering
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

func (t *trained) testOnce() string {
	if len(t.parts[TestPart].items) == 0 {
		return ""
	}
	return "; test was looked at once, at the end"
}

// decided says which rows chose what in a sweep: the point, the weights, the answers.
func (s *sweep) decided(j *job) string {
	t, folds := j.train, s.plan.folds
	text := s.choice()
	onlySome := ""
	if q := s.plan.points[s.chosen.Point]; q.fraction < 1 {
		onlySome = fmt.Sprintf(" (%s of them, as chosen)", percent(q.fraction))
	}
	text += "; then the chosen options were trained once more, on the training images" + onlySome
	if j.opts.Sweep.Refit && s.valRows > 0 {
		text = strings.TrimSuffix(text, "the training images"+onlySome) + "training and validation images together" + onlySome
	}
	if s.plan.seeds > 1 {
		text += fmt.Sprintf(" with seed %d, which was not chosen", t.opts.Seed)
	}
	switch {
	case t.opts.EarlyStopping.Patience > 0:
		text += fmt.Sprintf("; validation (%s) chose epoch %d", t.opts.EarlyStopping.Metric, t.result.BestEpoch)
	case s.base.EarlyStopping.Patience > 0:
		text += fmt.Sprintf("; it took %d epochs, the median of those that early stopping kept in the sweep, on the rows that it was judged by", t.opts.Epochs)
	case folds > 0 && s.valRows > 0 && !j.opts.Sweep.Refit:
		text += "; validation chose no options and no weights"
	}
	return text + t.fittedOn() + s.flattered(t) + t.testOnce()
}

// choice says what the point was chosen by.
func (s *sweep) choice() string {
	by := fmt.Sprintf("%s on validation (%s images)", s.metric.name, commas(s.valRows))
	switch {
	case s.metric.name == metricTrainLoss:
		by = "the training loss, for nothing was held out,"
	case s.plan.folds > 0:
		by = fmt.Sprintf("%s in %d folds of the training images", s.metric.name, s.plan.folds)
	}
	if s.plan.seeds > 1 {
		by += fmt.Sprintf(", the mean of %d seeds,", s.plan.seeds)
	}
	if len(s.plan.points) == 1 {
		return "there was one point and nothing to choose; it was judged by " + strings.TrimSuffix(by, ",")
	}
	text := fmt.Sprintf("%s chose among %s points", by, commas(len(s.plan.points)))
	if len(s.plan.rungs) > 1 {
		text += ", dropping the worse two thirds again and again after fewer epochs"
	}
	return text
}

// flattered warns of reading the score that made the choice as the head's own, where
// there is no test to say what that is.
func (s *sweep) flattered(t *trained) string {
	if len(t.parts[TestPart].items) > 0 || len(s.plan.points) == 1 || s.metric.name == metricTrainLoss {
		return ""
	}
	return fmt.Sprintf("; there is no test: the best %s of %s points flatters the head, for it was chosen by that", s.metric.name, commas(len(s.plan.points)))
}
