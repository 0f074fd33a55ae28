// Package predictions keeps what a head says of images, an image a row, and writes such
// rows to files that other programs read: CSV, JSON lines and Parquet, all with the same
// columns.
//
//	path         the image, as the caller names it
//	label        the answer: a class, or "unknown" where the head had better give none
//	probability  of the likeliest class, calibrated where the head is
//	unknown      whether the probability is below the head's threshold
//	p:CLASS      the probability of each class, in the order of the head
//	error        why there is no answer; the columns above but path are empty then
//
// Rows of an evaluation have two more columns behind path: part, which is train, val, test
// or all, and truth, which is the image's own label. Explained rows have two more before
// error: evidence, which is the file with a map of it, and against, the class that the map
// is against.
package predictions
