package imaging

import (
	"encoding/binary"
	"image"
	"math"
	"math/bits"

	"icebox/extract/internal/mem"
)

// Measures are numbers that tell whether a picture is any good. They are taken from the
// crop, without what FitPad fills around it, and from the size in the header. Each is worked
// out in integers, so that every machine gives the same ones.
type Measures struct {
	Width, Height int // as stored, before a photo is turned upright

	// Bright99 and Bright5 are percentiles of the pixels' brightness, 0 to 255: the root of
	// 0.241 R² + 0.691 G² + 0.068 B², of one pixel of 64.
	Bright99, Bright5 uint8
	// Grey says that the three channels of each of these pixels are equal, and of those that
	// Edges is taken from.
	Grey bool
	// Entropy is that of their values, those of each channel by themselves, in 1/4096 bit: as
	// Pillow's of an RGB picture. That of a grey one is log2(3) bits more than it would be of
	// one channel.
	Entropy uint16
	// Edges is the standard deviation, in 1/256 of a level, of what the Laplacian finds in
	// the picture made so small that its longer side has about 64 pixels, of about every other
	// line. Pixels of the rim count as they are, as with Pillow's FIND_EDGES. 65535 is unknown:
	// the crop shows less than 3 of these pixels in a direction.
	Edges uint16
	// Spread is the standard deviation, in 1/256, of the counts in the histogram of that
	// small picture in grey; 65535 is unknown.
	Spread uint16
}

// smallSide is the longer side of the picture that edges are looked for in. A picture that
// is no larger stays as it is.
const smallSide = 64

// brightOf are the terms of a pixel's squared brightness by channel and value, times 1000.
var brightOf = func() (t [3][256]uint32) {
	for c, weight := range []uint32{241, 691, 68} {
		for v := range t[c] {
			t[c][v] = weight * uint32(v*v)
		}
	}
	return t
}()

const (
	brightShift = 17 // of a squared brightness times 1000, to the number of its bin
	brightBins  = 1000*255*255>>brightShift + 1
)

// measurer is the memory of measuring.
type measurer struct {
	bright         [brightBins]uint32
	values         [3][256]uint32
	columns, lines []pair
	banded         bool // every other band of lines is left out
	small          []uint8
}

// seen is a crop, and where it comes from.
type seen struct {
	crop    *Pixels
	covered image.Rectangle // by the picture
	upright image.Point     // size of the picture
	resized image.Point     // size that it was cut from
}

// measure fills in what is seen of a crop. It costs about a fiftieth of decoding a photo of
// 500 pixels; see BenchmarkMeasure.
func (m *measurer) measure(to *Measures, s seen) {
	m.tones(to, s)
	full := shrunk(s.upright)
	asItWas := full == s.upright
	m.columns = pairs(m.columns[:0], full.X, s.resized.X, s.covered.Min.X, s.covered.Max.X, asItWas)
	m.lines = pairs(m.lines[:0], full.Y, s.resized.Y, s.covered.Min.Y, s.covered.Max.Y, asItWas)
	to.Edges, to.Spread = math.MaxUint16, math.MaxUint16
	if len(m.columns) < 3 || len(m.lines) < 3 {
		return
	}
	m.everyOther()
	sharpness := sharpAsItWas
	if !asItWas {
		sharpness = sharpShrunk
	}
	to.Grey = m.shrink(s.crop) && to.Grey
	to.Edges, to.Spread = m.edges(full, sharpness), m.spread(full)
}

// tones looks at each eighth pixel of each eighth line.
func (m *measurer) tones(to *Measures, s seen) {
	clear(m.bright[:])
	clear(m.values[:])
	n, unlike := uint32(0), uint32(0)
	x0, x1 := 3*(s.covered.Min.X+min(2, s.covered.Dx()-1)), 3*s.covered.Max.X
	for y := s.covered.Min.Y + min(4, s.covered.Dy()-1); y < s.covered.Max.Y; y += 8 {
		// The byte after the last pixel of a line is read with it, except at the end.
		line := s.crop[lineBytes*y:][:min(x1+1, lineBytes)]
		for x := x0; x+4 <= len(line); x += 24 {
			v := binary.LittleEndian.Uint32(line[x:])
			r, g, b := uint8(v), uint8(v>>8), uint8(v>>16)
			m.bright[(brightOf[0][r]+brightOf[1][g]+brightOf[2][b])>>brightShift]++
			m.values[0][r]++
			m.values[1][g]++
			m.values[2][b]++
			unlike |= v ^ v>>8
			n++
		}
	}
	to.Grey = unlike&0xffff == 0
	to.Bright5, to.Bright99 = m.percentile(n, 5), m.percentile(n, 99)
	to.Entropy = entropy(&m.values, 3*n)
}

