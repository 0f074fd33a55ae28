package pictures

import (
	"bufio"
	"errors"
	"fmt"
	"hash/fnv"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// identity is all that a picture depends on.
type identity struct {
	seed  uint64
	part  string
	class int
	index int // from 1
}

// picture is one drawn image and how it is to be stored.
type picture struct {
	img     *image.RGBA
	quality int // of a JPEG; 0 means PNG
}

// pngEvery is the share of PNG files, one in so many.
const pngEvery = 12

// rand returns the picture's own generator.
func (id identity) rand() *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%s/%d", id.part, classes[id.class].name, id.index)
	return rand.New(rand.NewPCG(id.seed, h.Sum64()))
}

// isPNG reports the file format without drawing.
func (id identity) isPNG() bool { return (id.index+id.class)%pngEvery == 7 }

// file returns the path below the set's folder.
func (id identity) file() string {
	name := classes[id.class].name
	ext := ".jpg"
	if id.isPNG() {
		ext = ".png"
	}
	return filepath.Join(id.part, name, fmt.Sprintf("%s_%04d%s", name, id.index, ext))
}

// draw makes the picture.
func (id identity) draw() picture {
	r := rng{id.rand()}
	c := newCanvas(r.frame())
	classes[id.class].compose(r, c)
	c.degrade(r)
	quality := r.between(70, 95)
	if id.isPNG() {
		quality = 0
	}
	return picture{c.image(), quality}
}

// frame returns a width and a height: upright, lying and square, small ones more
// often than large ones.
func (r rng) frame() (w, h int) {
	u := r.Float64()
	long := 160 + int(320*u*u)
	short := max(128, int(float64(long)*r.in(0.62, 1)))
	if r.chance(0.5) {
		return long, short
	}
	return short, long
}

func (p picture) encode(w io.Writer) error {
	if p.quality == 0 {
		return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, p.img)
	}
	return jpeg.Encode(w, p.img, &jpeg.Options{Quality: p.quality})
}

// write draws id into its file below o.Dir unless the file is there.
func (id identity) write(o Options) (err error) {
	path := filepath.Join(o.Dir, id.file())
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	name := filepath.Join(filepath.Dir(path), fmt.Sprintf(".drawing-%x", rand.Uint64()))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) // as the umask has it
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriter(f)
	err = errors.Join(id.draw().encode(w), w.Flush(), f.Close())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.Chtimes(f.Name(), o.MTime, o.MTime); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
