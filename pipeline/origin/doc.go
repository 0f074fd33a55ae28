// Package origin reads the bytes of images from where they are: files, members of tars, rows
// of parquet files.
//
// A [Place] says where an image is. A [Reader] reads it, and keeps open what many images come
// from. All images have the same limits, wherever they are.
package origin
