// Package features has the features of a dataset's images, wherever they come from.
//
// A [Source] is a dataset and the rows of its items. [Cached] rows are those that a
// frozen backbone computed and the cache keeps, found by content within a [Space], which
// is the name of the function that made them. A [Folder] holds rows that something else
// made, as NumPy arrays. What trains, judges or inspects a head takes a Source and does
// not ask which.
//
// A [Computer] brings rows into the cache: it looks up what is there ([Inventory]),
// reads and computes what is not, and quarantines images that cannot be read.
package features
