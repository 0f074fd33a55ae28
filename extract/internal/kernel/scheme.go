package kernel

import "icebox/extract/internal/isa"

// Scheme names a Winograd scheme F(outputs, taps) in both directions.
type Scheme uint8

// The schemes. A tile of n outputs and k taps takes n+k-1 points each way. F42S2 splits
// a 3×3 kernel into one of 2×2 taps and three smaller ones, F13S2 into nine of one tap.
const (
	F43   Scheme = iota // 3×3 kernels, 4×4 outputs
	F23                 // 3×3 kernels, 2×2 outputs
	F73                 // 3×3 kernels, 7×7 outputs
	F44                 // 4×4 kernels, 4×4 outputs
	F42S2               // 3×3 kernels two pixels apart, 4×4 outputs, by polyphase
	F13S2               // 3×3 kernels two pixels apart, one output: the plain convolution
	B43                 // F43 and F42S2 at points for bfloat16
	B42S2
	F11S2 // 1×1 kernels two pixels apart: in bfloat16, planes are the rounded pixels
	schemes
)

func (s Scheme) String() string { return s.shape().name }

// shape is a scheme along one direction; both directions are alike.
//
// A scheme with stride 2 splits the input by parity. Even pixels meet taps 0 and 2,
// odd pixels tap 1, and both products are taken at shared points, so that they add
// up before one output transform.
type shape struct {
	name     string
	outputs  int // pixels of a tile
	points   int
	stride   int
	phases   []phase
	at       [][]float32 // Aᵀ: outputs × points
	residual bool        // an output transform with residual exists
	inputs   inputs
}

// inputs are the types of planes that input transforms exist for in assembly.
type inputs struct{ float, bf16 bool }

// runs reports whether transforms to floats, or to bfloat16, exist for i.
func (s *shape) runs(i isa.ISA, bf16 bool) bool {
	switch {
	case i == isa.Portable:
		return true
	case bf16:
		return s.inputs.bf16 && HasBF16(i)
	default:
		return s.inputs.float
	}
}

// phase is the part of a tile's pixels that meets the same taps.
type phase struct {
	first, every int         // pixels first, first+every, …
	bt           [][]float32 // Bᵀ: points × pixels
	taps         []int
	g            [][]float64 // G: points × taps
}

// size is the side of a tile's input.
func (s *shape) size() int { return (s.outputs-1)*s.stride + s.taps() }

func (s *shape) taps() int {
	n := 0
	for _, p := range s.phases {
		n += len(p.taps)
	}
	return n
}

// step is the distance between the inputs of neighbouring tiles.
func (s *shape) step() int { return s.outputs * s.stride }

// slots counts the pairs of phases that have the point (i, j). The row of a tile in that
// plane is as many times as long as there are channels.
func (s *shape) slots(i, j int) int {
	n := 0
	for _, down := range s.phases {
		for _, across := range s.phases {
			if i < len(down.bt) && j < len(across.bt) {
				n++
			}
		}
	}
	return n
}

func (s Scheme) shape() *shape {
	check(s < schemes, "unknown scheme")
	return &shapes[s]
}

// Outputs is the side of a tile's output in pixels.
func (s Scheme) Outputs() int { return s.shape().outputs }

// Size is the side of a tile's input in pixels.
func (s Scheme) Size() int { return s.shape().size() }

// Step is the distance between the inputs of neighbouring tiles in pixels.
func (s Scheme) Step() int { return s.shape().step() }

// Planes is the number of planes.
func (s Scheme) Planes() int { return s.shape().points * s.shape().points }

// Slots is the number of K-segments, each as long as there are channels, in a
// tile's row of plane p.
func (s Scheme) Slots(p int) int {
	n := s.shape().points
	return s.shape().slots(p/n, p%n)
}

// MaxSlots is the largest of Slots.
func (s Scheme) MaxSlots() int { return s.Slots(0) }
