// Package pipeline orders the work that turns a folder of labelled images into a
// trained head:
//
//	images ─scan─▶ items ─look up─▶ misses ─read·decode·forward─▶ rows ─▶ cache
//	                 │                                                     │
//	                 └── labels, splits ──────────▶ matrix ◀───────────────┘
//	                                                  │
//	                                          train · evaluate ─▶ run folder
//
// [Run] does all of it; [Extract] stops once the features are in the cache;
// [Train] begins there and opens no image; [RunSweep] trains many heads there and
// keeps the best. Each is a list of the same stages.
//
// # Nouns
//
// An item is one image file of a [Dataset], with a label and a split. Its feature
// is found in the cache by the SHA-256 of the file's bytes within a space, which is
// the fingerprint of the function from bytes to feature; labels and splits are no
// part of that key and change without anything being computed again. The dataset
// is kept in the same cache file, so that training needs no image folder.
//
// A second run stats every file and opens none: the dataset remembers the content
// hash of a path for as long as its size, times and inode stay the same. Times too
// fresh to be trusted, as in git's racy index entries, are not remembered.
//
// An image that cannot be read or decoded is quarantined: listed with its reason,
// left out of training, counted against a failure budget, and not tried again
// until asked.
package pipeline
