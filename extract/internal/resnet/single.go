package resnet

import "icebox/extract/internal/kernel"

// Single computes one image at a time with several processors. The feature is, bit
// by bit, that of Net.Forward.
type Single struct {
	net                               *Net
	team                              *team
	ws                                []*Workspace // by worker; the images are those of the first
	pixels                            []uint8
	step                              step
	stem, down, tiles, input, columns func(worker, item int) // made once: an image allocates nothing
}

// step is what the team does at the moment.
type step struct {
	conv     *conv
	down     *downsample
	src, dst grid
	residual bool
	items    int
}

// NewSingle returns a Single of so many threads. Close ends them.
func (n *Net) NewSingle(threads int) *Single {
	s := &Single{net: n, team: newTeam(threads), ws: []*Workspace{n.workspace(1)}}
	for range s.team.workers {
		s.ws = append(s.ws, n.workspace(0))
	}
	s.stem, s.down, s.tiles, s.input, s.columns = s.doStem, s.doDown, s.doTiles, s.doInput, s.doColumns
	return s
}

// Net returns the network.
func (s *Single) Net() *Net { return s.net }

// Close ends the threads. Forward may not be running.
func (s *Single) Close() { s.team.close() }

// Forward writes the feature (Dim) of an image (PixelBytes). One call at a time.
func (s *Single) Forward(feature []float32, pixels []uint8) {
	ws := s.ws[0]
	ws.clock.start()
	s.convolutions(pixels)
	average(feature, ws.x[3])
	ws.clock.lap(len(s.net.layers) - 1)
}

// Grid writes what Forward averages (GridLen); see Net.Grid. One call at a time.
func (s *Single) Grid(cells []float32, pixels []uint8) {
	s.convolutions(pixels)
	gather(cells[:GridLen], s.ws[0].x[3])
}

// convolutions is Net.convolutions for one image.
func (s *Single) convolutions(pixels []uint8) {
	s.pixels = pixels
	s.run(s.team.size(), s.stem)
	s.pixels = nil
	s.ws[0].clock.lap(0)
	for i := range s.net.blocks {
		s.block(&s.net.blocks[i])
	}
}

// run does a part of the step, cut into items.
func (s *Single) run(items int, part func(worker, item int)) {
	s.step.items = items
	s.team.run(items, part)
}

// block is Net.block for one image.
func (s *Single) block(k *block) {
	ws := s.ws[0]
	x, y := ws.x[k.stage], ws.y[k.stage]
	from := x
	if d := k.down; d != nil {
		from = ws.x[k.stage-1]
		s.step = step{down: d, src: from, dst: x}
		s.run(min(d.side, s.team.size()), s.down)
		ws.clock.lap(k.layer + 2)
	}
	s.step = step{conv: &k.conv1, src: from, dst: y}
	s.convolve()
	ws.clock.lap(k.layer)
	s.step = step{conv: &k.conv2, src: y, dst: x, residual: true}
	s.convolve()
	ws.clock.lap(k.layer + 1)
}

// convolve shares out the tiles where there are enough of them to fill the registers
// of every worker; else the tiles on their way in, then the output channels, so that
// no two workers read the same weights.
func (s *Single) convolve() {
	c, size := s.step.conv, s.team.size()
	total := c.across() * c.across()
	if total > c.tiles || total >= size*kernel.Rows(s.net.isa) {
		chunks := (total + c.tiles - 1) / c.tiles
		s.run((chunks+size-1)/size*size, s.tiles)
		return
	}
	s.run(min(total, size), s.input)
	s.run(min(c.out/s.width(), size), s.columns)
}

// width is the least number of output channels of a share.
func (s *Single) width() int { return max(kernel.Panel(s.net.isa), kernel.Lane) }

// share returns the part of n that falls to item i.
func (s *step) share(n, i int) (from, to int) { return n * i / s.items, n * (i + 1) / s.items }

func (s *Single) doStem(worker, i int) {
	from, to := s.step.share(stemTiles, i)
	s.net.stem.run(s.net.isa, s.ws[worker], s.ws[0].x[0], s.pixels, from, to)
}

func (s *Single) doDown(worker, i int) {
	from, to := s.step.share(s.step.down.side, i)
	s.step.down.run(s.net.isa, s.ws[worker], s.step.src, s.step.dst, 1, from, to)
}

func (s *Single) doTiles(worker, i int) {
	c := s.step.conv
	from, to := s.step.share(c.across()*c.across(), i)
	k := c.chunk(s.net.isa, s.ws[worker], from, to)
	k.input(s.step.src, from, to)
	k.multiply()
	k.output(s.step.dst, s.step.residual)
}

// whole returns the chunk of all tiles, whose V is the first worker's.
func (s *Single) whole(worker int) chunk {
	c := s.step.conv
	k := c.chunk(s.net.isa, s.ws[worker], 0, c.across()*c.across())
	k.v = s.ws[0].v
	return k
}

func (s *Single) doInput(worker, i int) {
	k := s.whole(worker)
	from, to := s.step.share(k.hi, i)
	k.input(s.step.src, from, to)
}

func (s *Single) doColumns(worker, i int) {
	k := s.whole(worker)
	from, to := s.step.share(k.out/s.width(), i)
	k.first, k.columns = from*s.width(), (to-from)*s.width()
	k.multiply()
	k.output(s.step.dst, s.step.residual)
}
