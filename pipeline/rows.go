package pipeline

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"icebox/cache"
	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/words"
)

// parts are the rows of a source by what they are for: to learn from, to choose by, and
// to report on at the end. A part may be empty, but not train.
type parts struct {
	train, val, test *features.Rows
	missing          int // labelled items without a feature, left out
}

// validation is what a head is validated on in training; nil if there is nothing.
func (p parts) validation() *headtrain.Dataset {
	if p.val.Len() == 0 {
		return nil
	}
	return p.val.Data
}

// of returns the rows of a part.
func (p parts) of(part dataset.Part) *features.Rows {
	return map[dataset.Part]*features.Rows{dataset.Train: p.train, dataset.Val: p.val, dataset.Test: p.test}[part]
}

// gatherParts reads the rows of every part. It refuses to train on too little, and notes
// what is missing or odd.
func gatherParts(src features.Source, j *journal.Journal) (p parts, err error) {
	for part, rows := range map[dataset.Part]**features.Rows{dataset.Train: &p.train, dataset.Val: &p.val, dataset.Test: &p.test} {
		if *rows, err = src.Rows(features.OfPart(part)); err != nil {
			return p, err
		}
	}
	ds := src.Dataset()
	labelled := 0
	for i := range ds.Items {
		if ds.Items[i].Label != dataset.Unlabelled {
			labelled++
		}
	}
	p.missing = labelled - p.train.Len() - p.val.Len() - p.test.Len()
	bad := src.Found().Quarantined
	if without := absentClasses(p.train, ds.Classes); len(without) > 0 {
		return p, fmt.Errorf("%w: no training row of class %s is there: %d of %d labelled images have no feature, %d of them because they are bad",
			features.ErrNotExtracted, words.List(without), p.missing, labelled, bad)
	}
	excluded := 0
	if ds.Corrected != nil {
		excluded = len(ds.Corrected.Excluded)
	}
	if n := len(ds.Items) - labelled - excluded; n > 0 {
		j.Note(words.Count(n, "image") + " without a label left out")
	}
	if p.missing > bad {
		j.Note(fmt.Sprintf("%s of %s are left out because the cache has no feature of them", words.Number(p.missing), words.Count(labelled, "labelled image")), journal.Step{Do: journal.Extract})
	}
	if p.val.Len() == 0 && ds.Split.Val > 0 {
		j.Note(fmt.Sprintf("no image could be spared for validation, though %s of each class are asked for", words.Percent(ds.Split.Val)))
	}
	noteAbsent(dataset.Val, p.val, ds.Classes, j)
	noteAbsent(dataset.Test, p.test, ds.Classes, j)
	noteDuplicates(ds, j)
	return p, nil
}

// absentClasses are those that no row is of.
func absentClasses(r *features.Rows, classes []string) []string {
	seen := make([]bool, len(classes))
	for _, l := range r.Data.Labels {
		seen[l] = true
	}
	var absent []string
	for k, ok := range seen {
		if !ok {
			absent = append(absent, classes[k])
		}
	}
	return absent
}

// noteAbsent names the classes that a part cannot say anything about.
func noteAbsent(p dataset.Part, r *features.Rows, classes []string, j *journal.Journal) {
	if r.Len() == 0 {
		return
	}
	if absent := absentClasses(r, classes); len(absent) > 0 {
		j.Note(fmt.Sprintf("no %s image of class %s: the results on %s say nothing about it", p, words.List(absent), p))
	}
}

// mostPairs is how many pairs of equal images a note lists.
const mostPairs = 5

// noteDuplicates reports contents that stand in more than one part, which makes
// held-out numbers better than they are, and contents with two labels.
func noteDuplicates(ds *dataset.Dataset, j *journal.Journal) {
	twice := twins(ds)
	firstOf := map[cache.Key]int{}
	across, differ := 0, 0
	var example string
	var twoLabels []string
	for i := range ds.Items {
		it := &ds.Items[i]
		if _, ok := slices.BinarySearch(twice, hashStart(it)); !ok || !counts(it) {
			continue
		}
		k, ok := firstOf[it.Hash]
		if !ok {
			firstOf[it.Hash] = i
			continue
		}
		other := &ds.Items[k]
		if other.Part != it.Part {
			across++
			example = fmt.Sprintf("%s and %s", words.Name(ds.Display(other)), words.Name(ds.Display(it)))
		}
		if other.Label == it.Label {
			continue
		}
		if differ++; differ <= mostPairs {
			twoLabels = append(twoLabels, fmt.Sprintf("%s (%s) and %s (%s)", words.Name(ds.Display(other)), ds.Class(other), words.Name(ds.Display(it)), ds.Class(it)))
		}
	}
	if across > 0 {
		j.Note(fmt.Sprintf("%s in two parts of the data set, byte for byte (such as %s): the results on val and test look better than they are", words.Count(across, "image"), example))
	}
	if differ > 0 {
		text := strings.Join(twoLabels, "; ")
		if differ > mostPairs {
			text += fmt.Sprintf("; and %s more", words.Number(differ-mostPairs))
		}
		j.Note(fmt.Sprintf("the same bytes stand under two labels, %s: %s", words.Count(differ, "pair"), text))
	}
}

// counts reports whether something is learnt from an item or judged on it.
func counts(it *dataset.Item) bool {
	return it.Hashed() && it.Part != dataset.Unassigned && it.Label != dataset.Unlabelled
}

// hashStart is the beginning of an item's content hash.
func hashStart(it *dataset.Item) uint64 { return binary.LittleEndian.Uint64(it.Hash[:]) }

// twins are the beginnings of content hashes, sorted, that several items have: 8 bytes an item
// tell the few that must be looked at.
func twins(ds *dataset.Dataset) []uint64 {
	all := make([]uint64, 0, len(ds.Items))
	for i := range ds.Items {
		if it := &ds.Items[i]; counts(it) {
			all = append(all, hashStart(it))
		}
	}
	slices.Sort(all)
	n := 0
	for i := 1; i < len(all); i++ {
		if all[i] == all[i-1] && (n == 0 || all[n-1] != all[i]) {
			all[n] = all[i]
			n++
		}
	}
	return all[:n]
}

// needValidation is an error of an option that wants validation rows where there are none.
func needValidation(src features.Source, class error, what string, steps ...journal.Step) error {
	text := what + " needs validation images, and there are none"
	if folder := src.Origin().Folder; folder != "" {
		return journal.WithSteps(fmt.Errorf("%w: %s: give %s a folder val, or an index.csv with splits", class, text, folder), steps...)
	}
	return journal.WithSteps(fmt.Errorf("%w: %s", class, text), append([]journal.Step{journal.SetTo("Data.Split.Val", 0.1)}, steps...)...)
}

// checkWeights refuses weights, given in a field of the options, of classes that the
// dataset has not.
func checkWeights(ds *dataset.Dataset, field string, w headtrain.ClassWeights) error {
	for _, name := range sortedNames(w.Map) {
		if slices.Contains(ds.Classes, name) {
			continue
		}
		meant := ""
		if near := nearClass(name, ds.Classes); near != "" {
			meant = fmt.Sprintf("; did you mean %q?", near)
		}
		err := fmt.Errorf("%w: %q has a weight, but is no class of %s%s; the classes are %s", headtrain.ErrOptions, name, ds.Name, meant, words.List(ds.Classes))
		return journal.WithSteps(err, journal.Step{Do: journal.Change, Field: field})
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
