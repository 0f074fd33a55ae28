// Package sweep searches the options of heads.
//
// [NewPlan] works out the points of a sweep: every combination of the axes' values, or
// some drawn at random, each with seeds and folds. A [Search] trains the heads of a plan,
// those that share batches in one pass, and logs each ([Log]) so that a search that is
// interrupted goes on where it was. The [Outcome] ranks the points by a [Metric] and says
// how much each axis matters. Nothing here knows of images or of what is written about a
// sweep.
package sweep
