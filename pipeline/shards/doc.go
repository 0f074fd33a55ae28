// Package shards divides the extraction of a dataset among processes that know nothing of
// each other: on one machine, on many, now or next week.
//
// A [Manifest] freezes a dataset and names the space of its features. Shard i of n ([Shard])
// is a fixed range of its rows. The process that computes a shard publishes one [Part] with
// the features, a file with the images that could not be read, and last a [Marker], in a
// [Folder] that all of them share. A file is there whole or not at all, and the first one of a
// name stays: to compute a shard twice, even at the same time, changes nothing. [Folder.Check]
// tells whether all shards of a manifest are there, and which are missing.
//
// The names in a folder of n shards, with i from 00000:
//
//	features-00017-of-02000.parquet   the part
//	dead-00017-of-02000.jsonl         images without a feature, a line each; may be empty
//	_done/00017-of-02000.json         the marker
//	manifest.json, _SUCCESS           written when all parts have been merged
package shards
