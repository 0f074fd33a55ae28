package pictures

import "math"

// class is a kind of picture.
type class struct {
	name    string
	figure  func(rng) field
	texture bool // fills the plane
	pen     bool // may be drawn as an outline
}

// classes are sorted by name, as every tool numbers them. A circle is never drawn
// as an outline: that is a ring.
var classes = []class{
	{name: "checkerboard", figure: checkerboard, texture: true},
	{name: "circle", figure: circle},
	{name: "cross", figure: cross, pen: true},
	{name: "dots", figure: dots, texture: true},
	{name: "ring", figure: ring},
	{name: "square", figure: square, pen: true},
	{name: "star", figure: star, pen: true},
	{name: "stripes", figure: stripes, texture: true},
	{name: "triangle", figure: triangle, pen: true},
	{name: "waves", figure: waves, texture: true},
}

// Classes returns the names of the classes, sorted.
func Classes() []string {
	var names []string
	for _, c := range classes {
		names = append(names, c.name)
	}
	return names
}

// compose draws the scene, without the camera's faults.
func (k class) compose(r rng, c *canvas) {
	ground := r.background(c)
	r.clutter(c, r.between(0, 3))
	if k.texture {
		k.composeTexture(r, c, ground)
	} else {
		k.composeShapes(r, c, ground)
	}
	r.clutter(c, r.between(0, 1))
}

// background covers c and returns the colours it is made of.
func (r rng) background(c *canvas) []rgb {
	p := r.paint(r.colour())
	c.fill(p)
	if r.chance(0.4) {
		c.mottle(r, r.in(0.05, 0.22))
	}
	return []rgb{p.from, p.to}
}

// clutter lays n short strokes and specks of no class.
func (r rng) clutter(c *canvas, n int) {
	for range n {
		at := r.somewhere(c, 0.05, 0.22, 1)
		p := r.paint(r.colour())
		p.opacity = r.in(0.3, 0.9)
		c.lay(box(1, r.in(0.04, 0.3), 0.04), at, p, r.in(1, 4))
	}
}

// somewhere returns a place whose radius is a fraction lo to hi of the canvas's
// shorter side and whose centre keeps keep radii inside the middle square, which is
// what a centre crop sees.
func (r rng) somewhere(c *canvas, lo, hi, keep float64) place {
	side := float64(min(c.w, c.h))
	size := r.in(lo, hi) * side
	free := max(0, side/2-keep*size)
	along := func(length int) float64 { return float64(length)/2 + r.in(-free, free) }
	sin, cos := math.Sincos(r.in(0, 2*math.Pi))
	return place{along(c.w), along(c.h), size, r.in(0.85, 1), sin, cos}
}

// composeShapes draws one large figure, or two or three of them that may overlap.
func (k class) composeShapes(r rng, c *canvas, ground []rgb) {
	n, lo, hi := 1, 0.18, 0.44
	if r.chance(0.25) {
		n, lo, hi = r.between(2, 3), 0.13, 0.26
	}
	for range n {
		f := k.figure(r)
		if k.pen && r.chance(0.25) {
			f = outline(f, r.in(0.06, 0.11))
		}
		at := r.somewhere(c, lo, hi, 0.85)
		if r.chance(0.4) {
			r.shadow(c, f, at)
		}
		c.lay(f, at, r.paint(r.against(ground...)), 1)
	}
}

// shadow lays the shadow of f beside and below it.
func (r rng) shadow(c *canvas, f field, at place) {
	at.x += at.size * r.in(-0.14, 0.14)
	at.y += at.size * r.in(0.03, 0.16)
	c.lay(f, at, paint{opacity: r.in(0.25, 0.5)}, at.size*r.in(0.05, 0.25)+1)
}

// composeTexture draws a pattern over everything, or on a card or disc.
func (k class) composeTexture(r rng, c *canvas, ground []rgb) {
	f := k.figure(r)
	ink := r.paint(r.against(ground...))
	if r.chance(0.5) {
		// Half the diagonal is the radius that reaches every corner.
		at := place{size: float64(min(c.w, c.h)) / 2, squash: r.in(0.85, 1)}
		at.sin, at.cos = math.Sincos(r.in(0, 2*math.Pi))
		cover := math.Hypot(float64(c.w), float64(c.h)) / at.size
		at.x, at.y = float64(c.w)/2, float64(c.h)/2
		c.lay(scaled(f, cover), at.grown(cover), ink, 1)
		return
	}
	at := r.somewhere(c, 0.3, 0.5, 0.85)
	card := circle(r)
	if r.chance(0.7) {
		card = square(r)
	}
	r.shadow(c, card, at)
	paper := r.paint(r.against(ink.from, ink.to))
	c.lay(card, at, paper, 1)
	c.lay(within(f, card), at, ink, 1)
}

// scaled and grown together show more of a field's plane at the same size.
func scaled(f field, by float64) field {
	return func(x, y float64) float64 { return f(x*by, y*by) / by }
}

func (p place) grown(by float64) place {
	p.size *= by
	return p
}
