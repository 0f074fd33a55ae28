package probe

import (
	"context"
	"math"

	"icebox/headtrain"
	"icebox/headtrain/internal/parallel"
)

// Point is a place in a plane.
type Point struct{ X, Y float64 }

// Principal lays rows out in a plane by the two directions in which they differ most: their
// principal components, found by iteration on two directions at once. The sign of a
// direction is such that its largest part is positive. It returns a point for each row. The
// error is that of ctx, or wraps headtrain.ErrDataset.
func Principal(ctx context.Context, d *headtrain.Dataset) ([]Point, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	mean := make([]float64, d.Dim)
	for r := range d.Rows() {
		for j, v := range d.Row(r) {
			mean[j] += float64(v) / float64(d.Rows())
		}
	}
	axes := [2][]float64{make([]float64, d.Dim), make([]float64, d.Dim)}
	for a := range axes {
		for j := range axes[a] {
			axes[a][j] = math.Cos(float64((a + 1) * (j + 1))) // any start that is no axis
		}
	}
	points := make([]Point, d.Rows())
	for range principalSteps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		orthonormal(&axes)
		project(points, d, mean, axes)
		for a := range axes {
			clear(axes[a])
		}
		for r, p := range points {
			for j, v := range d.Row(r) {
				c := float64(v) - mean[j]
				axes[0][j] += c * p.X
				axes[1][j] += c * p.Y
			}
		}
	}
	orthonormal(&axes)
	project(points, d, mean, axes)
	return points, nil
}

// principalSteps is how often the directions are multiplied by the covariance.
const principalSteps = 16

// orthonormal makes two directions one long and the second perpendicular to the first, the
// largest part of each positive. A direction that vanishes stays 0.
func orthonormal(axes *[2][]float64) {
	dot := func(a, b []float64) (s float64) {
		for j := range a {
			s += a[j] * b[j]
		}
		return s
	}
	for a := range axes {
		before := dot(axes[a], axes[a])
		if a == 1 {
			along := dot(axes[0], axes[1])
			for j := range axes[1] {
				axes[1][j] -= along * axes[0][j]
			}
		}
		length := dot(axes[a], axes[a])
		if length <= 1e-24*before {
			clear(axes[a])
			continue
		}
		largest := 0
		for j, v := range axes[a] {
			if math.Abs(v) > math.Abs(axes[a][largest]) {
				largest = j
			}
		}
		scale := math.Copysign(1/math.Sqrt(length), axes[a][largest])
		for j := range axes[a] {
			axes[a][j] *= scale
		}
	}
}

// project writes the places of rows along two directions.
func project(points []Point, d *headtrain.Dataset, mean []float64, axes [2][]float64) {
	for r := range points {
		var p Point
		for j, v := range d.Row(r) {
			c := float64(v) - mean[j]
			p.X += c * axes[0][j]
			p.Y += c * axes[1][j]
		}
		points[r] = p
	}
}

// Parameters of the t-SNE: those of scikit-learn, but for fewer steps.
const (
	perplexity   = 30
	exaggeration = 12
	earlySteps   = 250
	lateSteps    = 500
)

// Neighbourly lays rows out in a plane so that rows that are near each other stay so: exact
// t-SNE (van der Maaten and Hinton, Visualizing Data using t-SNE, JMLR 2008), with a
// perplexity of 30 (or a third of the rows, if that is less), begun from [Principal]. The
// same rows give the same points. The time grows with the square of the rows: 1,000 of them
// take some seconds.
func Neighbourly(ctx context.Context, d *headtrain.Dataset) ([]Point, error) {
	points, err := Principal(ctx, d)
	if err != nil || len(points) < 4 {
		return points, err
	}
	p, err := affinities(ctx, d)
	if err != nil {
		return nil, err
	}
	shrink(points)
	return points, descend(ctx, points, p)
}

// shrink makes the spread of points along X 1e-4, where t-SNE begins.
func shrink(points []Point) {
	sum := 0.0
	for _, p := range points {
		sum += p.X * p.X // their mean is 0
	}
	scale := 1.0
	if sum > 0 {
		scale = 1e-4 / math.Sqrt(sum/float64(len(points)))
	}
	for i := range points {
		points[i].X *= scale
		points[i].Y *= scale
	}
}

