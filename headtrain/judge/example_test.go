package judge_test

import (
	"context"
	"fmt"

	"icebox/headtrain"
	"icebox/headtrain/judge"
)

// logits are those of a head for eight rows of two classes. It is too sure.
var (
	logits = headtrain.GivenLogits([]float32{6, 0, 0, 5, 7, 0, 4, 0, 0, 6, 0, 3, 5, 0, 0, 2}, 2)
	labels = []int32{0, 1, 0, 1, 1, 1, 0, 0}
)

func ExampleNewAnswers() {
	answers, err := judge.NewAnswers(context.Background(), logits, labels, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	report := answers.Report([]string{"ants", "bees"})
	fmt.Println("accuracy", report.Top1)
	for _, c := range report.PerClass {
		fmt.Println(c.Class, "precision", c.Precision, "recall", c.Recall)
	}
	fmt.Println(report.Confusion)
	// Output:
	// accuracy 0.75
	// ants precision 0.75 recall 0.75
	// bees precision 0.75 recall 0.75
	// [[3 1] [1 3]]
}

// Probabilities are made to hold, and then a threshold is chosen under which answers
// are left out.
func ExampleTemperature() {
	ctx := context.Background()
	temperature, _, err := judge.Temperature(ctx, logits, labels)
	if err != nil {
		fmt.Println(err)
		return
	}
	before, _ := judge.NewAnswers(ctx, logits, labels, 1)
	after, _ := judge.NewAnswers(ctx, logits, labels, temperature)
	fmt.Println("temperature above 1:", temperature > 1, "lower loss:", after.Calibration().Loss < before.Calibration().Loss)

	r, reached, err := after.Threshold(judge.Goal{Precision: 1})
	fmt.Println("answers", r.Answered, "of", r.Rows, "right", r.Precision, reached, err)
	// Output:
	// temperature above 1: true lower loss: true
	// answers 5 of 8 right 1 true <nil>
}

func ExampleBaselines() {
	d := &headtrain.Dataset{Dim: 2, Classes: []string{"left", "right"}}
	for i := range 40 {
		d.X = append(d.X, float32(i%2)*4-2, 1+float32(i%7))
		d.Labels = append(d.Labels, int32(i%2))
	}
	blind := &headtrain.Head{Classes: d.Classes, Dim: 2, W: make([]float32, 4), B: make([]float32, 2)}
	found, err := judge.Baselines(context.Background(), d, nil, d, blind)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range found {
		fmt.Printf("%s: %.2f, head %.2f\n", b.Name, b.Accuracy, b.Head)
	}
	// Output:
	// majority class: 0.50, head 0.50
	// nearest image: 1.00, head 0.50
	// nearest 5 images: 1.00, head 0.50
	// nearest 20 images: 1.00, head 0.50
	// ridge regression: 1.00, head 0.50
}
