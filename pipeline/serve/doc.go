// Package serve answers for images that requests bring, with the heads of runs.
//
//	request ─▶ Model.Images ─▶ queue ─▶ workers: decode, forward ─▶ features ─▶ head ─▶ Answer
//
// A [Backbone] computes features for all models that share it. It has a worker for each core.
// A worker takes what waits, shared out among the workers that are free and at most
// [MaxBatch] images: so nobody waits while a core is idle, and images that arrive faster than
// they are computed go through the backbone in batches.
//
// The features are those of the plan that the cache is filled by, so that an answer is that of
// pipeline.Eval, bit by bit, whatever batch it was computed in. Where a backbone may be quick,
// an image that is alone has all cores, by the plan of pipeline.Predictor; a probability may
// then differ by less than 0.01, which is said there.
//
// Package serve knows no HTTP: that is in serve/web, with a file for each client's language.
package serve
