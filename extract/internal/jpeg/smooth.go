package jpeg

import "icebox/extract/internal/mem"

// Of a progressive picture whose last scans are missing, libjpeg-turbo guesses what is not
// known of the coefficients of the lowest frequencies from the DC of the 5×5 blocks around,
// so that blocks do not show. The guesses follow section K.8 of the JPEG standard, over 5×5
// blocks instead of 3×3. Where nothing but DC is known they follow a Gaussian-like kernel,
// which smooths DC, too. The weights are those of decompress_smooth_data in libjpeg-turbo's
// jdcoefct.c.

// guess says how a coefficient is worked out: its value times its quantum is the weighted sum
// of the DC around, by 256, times their quantum.
type guess struct {
	zigzag  int
	known   [25]int // weights where some AC of the component is known
	unknown [25]int // where none is
}

// guesses are in the order of zigzag, but for DC, which is the last, since the others have
// to see it as it was. A coefficient without weights is not guessed.
var guesses = [...]guess{
	{1, [25]int{
		10: -7, 50, 0, -50, 7,
	}, [25]int{
		-1, -1, 0, 1, 1,
		-3, 13, 0, -13, 3,
		-3, 38, 0, -38, 3,
		-3, 13, 0, -13, 3,
		-1, -1, 0, 1, 1,
	}},
	{2, [25]int{
		2: -7, 7: 50, 17: -50, 22: 7,
	}, [25]int{
		-1, -3, -3, -3, -1,
		-1, 13, 38, 13, -1,
		0, 0, 0, 0, 0,
		1, -13, -38, -13, 1,
		1, 3, 3, 3, 1,
	}},
	{3, [25]int{
		2: -1, 7: 13, 12: -24, 17: 13, 22: -1,
	}, [25]int{
		0, 0, 1, 0, 0,
		0, 2, 7, 2, 0,
		0, -5, -14, -5, 0,
		0, 2, 7, 2, 0,
		0, 0, 1, 0, 0,
	}},
	{4, [25]int{
		0, -1, 0, 1, 0,
		-1, 10, 0, -10, 1,
		0, 0, 0, 0, 0,
		1, -10, 0, 10, -1,
		0, 1, 0, -1, 0,
	}, [25]int{
		-1, 0, 0, 0, 1,
		0, 9, 0, -9, 0,
		0, 0, 0, 0, 0,
		0, -9, 0, 9, 0,
		1, 0, 0, 0, -1,
	}},
	{5, [25]int{
		10: -1, 13, -24, 13, -1,
	}, [25]int{
		0, 0, 0, 0, 0,
		0, 2, -5, 2, 0,
		1, 7, -14, 7, 1,
		0, 2, -5, 2, 0,
		0, 0, 0, 0, 0,
	}},
	{6, [25]int{}, [25]int{
		6: 1, 8: -1,
		11: 2, 13: -2,
		16: 1, 18: -1,
	}},
	{7, [25]int{}, [25]int{
		6: 1, -3, 1,
		16: -1, 3, -1,
	}},
	{8, [25]int{}, [25]int{
		6: 1, 8: -1,
		11: -3, 13: 3,
		16: 1, 18: -1,
	}},
	{9, [25]int{}, [25]int{
		6: 1, 2, 1,
		16: -1, -2, -1,
	}},
	{0, [25]int{}, [25]int{
		-2, -6, -8, -6, -2,
		-6, 6, 42, 6, -6,
		-8, 42, 152, 42, -8,
		-6, 6, 42, 6, -6,
		-2, -6, -8, -6, -2,
	}},
}

// smooths tells whether something of the picture is to be guessed: some coefficient of a low
// frequency is not known to its last bit, DC is known in part everywhere, and no quantum
// that is divided by is 0.
func (d *Decoder) smooths() bool {
	f, useful := &d.frame, false
	for i := range f.count {
		c := &f.comps[i]
		if !c.decoded || c.progress.bits[0] < 0 {
			return false
		}
		for k := range savedBits {
			if c.progress.quant[zigzag[k]] == 0 {
				return false
			}
			useful = useful || k > 0 && c.progress.bits[k] != 0
		}
	}
	return useful
}

// known returns from which bit on the first coefficients of the component are known in a
// row of MCUs: where the last scan ended before, what was known before it.
func (d *Decoder) known(c *component, mcuRow int) (known [savedBits]int, any bool) {
	p := &c.progress
	copy(known[:], p.bits[:])
	if mcuRow > d.lastGood {
		known = p.before
		if d.frame.scans == 1 {
			known = [savedBits]int{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1}
		}
	}
	for _, low := range known[1:] {
		any = any || low >= 0
	}
	return known, any
}

// smoothed returns a copy of a part of row y of blocks, from column c.x0 on, with guesses.
func (d *Decoder) smoothed(c *component, y int, coefs []int16) []int16 {
	d.row = mem.Grow(d.row, len(coefs))
	copy(d.row, coefs)
	known, any := d.known(c, y/c.tall)
	rows := c.around(y)
	for x := c.x0; x < min(c.x1, c.across); x++ {
		var dc [25]int
		for i := range dc {
			column := min(max(x+i%5-2, 0), c.across-1)
			dc[i] = int(c.coefs[rows[i/5]*c.stride+64*column])
		}
		block := (*[64]int16)(d.row[64*(x-c.x0):])
		for g := range guesses {
			guesses[g].fill(block, &dc, &c.progress.quant, &known, any)
		}
	}
	return d.row
}

// around returns the rows of blocks from two above y to two below, as libjpeg chooses them.
// It counts rows in MCUs that are as high as the last one, which may have fewer rows than the
// others: below it nothing is looked at, and rows above it may be taken for the first.
func (c *component) around(y int) [5]int {
	all := (c.down + c.tall - 1) / c.tall // rows of MCUs
	row, rows := y/c.tall, c.tall
	if rest := c.down % c.tall; row == all-1 && rest != 0 {
		rows = rest
	}
	at, end := row*rows+y%c.tall, rows*all
	around := [5]int{y, y, y, y, y}
	if at > 0 {
		around[0], around[1] = y-1, y-1
	}
	if at > 1 {
		around[0] = y - 2
	}
	if at < end-1 {
		around[3], around[4] = y+1, y+1
	}
	if at < end-2 {
		around[4] = y + 2
	}
	return around
}

// fill guesses a coefficient of a block, if it is 0 and not known to its last bit. One of
// which the upper bits are known to be 0 does not get beyond what the lower ones can hold.
func (g *guess) fill(block *[64]int16, dc *[25]int, quant *[64]uint16, known *[savedBits]int, any bool) {
	weights, at := &g.unknown, zigzag[g.zigzag]
	if any {
		weights = &g.known
	}
	low := known[g.zigzag]
	if *weights == ([25]int{}) || g.zigzag > 0 && (low == 0 || block[at] != 0) {
		return
	}
	sum := 0
	for i, w := range weights {
		sum += w * dc[i]
	}
	sum *= int(quant[0])
	quantum := int(quant[at])
	value := (quantum<<7 + max(sum, -sum)) / (quantum << 8)
	if g.zigzag > 0 && low > 0 {
		value = min(value, 1<<low-1)
	}
	if sum < 0 {
		value = -value
	}
	block[at] = int16(value)
}
