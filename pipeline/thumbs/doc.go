// Package thumbs keeps small pictures of images in a file, so that a report needs no image
// a second time, and has its pictures when the folder of images is gone.
//
// A picture is what the backbone saw, in less detail: the crop that its feature was computed
// from, made [Side] × [Side] pixels, as JPEG. The file lies beside the cache. Nothing is lost if it is
// deleted: it is made again.
//
// # Format
//
//	"icebox thumbnails 1\n"
//	records, each: "thmb"      4 bytes
//	               space       32 bytes: SHA-256 of the name of the preprocessing
//	               key         32 bytes: SHA-256 of the image's file
//	               length n    4 bytes, little endian
//	               CRC-32C     4 bytes, of space, key, length and picture
//	               picture     n bytes: a JPEG
//
// The newest come first. The first one that is not whole, or whose sum is wrong, ends the
// file.
package thumbs