// percentile is the brightness that percent of n pixels do not exceed.
func (m *measurer) percentile(n, percent uint32) uint8 {
	rank := (n - 1) * percent / 100 // counted from 0
	for bin, count := range m.bright {
		if rank < count {
			middle := (bin<<brightShift + 1<<(brightShift-1)) / 1000
			return uint8(min(root(int64(middle)), 255))
		}
		rank -= count
	}
	return 255
}

// root is the root of v, rounded down. The root of a float64 is the same everywhere.
func root(v int64) int64 { return int64(math.Sqrt(float64(v))) }

// entropy is that of n values, counted by channel and value, in 1/4096 bit:
// log n − Σ c·log c / n.
func entropy(counts *[3][256]uint32, n uint32) uint16 {
	sum := uint64(0)
	for c := range counts {
		for _, count := range counts[c] {
			sum += uint64(countLogs[min(count, looked)])
		}
	}
	return uint16((log2(n) - uint32(sum/uint64(n))) >> 4)
}

// logs are log2(1 + i/256) in 1/65536.
var logs = func() (t [257]uint32) {
	for i := range t {
		x := uint64(256+i) << 23 // from 1 to 2, in 2^-31
		for bit := uint32(1 << 15); bit > 0; bit >>= 1 {
			if x = x * x >> 31; x >= 2<<31 {
				x, t[i] = x>>1, t[i]|bit
			}
		}
	}
	t[256] = 1 << 16
	return t
}()

// looked is how many pixels tones looks at, at most.
const looked = (Size / 8) * (Size / 8)

// countLogs are c·log2(c) in 1/65536.
var countLogs = func() (t [looked + 1]uint32) {
	for c := uint32(1); c <= looked; c++ {
		t[c] = c * log2(c)
	}
	return t
}()

// log2 is the logarithm of v, which is not 0, in 1/65536, to about as much.
func log2(v uint32) uint32 {
	whole := uint32(bits.Len32(v) - 1)
	rest := v << (31 - whole) << 1 // below the first digit
	i, between := rest>>24, rest>>8&0xffff
	return whole<<16 + logs[i] + (logs[i+1]-logs[i])*between>>16
}

// shrunk is the size of the small picture of one of the given size.
func shrunk(size image.Point) image.Point {
	long := max(size.X, size.Y)
	if long <= smallSide {
		return size
	}
	return image.Pt(max(size.X*smallSide/long, 1), max(size.Y*smallSide/long, 1))
}

// pair are two pixels of a line or a column, by number times 3, whose mean stands for those
// between and around them. The last pixel of a line is in none, so that there is a byte after each.
type pair [2]int

// pairs appends those of the small pixels, n of which are as long as the resized picture,
// that lie wholly within the crop's pixels from lo on, below hi. Where the small picture is
// the picture as it was, a small pixel was blown up, and its middle is what it was.
func pairs(to []pair, n, resized, lo, hi int, asItWas bool) []pair {
	off := max(centred(resized), 0) - lo // of the crop in the resized picture
	for i := range n {
		a, b := i*resized/n-off, (i+1)*resized/n-off
		switch {
		case a < lo || b > hi || b < a+3:
		case asItWas:
			to = append(to, pair{3 * ((a + b - 1) / 2), 3 * ((a + b) / 2)})
		default:
			to = append(to, pair{3 * (a + (b-a)/4), 3 * (a + min((3*(b-a)-1)/4, b-a-2))})
		}
	}
	return to
}

// band is how many neighbouring lines of the small picture are made at a time, before as many
// are left out, where it has enoughLines or more.
const (
	band        = 4
	enoughLines = 32
)

