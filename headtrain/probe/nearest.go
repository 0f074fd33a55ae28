package probe

import (
	"math"

	"icebox/headtrain"
)

// NearestOf returns the labelled row of bank of a class, other than the row not, that has the
// largest cosine with a row of features; of equals the first. It is -1 where there is none.
func NearestOf(bank *headtrain.Dataset, row []float32, class int32, not int) int {
	best, most := -1, math.Inf(-1)
	for r, label := range bank.Labels {
		if label != class || r == not {
			continue
		}
		var ab, bb float64
		for j, v := range bank.Row(r) {
			ab += float64(v) * float64(row[j])
			bb += float64(v) * float64(v)
		}
		if bb > 0 {
			ab /= math.Sqrt(bb)
		}
		if ab > most {
			best, most = r, ab
		}
	}
	return best
}
