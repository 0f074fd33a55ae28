//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"icebox/extract"
)

// planVersion changes when a plan's text comes to stand for another order of
// operations.
const planVersion = 1

// planKey is what the choice of algorithms depends on.
type planKey struct {
	gpu, driver, precision string
	batch                  int
}

func (k planKey) String() string {
	return fmt.Sprintf("%s/%s/%s/%d/%d", k.gpu, k.driver, k.precision, k.batch, planVersion)
}

// plans remembers choices for the life of the process, because measuring again could
// choose otherwise. A Memo remembers them for longer.
var plans planMemory

type planMemory struct {
	sync.Mutex
	of map[planKey][]algorithm
}

func (m *planMemory) keep(key planKey, chosen []algorithm) {
	if m.of == nil {
		m.of = map[planKey][]algorithm{}
	}
	m.of[key] = chosen
}

// How candidates are timed: each runs once to warm up, then in rounds, of which the
// quickest counts. The one that cuDNN prefers stays unless another is quicker by more
// than noise.
var (
	planRounds  = 3
	planRepeats = 4
)

const planMargin = 0.95

// choose sets the algorithms of all convolutions: those remembered for key, or else
// the quickest on s. It takes the workspace, at most most bytes.
func (n *net) choose(key planKey, s stream, most uintptr, memo extract.Memo) error {
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
	if kept, ok := memo.Recall(key.String()); ok {
		if known := n.parse(kept, lists); known != nil {
			plans.keep(key, known)
			return n.adopt(known)
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
	plans.keep(key, chosen)
	memo.Keep(key.String(), n.text())
	return nil
}

// parse reads a plan's text; it returns nil if that is not of this network, or has an
// algorithm that is not among those offered, as after an update of cuDNN.
func (n *net) parse(text string, offered [][]algorithm) []algorithm {
	digits, ok := strings.CutPrefix(text, n.prefix())
	if !ok || len(digits) != len(n.convs) {
		return nil
	}
	var known []algorithm
	for i, digit := range []byte(digits) {
		a := algorithm(digit) - '0'
		if !slices.Contains(offered[i], a) {
			return nil
		}
		known = append(known, a)
	}
	return known
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

// affordable keeps the algorithms that need at most most bytes of workspace, and
// raises the net's own workspace to what they need.
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

// errNoSpace counts as a call that ran out of memory: a smaller batch may do.
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

// quickest times the candidates and leaves out those that turn out not to work.
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

func (n *net) prefix() string { return fmt.Sprintf("nhwc-%d-", n.batch) }

// text names the plan: layout, batch, and the algorithm of each convolution.
func (n *net) text() string {
	var b strings.Builder
	b.WriteString(n.prefix())
	for _, c := range n.convs {
		b.WriteByte('0' + byte(c.algo))
	}
	return b.String()
}
