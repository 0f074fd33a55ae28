package jpeg

import (
	"bytes"
	"errors"
	"fmt"
	"image"

	"icebox/extract/internal/isa"
	"icebox/extract/internal/mem"
)

// ErrForeign is returned for a file that this package does not decode: another kind of
// JPEG, or one with anything wrong with it. Another decoder may read it, or say what is
// wrong.
var ErrForeign = errors.New("not a sound JPEG of 1, 3 or 4 components")

// ErrShort is the [ErrForeign] of a file that ends before its picture does.
var ErrShort = fmt.Errorf("%w: the file ends early", ErrForeign)

// keepBytes is the most memory of one kind that a Decoder keeps between
// pictures.
const keepBytes = 8 << 20

// Decoder decodes pictures, one after the other, in memory that it keeps. The
// zero value is ready for use, by one goroutine.
type Decoder struct {
	// Interrupted, unless it is nil, is asked between the rows of each scan of a
	// progressive picture. If it returns an error, Decode returns it.
	Interrupted func() error

	portable  bool // for tests, as is inspect
	inspect   func(coefs []int16, quant *[64]uint16)
	salvages  bool // the end of data is one that Salvage has put there
	short     bool // the picture ends there
	data      []byte
	frame     frame
	tables    [2][4]table
	packed    []byte // entropy-coded data without stuffed bytes
	ends      []int  // of the restart intervals in packed
	planes    [maxComponents]Plane
	pred      [maxComponents]int32
	units     [maxMCUBlocks]unit
	scanComps [maxComponents]int
	lastGood  int     // row of MCUs of the picture that the data of the last scan reach
	row       []int16 // of coefficients that are smoothed
}

func (d *Decoder) isa() isa.ISA {
	if d.portable {
		return isa.Portable
	}
	return native
}

// Decode decodes what the pixels of window need, which lies within the picture, and
// returns the components, which are valid until the next call. It only reads data, and
// does not keep it. Which files it refuses does not depend on the window.
func (d *Decoder) Decode(data []byte, window image.Rectangle) ([]Plane, error) {
	d.data, d.short = data, false
	defer d.release()
	f := &d.frame
	*f = frame{comps: f.comps}
	if len(data) < 2 || data[0] != 0xff || data[1] != markSOI {
		return nil, ErrForeign
	}
	at, laidOut := 2, false
	for {
		sos, next, done, err := d.segments(at)
		if err != nil {
			return nil, err
		}
		if done {
			d.short = d.short || d.salvages && next == len(data)
			break
		}
		if !laidOut {
			if !window.In(image.Rect(0, 0, f.width, f.height)) || window.Empty() {
				return nil, ErrForeign
			}
			d.layOut(window)
			laidOut = true
			if f.progressive {
				d.layOutAll()
			}
		}
		if at, err = d.scan(sos, next); err != nil {
			return nil, err
		}
	}
	if !laidOut {
		return nil, ErrForeign
	}
	if f.progressive {
		d.transformAll()
	}
	for i := range f.count {
		c := &f.comps[i]
		if !c.decoded && !d.short {
			return nil, ErrForeign
		}
		if !c.decoded {
			c.plane.grey()
		}
		d.planes[i] = c.plane
	}
	return d.planes[:f.count], nil
}

// Salvage is Decode for a file that ends within the data of a scan or between scans, which
// Decode refuses. What is missing is grey, or in a progressive picture coarse and smoothed,
// as libjpeg-turbo makes it if it is told that the picture ends there. It refuses files that
// end elsewhere or have anything else wrong.
func (d *Decoder) Salvage(data []byte, window image.Rectangle) ([]Plane, error) {
	d.salvages = true
	defer func() { d.salvages = false }()
	planes, err := d.Decode(append(bytes.Clone(data), 0xff, markEOI), window)
	if err == nil && !d.short {
		err = ErrForeign
	}
	return planes, err
}

// release drops the file.
func (d *Decoder) release() {
	d.data = nil
	if cap(d.packed) > keepBytes {
		d.packed = nil
	}
}

// Forget drops the planes, if they are large.
func (d *Decoder) Forget() {
	for i := range d.frame.comps {
		c := &d.frame.comps[i]
		d.planes[i] = Plane{}
		if cap(c.plane.Pix) > keepBytes {
			c.plane = Plane{}
		}
		if 2*cap(c.coefs) > keepBytes {
			c.coefs, c.progress.set = nil, nil
		}
	}
}

// layOut decides which blocks are decoded: those of whole MCUs that the window
// needs, including what upsampling takes from beyond it.
func (d *Decoder) layOut(window image.Rectangle) {
	f := &d.frame
	mcus := image.Rectangle{Min: image.Pt(f.width, f.height)}
	for i := range f.count {
		c := &f.comps[i]
		h, v := f.hMax/c.h, f.vMax/c.v
		c.plane.H, c.plane.V = h, v
		c.plane.Width, c.plane.Height = (f.width+h-1)/h, (f.height+v-1)/v
		c.across, c.down = (c.plane.Width+7)/8, (c.plane.Height+7)/8
		x0, x1 := reach(window.Min.X, window.Max.X, h, c.plane.Width)
		y0, y1 := reach(window.Min.Y, window.Max.Y, v, c.plane.Height)
		mcus.Min.X, mcus.Max.X = min(mcus.Min.X, x0/(8*c.h)), max(mcus.Max.X, (x1-1)/(8*c.h)+1)
		mcus.Min.Y, mcus.Max.Y = min(mcus.Min.Y, y0/(8*c.v)), max(mcus.Max.Y, (y1-1)/(8*c.v)+1)
	}
	for i := range f.count {
		c := &f.comps[i]
		c.x0, c.x1 = mcus.Min.X*c.h, mcus.Max.X*c.h
		c.y0, c.y1 = mcus.Min.Y*c.v, mcus.Max.Y*c.v
		pairs := (c.x1 - c.x0 + 1) / 2
		if !f.progressive {
			c.stride = 128 * pairs
			c.coefs = zeros(c.coefs, c.stride*c.v)
		}
		p := &c.plane
		p.X, p.Y, p.Stride = 8*c.x0, 8*c.y0, 16*pairs
		p.Pix = mem.Grow(p.Pix, p.Stride*8*(c.y1-c.y0))
	}
}

// reach returns the samples that the pixels [lo, hi) are made of, where one
// stands for n pixels.
func reach(lo, hi, n, size int) (int, int) {
	if n == 1 {
		return lo, hi
	}
	return max(lo/n-1, 0), min((hi-1)/n+2, size)
}
