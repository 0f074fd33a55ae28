package imaging

import (
	"bytes"
	"unicode/utf8"
)

func has(data []byte, at int, magic string) bool {
	return len(data) >= at+len(magic) && string(data[at:at+len(magic)]) == magic
}

// unreadable describes bytes of which [format.Sniff] knows no format.
func unreadable(data []byte) error {
	for _, k := range []struct {
		at    int
		magic string
		name  string
	}{
		{4, "ftypavif", "AVIF"}, {4, "ftypavis", "AVIF"},
		{4, "ftyphei", "HEIC"}, {4, "ftyphev", "HEIC"}, {4, "ftypmif1", "HEIC"}, {4, "ftypmsf1", "HEIC"},
		{0, "\x00\x00\x00\x0cjP  ", "JPEG 2000"}, {0, "\xff\x4f\xff\x51", "JPEG 2000"},
		{0, "\x00\x00\x00\x0cJXL ", "JPEG XL"}, {0, "\xff\x0a", "JPEG XL"},
		{0, "8BPS", "Photoshop"}, {0, "\x00\x00\x01\x00", "icon"},
	} {
		if !has(data, k.at, k.magic) {
			continue
		}
		name := k.name
		if name == "HEIC" && bytes.Contains(data[:min(len(data), 64)], []byte("avif")) {
			name = "AVIF" // in a general container, which lists what it is compatible with
		}
		return failf(ErrUnsupported, "%s is not supported (convert it to JPEG or PNG, with ImageMagick for example)", name)
	}
	return failf(ErrFormat, "not an image (looks like %s)", looksLike(data))
}

// looksLike names, for a person, what a file that is no image seems to be.
func looksLike(data []byte) string {
	head := data[:min(len(data), 512)]
	text := bytes.ToLower(bytes.TrimSpace(head))
	switch {
	case bytes.HasPrefix(text, []byte("<svg")), bytes.HasPrefix(text, []byte("<?xml")) && bytes.Contains(text, []byte("<svg")):
		return "an SVG drawing"
	case bytes.HasPrefix(text, []byte("<!doctype html")), bytes.HasPrefix(text, []byte("<html")):
		return "a web page"
	case has(data, 0, "%PDF"):
		return "a PDF"
	case has(data, 0, "PK\x03\x04"):
		return "a ZIP archive"
	case has(data, 0, "\x1f\x8b"):
		return "a gzip archive"
	case has(data, 4, "ftyp"):
		return "a video"
	case len(bytes.Trim(head, "\x00")) == 0:
		return "zeros"
	case isText(head):
		return "text"
	}
	return "unknown binary data"
}

// isText tells whether head is UTF-8 without control characters, but for a
// rune cut off at its end.
func isText(head []byte) bool {
	for i := 0; i < len(head); {
		r, n := utf8.DecodeRune(head[i:])
		if r == utf8.RuneError && n == 1 {
			return i > 0 && len(head)-i < utf8.UTFMax
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' {
			return false
		}
		i += n
	}
	return true
}
