package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"icebox/headtrain"
)

// checkFolder says what a folder of features lacks, before it is read.
func checkFolder(dir string) error {
	const form = "a folder of " + featuresFile + " and " + labelsNPY + ", as `icebox cache export --out DIR` writes them"
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: there is no folder %s: --features names %s", ErrData, dir, form)
	case err != nil:
		return fmt.Errorf("%w: %w: --features names %s", ErrData, err, form)
	case !info.IsDir():
		return fmt.Errorf("%w: %s is a file: --features names %s", ErrData, dir, form)
	}
	for _, sub := range []string{"", ValPart.String(), TestPart.String()} {
		at := filepath.Join(dir, sub)
		if _, err := os.Stat(at); err != nil && sub != "" {
			continue
		}
		for _, name := range []string{featuresFile, labelsNPY} {
			if _, err := os.Stat(filepath.Join(at, name)); err != nil {
				return fmt.Errorf("%w: there is no %s in %s: --features names %s", ErrData, name, at, form)
			}
		}
	}
	return nil
}

// validationAdvice says how to come by validation rows, where a key wants them and
// there are none.
func (j *job) validationAdvice() string {
	if j.arrays != nil {
		return fmt.Sprintf("give %s a folder val, or an index.csv with splits", j.arrays.dir)
	}
	return "set data.split.val=0.1, or data.val"
}

// checkStopping refuses early stopping that nothing can stop. Folds tells of those
// that a sweep validates on.
func (j *job) checkStopping(o headtrain.Options, folds int) error {
	if o.EarlyStopping.Patience == 0 || folds > 0 || j.train.validation() != nil {
		return nil
	}
	advice := j.validationAdvice()
	if j.sweep != nil {
		advice += ", or sweep.folds=5"
	}
	return fmt.Errorf("%w: head.early_stopping.patience=%d needs validation images, and there are none: %s, or head.early_stopping.patience=0 to train all epochs",
		headtrain.ErrOptions, o.EarlyStopping.Patience, advice)
}

// checkWeights refuses weights of classes that the dataset has not; key is where they
// were written.
func (d *Dataset) checkWeights(key string, w headtrain.ClassWeights) error {
	for _, name := range slices.Sorted(maps.Keys(w.Map)) {
		if slices.Contains(d.Classes, name) {
			continue
		}
		meant := ""
		if near := nearClass(name, d.Classes); near != "" {
			meant = fmt.Sprintf("; did you mean %q?", near)
		}
		return fmt.Errorf("%w: %s names %q, which is no class of %s%s: the classes are %s", headtrain.ErrOptions, key, name, d.Name, meant, quoteList(d.Classes))
	}
	return nil
}

// nearClass is the class that shares more than half of name with it, from the start;
// "" if none does.
func nearClass(name string, classes []string) string {
	best, most := "", len(name)/2
	for _, c := range classes {
		a, b := strings.ToLower(strings.TrimSpace(name)), strings.ToLower(c)
		same := 0
		for same < min(len(a), len(b)) && a[same] == b[same] {
			same++
		}
		if same > most {
			best, most = c, same
		}
	}
	return best
}

// noteWorseThanGuessing says so if the head fits what it learned from worse than one
// that knows no more than how many rows each class has.
func (j *job) noteWorseThanGuessing() {
	loss, guess := j.train.result.TrainLoss, guessing(j.opts.Head, j.train.parts[TrainPart].data)
	if loss <= guess {
		return
	}
	advice := "let `icebox train --find-lr` look for a head.lr, or try more head.epochs"
	if j.opts.Head.LR > 1 {
		advice = fmt.Sprintf("head.lr=%v is too much: try head.lr=0.001, or let `icebox train --find-lr` look for one", j.opts.Head.LR)
	}
	j.warn("THE HEAD IS WORSE THAN GUESSING: its training loss is %.4g, that of answering with how frequent each class is, whatever the image, %.4g; %s", loss, guess, advice)
}

// guessing is the mean cross-entropy, over the training rows, of the one answer for
// all of them that has the least objective.
func guessing(o headtrain.Options, d *headtrain.Dataset) float64 {
	k := len(d.Classes)
	share, weight := make([]float64, k), make([]float64, k)
	for _, l := range d.Labels {
		share[l] += 1 / float64(len(d.Labels))
	}
	sum := 0.0
	for c, name := range d.Classes {
		w, given := o.ClassWeights.Map[name]
		switch {
		case o.ClassWeights.Mode == headtrain.WeightsBalanced && share[c] > 0:
			weight[c] = 1
		case given:
			weight[c] = w * share[c]
		default:
			weight[c] = share[c]
		}
		sum += weight[c]
	}
	loss := 0.0
	for c, s := range share {
		if s > 0 {
			loss -= s * math.Log((1-o.LabelSmoothing)*weight[c]/sum+o.LabelSmoothing/float64(k))
		}
	}
	return loss
}
