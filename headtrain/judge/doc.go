// Package judge turns logits and labels into numbers: how good a head is, how
// far its probabilities can be believed, and whether it was worth training.
//
// Answers are what a head says of labelled rows at a temperature. Their Report has
// accuracy, loss, what each class gets, and who is taken for whom; their Calibration
// says how far probabilities can be believed; Threshold finds the probability under
// which an answer is better called unknown, for a Goal, and a Rejection says what
// that costs. Temperature finds what logits must be divided by so that probabilities
// hold. Baselines compares a head with methods that have nothing to tune.
//
// Logits have one row for each label; a label of -1 is none, and its row counts
// nowhere. They are read in passes, so that memory grows with the rows by some bytes
// a row and not by their classes. All functions only read what they are given, and
// give the same bits at any number of processors. Definitions are those of
// scikit-learn.
package judge
