package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"icebox/headtrain"
)

// learner is one head in training: its graph, compiled, and the solver.
type learner struct {
	plan    *headtrain.Plan
	net     *net
	machine gorgonia.VM
	solver  *solver
}

func newLearner(p *headtrain.Plan) (l *learner, err error) {
	defer rescue(&err)
	n, err := newNet(p)
	if err != nil {
		return nil, fmt.Errorf("gorgonia: the graph of a head: %w", err)
	}
	return &learner{
		plan: p, net: n, solver: newSolver(p.Options, n.params),
		machine: gorgonia.NewTapeMachine(n.graph, gorgonia.BindDualValues(n.params...)),
	}, nil
}

func (l *learner) Step(rows []int32, lr float64) (j headtrain.Judged, err error) {
	defer rescue(&err)
	weight := l.net.load(l.plan, rows)
	loss, err := l.run()
	if err != nil {
		return j, err
	}
	j = headtrain.Judged{Loss: float64(loss), Weight: weight, Hits: l.net.hits(l.plan, rows)}
	if err := l.solver.step(lr); err != nil {
		return j, fmt.Errorf("gorgonia: a step of %s: %w", l.plan.Options.Optimizer, err)
	}
	return j, nil
}

// run computes the loss of the loaded batch, and the gradients.
func (l *learner) run() (loss float32, err error) {
	l.machine.Reset()
	if err := l.machine.RunAll(); err != nil {
		return 0, fmt.Errorf("gorgonia: running the graph: %w", err)
	}
	return scalar(l.net.loss)
}

func (l *learner) Layers() (layers []headtrain.Layer, err error) {
	defer rescue(&err)
	return l.net.layers()
}

func (l *learner) Close() error { return l.machine.Close() }

// rescue turns a panic into an error. gorgonia panics on shapes that do not fit.
func rescue(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("gorgonia: %v", p)
	}
}
