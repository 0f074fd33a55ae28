package judge

import "math"

// Report is how good the answers of a head are. Its numbers are defined as in
// scikit-learn, with zero_division=0, and are shares from 0 to 1 but for N and Loss.
// Rows without a label do not count.
type Report struct {
	N                int     `json:"n"`                 // labelled rows
	Loss             float64 `json:"loss"`              // mean cross-entropy
	Top1             float64 `json:"top1"`              // accuracy
	Top5             float64 `json:"top5"`              // the label is among the five largest logits
	MacroF1          float64 `json:"macro_f1"`          // over classes that are labelled or predicted
	BalancedAccuracy float64 `json:"balanced_accuracy"` // mean recall over classes that are labelled

	// ECE is the expected calibration error: how far, on average over rows, the
	// probability of an answer is from the share of answers in its bin of Reliability
	// that are right.
	ECE         float64 `json:"ece"`
	Reliability []Bin   `json:"reliability"`

	Macro    Average `json:"macro_avg"`    // over classes that are labelled or predicted, alike
	Weighted Average `json:"weighted_avg"` // over classes by their labelled rows

	PerClass []Class `json:"per_class"`
	// Confusion[i][j] counts rows of class i predicted as class j. It is nil if there
	// are more than 1000 classes.
	Confusion [][]int `json:"confusion,omitempty"`
}

// maxConfusion is the most classes for which a report has a confusion matrix.
const maxConfusion = 1000

// Class is how good the answers are for one class.
type Class struct {
	Class     string  `json:"class"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
	Support   int     `json:"support"` // rows with this label

	predicted, correct int
}

// Average is a mean over classes, as in scikit-learn's classification report.
type Average struct {
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

func (a *Average) add(c *Class, weight float64) {
	a.Precision += weight * c.Precision
	a.Recall += weight * c.Recall
	a.F1 += weight * c.F1
}

// topRanks is the k of Report.Top5.
const topRanks = 5

func newReport(names []string) Report {
	k := len(names)
	r := Report{PerClass: make([]Class, k)}
	for c, name := range names {
		r.PerClass[c].Class = name
	}
	if k <= maxConfusion {
		r.Confusion = make([][]int, k)
		for c := range r.Confusion {
			r.Confusion[c] = make([]int, k)
		}
	}
	return r
}

// add counts one row. Until finish divides them, means are sums.
func (r *Report) add(a *answer, y int, temperature float64) {
	best := int(a.class)
	r.N++
	r.Loss += math.Log(a.sum) + float64(a.top)/temperature - float64(a.own)/temperature
	if a.rank < topRanks {
		r.Top5++
	}
	if best == y {
		r.Top1++
		r.PerClass[y].correct++
	}
	r.PerClass[y].Support++
	r.PerClass[best].predicted++
	if r.Confusion != nil {
		r.Confusion[y][best]++
	}
}

func (r *Report) finish() {
	n := float64(r.N)
	r.Loss, r.Top1, r.Top5 = r.Loss/n, r.Top1/n, r.Top5/n
	seen, labelled := 0, 0
	for c := range r.PerClass {
		p := &r.PerClass[c]
		p.Precision = ratio(p.correct, p.predicted)
		p.Recall = ratio(p.correct, p.Support)
		p.F1 = ratio(2*p.correct, p.predicted+p.Support)
		if p.Support > 0 {
			labelled++
			r.BalancedAccuracy += p.Recall
		}
		if p.Support+p.predicted > 0 {
			seen++
			r.Macro.add(p, 1)
		}
		r.Weighted.add(p, float64(p.Support)/n)
	}
	r.BalancedAccuracy /= float64(labelled)
	r.Macro = Average{r.Macro.Precision / float64(seen), r.Macro.Recall / float64(seen), r.Macro.F1 / float64(seen)}
	r.MacroF1 = r.Macro.F1
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
