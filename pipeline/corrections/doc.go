// Package corrections keeps what people say against the labels of images, in a file that
// people can read, edit and put under version control. The images and the cache stay as they
// are: corrections are laid over a dataset each time that it is used.
//
// # Format
//
// A file is CSV, in UTF-8, a line a change, the newest last:
//
//	action,path,sha256,old,new,when
//	relabel,train/cat/17.jpg,9f86…0a08,cat,dog,2026-11-27T12:00:00Z
//
//	action  relabel  the image is of class new
//	        confirm  its label is right, and nobody need doubt it again
//	        exclude  the image takes no part in anything
//	        undo     the newest change of the image that is not yet undone is
//	path    of the image, as reports show it
//	sha256  of the bytes of its file, 64 hexadecimal digits
//	old     its class before, empty for none
//	new     its class after, empty where it is excluded or has none
//	when    RFC 3339
//
// A relabel or a confirm takes an excluded image in again. A text with a character that is not
// printable, such as a line break, with bytes that are not UTF-8, or that begins with a quote
// or with a sign that a spreadsheet takes for a formula (= + - @), is quoted as Go quotes
// strings, so that a change is one line whatever the image is called.
//
// Lines are only appended, whole, each time with one write that is synced. What a killed
// writer or a full disk leaves is a last line without an end, which is left out by readers,
// and cut off by the next writer. A file that a spreadsheet has saved, with a byte-order
// mark, other line ends, or semicolons or tabs for commas, is read as well, and keeps its
// form when lines are appended.
//
// # Kept pictures
//
// Beside the file corrections.csv there may be a folder corrections-pictures, of pictures
// that a person has kept, each called by a number, in the order in which they were kept, and
// the SHA-256 of its bytes, such as 00000-9f86…0a08.jpg; see [PicturesOf]. They
// are images of the dataset wherever the file is laid over it: without a label, of the path
// kept/NAME, and of train. Lines of the file give them labels like all others.
//
// # Which image a change is of
//
// That whose path and bytes are those of the line. Where no image of the dataset has the
// path, it is every image with these bytes, for files are renamed. Where an image has the
// path and other bytes, the change is of no image, and is counted.
package corrections
