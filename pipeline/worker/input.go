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

// Lines yields the images that the lines of r name: paths, file:// addresses, or what else open
// knows. An image that cannot be read has an Err. Up to ahead images are read while others are
// waited for, which hides how long a store takes to answer; open is called by as many goroutines.
func Lines(r io.Reader, open func(path string) ([]byte, error), ahead int) iter.Seq2[Image, error] {
	return func(yield func(Image, error) bool) {
		over := make(chan struct{})
		defer close(over)
		reading := make(chan chan Image, max(ahead, 1)-1) // in order; each gets one image
		var fault error                                   // of r, once reading is closed
		go func() {
			defer close(reading)
			lines := bufio.NewScanner(r)
			lines.Buffer(nil, maxLine)
			for lines.Scan() {
				name := strings.TrimSuffix(lines.Text(), "\r")
				if name == "" {
					continue
				}
				one := make(chan Image, 1)
				select {
				case reading <- one:
				case <-over:
					return
				}
				go func() { one <- imageAt(name, open) }()
			}
			fault = lines.Err()
		}()
		for one := range reading {
			if !yield(<-one, nil) {
				return
			}
		}
		if fault != nil {
			yield(Image{}, fmt.Errorf("%w: %w", ErrInput, fault))
		}
	}
}

// imageAt reads the image that a line names.
func imageAt(name string, open func(path string) ([]byte, error)) Image {
	img := Image{Name: name}
	var path string
	if path, img.Err = pathOf(name); img.Err == nil {
		img.Bytes, img.Err = open(path)
	}
	return img
}

// pathOf is the path of a file that a line names. Other addresses are as they are.
func pathOf(name string) (string, error) {
	if !strings.HasPrefix(name, "file://") {
		return name, nil
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
		if scheme, _, ok := strings.Cut(path, "://"); ok {
			return nil, fmt.Errorf("%s:// is not read here: pipe the images in as a tar", scheme)
		}
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
