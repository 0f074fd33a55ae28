package tune

import (
	"context"
	"math"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/internal/softmax"
)

// Bounds of the factor of logits, and how many steps of Newton's method look for it.
const (
	leastFactor, mostFactor = 1e-3, 1e3
	newtonSteps             = 12
)

// leastLoss returns the mean cross-entropy of logits, times the factor that makes it
// least. Weight decay makes logits smaller, and heads less sure, than they should be:
// without the factor, which is what calibration gives the head that is kept, the loss
// would speak for small decays where all are equally right.
func leastLoss(ctx context.Context, logits *headtrain.Logits, labels []int32) (float64, error) {
	factor, least := 1.0, math.Inf(1)
	for range newtonSteps {
		loss, slope, curve, err := lossAt(ctx, factor, logits, labels)
		if err != nil {
			return 0, err
		}
		least = min(least, loss)
		if !(curve > 0) {
			break
		}
		next := factor - slope/curve
		next = max(factor/4, min(next, 4*factor), leastFactor) // no leap out of where the slope tells anything
		next = min(next, mostFactor)
		if math.Abs(next-factor) <= 1e-3*factor {
			break
		}
		factor = next
	}
	return least, nil
}

// lossAt returns the mean cross-entropy of logits times a factor, and its first and second
// derivative by the factor.
func lossAt(ctx context.Context, factor float64, logits *headtrain.Logits, labels []int32) (loss, slope, curve float64, err error) {
	type terms struct{ loss, slope, curve float64 }
	rows, err := headtrain.EachRow(ctx, logits, func(r int, z []float32) (t terms) {
		t.loss, t.slope, t.curve = softmax.Slope(z, int(labels[r]), factor)
		return t
	})
	for _, t := range rows {
		loss, slope, curve = loss+t.loss, slope+t.slope, curve+t.curve
	}
	n := float64(len(labels))
	return loss / n, slope / n, curve / n, err
}

// accuracy is the share of rows whose own logit is the largest, the first one of equals.
func accuracy(ctx context.Context, logits *headtrain.Logits, labels []int32) (float64, error) {
	right, err := headtrain.EachRow(ctx, logits, func(r int, z []float32) bool {
		return slices.Index(z, slices.Max(z)) == int(labels[r])
	})
	hits := 0
	for _, ok := range right {
		if ok {
			hits++
		}
	}
	return float64(hits) / float64(len(labels)), err
}
