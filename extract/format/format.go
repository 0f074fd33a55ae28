// Package format tells image files from others: by their first bytes, and, where those
// need not be read, by the ending of their name.
package format

import (
	"encoding/binary"
	"path"
	"strings"
)

// Format is a file format whose images are read.
type Format uint8

// The formats.
const (
	None Format = iota // no image that is read
	JPEG
	PNG
	GIF
	BMP
	WebP
	TIFF
)

// String names f for people.
func (f Format) String() string {
	return [...]string{"unknown", "JPEG", "PNG", "GIF", "BMP", "WebP", "TIFF"}[f]
}

// HeadBytes is how much of a file's beginning [Sniff] wants to see.
const HeadBytes = 18

// Sniff tells the format of a file by its first bytes, of which head holds [HeadBytes] or
// more unless the file is shorter. The name of a file does not matter.
func Sniff(head []byte) Format {
	switch {
	case has(head, 0, "\xff\xd8\xff"):
		return JPEG
	case has(head, 0, "\x89PNG\r\n\x1a\n"):
		return PNG
	case has(head, 0, "GIF87a"), has(head, 0, "GIF89a"):
		return GIF
	case has(head, 0, "BM") && isBMPHeader(head):
		return BMP
	case has(head, 0, "RIFF") && has(head, 8, "WEBP"):
		return WebP
	case has(head, 0, "II*\x00"), has(head, 0, "MM\x00*"), has(head, 0, "II+\x00"), has(head, 0, "MM\x00+"): // + is BigTIFF
		return TIFF
	}
	return None
}

// isBMPHeader checks the length of the second header as well, because a text may begin
// with the same two letters.
func isBMPHeader(head []byte) bool {
	if len(head) < HeadBytes {
		return false
	}
	switch binary.LittleEndian.Uint32(head[14:]) {
	case 12, 40, 52, 56, 64, 108, 124:
		return true
	}
	return false
}

func has(data []byte, at int, magic string) bool {
	return len(data) >= at+len(magic) && string(data[at:at+len(magic)]) == magic
}

// Verdict is what the ending of a file's name says of its content.
type Verdict uint8

// The verdicts.
const (
	Undecided Verdict = iota // the first bytes have to say
	Image                    // of a format that is read
	Foreign                  // an image of a format that is not read
	Other                    // no image
)

// Endings are the usual endings of images that are read, the most frequent first.
var Endings = []string{".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".jfif", ".jpe", ".jif", ".pjpeg", ".pjp", ".dib"}

// foreignEndings are those of images that are not read.
var foreignEndings = []string{".heic", ".heif", ".hif", ".avif", ".jxl", ".jp2", ".j2k", ".psd", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".raf", ".rw2"}

// otherEndings are those of files that often lie beside images, by the thousand, and are
// none: nothing is to be gained by opening them.
var otherEndings = []string{
	".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".md", ".html", ".htm", ".log", ".toml", ".ini",
	".py", ".ipynb", ".mat", ".npy", ".npz", ".pkl", ".pt", ".pth", ".safetensors", ".parquet", ".arrow", ".tfrecord", ".h5", ".hdf5", ".db",
	".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".svg",
	".mp4", ".mov", ".avi", ".mkv", ".webm", ".mp3", ".wav", ".lnk", ".sha256", ".md5",
}

var verdicts = func() map[string]Verdict {
	all := map[string]Verdict{}
	for v, endings := range map[Verdict][]string{Image: Endings, Foreign: foreignEndings, Other: otherEndings} {
		for _, e := range endings {
			all[e] = v
		}
	}
	return all
}()

// Ending is the ending of a file's name in small letters, ".jpg"; "" if it has none.
func Ending(name string) string {
	ending := path.Ext(name)
	if strings.ContainsFunc(ending, func(r rune) bool { return r >= 'A' && r <= 'Z' || r > '~' }) {
		ending = strings.ToLower(ending)
	}
	if ending == "." {
		return ""
	}
	return ending
}

// ByEnding is what the ending of a file's name says of its content.
func ByEnding(name string) Verdict { return verdicts[Ending(name)] }
