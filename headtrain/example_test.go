package headtrain_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"icebox/headtrain"
)

// clouds returns 40 points of two clouds, far enough apart to tell.
func clouds() *headtrain.Dataset {
	d := &headtrain.Dataset{Dim: 2, Classes: []string{"left", "right"}}
	for i := range 40 {
		x := float32(i%2)*4 - 2
		d.X = append(d.X, x+float32(i%5)/5, float32(i%7))
		d.Labels = append(d.Labels, int32(i%2))
	}
	return d
}

// A head is trained, saved, opened again and asked.
func Example() {
	results, err := headtrain.New().Fit(context.Background(), headtrain.Job{
		Train: clouds(),
		Heads: []headtrain.Options{{Epochs: 20, LR: 0.1}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "head")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "head.safetensors")
	if err := results[0].Head.Save(path); err != nil {
		fmt.Println(err)
		return
	}
	head, err := headtrain.LoadHead(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, x := range [][]float32{{-2, 3}, {2.5, 3}} {
		best := head.Predict(x, 1)[0]
		fmt.Println(x, best.Class, best.Probability > 0.9)
	}
	// Output:
	// [-2 3] left true
	// [2.5 3] right true
}

// Heads that share a seed and a batch size are trained in one pass over the rows.
func ExampleTrainer() {
	job := headtrain.Job{Train: clouds()}
	for _, lr := range []float64{0.001, 0.01, 0.1} {
		job.Heads = append(job.Heads, headtrain.Options{Epochs: 20, LR: lr})
	}
	results, err := headtrain.New().Fit(context.Background(), job)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(results), results[0].TrainLoss > results[2].TrainLoss, results[2].Stopped)
	// Output: 3 true epochs
}

// Each fault names the field that it is about.
func ExampleFault() {
	err := headtrain.Options{LR: -1, Optimizer: "adagrad"}.Validate()
	fmt.Println(err)

	var first headtrain.Fault
	fmt.Println(errors.As(err, &first), first.Field, errors.Is(err, headtrain.ErrOptions))
	// Output:
	// Optimizer "adagrad" is not known: choose adam, adamw, sgd or lbfgs
	// LR (-1) must be > 0
	// true Optimizer true
}

func ExampleFindLR() {
	best, tried, err := headtrain.FindLR(context.Background(), headtrain.New(), headtrain.Job{
		Train: clouds(),
		Heads: []headtrain.Options{{}},
	})
	fmt.Println(len(tried), best >= tried[0].LR, err)
	// Output: 16 true <nil>
}
