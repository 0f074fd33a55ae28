package headtrain

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/team"
)

// lbfgs minimises the mean loss over all training rows plus
// weight_decay/2·‖W‖², biases not counted, by L-BFGS with a line search. That is
// what scikit-learn's LogisticRegression does, where C is 1/(weight_decay·rows).
// The gradient of a panel of rows is float32; their sum and all else is float64.
type lbfgs struct {
	s *stack
	f *fit

	penalty   []float64 // by feature: the factor of its weight's square in ‖W‖²
	x, g, dir []float64 // the point, its gradient and the way down; laid out as the weights
	loss      float64   // the objective at x, penalty included
	steps     []taken   // the last steps, oldest first
	dot       func(a, b []float64) float64
	pre       *preconditioner // nil is the unit matrix

	tolerance float64     // of the gradient
	share     float64     // twice what a step must gain for the head to go on, see Path.Tolerance; 0 is anything
	start     float64     // the loss with weights of 0
	weight    float64     // of the rows in sum
	sum       tally       // of the training rows, at the point that was looked at last
	spare     [][]float64 // vectors for use, of any values
}

// taken is a step and the change of the gradient along it.
type taken struct {
	s, y []float64
	rho  float64 // 1/(s·y)
}

// LBFGSTolerance is the largest value that the gradient may have for "lbfgs" to
// say that it converged.
const LBFGSTolerance = 1e-7

const (
	lbfgsMemory   = 10      // steps remembered
	lbfgsTries    = 25      // of a line search
	mostMapped    = 1 << 26 // values of mapped rows that are kept from pass to pass: 256 MiB
	lossNoise     = 1e-7    // how much rounding may change a loss of 1 or less
	tinyLoss      = 1e-4    // shares of less than this do not matter; without decay a loss may fall for ever
	armijo, wolfe = 1e-4, 0.9
)

// newLBFGS starts at weights of 0.
func newLBFGS(s *stack) *lbfgs {
	f, n := s.heads[0], len(s.params)
	m := &lbfgs{s: s, f: f, penalty: s.condition(f.options), x: make([]float64, n), g: make([]float64, n), dir: make([]float64, n), dot: dot}
	for _, r := range s.train.Rows {
		s.counts[s.train.Labels[r]]++
	}
	m.tolerance = LBFGSTolerance
	f.batchWeight = f.objective.setBatch(s.counts)
	if s.mapped.train == nil {
		n := s.workersNow()
		s.mapped = mapped{mapRows(s.isa, s.train, s.input, s.team, n), mapRows(s.isa, s.val, s.input, s.team, n)}
	}
	return m
}

// mapRows maps the rows of a set, in its order and a stride apart, up to whole blocks. It
// returns nil for no set, and where that takes too much memory.
func mapRows(isa kernel.ISA, set *labelled.Set, in affine.Map, t *team.Team, workers int) []float32 {
	if set == nil {
		return nil
	}
	n, stride := kernel.RoundUp(len(set.Rows)), kernel.Stride(set.Dim)
	if n*stride > mostMapped {
		return nil
	}
	x := make([]float32, n*stride)
	t.Run(workers, n/kernel.Block, func(_, block int) {
		var rows kernel.Rows
		locate(&rows, set, set.Rows, block*kernel.Block)
		isa.Gather(x[block*kernel.Block*stride:], stride, set.Dim, &rows, in.AffineMap)
	})
	return x
}

// runLBFGS is run for the one head of a stack that L-BFGS trains. An epoch is an
// iteration.
func (s *stack) runLBFGS(ctx context.Context, to *fitting) error {
	m, f := newLBFGS(s), s.heads[0]
	if to.job.Tolerance > 0 {
		m.tolerance, m.dot = to.job.Tolerance, dotByFours
	}
	if to.job.From != nil {
		m.begin(to.job.From)
	} else if m.pre = newPreconditioner(ctx, s, m.penalty); m.pre != nil {
		m.pre.setDecay(f.options.WeightDecay)
	}
	var err error
	if m.loss, err = m.at(ctx, m.x, m.g); err != nil {
		return err
	}
	for epoch := 1; ; epoch++ {
		start := time.Now()
		stopped, err := m.iterate(ctx)
		if err != nil {
			return err
		}
		f.trained(epoch)
		ends := stopped != "" || epoch == f.options.Epochs
		if s.val != nil && f.err == nil && (ends || to.job.Tolerance == 0 || f.best != nil) {
			if err := s.evaluate(ctx, s.val, 0); err != nil {
				return err
			}
			f.validated()
		}
		over := f.finished() || stopped != ""
		if f.err == nil {
			f.history[epoch-1].Seconds = time.Since(start).Seconds()
			to.epoch(f.index, f.history[epoch-1])
		}
		if over {
			if stopped != "" && f.stopped != StoppedEarly {
				f.stopped = stopped
			}
			f.gradient = largest(m.g)
			return s.retire(ctx, []bool{true}, to)
		}
	}
}

