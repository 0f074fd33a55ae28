package headtrain_test

import (
	"context"
	"fmt"

	"icebox/headtrain"
	"icebox/headtrain/judge"
)

// Two clouds of points, far enough apart to tell.
func Example() {
	train := &headtrain.Dataset{Dim: 2, Classes: []string{"left", "right"}}
	for i := range 40 {
		x := float32(i%2)*4 - 2
		train.X = append(train.X, x+float32(i%5)/5, float32(i%7))
		train.Labels = append(train.Labels, int32(i%2))
	}
	results, err := headtrain.New().Fit(context.Background(), headtrain.Job{
		Train: train,
		Heads: []headtrain.Options{{Epochs: 20, LR: 0.1}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	head := results[0].Head
	for _, x := range [][]float32{{-2, 3}, {2.5, 3}} {
		best := head.Predict(x, 1)[0]
		fmt.Println(x, best.Class, best.Probability > 0.9)
	}

	logits := make([]float32, len(train.Labels)*len(train.Classes))
	head.Logits(logits, train.X, len(train.Labels))
	report, err := judge.Evaluate(logits, train.Labels, train.Classes)
	fmt.Println(report.Top1, report.Confusion, err)
	// Output:
	// [-2 3] left true
	// [2.5 3] right true
	// 1 [[20 0] [0 20]] <nil>
}
