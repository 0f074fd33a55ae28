// Package pipeline orders the work that turns a folder of labelled images into a
// trained head:
//
//	images ─scan─▶ items ─look up─▶ misses ─read·decode·forward─▶ rows ─▶ cache
//	                 │                                                     │
//	                 └── labels, parts ───────────▶ rows ◀─────────────────┘
//	                                                  │
//	                                          train · judge ─▶ run folder
//
// Each program is a function that reads from top to bottom: [Run] does all of it;
// [Extract] stops once the features are in the cache; [Train] begins there and opens no
// image; [RunSweep] trains many heads there and then does with the best what Train does;
// [Eval] and [Inspect] look at a head and at its data, [Compare] at two heads; [FindRate]
// looks for a learning rate, [Plan] says what Run would do. A [Scorer] answers for many new
// images through the cache, a [Predictor] for a few at once.
//
// The nouns have packages of their own: dataset (items, labels, parts), features (rows,
// from the cache or from a folder), sweep, insight, runs (the folder of a run), report
// (what was found out), predictions (a head's answers in files) and journal (what is said while it runs).
//
// # What is never computed twice
//
// A feature is found in the cache by the SHA-256 of the file's bytes within a space,
// which is the fingerprint of the function from bytes to feature. Labels and parts are no
// part of that key and change without anything being computed again. The dataset is kept
// in the same cache file, so that training needs no image folder.
//
// A second run stats every file and opens none: the dataset remembers the content
// hash of a path for as long as its size, times and inode stay the same. It does not
// remember times that are too fresh to be trusted, as git does not trust racy entries of
// its index.
//
// An image that cannot be read or decoded is quarantined: it is listed with its reason,
// left out of training and counted against a failure budget. Content that cannot be
// decoded is remembered and not tried again until asked; a file that cannot be read is
// tried in every run.
package pipeline
