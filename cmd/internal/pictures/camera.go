package pictures

import "slices"

// degrade adds what a camera adds: a soft lens and a noisy sensor.
func (c *canvas) degrade(r rng) {
	if r.chance(0.5) {
		for range r.between(1, 3) {
			c.blur()
		}
	}
	if r.chance(0.7) {
		c.grain(r, float32(r.in(0.01, 0.07)))
	}
}

// blur convolves with [1 2 1]/4 along both axes, in place: across with the pixel
// before kept in a variable, down with the row before kept in a slice.
func (c *canvas) blur() {
	above := slices.Clone(c.pix[:c.w])
	for y := range c.h {
		row := c.pix[y*c.w : (y+1)*c.w]
		below := c.pix[min(y+1, c.h-1)*c.w:][:c.w]
		for x, here := range row {
			row[x] = blend(above[x], here, below[x])
			above[x] = here
		}
	}
	for y := range c.h {
		row := c.pix[y*c.w : (y+1)*c.w]
		before := row[0]
		for x, here := range row {
			row[x] = blend(before, here, row[min(x+1, c.w-1)])
			before = here
		}
	}
}

func blend(a, b, c rgb) rgb {
	for k := range b {
		b[k] = (a[k] + 2*b[k] + c[k]) / 4
	}
	return b
}

// grain adds noise of the given strength, each channel its own. The sum of two
// uniform bytes is near enough to a bell.
func (c *canvas) grain(r rng, strength float32) {
	scale := strength / 104 // standard deviation of the sum of two bytes
	for i := range c.pix {
		bits := r.Uint64()
		for k := range c.pix[i] {
			c.pix[i][k] += (float32(bits&0xff) + float32(bits>>8&0xff) - 255) * scale
			bits >>= 16
		}
	}
}

// mottle darkens and lightens in soft patches of two sizes, as plaster or cloth.
func (c *canvas) mottle(r rng, strength float64) {
	for _, cell := range []float64{r.in(24, 60), r.in(6, 14)} {
		c.cloud(r, cell, float32(strength))
		strength /= 2
	}
}

// cloud adds bilinear noise on a lattice of the given spacing in pixels.
func (c *canvas) cloud(r rng, cell float64, strength float32) {
	lw, lh := int(float64(c.w)/cell)+2, int(float64(c.h)/cell)+2
	lattice := make([]float32, lw*lh)
	for i := range lattice {
		lattice[i] = (r.Float32() - 0.5) * 2 * strength
	}
	for y := range c.h {
		ly, ty := split(float64(y) / cell)
		up, down := lattice[ly*lw:(ly+1)*lw], lattice[(ly+1)*lw:(ly+2)*lw]
		for x := range c.w {
			lx, tx := split(float64(x) / cell)
			top := up[lx] + (up[lx+1]-up[lx])*tx
			bottom := down[lx] + (down[lx+1]-down[lx])*tx
			v := top + (bottom-top)*ty
			for k := range c.pix[y*c.w+x] {
				c.pix[y*c.w+x][k] += v
			}
		}
	}
}

// split returns the whole part of v ≥ 0 and its fraction, smoothed so that lattice
// lines do not show.
func split(v float64) (int, float32) {
	i := int(v)
	t := float32(v - float64(i))
	return i, t * t * (3 - 2*t)
}
