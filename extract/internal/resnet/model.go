package resnet

import "icebox/extract/internal/kernel"

// Side is the height and width in pixels of an image.
const Side = 224

// PixelBytes is the size of an image: rows of interleaved RGB.
const PixelBytes = Side * Side * 3

// Dim is the length of a feature.
const Dim = 512

// GridSide is the height and width of the grid of cells that a feature is the mean of, and
// GridLen the number of values of the grid: rows of cells of Dim channels.
const (
	GridSide = 7
	GridLen  = GridSide * GridSide * Dim
)

// The plans, and the version of their arithmetic. A change that may change the bits of
// a feature changes the plan's name or the version.
const (
	Winograd = "winograd" // fewest multiplications: for batches
	Compact  = "compact"  // a quarter of the memory: for single images, or where memory is short
	Version  = 3
)

// The precisions.
const (
	FP32 = "fp32"
	BF16 = "bf16" // operands of products are rounded to bfloat16; sums, transforms and activations are floats
)

// plan says how the layers are done.
type plan struct {
	schemes [4]kernel.Scheme // of 3×3 convolutions with stride 1, by stage
	strided [4]kernel.Scheme // of the one with stride 2
	tiles   [4]int           // most tiles of a chunk, by stage
	weights [4]element       // of 3×3 convolutions, by stage
	down    element          // weights of 1×1 convolutions
}

var plans = map[string]plan{
	Winograd: {
		schemes: [4]kernel.Scheme{kernel.F73, kernel.F73, kernel.F73, kernel.F43},
		strided: [4]kernel.Scheme{1: kernel.F42S2, 2: kernel.F42S2, 3: kernel.F42S2},
		tiles:   [4]int{32, 16, 32, 64},
	},
	Compact: {
		schemes: [4]kernel.Scheme{kernel.F73, kernel.F43, kernel.F43, kernel.F23},
		strided: [4]kernel.Scheme{1: kernel.F42S2, 2: kernel.F42S2, 3: kernel.F13S2},
		tiles:   [4]int{32, 49, 64, 64},
		weights: [4]element{2: half, 3: half},
	},
}

// plansBF16 are the plans where products are taken in bfloat16. With planes half as long, more
// tiles of a chunk stay in the cache.
var plansBF16 = map[string]plan{
	Winograd: {
		schemes: [4]kernel.Scheme{kernel.B43, kernel.B43, kernel.B43, kernel.B43},
		strided: [4]kernel.Scheme{1: kernel.B42S2, 2: kernel.B42S2, 3: kernel.B42S2},
		tiles:   [4]int{56, 28, 48, 64},
		weights: [4]element{bf16, bf16, bf16, bf16},
		down:    bf16,
	},
	Compact: {
		schemes: [4]kernel.Scheme{kernel.B43, kernel.B43, kernel.B43, kernel.F23},
		strided: [4]kernel.Scheme{1: kernel.B42S2, 2: kernel.B42S2, 3: kernel.F13S2},
		tiles:   [4]int{32, 49, 64, 64},
		weights: [4]element{bf16, bf16, bf16, bf16},
		down:    bf16,
	},
}

// The stem as a 4×4 convolution: its 12 channels are 2×2 pixels × RGB, and take the
// room of 16.
const (
	stemTaps     = 7
	stemInputs   = 12
	stemChannels = 16
	stemOutputs  = 64
	stemSide     = Side / 2
)

// blockShape is a residual block: conv1 with a stride, conv2, and a 1×1 downsample
// where the shape changes.
type blockShape struct {
	name    string
	stage   int
	in, out int // channels
	side    int // of the output
	stride  int
}

var blockShapes = [8]blockShape{
	{"layer1.0", 0, 64, 64, 56, 1},
	{"layer1.1", 0, 64, 64, 56, 1},
	{"layer2.0", 1, 64, 128, 28, 2},
	{"layer2.1", 1, 128, 128, 28, 1},
	{"layer3.0", 2, 128, 256, 14, 2},
	{"layer3.1", 2, 256, 256, 14, 1},
	{"layer4.0", 3, 256, 512, 7, 2},
	{"layer4.1", 3, 512, 512, 7, 1},
}

// earlyBlocks is the number of blocks that take one image at a time.
const earlyBlocks = 4

// stageShape is what a stage's blocks share.
type stageShape struct {
	side, channels int
	pitch          int // side of the buffer: border, image, and what the last tile of any reader needs
}

var stageShapes = [4]stageShape{
	{56, 64, 58},
	{28, 128, 34},
	{14, 256, 18},
	{7, 512, 10},
}

// group is the number of images that layers 3 and 4 take at once.
const group = 16
