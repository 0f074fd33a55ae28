package resnet

import (
	"errors"
	"fmt"

	"icebox/extract/internal/isa"
	"icebox/extract/internal/kernel"
)

// Errors of New.
var (
	// ErrISA is returned for an instruction set that is not known, or that this machine
	// or build lacks.
	ErrISA = errors.New("resnet: instruction set")
	// ErrPrecision is returned for a precision that is not known, or that this machine
	// or build lacks.
	ErrPrecision = errors.New("resnet: precision")
	// ErrPlan is returned for a plan that does not exist.
	ErrPlan = errors.New("resnet: plan")
	// ErrNoLUT is returned where Options lacks the normalisation.
	ErrNoLUT = errors.New("resnet: Options.LUT is missing")
)

// Options are what New needs besides weights.
type Options struct {
	// LUT gives the normalised value of an 8-bit sample, by channel.
	LUT *[3][256]float32
	// ISA is auto, avx512, avx2, neon or portable. Empty means auto: the fastest that
	// this machine runs.
	ISA string
	// Plan is Winograd or Compact; empty means Winograd.
	Plan string
	// Precision is what products are taken in: FP32, or BF16, for which ISA auto finds an
	// instruction set with bfloat16. Empty means FP32.
	Precision string
}

// Validate reports every fault.
func (o Options) Validate() error {
	var noLUT error
	if o.LUT == nil {
		noLUT = ErrNoLUT
	}
	_, noISA := o.isa()
	_, noPlan := o.plan()
	return errors.Join(noLUT, noISA, noPlan, o.unlike())
}

// unlike reports a precision that is not known, or that the instruction set lacks.
func (o Options) unlike() error {
	if o.Precision != "" && o.Precision != FP32 && o.Precision != BF16 {
		return fmt.Errorf("%w %q is not known: there are %s and %s", ErrPrecision, o.Precision, FP32, BF16)
	}
	i, err := o.isa()
	if auto := o.ISA == "" || o.ISA == "auto"; err == nil && o.Precision == BF16 && (!kernel.HasBF16(i) || auto && i == isa.Portable) {
		return fmt.Errorf("%w bf16 needs a CPU with AVX512-BF16, which this machine or build lacks with instruction set %s: leave it at fp32 (or set the instruction set to portable, which computes bf16 anywhere, but slowly)", ErrPrecision, i)
	}
	return nil
}

// plan returns the name of the plan.
func (o Options) plan() (string, error) {
	if o.Plan == "" {
		return Winograd, nil
	}
	if _, ok := plans[o.Plan]; !ok {
		return "", fmt.Errorf("%w %q is not known: there are %s and %s", ErrPlan, o.Plan, Winograd, Compact)
	}
	return o.Plan, nil
}

func (o Options) isa() (isa.ISA, error) {
	if o.ISA == "" || o.ISA == "auto" {
		return isa.Best(kernel.Available()), nil
	}
	for _, i := range kernel.Available() {
		if i.String() == o.ISA {
			return i, nil
		}
	}
	return isa.Portable, fmt.Errorf("%w %q: this machine and build run %v", ErrISA, o.ISA, kernel.Available())
}

// Net is a network ready to run. It is read only: any number of goroutines may
// call Forward, each with a Workspace of its own.
type Net struct {
	isa       isa.ISA
	plan      string
	precision string
	stem      stem
	blocks    [len(blockShapes)]block
	layers    []Layer
}

// block is a residual block.
type block struct {
	stage        int
	layer        int // of conv1; conv2 and the downsample follow
	conv1, conv2 conv
	down         *downsample // nil where input and output are alike
}

// New builds a network from parameters under torchvision's names.
func New(tensor func(name string) []float32, opt Options) (*Net, error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	on, _ := opt.isa()
	name, _ := opt.plan()
	b := builder{tensor: tensor, plan: plans[name], packing: packing{panel: kernel.Panel(on)}}
	n := &Net{isa: on, plan: name, precision: FP32}
	if opt.Precision == BF16 {
		n.precision = BF16
		b.plan = plansBF16[name]
	}
	n.stem = b.stem(opt.LUT)
	for i, s := range blockShapes {
		n.blocks[i] = b.block(s)
	}
	if err := errors.Join(b.faults...); err != nil {
		return nil, err
	}
	b.packing.run()
	n.list()
	return n, nil
}

// ISA names the instruction set that Forward uses.
func (n *Net) ISA() string { return n.isa.String() }

// Precision names what products are taken in, FP32 or BF16.
func (n *Net) Precision() string { return n.precision }

// Plan names the algorithms that Forward uses; with Version and Precision, its bits.
func (n *Net) Plan() string { return n.plan }

// builder collects the faults of all tensors, and the packing to be done.
type builder struct {
	tensor  Tensor
	plan    plan
	packing packing
	faults  []error
}

// fold returns nil after a fault.
func (b *builder) fold(conv, norm string, in, out, taps int) *filters {
	f, err := fold(b.tensor, conv, norm, in, out, taps)
	if err != nil {
		b.faults = append(b.faults, err)
	}
	return f
}

func (b *builder) stem(lut *[3][256]float32) stem {
	f := b.fold("conv1", "bn1", 3, stemOutputs, stemTaps)
	if f == nil {
		return stem{}
	}
	return stem{lut: lut, weights: b.packing.add(f.spread(), kernel.F44, float), bias: single(f.bias)}
}

func (b *builder) block(s blockShape) block {
	first := b.fold(s.name+".conv1", s.name+".bn1", s.in, s.out, 3)
	second := b.fold(s.name+".conv2", s.name+".bn2", s.out, s.out, 3)
	var across *filters
	if s.stride > 1 {
		across = b.fold(s.name+".downsample.0", s.name+".downsample.1", s.in, s.out, 1)
	}
	if len(b.faults) > 0 {
		return block{}
	}
	scheme := b.plan.schemes[s.stage]
	if s.stride > 1 {
		scheme = b.plan.strided[s.stage]
	}
	k := block{stage: s.stage, conv1: b.conv(first, scheme, s), conv2: b.conv(second, b.plan.schemes[s.stage], s)}
	if across != nil {
		k.down = &downsample{in: s.in, out: s.out, side: s.side, weights: b.packing.add(across, kernel.F11S2, b.plan.down)}
		for n := range across.bias {
			second.bias[n] += across.bias[n]
		}
		k.conv2.bias = single(second.bias)
	}
	return k
}

func (b *builder) conv(f *filters, scheme kernel.Scheme, s blockShape) conv {
	return conv{
		scheme: scheme, in: f.in, out: f.out, side: s.side, tiles: b.plan.tiles[s.stage],
		weights: b.packing.add(f, scheme, b.plan.weights[s.stage]), bias: single(f.bias),
	}
}

func single(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}
