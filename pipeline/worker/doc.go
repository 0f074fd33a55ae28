// Package worker turns a stream of images into a stream of features: the end of a pipe. The
// images are named by lines of text or are the members of a tar; the features leave as JSON
// lines or as a Parquet file, in the order of the images. Nothing is kept.
package worker
