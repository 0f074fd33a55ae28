package sweep_test

import (
	"fmt"

	"icebox/headtrain"
	"icebox/pipeline/sweep"
)

func ExampleNewPlan() {
	plan, err := sweep.NewPlan(sweep.Options{
		Method: sweep.Grid, Metric: headtrain.MetricValAcc, Seeds: 3,
		Axes: []sweep.Axis{{Key: "lr", Log: []float64{1e-4, 1e-1}, Steps: 4}},
	}, headtrain.Options{}.WithDefaults())
	if err != nil {
		panic(err)
	}
	for _, p := range plan.Points {
		fmt.Println(plan.Describe(p.Values))
	}
	fmt.Println(plan.Heads(), "heads")
	// Output:
	// lr 0.0001
	// lr 0.001
	// lr 0.01
	// lr 0.1
	// 12 heads
}
