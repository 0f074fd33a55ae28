package trainertest

import (
	"icebox/headtrain"
	"icebox/headtrain/internal/testkit"
)

// Clusters returns the rows of testkit.Clusters.
func Clusters(n, d, k int, seed uint64) *headtrain.Dataset {
	return (*headtrain.Dataset)(testkit.Clusters(n, d, k, seed))
}

// Variety returns options that reach every optimizer of small steps, and every
// schedule, input and loss.
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
