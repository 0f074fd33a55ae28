package perclass

import (
	"math"
	"testing"
)

// The values are those of scikit-learn 1.9.1: f1_score(average="macro", zero_division=0)
// and balanced_accuracy_score.
func TestMeasuresAreThoseOfScikitLearn(t *testing.T) {
	for _, c := range []struct {
		labels, answers string
		f1, balanced    float64
	}{
		{"0000000000000100000302301113033301212220", "0020300220000100100001303113023303222200", 0.614896731175801, 0.6373188405797101},
		// Nobody is of class 3, which is answered, and of class 4 neither.
		{"000000000012201100211112121002", "030003300012201100214112041102", 0.5094870271340859, 0.7814814814814816},
	} {
		n := make(Counts, 6) // class 5 is neither labelled nor answered, and does not count
		for i := range c.labels {
			n.Add(int(c.labels[i]-'0'), int(c.answers[i]-'0'))
		}
		if got := n.MacroF1(); !(math.Abs(got-c.f1) <= 1e-12) {
			t.Errorf("macro F1 %v, want %v", got, c.f1)
		}
		if got := n.BalancedAccuracy(); !(math.Abs(got-c.balanced) <= 1e-12) {
			t.Errorf("balanced accuracy %v, want %v", got, c.balanced)
		}
	}
}
