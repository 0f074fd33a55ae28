// Package serve answers for images that requests bring, with the heads of runs.
//
//	request ─▶ Model.Images ─▶ queue ─▶ workers: decode, forward ─▶ features ─▶ head ─▶ Answer
//
// A [Backbone] computes features for all models that share it. It has a worker for each core.
// A worker takes what waits, shared out among the workers that are free and at most
// [MaxBatch] images: so nobody waits while a core is idle, and images that arrive faster than
// they are computed go through the backbone in batches.
//
// An image that is alone has all cores. The features are those of a pipeline.Predictor, bit by
// bit, whatever batch they were computed in. Where a backbone is to be exact, they are those of
// the cache, and answers are those of pipeline.Eval; the two differ as it is said of a
// Predictor.
//
// Package serve knows no HTTP: that is in serve/web, with a file for each client's language.
package serve
