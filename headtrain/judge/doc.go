// Package judge turns logits and labels into numbers: how good a head is, how
// far its probabilities can be believed, and whether it was worth training.
//
// A Report, from Evaluate, has accuracy, loss, what each class gets, and who is
// taken for whom. Temperature finds what logits must be divided by so that
// probabilities hold; a Calibration says how far they do. Threshold finds the
// probability under which an answer is better called unknown, for a Goal; a
// Rejection says what that costs. Baselines compares a head with methods that
// have nothing to tune.
//
// Logits are row-major, one row of `classes` values for each label; a label of
// -1 is none, and its row counts nowhere. All functions only read what they are
// given, keep none of it, and give the same bits at any number of processors.
// Definitions are those of scikit-learn.
package judge
