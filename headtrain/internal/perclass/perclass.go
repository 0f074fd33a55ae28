// Package perclass measures answers class by class, as scikit-learn does with
// zero_division=0.
package perclass

// Counts has one element a class.
type Counts []Count

// Count is how often a class is the label, the answer, and both.
type Count struct{ Labelled, Answered, Right int }

// Add counts an answer.
func (c Counts) Add(label, answer int) {
	c[label].Labelled++
	c[answer].Answered++
	if label == answer {
		c[label].Right++
	}
}

// MacroF1 is the mean F1 of the classes that are labelled or answered.
func (c Counts) MacroF1() float64 {
	sum, n := 0.0, 0
	for _, k := range c {
		if all := k.Labelled + k.Answered; all > 0 {
			sum += 2 * float64(k.Right) / float64(all)
			n++
		}
	}
	return sum / float64(n)
}

// BalancedAccuracy is the mean recall of the classes that are labelled.
func (c Counts) BalancedAccuracy() float64 {
	sum, n := 0.0, 0
	for _, k := range c {
		if k.Labelled > 0 {
			sum += float64(k.Right) / float64(k.Labelled)
			n++
		}
	}
	return sum / float64(n)
}
