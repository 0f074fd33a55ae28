package imaging

import (
	"bytes"
	"context"
	"io"

	"icebox/extract/format"
)

// Bounds of the work that a JPEG of several scans asks for. A progressive one has some ten;
// each passes over all pixels again, however few bytes it has. libjpeg-turbo's own tools
// stop at 500, too.
const (
	maxScans    = 500
	maxScanWork = 20 * DefaultMaxPixels // scans × pixels
)

// checkScans refuses a JPEG of h whose scans, from its first on, ask for too much work.
func checkScans(h header, data []byte) error {
	scans := 0
	for at := h.jpeg.scan; ; scans++ {
		mark, next := nextMarker(data, at)
		for mark != markSOS && next < len(data) {
			mark, next = nextMarker(data, next)
		}
		if mark != markSOS {
			break
		}
		at = next
	}
	if scans > maxScans || int64(scans)*int64(h.width)*int64(h.height) > maxScanWork {
		return failf(ErrTooLarge, "%v of %d×%d pixels in %d scans takes too long to decode: save it again with fewer scans", format.JPEG, h.width, h.height, scans)
	}
	return nil
}

// interrupted returns the error of a context that has ended.
func (p *Preprocessor) interrupted() error {
	if p.ctx == nil {
		return nil
	}
	return p.ctx.Err()
}

// patient reads data until ctx ends: a decoder that asks it for the next bytes gets the
// error of ctx.
type patient struct {
	ctx context.Context
	io.Reader
}

func (r patient) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b[:min(len(b), patientBytes)])
}

// patientBytes is how much a decoder gets at a time.
const patientBytes = 4096

// reader reads data for a decoder that is not ours.
func (p *Preprocessor) reader(data ...[]byte) io.Reader {
	all := make([]io.Reader, len(data))
	for i, d := range data {
		all[i] = bytes.NewReader(d)
	}
	if p.ctx == nil {
		return io.MultiReader(all...)
	}
	return patient{p.ctx, io.MultiReader(all...)}
}
