package unfilter

import "icebox/extract/internal/isa"

// The filters, by their number in the file.
const (
	None = iota
	Sub
	Up
	Average
	Paeth
	filters // how many there are
)

// native is the fastest instruction set that this machine runs.
var native = isa.Best(Available())

// Row undoes a filter in place. The row has pixels of bpp bytes, 1 to 8, and prev is the row
// above it, as long and without its filter; zeros above the first one. It returns false for a
// filter that there is not.
func Row(filter byte, bpp int, row, prev []byte) bool { return rowOn(native, filter, bpp, row, prev) }

func rowOn(i isa.ISA, filter byte, bpp int, row, prev []byte) bool {
	if filter >= filters {
		return false
	}
	from := assembled(i, filter, bpp, row, prev[:len(row)])
	portable(filter, bpp, row, prev, from)
	return true
}

// portable undoes a filter from a byte on.
func portable(filter byte, bpp int, row, prev []byte, from int) {
	prev = prev[:len(row)]
	switch filter {
	case Sub:
		for i := max(from, bpp); i < len(row); i++ {
			row[i] += row[i-bpp]
		}
	case Up:
		for i := from; i < len(row); i++ {
			row[i] += prev[i]
		}
	case Average:
		for i := from; i < len(row); i++ {
			left := 0
			if i >= bpp {
				left = int(row[i-bpp])
			}
			row[i] += uint8((left + int(prev[i])) / 2)
		}
	case Paeth:
		for i := from; i < len(row); i++ {
			var left, corner uint8
			if i >= bpp {
				left, corner = row[i-bpp], prev[i-bpp]
			}
			row[i] += paeth(left, prev[i], corner)
		}
	}
}

// paeth is the one of three neighbours that is nearest to left + above - corner.
func paeth(left, above, corner uint8) uint8 {
	a, b, c := int(left), int(above), int(corner)
	pa, pb := b-c, a-c
	pc := abs(pa + pb)
	pa, pb = abs(pa), abs(pb)
	switch {
	case pa <= pb && pa <= pc:
		return left
	case pb <= pc:
		return above
	}
	return corner
}

func abs(v int) int { return max(v, -v) }
