package imaging

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"

	"icebox/extract/internal/jpeg"

	"icebox/extract/format"
)

// Size is the side of the crop, and resizedSide the length of the shorter side
// of the image it is cut from.
const (
	Size        = 224
	resizedSide = 256
)

// Version is the number of the preprocessing. It changes with every change that may
// change a pixel, and is part of the name of the features computed from it.
const Version = 2

// DecoderClass names the family of decoders. Images decoded by another class may differ
// by a level or two where the format leaves that open (JPEG). See also Redecoded.
const DecoderClass = "libjpeg-turbo islow"

// DefaultMaxPixels is the limit when Options.MaxPixels is 0. It admits the
// largest cameras in use (102 megapixels) and lies between the sizes at which
// Pillow warns (89 million) and refuses (179 million).
const DefaultMaxPixels = 1 << 27

// Pixels is a crop: RGB, interleaved, row by row.
type Pixels [Size * Size * 3]uint8

// Options are the choices a caller has; the zero value is the default.
type Options struct {
	// IgnoreEXIF leaves photographs as they are stored, as torchvision's ImageFolder
	// does. The orientation of a TIFF is part of the format, and is always applied.
	IgnoreEXIF bool
	// MaxPixels is the most pixels that an image may have; 0 means DefaultMaxPixels.
	MaxPixels int64
	// Memory is the most bytes that an image may take while it is turned into a crop, its
	// file among them; see [Preprocessor.Memory]. 0 is no limit.
	Memory int64
	// Fit is how a picture becomes a square: FitCrop (also ""), FitSquash or FitPad.
	Fit string
	// Background is a colour, in a form that [Colour] reads, that transparent pixels lie
	// over, and that FitPad fills the rest with. "" drops the alpha channel, as Pillow's
	// convert("RGB") does, and fills with black.
	Background string
	// AcceptTruncated makes the best of a JPEG or a PNG whose data end early, as Pillow does
	// with LOAD_TRUNCATED_IMAGES: missing blocks of a JPEG are grey, or coarse in a
	// progressive one, missing rows of a PNG 0. Files that end within their header, and other kinds, are refused.
	AcceptTruncated bool
}

// Traits are what is remarkable about a picture.
type Traits struct {
	Alpha     bool // some pixel is not opaque
	Grey16    bool // grey of 12 or 16 bits, which Pillow clips to 255, and of which the upper 8 count here
	Elongated bool // one side is more than twice the other
	Truncated bool // the data end early, and were accepted all the same

	Measures
}

// Validate reports every fault of the options at once.
func (o Options) Validate() error {
	var errs []error
	if o.MaxPixels < 0 {
		errs = append(errs, fmt.Errorf("MaxPixels (%d) must not be negative; 0 means the default of %d", o.MaxPixels, int64(DefaultMaxPixels)))
	}
	if o.Memory < 0 {
		errs = append(errs, fmt.Errorf("Memory (%d) must not be negative; 0 is no limit", o.Memory))
	}
	if !slices.Contains([]string{"", FitCrop, FitSquash, FitPad}, o.Fit) {
		errs = append(errs, fmt.Errorf("the fit %q is not known: choose %s, %s or %s", o.Fit, FitCrop, FitSquash, FitPad))
	}
	if o.Background != "" {
		_, err := Colour(o.Background)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Preprocessor makes crops and holds the scratch memory of one worker: two goroutines
// must not use it at once. The zero value has default options and is ready for use.
type Preprocessor struct {
	opts    Options
	over    [3]byte // the background
	traits  Traits
	resizer resizer
	looks   measurer
	jpeg    jpeg.Decoder
	planes  planes
	png     simplePNG
	webp    webpPlanes
	tiff    tiffDecoder
	indexed indexed
	blended blended

	ctx context.Context // of the call of CropContext; nil in one of Crop
}

// New returns a Preprocessor for valid options.
func New(o Options) (*Preprocessor, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	p := &Preprocessor{opts: o, resizer: resizer{fit: o.Fit}}
	if o.Background != "" {
		p.over, _ = Colour(o.Background) // Validate has read it
	}
	p.resizer.fill = p.over
	return p, nil
}

// Traits tells what is remarkable about the picture that the last call of Crop made a
// crop of.
func (p *Preprocessor) Traits() Traits { return p.traits }

// CropContext is Crop that gives up when ctx ends, within a second as a rule, and returns its
// error.
func (p *Preprocessor) CropContext(ctx context.Context, dst *Pixels, data []byte) error {
	p.ctx = ctx
	defer func() { p.ctx = nil }()
	err := p.Crop(dst, data)
	if ended := ctx.Err(); ended != nil && err != nil {
		return ended
	}
	return err
}

// Crop decodes an image and writes its crop to dst. After an error the contents of dst
// are unspecified. Crop only reads data, and does not keep it.
func (p *Preprocessor) Crop(dst *Pixels, data []byte) (err error) {
	h, err := p.examine(data)
	if err != nil {
		return err
	}
	if need := p.memory(h, int64(len(data))); p.opts.Memory > 0 && need > p.opts.Memory {
		return &MemoryError{need, p.opts.Memory, h.kind, h.width, h.height}
	}
	p.traits = Traits{Grey16: h.grey16, Elongated: elongated(h.width, h.height)}
	p.traits.Width, p.traits.Height = h.width, h.height
	defer p.release()
	defer recovered(h.kind, &err)
	o := orientation(h.orientation)
	if p.opts.IgnoreEXIF && h.kind != format.TIFF {
		o = upright
	}
	src, err := p.decode(h, data, p.resizer.plan(h.width, h.height, o))
	if err != nil {
		return err
	}
	p.resizer.draw(dst, src)
	upright := image.Pt(h.width, h.height)
	if p.resizer.transposed {
		upright = image.Pt(h.height, h.width)
	}
	p.looks.measure(&p.traits.Measures, seen{dst, p.resizer.covered, upright, resized(p.opts.Fit, upright.X, upright.Y)})
	return nil
}

// release drops the decoded picture, which may be large.
func (p *Preprocessor) release() {
	p.jpeg.Forget()
	p.planes.comp = [4]jpeg.Plane{}
	p.png.forget()
	p.tiff.forget()
	p.webp.img, p.webp.alpha = nil, nil
	p.indexed.pix = nil
	p.blended.translucent = nil
}

// examine reads the header, and refuses what its size rules out.
func (p *Preprocessor) examine(data []byte) (header, error) {
	h, err := parseHeader(data)
	if err == nil {
		err = p.checkSize(h, len(data))
	}
	return h, err
}

// checkSize refuses sizes over the limit, and sizes that the bytes at hand cannot fill,
// unless they need not, before a decoder allocates memory for them.
func (p *Preprocessor) checkSize(h header, have int) error {
	limit := p.opts.MaxPixels
	if limit == 0 {
		limit = DefaultMaxPixels
	}
	if int64(h.width) > limit/int64(h.height) {
		return failf(ErrTooLarge, "%v of %d×%d pixels exceeds the limit of %d pixels (raise the limit, or shrink the image)",
			h.kind, h.width, h.height, limit)
	}
	if least := h.leastBytes(); int64(have) < least && !(p.opts.AcceptTruncated && salvageable(h.kind)) {
		return failf(ErrTruncated, "truncated %v: %d×%d pixels cannot fit in %d bytes", h.kind, h.width, h.height, have)
	}
	return nil
}
