package graph

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"icebox/headtrain"
)

// solver takes steps of a graph's parameters along the gradients of its last run.
type solver struct {
	gorgonia.Solver
	params gorgonia.Nodes
	model  []gorgonia.ValueGrad
	decay  float64 // of AdamW, which takes rate·decay of the weights off them; else 0
	scale  float64 // the factor of the rate that undoes what gorgonia's Adam gets wrong
}

func newSolver(o headtrain.Options, params gorgonia.Nodes) *solver {
	s := &solver{params: params, model: gorgonia.NodesToValueGrads(params), scale: 1}
	var options []gorgonia.SolverOpt
	if o.WeightDecay > 0 && o.Optimizer != headtrain.OptimizerAdamW {
		options = append(options, gorgonia.WithL2Reg(o.WeightDecay))
	}
	switch {
	case o.Optimizer == headtrain.OptimizerSGD && o.Momentum > 0:
		s.Solver = gorgonia.NewMomentum(append(options, gorgonia.WithMomentum(o.Momentum))...)
	case o.Optimizer == headtrain.OptimizerSGD:
		s.Solver = gorgonia.NewVanillaSolver(options...)
	default:
		first, root := keepError(o.Beta1), math.Sqrt(keepError(o.Beta2))
		s.scale = root / first
		s.Solver = gorgonia.NewAdamSolver(append(options, gorgonia.WithBeta1(o.Beta1), gorgonia.WithBeta2(o.Beta2), gorgonia.WithEps(o.Eps*root))...)
	}
	if o.Optimizer == headtrain.OptimizerAdamW {
		s.decay = o.WeightDecay
	}
	return s
}

// keepError returns the factor by which a moment is too large in gorgonia's Adam: 1-β
// taken in float32, divided by 1-β. For 0.999 it is 1 - 1.3e-5.
func keepError(beta float64) float64 { return float64(1-float32(beta)) / (1 - beta) }

func (s *solver) step(lr float64) error {
	gorgonia.WithLearnRate(lr * s.scale)(s.Solver)
	if s.decay > 0 {
		for _, p := range s.params {
			if _, err := tensor.Mul(p.Value(), float32(1-lr*s.decay), tensor.UseUnsafe()); err != nil {
				return err
			}
		}
	}
	return s.Step(s.model)
}