// everyOther leaves out every other band of lines.
func (m *measurer) everyOther() {
	m.banded = len(m.lines) >= enoughLines
	if !m.banded {
		return
	}
	kept := m.lines[:0]
	for i, l := range m.lines {
		if i/band%2 == 0 {
			kept = append(kept, l)
		}
	}
	m.lines = kept
}

// shrink makes the part of the small picture that the crop shows, in grey, and tells whether
// all that it sees is grey.
func (m *measurer) shrink(crop *Pixels) bool {
	unlike := uint32(0)
	const redBlue = 0xff00ff
	m.small = mem.Grow(m.small, len(m.lines)*len(m.columns))
	for i, l := range m.lines {
		upper, lower := (*[lineBytes]byte)(crop[lineBytes/3*l[0]:]), (*[lineBytes]byte)(crop[lineBytes/3*l[1]:])
		out := m.small[i*len(m.columns):][:len(m.columns)]
		for k, c := range m.columns {
			p, q := binary.LittleEndian.Uint32(upper[c[0]:]), binary.LittleEndian.Uint32(lower[c[1]:])
			unlike |= p ^ p>>8 | q ^ q>>8
			both, green := p&redBlue+q&redBlue, p>>8&0xff+q>>8&0xff
			out[k] = uint8((both&0xffff*19595 + green*38470 + both>>16*7471 + 1<<16) >> 17)
		}
	}
	return unlike&0xffff == 0
}

// moments are those of some numbers.
type moments struct{ n, sum, squares int64 }

func (s *moments) add(v int) {
	s.n, s.sum, s.squares = s.n+1, s.sum+int64(v), s.squares+int64(v*v)
}

// How sharp edges are, in eighths of what the mean of two pixels shows. Two of some 25 that a
// small pixel of a photo stands for make more of its texture than a good filter does: 3/4 is
// what brings the middle of real photos to CleanVision's.
const (
	sharpShrunk  = 6
	sharpAsItWas = 8
)

// edges is [Measures.Edges], of a small picture of which the crop shows a part. The rim of
// that part stands for the rim of the whole, and its inside for the inside of the whole.
func (m *measurer) edges(full image.Point, sharpness int) uint16 {
	w, h := len(m.columns), len(m.lines)
	var rim, inside moments
	for x := range w {
		rim.add(int(m.small[x]))
		rim.add(int(m.small[(h-1)*w+x]))
	}
	for y := 1; y < h-1; y++ {
		above, line, below := m.small[(y-1)*w:][:w], m.small[y*w:][:w], m.small[(y+1)*w:][:w]
		rim.add(int(line[0]))
		rim.add(int(line[w-1]))
		if m.banded && (y%band == 0 || y%band == band-1) {
			continue // its neighbour is another's
		}
		left, middle := int(above[0])+int(line[0])+int(below[0]), int(above[1])+int(line[1])+int(below[1])
		for x := 2; x < w; x++ {
			right := int(above[x]) + int(line[x]) + int(below[x])
			inside.add(min(max((9*int(line[x-1])-left-middle-right)*sharpness/8, 0), 255))
			left, middle = middle, right
		}
	}
	all, within := int64(full.X*full.Y), int64(max(full.X-2, 0)*max(full.Y-2, 0))
	mix := func(of func(moments) int64) int64 { // in 1/65536
		return ((all-within)*(of(rim)<<16/rim.n) + within*(of(inside)<<16/inside.n)) / all
	}
	mean := mix(func(s moments) int64 { return s.sum })
	squares := mix(func(s moments) int64 { return s.squares })
	return uint16(root(max(squares-mean*mean>>16, 0)))
}

// spread is [Measures.Spread], of a small picture of which the crop shows a part.
func (m *measurer) spread(full image.Point) uint16 {
	var grey [256]int
	for _, v := range m.small {
		grey[v]++
	}
	n, squares := int64(len(m.small)), int64(0)
	for _, c := range grey {
		squares += int64(c) * int64(c)
	}
	return uint16(min(root(256*squares-n*n)*int64(full.X*full.Y)/n, math.MaxUint16-1))
}
