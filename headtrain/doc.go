// Package headtrain fits softmax heads on a matrix of features, linear ones and
// MLPs. It knows nothing of images or of where features come from.
//
// A Dataset holds rows, labels and class names; a Job adds the Options of one
// or more heads; a Trainer, from New, turns it into one Result a head. A Head
// predicts from raw features, whatever was done to them in training, and is
// saved as a safetensors file that torchvision's ResNet loads as its fc layer.
// Package judge says how good a head is and how far to believe it, package probe
// what features tell of the data. An engine of another package brings the
// arithmetic of a step, a Learner, and leaves all else to FitEach.
//
// # Order of summation
//
// Equal data, options and seed give equal bits, at any number of threads, on
// any machine, alone or in a sweep. Any engine that calls itself "linear" in a
// head's recipe keeps to this; all values are float32 and every operation is
// rounded by itself, fused multiply-adds (fma) once, unless float64 is said.
//
//   - Initial weights: layer.go. The order of rows in each epoch: order.go. Batches
//     are consecutive rows of that order; the last may be smaller.
//   - Mixup: order and λ of a step, mixup.go; every value, and every loss and
//     gradient of a logit, of the row and of its partner, is a+(1-λ)·(b-a).
//   - Features: ((x-mean)·scale)·rowScale. Mean and scale come from float64 sums
//     over labelled rows in order; rowScale is 1, or 1/length for "l2".
//   - Logit: the bias, then one fma a feature, features in order.
//   - Softmax: e[c] = exp(z[c]-max), exp32 of internal/kernel, and their sum, over
//     classes in order; its logarithm is log32 of the same place.
//   - Gradient of a logit: (soft[y]/sum)·e[c] - spread[c], less hot[y] for the
//     class itself; see loss.go.
//   - Gradient of a weight: one fma a row from 0 within each chunk of 64 rows of
//     the batch; the chunks' sums are added in order. That of a bias likewise,
//     but within a chunk row r is added to sum r mod 32, and those 32 are then
//     folded 16, 8, 4, 2, 1 apart.
//   - Step: adamPortable or sgdPortable of internal/kernel, whose scalars are
//     computed in float64. L-BFGS is float64 throughout but for the gradient of
//     1024 rows at a time.
//   - EMA: a[i] += share·(w[i]-a[i]) from a = 0, share being 1 in the first step and
//     1-decay, taken in float64, in each later one.
//   - Losses of rows are float32; they are summed in float64 over blocks of 32
//     rows in order, and those in order.
//
// No sum runs across two classes' weights or two heads, so heads that see the
// same batches are trained side by side in one pass, see stack.
//
// # Memory
//
// Rows are read where they are, panel by panel, and never copied as a whole:
// Dataset.X may be a read-only memory map larger than memory; all passes but an
// epoch's go by its order, and an epoch does so, window by window, with
// [ShuffleBlocks]. Beside it a Fit
// holds, for one stack of heads at a time, at most 2 MiB of weights (or one
// head's), two to four times that for the optimizer, and 1024 rows of features
// and logits.
//
// The saved head folds mean and scale into its weights, in float64.
package headtrain
