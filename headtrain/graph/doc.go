// Package graph trains heads as gorgonia expression graphs: the forward pass is
// written down, gradients come from autodiff, steps from gorgonia's solvers. It
// is the reference that the fused engine is held against, as independent of it
// as can be: the two share the input map, the initial weights, the order of the
// rows and the schedule (see headtrain.Plan) and no arithmetic of a step. It
// also trains the heads that the fused engine has not (headtrain.KindMLP).
//
// Equal data, options and seed give equal bits on one machine. From machine to
// machine they may differ in the last places, as gorgonia's matrix products do.
//
// # Where gorgonia 0.9.18 differs from PyTorch
//
//   - Adam is PyTorch's, up to rounding: bias correction of both moments, eps
//     added to the root of the corrected second one, L2 added to the gradient.
//     But 1-β is taken in float32, so that moments come out too large or small by
//     a factor, 1 - 1.3e-5 for 0.999; rate and eps are scaled to undo it. Its
//     batch size, which would divide the gradient, stays at 1: the loss is a mean.
//   - AdamW's betas are one minus their powers, and the weights it computes are
//     dropped. Here it is Adam without L2, after a factor on the weights.
//   - Momentum holds the rate inside its buffer, so it equals PyTorch's at a
//     constant rate alone, and its L2 decays the buffer. Both are refused, and so
//     is Nesterov's, which it has not.
//   - LogSoftMax takes the maximum of the wrong row and gives NaN for logits 90
//     apart; it is spelt out here. Dropout is seeded by the clock; masks are an
//     input here.
//
// A machine runs on a goroutine of its own, out of reach of recover. Nothing a
// caller says changes a shape once the graph is compiled: batches are padded
// with rows that weigh nothing.
package graph
