package resnet

import "icebox/extract/internal/kernel"

// Single computes one image at a time with several processors. The feature is, bit
// by bit, that of Net.Forward.
type Single struct {
	net  *Net
	team *team
	ws   []*Workspace // by worker; the images are those of the first
}

// NewSingle returns a Single of so many threads. Close ends them.
func (n *Net) NewSingle(threads int) *Single {
	s := &Single{net: n, team: newTeam(threads), ws: []*Workspace{n.workspace(1)}}
	for range s.team.workers {
		s.ws = append(s.ws, n.workspace(0))
	}
	return s
}

// Net returns the network.
func (s *Single) Net() *Net { return s.net }

// Close ends the threads. Forward may not be running.
func (s *Single) Close() { s.team.close() }

// Forward writes the feature (Dim) of an image (PixelBytes). One call at a time.
func (s *Single) Forward(feature []float32, pixels []uint8) {
	n, ws := s.net, s.ws[0]
	ws.clock.start()
	bands := s.team.size()
	s.team.run(bands, func(worker, i int) {
		n.stem.run(n.isa, s.ws[worker], ws.x[0], pixels, stemTiles*i/bands, stemTiles*(i+1)/bands)
	})
	ws.clock.lap(0)
	for i := range n.blocks {
		s.block(&n.blocks[i])
	}
	average(feature, ws.x[3])
	ws.clock.lap(len(n.layers) - 1)
}

// block is Net.block for one image.
func (s *Single) block(k *block) {
	ws := s.ws[0]
	x, y := ws.x[k.stage], ws.y[k.stage]
	from := x
	if d := k.down; d != nil {
		from = ws.x[k.stage-1]
		parts := min(d.side, s.team.size())
		s.team.run(parts, func(_, i int) { d.run(s.net.isa, from, x, 1, d.side*i/parts, d.side*(i+1)/parts) })
		ws.clock.lap(k.layer + 2)
	}
	s.conv(&k.conv1, from, y, false)
	ws.clock.lap(k.layer)
	s.conv(&k.conv2, y, x, true)
	ws.clock.lap(k.layer + 1)
}

// conv shares out the tiles where there are enough of them to fill the registers of
// every worker; else the tiles on their way in, then the output channels, so that
// no two workers read the same weights.
func (s *Single) conv(c *conv, src, dst grid, residual bool) {
	isa, size := s.net.isa, s.team.size()
	total := c.across() * c.across()
	if total > c.tiles || total >= size*isa.Rows() {
		chunks := (total + c.tiles - 1) / c.tiles
		chunks = (chunks + size - 1) / size * size
		s.team.run(chunks, func(worker, i int) {
			k := c.chunk(isa, s.ws[worker], total*i/chunks, total*(i+1)/chunks)
			k.input(src, k.lo, k.hi)
			k.multiply()
			k.output(dst, residual)
		})
		return
	}
	part := func(worker int) chunk {
		k := c.chunk(isa, s.ws[worker], 0, total)
		k.v = s.ws[0].v
		return k
	}
	parts := min(total, size)
	s.team.run(parts, func(worker, i int) {
		k := part(worker)
		k.input(src, total*i/parts, total*(i+1)/parts)
	})
	width := max(isa.Panel(), kernel.Lane)
	panels := c.out / width
	shares := min(panels, 2*size)
	s.team.run(shares, func(worker, i int) {
		k := part(worker)
		k.first = panels * i / shares * width
		k.columns = panels*(i+1)/shares*width - k.first
		k.multiply()
		k.output(dst, residual)
	})
}