// begin goes to the weights of a head, on mapped features; the weights of classes that it
// has not stay 0.
func (m *lbfgs) begin(h *Head) {
	s := m.s
	if h.Dim != s.dim {
		return
	}
	for c, name := range s.train.Classes {
		from := slices.Index(h.Classes, name)
		if from < 0 {
			continue
		}
		x, bias := m.x[c*s.stride:], float64(h.B[from])
		for j, w := range h.W[from*h.Dim : (from+1)*h.Dim] {
			bias += float64(float64(w) * float64(s.input.Mean[j]))
			if scale := float64(s.input.Scale[j]); scale > 0 {
				x[j] = float64(w) / scale
			}
		}
		x[s.dim] = bias
	}
}

// condition maps the features so that the objective curves about alike along each
// of them, and returns the factors of their weights' squares in ‖W‖². It standardises
// them, with a smaller scale where there is weight decay. The optimum stays the
// same, since the factors make weight decay that of weights on the features that
// Input gives. Without this, raw features would take thousands of steps, the last of
// them too short for a loss in float32 to change.
func (s *stack) condition(o Options) (penalty []float64) {
	penalty = make([]float64, s.dim)
	if o.Input == InputStandardise {
		for j := range penalty {
			penalty[j] = 1
		}
		return penalty
	}
	c := s.shared
	if c.train == nil {
		c = unscaledAndMoments(s.train, s.val, s.team)
	}
	s.train, s.val = c.train, c.val
	// A new map, since the view's one belongs to other stacks too.
	s.input, s.mapped = affine.Zero(s.dim), mapped{}
	k := float64(s.classes)
	curve := max(1, k-1) / (k * k) // p·(1-p) with all weights 0
	for j, v := range c.std {
		scale := min(1/math.Sqrt(float64(v*v)+o.WeightDecay/curve), math.MaxFloat32)
		s.input.Mean[j], s.input.Scale[j] = float32(c.mean[j]), float32(scale)
		penalty[j] = float64(s.input.Scale[j]) * float64(s.input.Scale[j])
	}
	return penalty
}

// unscaled returns a copy of the labelled rows with their factors multiplied in, or s
// itself if it has none or is nil.
func unscaled(s *labelled.Set) *labelled.Set {
	if s == nil || !s.Scaled() {
		return s
	}
	n := len(s.Rows)
	m := &labelled.Matrix{X: NewFeatures(n * s.Dim), Dim: s.Dim, Labels: make([]int32, n), Classes: s.Classes}
	for i, r := range s.Rows {
		m.Labels[i] = s.Labels[r]
		row, factor := m.Row(i), s.Scale(r)
		for j, v := range s.Row(int(r)) {
			row[j] = v * factor
		}
	}
	return labelled.Of(m)
}

// at returns the objective at x and writes its gradient to g. The weights of the
// head become x.
func (m *lbfgs) at(ctx context.Context, x, g []float64) (float64, error) {
	s, f := m.s, m.f
	m.place(x)
	clear(g)
	f.sum, f.weight = tally{}, f.batchWeight
	rows := s.train.Rows
	for at := 0; at < len(rows); at += panelRows {
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("training stopped in epoch %d: %w", len(f.history)+1, err)
		}
		end := min(at+panelRows, len(rows))
		s.task.fresh, s.task.last, s.task.upcoming = true, false, rows[end:]
		s.onMapped(s.mapped.train, at, func() { s.learn(rows[at:end]) })
		for i, v := range s.grad {
			g[i] += float64(v)
		}
	}
	m.sum, m.weight = f.sum, f.weight
	loss, decay := f.sum.loss/f.weight, f.options.WeightDecay
	for c := range s.classes {
		for j := c * s.stride; j < c*s.stride+s.dim; j++ {
			w := float64(m.penalty[j-c*s.stride] * x[j])
			loss += float64(decay / 2 * float64(w*x[j]))
			g[j] += float64(decay * w)
		}
	}
	return loss, nil
}

// place makes x the weights of the head.
func (m *lbfgs) place(x []float64) {
	for i, v := range x {
		m.s.params[i] = float32(v)
	}
}

// iterate takes one step. If it is the last one, or if there is none to take, it
// returns why, as a value of Result.Stopped.
func (m *lbfgs) iterate(ctx context.Context) (stopped string, err error) {
	if largest(m.g) <= m.tolerance {
		return StoppedConverged, nil // there was nothing to do
	}
	for {
		m.direct()
		slope := m.dot(m.g, m.dir)
		if m.share > 0 && -slope <= float64(m.share*min(max(m.loss, tinyLoss), m.start-m.loss)) {
			return StoppedConverged, nil
		}
		found, err := m.search(ctx, slope)
		switch {
		case err != nil:
			return "", err
		case found && largest(m.g) <= m.tolerance:
			return StoppedConverged, nil
		case found:
			return "", nil
		case len(m.steps) == 0:
			// Bring back the sums at the point; those of the last try are in their place.
			_, err = m.at(ctx, m.x, m.g)
			return StoppedStalled, err
		}
		m.steps = nil // begin again along the gradient: the steps mislead
	}
}

