package imaging

import (
	"context"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"golang.org/x/image/bmp"

	"icebox/extract/format"
)

// decode gives the picture as a raster, valid until the next decode. Only
// pixels of the window will be asked for. It notes in p.traits what it sees.
func (p *Preprocessor) decode(h header, data []byte, window image.Rectangle) (raster, error) {
	var src raster
	var err error
	switch h.kind {
	case format.JPEG:
		src, err = p.decodeJPEG(h, data, window)
	case format.PNG:
		src, err = p.decodePNG(h, data)
	case format.GIF:
		src, err = p.decodeGIF(h, data)
	case format.BMP:
		src, err = p.decodeBMP(h, data)
	case format.WebP:
		src, err = p.decodeWebP(h, data)
	case format.TIFF:
		src, err = p.decodeTIFF(h, data)
	}
	if err != nil {
		err = classify(h.kind, err)
	}
	if err != nil && p.opts.AcceptTruncated && salvageable(h.kind) {
		if part, ok := p.salvage(h, data, window); ok {
			src, err = part, nil
			p.traits.Truncated = true
		}
	}
	if err != nil {
		return nil, err
	}
	if w, ht := src.size(); w != h.width || ht != h.height {
		return nil, failf(ErrFormat, "damaged %v: %d×%d pixels in the header, %d×%d in the image", h.kind, h.width, h.height, w, ht)
	}
	return p.flatten(src), nil
}

// flatten lays a picture with transparent pixels over the background; without one, what
// lies below their alpha is the picture.
func (p *Preprocessor) flatten(src raster) raster {
	t, ok := src.(translucent)
	if !ok || t.opaque() {
		return src
	}
	p.traits.Alpha = true
	if p.opts.Background == "" {
		return src
	}
	p.blended.translucent, p.blended.over = t, p.over
	return &p.blended
}

// recovered, deferred, turns a panic of a decoder into an error of the file.
func recovered(k format.Format, err *error) {
	if r := recover(); r != nil {
		*err = failf(ErrFormat, "damaged %v: the decoder failed (%v)", k, r)
	}
}

func (p *Preprocessor) decodeWith(decode func(io.Reader) (image.Image, error), data []byte) (translucent, error) {
	img, err := decode(p.reader(data))
	if err != nil {
		return nil, err
	}
	return p.fromImage(img)
}

// fromImage wraps the pixels of a decoded image.
func (p *Preprocessor) fromImage(img image.Image) (translucent, error) {
	b := img.Bounds()
	at := packed{width: b.Dx(), height: b.Dy()}
	switch img := img.(type) {
	case *image.Gray:
		at.pix, at.stride, at.step = img.Pix, img.Stride, 1
	case *image.Gray16:
		at.pix, at.stride, at.step = img.Pix, img.Stride, 2
	case *image.NRGBA:
		at.pix, at.stride, at.step, at.rgb = img.Pix, img.Stride, 4, [3]int{0, 1, 2}
		at.alpha = 3
	case *image.NRGBA64:
		at.pix, at.stride, at.step, at.rgb = img.Pix, img.Stride, 8, [3]int{0, 2, 4}
		at.alpha = 6
	case *image.RGBA:
		at.pix, at.stride, at.step, at.rgb = img.Pix, img.Stride, 4, [3]int{0, 1, 2}
		if !img.Opaque() {
			at.alpha = 3
			return &premultiplied{at}, nil
		}
	case *image.RGBA64:
		at.pix, at.stride, at.step, at.rgb = img.Pix, img.Stride, 8, [3]int{0, 2, 4}
		if !img.Opaque() {
			at.alpha = 6
			return &premultiplied{at}, nil
		}
	case *image.Paletted:
		p.indexed.width, p.indexed.height = at.width, at.height
		p.indexed.pix, p.indexed.stride = img.Pix, img.Stride
		p.indexed.setPalette(img.Palette)
		return &p.indexed, nil
	default:
		return nil, failf(ErrUnsupported, "pixels of type %T are not supported", img)
	}
	return &at, nil
}

// classify turns an error of a decoder into one of this package's.
func classify(k format.Format, err error) error {
	var own *fault
	if errors.As(err, &own) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	text := err.Error()
	for _, s := range []string{"EOF", "not enough", "short chunk", "missing padding"} {
		if strings.Contains(text, s) {
			return truncated(k)
		}
	}
	if _, detail, ok := strings.Cut(text, ": "); ok {
		text = detail
	}
	for _, repeated := range []string{"invalid format: ", "unsupported feature: ", "unsupported "} {
		text = strings.TrimPrefix(text, repeated)
	}
	if isUnsupported(err) {
		return failf(ErrUnsupported, "this %v is not supported: %s (save it as a plain JPEG or PNG)", k, text)
	}
	return failf(ErrFormat, "damaged %v: %s", k, text)
}

func isUnsupported(err error) bool {
	var j jpeg.UnsupportedError
	var p png.UnsupportedError
	return errors.As(err, &j) || errors.As(err, &p) || errors.Is(err, bmp.ErrUnsupported)
}
