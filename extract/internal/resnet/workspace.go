package resnet

import (
	"unsafe"

	"icebox/extract/internal/kernel"
)

// Workspace is the scratch memory of one worker. Memory that small batches do not
// need is not touched by them.
type Workspace struct {
	v       planes    // before the product
	m       []float32 // planes after it
	scratch []float32
	strip   []float32
	ring    []float32
	x, y    [4]grid // by stage: what its blocks add to, and what is between their convolutions
	clock   *clock
}

// NewWorkspace returns scratch memory for Forward; one call at a time may use it.
func (n *Net) NewWorkspace() *Workspace { return n.workspace(group) }

// workspace returns scratch memory for so many images.
func (n *Net) workspace(images int) *Workspace {
	v, m := n.planesLen()
	sizes := []int{v, m, kernel.ScratchLen, stripRows * stripPitch * stemChannels, ringRows * ringPitch * stemOutputs}
	for _, s := range stageGrids {
		sizes = append(sizes, s.x.len(images), s.y.len(images))
	}
	parts := arena(sizes)
	ws := &Workspace{v: newPlanes(parts[0]), m: parts[1], scratch: parts[2], strip: parts[3], ring: parts[4]}
	for i, s := range stageGrids {
		ws.x[i], ws.y[i] = s.x.on(parts[5+2*i]), s.y.on(parts[6+2*i])
	}
	return ws
}

// gridShape is a number of images of a stage.
type gridShape struct {
	stageShape
	images int
}

func (g gridShape) len(most int) int { return min(g.images, most) * g.pitch * g.pitch * g.channels }

func (g gridShape) on(data []float32) grid { return grid{data, g.pitch, g.channels} }

// stageGrids says how many images each stage's buffers hold: stage 1 hands a whole
// group on to stage 2.
var stageGrids = [4]struct{ x, y gridShape }{
	{gridShape{stageShapes[0], 1}, gridShape{stageShapes[0], 1}},
	{gridShape{stageShapes[1], group}, gridShape{stageShapes[1], 1}},
	{gridShape{stageShapes[2], group}, gridShape{stageShapes[2], group}},
	{gridShape{stageShapes[3], group}, gridShape{stageShapes[3], group}},
}

// newPlanes returns V in some memory.
func newPlanes(memory []float32) planes {
	return planes{memory, unsafe.Slice((*uint16)(unsafe.Pointer(&memory[0])), 2*len(memory))}
}

// planesLen returns the lengths of V, in floats, and M that suffice for every convolution.
func (n *Net) planesLen() (v, m int) {
	v = kernel.F44.Planes() * stemPlaneV
	m = kernel.F44.Planes() * stemPlaneM
	for i := range n.blocks {
		for _, c := range []*conv{&n.blocks[i].conv1, &n.blocks[i].conv2} {
			in, out := c.planeLens(c.tiles, c.out)
			if c.weights.element == bf16 {
				in /= 2
			}
			v, m = max(v, c.scheme.Planes()*in), max(m, c.scheme.Planes()*out)
		}
	}
	return v, m
}

// arena returns zeroed slices of the given lengths, each aligned to a cache line.
func arena(sizes []int) [][]float32 {
	const line = 16
	total := line
	for _, n := range sizes {
		total += (n + line - 1) / line * line
	}
	memory := make([]float32, total)
	if over := uintptr(unsafe.Pointer(&memory[0])) / 4 % line; over > 0 {
		memory = memory[line-over:]
	}
	parts := make([][]float32, len(sizes))
	for i, n := range sizes {
		parts[i] = memory[:n:n]
		memory = memory[(n+line-1)/line*line:]
	}
	return parts
}
