package pictures

import "math"

// field is a signed distance: negative inside the figure, positive outside, in
// units of the figure's radius. It need be exact only near the edge.
type field func(x, y float64) float64

func circle(rng) field {
	return func(x, y float64) float64 { return math.Sqrt(x*x+y*y) - 1 }
}

func ring(r rng) field {
	half := r.in(0.09, 0.22)
	return func(x, y float64) float64 { return math.Abs(math.Sqrt(x*x+y*y)-(1-half)) - half }
}

func square(r rng) field {
	return box(0.8, 0.8*r.in(0.85, 1), r.in(0, 0.16))
}

// box is a rectangle of half sizes a and b whose corners have radius c.
func box(a, b, c float64) field {
	return func(x, y float64) float64 {
		x, y = math.Abs(x)-a+c, math.Abs(y)-b+c
		if x > 0 && y > 0 {
			return math.Sqrt(x*x+y*y) - c
		}
		return max(x, y) - c
	}
}

func cross(r rng) field {
	arm, length := r.in(0.17, 0.32), r.in(0.8, 1)
	across, down := box(1, arm, 0.02), box(arm, length, 0.02)
	return func(x, y float64) float64 { return min(across(x, y), down(x, y)) }
}

// triangle has corners on the circle of radius 1, up to 20° from even.
func triangle(r rng) field {
	var px, py, nx, ny [3]float64
	for i := range px {
		a := 2*math.Pi*float64(i)/3 + r.in(-0.35, 0.35)
		px[i], py[i] = math.Cos(a), math.Sin(a)
	}
	for i := range px {
		dx, dy := px[(i+1)%3]-px[i], py[(i+1)%3]-py[i]
		length := math.Hypot(dx, dy)
		nx[i], ny[i] = dy/length, -dx/length
	}
	return func(x, y float64) float64 {
		d := math.Inf(-1)
		for i := range px {
			d = max(d, (x-px[i])*nx[i]+(y-py[i])*ny[i])
		}
		return d
	}
}

// star folds the plane into one half of one point, whose edge is a line from the
// tip (1, 0) to the inner corner.
func star(r rng) field {
	half := math.Pi / float64(r.between(5, 7))
	inner := r.in(0.38, 0.55)
	ex, ey := inner*math.Cos(half)-1, inner*math.Sin(half)
	length := math.Hypot(ex, ey)
	nx, ny := ey/length, -ex/length
	return func(x, y float64) float64 {
		a := math.Atan2(y, x) / half
		a = math.Abs(a-2*math.Round(a/2)) * half
		sin, cos := math.Sincos(a)
		d := math.Sqrt(x*x + y*y)
		return (d*cos-1)*nx + d*sin*ny
	}
}

// outline is the edge of f, drawn with a pen of the given half width on its inside.
func outline(f field, half float64) field {
	return func(x, y float64) float64 { return math.Abs(f(x, y)+half) - half }
}

// within is the part of f inside g.
func within(f, g field) field {
	return func(x, y float64) float64 { return max(f(x, y), g(x, y)) }
}

// fromNearest is the distance of x from the nearest multiple of period.
func fromNearest(x, period float64) float64 {
	t := x / period
	return math.Abs(t-math.Round(t)) * period
}

func stripes(r rng) field {
	period, duty := r.in(0.14, 0.5), r.in(0.3, 0.65)
	return func(x, _ float64) float64 { return fromNearest(x, period) - duty*period/2 }
}

func waves(r rng) field {
	period, duty := r.in(0.16, 0.45), r.in(0.3, 0.65)
	height, k := r.in(0.06, 0.2), r.in(5, 14)
	return func(x, y float64) float64 {
		sin, cos := math.Sincos(k * x)
		slope := height * k * cos
		return (fromNearest(y+height*sin, period) - duty*period/2) / math.Sqrt(1+slope*slope)
	}
}

func checkerboard(r rng) field {
	period := r.in(0.25, 0.8)
	return func(x, y float64) float64 {
		dx, dy := fromNearest(x, period)-period/4, fromNearest(y, period)-period/4
		d := min(math.Abs(dx), math.Abs(dy))
		if dx*dy > 0 {
			return -d
		}
		return d
	}
}

func dots(r rng) field {
	period := r.in(0.2, 0.55)
	radius := period * r.in(0.2, 0.38)
	shift := 0.0 // of every other row
	if r.chance(0.5) {
		shift = period / 2
	}
	return func(x, y float64) float64 {
		row := math.Round(y / period)
		if math.Mod(row, 2) != 0 {
			x += shift
		}
		dx, dy := fromNearest(x, period), y-row*period
		return math.Sqrt(dx*dx+dy*dy) - radius
	}
}