// search goes along dir, where the objective has a slope, to a point that is lower by
// enough and not too near, and reports whether it found one. Once a step changes the loss
// by no more than rounding does, the slope tells which point is lower (the approximate
// Wolfe conditions of Hager and Zhang).
func (m *lbfgs) search(ctx context.Context, slope float64) (found bool, err error) {
	t, low, high := 1.0, 0.0, math.Inf(1)
	if len(m.steps) == 0 && m.pre == nil {
		t = min(1, 1/math.Sqrt(-slope))
	}
	x, g := m.vector(), m.vector()
	for range lbfgsTries {
		for i, v := range m.x {
			x[i] = v + float64(t*m.dir[i])
		}
		loss, err := m.at(ctx, x, g)
		if err != nil {
			return false, err
		}
		there := m.dot(g, m.dir)
		lower := loss <= m.loss+float64(armijo*t*slope) ||
			loss <= m.loss+float64(lossNoise*max(1, m.loss)) && there <= float64((2*armijo-1)*slope)
		switch {
		case !lower:
			high = t
		case there < float64(wolfe*slope):
			low = t
		default:
			m.f.lr = t
			m.move(x, g, loss)
			return true, nil
		}
		if t = 2 * low; !math.IsInf(high, 1) {
			t = (low + high) / 2
		}
	}
	m.spare = append(m.spare, x, g)
	return false, nil
}

// vector returns a vector as long as the weights, of any values.
func (m *lbfgs) vector() []float64 {
	n := len(m.spare)
	if n == 0 {
		return make([]float64, len(m.x))
	}
	v := m.spare[n-1]
	m.spare = m.spare[:n-1]
	return v
}

// direct sets dir to the direction that L-BFGS takes from x.
func (m *lbfgs) direct() {
	d := m.dir
	for i, v := range m.g {
		d[i] = -v
	}
	alpha := make([]float64, len(m.steps))
	for i := len(m.steps) - 1; i >= 0; i-- {
		p := m.steps[i]
		alpha[i] = float64(p.rho * m.dot(p.s, d))
		addScaled(d, -alpha[i], p.y)
	}
	if m.pre != nil {
		m.pre.apply(d)
	}
	if n := len(m.steps); n > 0 {
		p := m.steps[n-1]
		scale := 1 / float64(p.rho*m.square(p.y))
		for i := range d {
			d[i] *= scale
		}
	}
	for i, p := range m.steps {
		addScaled(d, alpha[i]-float64(p.rho*m.dot(p.y, d)), p.s)
	}
}

// square returns yᵀy, measured by the preconditioner where there is one.
func (m *lbfgs) square(y []float64) float64 {
	if m.pre != nil {
		return m.pre.solve(y)
	}
	return m.dot(y, y)
}

// move goes to x, and takes over x and g. It remembers the step if the gradient grew along
// it, as it does where the objective curves upwards.
func (m *lbfgs) move(x, g []float64, loss float64) {
	p := taken{s: m.vector(), y: m.vector()}
	for i := range x {
		p.s[i], p.y[i] = x[i]-m.x[i], g[i]-m.g[i]
	}
	if sy := m.dot(p.s, p.y); sy > 1e-12*m.dot(p.y, p.y) {
		p.rho = 1 / sy
		if len(m.steps) == lbfgsMemory {
			m.spare = append(m.spare, m.steps[0].s, m.steps[0].y)
			copy(m.steps, m.steps[1:])
			m.steps = m.steps[:lbfgsMemory-1]
		}
		m.steps = append(m.steps, p)
	} else {
		m.spare = append(m.spare, p.s, p.y)
	}
	m.spare = append(m.spare, m.x, m.g)
	m.x, m.g, m.loss = x, g, loss
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}

// dotByFours is dot in four sums at once, which takes a third of the time, since an
// addition need not wait for the one before it. Heads that are kept are trained with dot,
// whose order is part of what they are.
func dotByFours(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += float64(a[i] * b[i])
		s1 += float64(a[i+1] * b[i+1])
		s2 += float64(a[i+2] * b[i+2])
		s3 += float64(a[i+3] * b[i+3])
	}
	return (s0 + s1) + (s2 + s3) + dot(a[i:], b[i:])
}

func addScaled(a []float64, factor float64, b []float64) {
	a = a[:len(b)]
	for i, v := range b {
		a[i] += float64(factor * v)
	}
}

func largest(a []float64) float64 {
	most := 0.0
	for _, v := range a {
		most = max(most, math.Abs(v))
	}
	return most
}
