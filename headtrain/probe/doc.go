// Package probe says what features tell of the data that they were made of.
//
// Labels estimates how many labels are wrong, and which (Doubts). Copies finds
// pairs of rows that are nearly the same (Pair), for which Whiten makes the rows
// ready. OutOfFold gives each row the logits of a head that did not see it.
//
// All functions only read the datasets they are given, keep nothing of them, and
// give the same bits at any number of processors.
package probe
