package worker

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"strings"

	"icebox/extract/format"
)

// Image is an image of the stream.
type Image struct {
	Name  string // as the stream names it
	Bytes []byte // of the file
	Err   error  // why there are none
}

// ErrInput is returned for a stream that cannot be read to its end.
var ErrInput = errors.New("the stream of images cannot be read")

// maxLine bounds the name of a file.
const maxLine = 64 << 10

// Lines yields the images that the lines of r name: paths, or file:// addresses. An image
// that cannot be read has an Err; open reads one.
func Lines(r io.Reader, open func(path string) ([]byte, error)) iter.Seq2[Image, error] {
	return func(yield func(Image, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxLine)
		for lines.Scan() {
			name := strings.TrimSuffix(lines.Text(), "\r")
			if name == "" {
				continue
			}
			img := Image{Name: name}
			var path string
			if path, img.Err = pathOf(name); img.Err == nil {
				img.Bytes, img.Err = open(path)
			}
			if !yield(img, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Image{}, fmt.Errorf("%w: %w", ErrInput, err))
		}
	}
}

// pathOf is the path of a file that a line names.
func pathOf(name string) (string, error) {
	scheme, _, ok := strings.Cut(name, "://")
	if !ok {
		return name, nil
	}
	if scheme != "file" {
		return "", fmt.Errorf("%s:// is not read here: pipe the images in as a tar", scheme)
	}
	u, err := url.Parse(name)
	if err != nil {
		return "", err
	}
	if u.Host != "" && u.Host != "localhost" {
		return "", fmt.Errorf("the file is on %s, and not on this machine", u.Host)
	}
	return u.Path, nil
}

// Tar yields the images among the members of a tar, whatever their folder; other members are
// passed over. One of more than most bytes has an Err, and is not read.
func Tar(r io.Reader, most int64) iter.Seq2[Image, error] {
	return func(yield func(Image, error) bool) {
		blocks := &lastBlock{r: bufio.NewReaderSize(r, 1<<16)}
		in := tar.NewReader(blocks)
		for {
			h, err := in.Next()
			if errors.Is(err, io.EOF) {
				if !blocks.zeros {
					yield(Image{}, fmt.Errorf("%w: the tar is cut off: the blocks of zeros that end one are missing", ErrInput))
				}
				return
			}
			if err != nil {
				yield(Image{}, fmt.Errorf("%w: %w", ErrInput, err))
				return
			}
			if h.Typeflag != tar.TypeReg || format.ByEnding(h.Name) != format.Image {
				continue
			}
			img := Image{Name: h.Name}
			if h.Size > most {
				img.Err = fmt.Errorf("it has %d bytes, and %d are the limit", h.Size, most)
			} else if img.Bytes, err = io.ReadAll(in); err != nil {
				yield(Image{}, fmt.Errorf("%w: it is cut off in %s: %w", ErrInput, h.Name, err))
				return
			}
			if !yield(img, nil) {
				return
			}
		}
	}
}

// lastBlock remembers whether the last block that was read is one of zeros. Package tar takes a
// tar that is cut off between two members for a whole one.
type lastBlock struct {
	r     io.Reader
	zeros bool
}

const tarBlock = 512

func (b *lastBlock) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if n > 0 {
		b.zeros = n >= tarBlock && bytes.Count(p[:n], []byte{0}) == n
	}
	return n, err
}

// Open reads a file of up to most bytes.
func Open(most int64) func(path string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, most+1))
		if err == nil && int64(len(data)) > most {
			err = fmt.Errorf("it has more than %d bytes, which are the limit", most)
		}
		return data, err
	}
}
