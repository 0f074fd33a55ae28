// Package graph trains heads as gorgonia expression graphs: the forward pass is
// written down, gradients come from automatic differentiation and steps from
// gorgonia's solvers. The engine of package headtrain is tested against it. The two
// share the map of features, the initial weights, the order of the rows and the
// schedule (see headtrain.Plan), but no arithmetic of a step. It also trains MLPs,
// which the other engine cannot.
//
// Equal data, options and seed give equal bits on one machine. On another machine the
// last places may differ, as gorgonia's matrix products do.
//
// # Where gorgonia 0.9.18 differs from PyTorch
//
//   - Adam does what PyTorch's does, up to rounding: it corrects the bias of both
//     moments, adds eps to the root of the corrected second one, and L2 to the
//     gradient. But it takes 1-β in float32, which makes moments too large or too
//     small by a factor, 1 - 1.3e-5 for 0.999; here the rate and eps are scaled to
//     undo that. Its batch size divides the gradient; here it stays at 1, since the
//     loss is a mean.
//   - AdamW takes one minus the powers of the betas for the betas, and drops the
//     weights that it computes. Here AdamW is Adam without L2, after a factor on the
//     weights.
//   - Momentum keeps the rate inside its buffer, so it equals PyTorch's only at a
//     constant rate, and its L2 decays the buffer. Both are refused here, and so is
//     Nesterov's momentum, which gorgonia does not have.
//   - LogSoftMax subtracts the maximum of the wrong row, and gives NaN for logits that
//     are 90 apart. Here it is written out.
//   - Dropout is seeded by the clock. Here the masks are an input.
//
// gorgonia panics where it runs, on a goroutine that recover cannot reach, if shapes do
// not fit. So shapes are fixed when the graph is compiled: batches that are smaller are
// padded with rows that weigh nothing.
package graph