// affinities are the joint probabilities of pairs of rows, n × n; their sum is 1.
func affinities(ctx context.Context, d *headtrain.Dataset) ([]float64, error) {
	n := d.Rows()
	given := make([]float64, n*n)
	err := parallel.Shares(ctx, n, 1, func(_ context.Context, lo, hi int) error {
		for i := lo; i < hi; i++ {
			row := given[i*n : (i+1)*n]
			for j := range row {
				row[j] = squaredDistance(d.Row(i), d.Row(j))
			}
			toProbabilities(row, i, math.Log(min(perplexity, float64(n-1)/3)))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range n {
		for j := range i {
			v := (given[i*n+j] + given[j*n+i]) / float64(2*n)
			given[i*n+j], given[j*n+i] = v, v
		}
	}
	return given, nil
}

func squaredDistance(a, b []float32) float64 {
	s := 0.0
	for j, v := range a {
		c := float64(v) - float64(b[j])
		s += c * c
	}
	return s
}

// toProbabilities makes of squared distances to row i the probabilities of a Gaussian around
// it, as wide as gives them the entropy.
func toProbabilities(row []float64, i int, entropy float64) {
	nearest := math.Inf(1)
	for j, v := range row {
		if j != i {
			nearest = min(nearest, v)
		}
	}
	probs := make([]float64, len(row))
	beta, low, high := 1.0, 0.0, math.Inf(1)
	for range 100 {
		sum, weighted := 0.0, 0.0
		for j, v := range row {
			probs[j] = 0
			if j != i {
				probs[j] = math.Exp(-beta * (v - nearest))
				sum += probs[j]
				weighted += probs[j] * (v - nearest)
			}
		}
		is := math.Log(sum) + beta*weighted/sum
		for j := range probs {
			probs[j] /= sum
		}
		if math.Abs(is-entropy) < 1e-5 {
			break
		}
		if is > entropy { // too wide
			low = beta
			beta = min(beta*2, (beta+high)/2)
		} else {
			high = beta
			beta = (beta + low) / 2
		}
	}
	copy(row, probs)
}

// descend moves points down the gradient of the divergence of p from their own
// probabilities.
func descend(ctx context.Context, points []Point, p []float64) error {
	n := len(points)
	rate := max(float64(n)/exaggeration/4, 50)
	pulls, pushes, sums := make([]Point, n), make([]Point, n), make([]float64, n)
	speed, gain := make([]Point, n), make([]Point, n)
	for i := range gain {
		gain[i] = Point{1, 1}
	}
	for step := range earlySteps + lateSteps {
		more, momentum := 1.0, 0.8
		if step < earlySteps {
			more, momentum = exaggeration, 0.5
		}
		err := parallel.Shares(ctx, n, 16, func(_ context.Context, lo, hi int) error {
			for i := lo; i < hi; i++ {
				pulls[i], pushes[i], sums[i] = forces(points, p[i*n:(i+1)*n], i)
			}
			return nil
		})
		if err != nil {
			return err
		}
		total := 0.0
		for _, s := range sums {
			total += s
		}
		for i := range points {
			gx := 4 * (more*pulls[i].X - pushes[i].X/total)
			gy := 4 * (more*pulls[i].Y - pushes[i].Y/total)
			move(&speed[i].X, &gain[i].X, gx, rate, momentum)
			move(&speed[i].Y, &gain[i].Y, gy, rate, momentum)
			points[i].X += speed[i].X
			points[i].Y += speed[i].Y
		}
	}
	return nil
}

// forces are what pulls point i towards the others and what pushes it away, and the sum of
// its unnormalised probabilities.
func forces(points []Point, p []float64, i int) (pull, push Point, sum float64) {
	at := points[i]
	for j, other := range points {
		dx, dy := at.X-other.X, at.Y-other.Y
		q := 1 / (1 + dx*dx + dy*dy)
		attract, repel := p[j]*q, q*q
		sum += q
		pull.X += attract * dx
		pull.Y += attract * dy
		push.X += repel * dx
		push.Y += repel * dy
	}
	return pull, push, sum - 1 // of itself
}

// move changes a speed by a gradient, and how much it heeds it: more where it goes on in one
// direction (Jacobs 1988).
func move(speed, gain *float64, gradient, rate, momentum float64) {
	if gradient*(*speed) < 0 {
		*gain += 0.2
	} else {
		*gain = max(*gain*0.8, 0.01)
	}
	*speed = momentum*(*speed) - rate*(*gain)*gradient
}
