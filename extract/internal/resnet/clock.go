package resnet

import "time"

// clock adds up the time of each layer, where a workspace has one.
type clock struct {
	spent []time.Duration // by layer, as Layers lists them
	last  time.Time
}

// start begins a lap.
func (c *clock) start() {
	if c != nil {
		c.last = time.Now()
	}
}

// lap counts the time since the last one as the layer's.
func (c *clock) lap(layer int) {
	if c != nil {
		now := time.Now()
		c.spent[layer] += now.Sub(c.last)
		c.last = now
	}
}

// Profile is Forward; it returns the time of each of Layers.
func (n *Net) Profile(ws *Workspace, features []float32, pixels []uint8, count int) []time.Duration {
	return ws.profile(n, func() { n.Forward(ws, features, pixels, count) })
}

// Profile is Forward; it returns the time of each of Net.Layers.
func (s *Single) Profile(feature []float32, pixels []uint8) []time.Duration {
	return s.ws[0].profile(s.net, func() { s.Forward(feature, pixels) })
}

func (ws *Workspace) profile(n *Net, forward func()) []time.Duration {
	ws.clock = &clock{spent: make([]time.Duration, len(n.layers))}
	defer func() { ws.clock = nil }()
	forward()
	return ws.clock.spent
}
