//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// planVersion changes when the order of operations that a plan's text stands for does.
const planVersion = 1

// planKey is what the choice of algorithms depends on.
type planKey struct {
	gpu, driver, precision string
	batch                  int
}

// plans remembers choices for the life of the process: measuring again could choose
// otherwise.
var plans struct {
	sync.Mutex
	of map[planKey][]algorithm
}

// Measuring: a candidate runs once to warm up, then in rounds of which the quickest
// counts. cuDNN's favourite stays unless another is better by more than noise.
var (
	planRounds  = 3
	planRepeats = 4
)

const planMargin = 0.95

// choose sets the algorithms of all convolutions: those remembered for key, or else
// the quickest on s. It takes the workspace, at most most bytes.
func (n *net) choose(key planKey, s stream, most uintptr) error {
	plans.Lock()
	defer plans.Unlock()
	if known := plans.of[key]; known != nil {
		return n.adopt(known)
	}
	lists := make([][]algorithm, len(n.convs))
	for i, c := range n.convs {
		all, err := n.candidates(c)
		if err != nil {
			return err
		}
		if lists[i], err = n.affordable(c, all, most); err != nil {
			return err
		}
	}
	if err := n.takeSpace(); err != nil {
		return err
	}
	seen := map[string]algorithm{}
	chosen := make([]algorithm, len(n.convs))
	for i, c := range n.convs {
		like := fmt.Sprint(c.in, c.out, c.taps, c.stride, c.residual, c.plain)
		a, ok := seen[like]
		if !ok {
			var err error
			if a, err = n.quickest(c, lists[i], s); err != nil {
				return err
			}
			seen[like] = a
		}
		c.algo, chosen[i] = a, a
	}
	if plans.of == nil {
		plans.of = map[planKey][]algorithm{}
	}
	plans.of[key] = chosen
	return nil
}

// adopt sets algorithms chosen before, and takes the workspace that they need.
func (n *net) adopt(chosen []algorithm) error {
	for i, c := range n.convs {
		c.algo = chosen[i]
		if _, err := n.affordable(c, chosen[i:i+1], ^uintptr(0)); err != nil {
			return err
		}
	}
	return n.takeSpace()
}

// affordable keeps the algorithms whose workspace is not more than most, and lets
// the net's grow to what they need.
func (n *net) affordable(c *conv, all []algorithm, most uintptr) ([]algorithm, error) {
	var list []algorithm
	var first error
	for _, a := range all {
		var bytes uintptr
		s := n.cudnn.getConvWorkspace(n.handle, c.xDesc, c.wDesc, c.convDesc, c.yDesc, a, &bytes)
		if err := n.said(c, "cudnnGetConvolutionForwardWorkspaceSize", s); err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		if bytes <= most {
			list = append(list, a)
			n.spaceBytes = max(n.spaceBytes, bytes)
		}
	}
	if len(list) == 0 && first == nil {
		first = fmt.Errorf("%v, batch %d: %w", c, n.batch, errNoSpace)
	}
	if len(list) > 0 {
		first = nil
	}
	return list, first
}

// errNoSpace is like a call that ran out of memory: a smaller batch may do.
var errNoSpace error = &noSpace{}

type noSpace struct{}

func (*noSpace) Error() string {
	return "the GPU has too little free memory for any algorithm's workspace"
}
func (*noSpace) outOfMemory() bool { return true }

func (n *net) takeSpace() (err error) {
	if n.spaceBytes > 0 {
		n.space, err = n.own.memory(n.spaceBytes)
	}
	return err
}

// quickest times the candidates and passes over those that cannot do it after all.
func (n *net) quickest(c *conv, list []algorithm, s stream) (algorithm, error) {
	var best algorithm
	var bestTime time.Duration
	var refused error
	for _, a := range list {
		t, err := n.time(c, a, s)
		if unsupported(err) {
			refused = errors.Join(refused, err)
			continue
		}
		if err != nil {
			return 0, err
		}
		if bestTime == 0 || float64(t) < planMargin*float64(bestTime) {
			best, bestTime = a, t
		}
	}
	if bestTime == 0 {
		return 0, refused
	}
	return best, nil
}

// unsupported reports whether cuDNN said that it has no such combination.
func unsupported(err error) bool {
	var e *cudnnError
	return errors.As(err, &e) && (e.status >= 2000 && e.status < 4000)
}

func (n *net) time(c *conv, a algorithm, s stream) (time.Duration, error) {
	run := func(times int) error {
		for range times {
			if err := n.convolve(c, a); err != nil {
				return err
			}
		}
		if err := n.driver.check("cuStreamSynchronize", n.driver.streamSynchronize(s)); err != nil {
			return fmt.Errorf("%v, batch %d, algorithm %d: %w", c, n.batch, a, err)
		}
		return nil
	}
	shortest := time.Duration(1<<63 - 1)
	err := run(1)
	for round := 0; round < planRounds && err == nil; round++ {
		start := time.Now()
		err = run(planRepeats)
		shortest = min(shortest, max(time.Since(start), 1))
	}
	return shortest, err
}

// text names the plan: layout, batch, and the algorithm of each convolution.
func (n *net) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "nhwc-%d-", n.batch)
	for _, c := range n.convs {
		b.WriteByte('0' + byte(c.algo))
	}
	return b.String()
}
