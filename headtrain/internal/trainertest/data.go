package trainertest

import (
	"math"
	"math/rand/v2"
	"strconv"

	"icebox/headtrain"
)

// Clusters returns n rows of k overlapping Gaussian classes, after a ReLU, on
// scales that differ from feature to feature as those of a backbone do. Sets of
// one shape have the same classes, whatever their seed.
func Clusters(n, d, k int, seed uint64) *headtrain.Dataset {
	r := rand.New(rand.NewPCG(99, uint64(k*d)))
	centre, scale := make([]float64, k*d), make([]float64, d)
	for i := range centre {
		centre[i] = r.NormFloat64() * 0.8
	}
	for j := range scale {
		scale[j] = math.Exp(r.NormFloat64())
	}
	r = rand.New(rand.NewPCG(seed, 1))
	data := &headtrain.Dataset{X: make([]float32, n*d), Dim: d, Labels: make([]int32, n), Classes: make([]string, k)}
	for c := range data.Classes {
		data.Classes[c] = "class " + strconv.Itoa(c)
	}
	for i := range n {
		y := i % k
		data.Labels[i] = int32(y)
		for j := range d {
			data.X[i*d+j] = float32(max(0, centre[y*d+j]+r.NormFloat64()+0.3) * scale[j])
		}
	}
	return data
}

// Variety is options that reach every optimizer, schedule, input and loss.
func Variety() []headtrain.Options {
	return []headtrain.Options{
		{},
		{Optimizer: headtrain.OptimizerAdamW, WeightDecay: 0.01, Schedule: headtrain.ScheduleCosine, Warmup: 1, Input: headtrain.InputL2, LR: 0.03},
		{Optimizer: headtrain.OptimizerSGD, Momentum: 0.9, LR: 0.02, LabelSmoothing: 0.1},
		{Optimizer: headtrain.OptimizerSGD, Momentum: 0.9, Nesterov: true, LR: 0.05, Schedule: headtrain.ScheduleOneCycle, LabelSmoothing: 0.1},
		{Optimizer: headtrain.OptimizerSGD, LR: 0.1, Schedule: headtrain.ScheduleStep, WeightDecay: 1e-3, ClassWeights: headtrain.ClassWeights{Mode: headtrain.WeightsBalanced}},
		{Input: headtrain.InputNone, WeightDecay: 1e-3, EarlyStopping: headtrain.EarlyStopping{Patience: 2}, BatchSize: 64, Seed: 9},
	}
}
