package headtrain

// schedule gives the learning rate of each step. The formulas are PyTorch's:
// LinearLR for the warm-up, then CosineAnnealingLR, StepLR or OneCycleLR over the
// steps that remain, moved on once a batch.
type schedule struct {
	kind     string
	lr       float64 // the peak
	warm     int     // steps of warm-up
	steps    int     // steps after it
	stepSize int     // steps between two cuts of "step"
	factor   float64 // each cut of "step"
}

// The shape of "onecycle": the rate climbs from lr/25 over the first 30 % of
// the steps, then falls to lr/250,000.
const (
	oneCycleRise  = 0.3
	oneCycleStart = 1.0 / 25
	oneCycleEnd   = oneCycleStart / 1e4
)

func newSchedule(o Options, stepsPerEpoch int) schedule {
	return schedule{
		kind: o.Schedule, lr: o.LR,
		warm:     o.Warmup * stepsPerEpoch,
		steps:    (o.Epochs - o.Warmup) * stepsPerEpoch,
		stepSize: o.StepEpochs * stepsPerEpoch,
		factor:   o.StepFactor,
	}
}

// rate returns the learning rate of a step, counted from 0.
func (s schedule) rate(step int) float64 {
	if step < s.warm {
		return s.lr * float64(step+1) / float64(s.warm)
	}
	step -= s.warm
	switch s.kind {
	case ScheduleCosine:
		return anneal(s.lr, 0, float64(step)/float64(s.steps))
	case ScheduleStep:
		lr := s.lr
		for range step / s.stepSize {
			lr *= s.factor
		}
		return lr
	case ScheduleOneCycle:
		return s.oneCycle(float64(step))
	default:
		return s.lr
	}
}

func (s schedule) oneCycle(step float64) float64 {
	top := float64(oneCycleRise*float64(s.steps)) - 1
	end := float64(s.steps) - 1
	if step <= top {
		return anneal(float64(s.lr*oneCycleStart), s.lr, step/top)
	}
	// A run too short to climb starts on the way down.
	top = max(top, 0)
	return anneal(s.lr, float64(s.lr*oneCycleEnd), (step-top)/max(end-top, 1))
}

// anneal goes from one rate to another along half a cosine, at t of the way.
func anneal(from, to, t float64) float64 {
	return to + float64((from-to)/2*(1+cosPi(t)))
}
