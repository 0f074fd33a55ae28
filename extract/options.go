package extract

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"icebox/extract/internal/imaging"
	"icebox/extract/internal/resnet"
)

// Names of the values that have a meaning of their own in [Options].
const (
	Auto     = "auto"     // Weights, Engine, ISA, Plan: choose by what this machine has
	Random   = "random"   // Weights: seeded He initialisation, for smoke tests
	Native   = "native"   // Engine: the CPU engine of this package
	CUDA     = "cuda"     // Engine: the GPU engine, if the program offers it; Device: every GPU
	Portable = "portable" // ISA: plain Go, no assembly

	Crop   = imaging.FitCrop   // Fit: the middle of the picture
	Squash = imaging.FitSquash // Fit: all of it, its sides made equal
	Pad    = imaging.FitPad    // Fit: all of it, and something around it

	Refuse = "refuse" // Truncated: an image that ends early is bad
	Accept = "accept" // Truncated: it is taken as far as it goes
)

// Options say which function to open. The zero value looks for weights on this
// machine and runs them on the CPU with the widest instruction set it has.
type Options struct {
	// Weights is a path to a .pth or .safetensors file, "auto" (also ""),
	// "random" or "random:SEED", or an address (with "://") that Bring knows.
	Weights string
	// Bring copies the file at an address to this machine and returns its path.
	Bring func(ctx context.Context, address string) (path string, err error)
	// WeightsHash, if set, accepts only weights with this tensor hash: with
	// Weights "auto" every place is searched for them.
	WeightsHash string
	// WeightsHints are paths that "auto" tries first when WeightsHash is set.
	WeightsHints []string
	// Fetch brings torchvision's file to this machine and returns its path, as
	// [FetchWeights] does. It is called where "auto" finds no file, unless WeightsHash
	// asks for weights of which WeightsHints do not say that they came in that file. nil
	// brings none.
	Fetch func(context.Context) (path string, err error)

	// Engine is "auto" (also ""), "native", "cuda", or the name of one of Engines. A
	// program that offers "cuda" lists it in Engines. "auto" takes the first of Engines
	// that works here, else the native one.
	Engine string
	// Device is where the engine runs; see [ParseDevice].
	Device string
	// Precision is the numeric class: "fp32" (also ""), "bf16", "tf32" or "fp16". The
	// native engine offers fp32 and bf16, GPUs fp32, tf32 and fp16. bf16 needs a CPU with
	// AVX512-BF16, or ISA "portable", which computes it slowly.
	Precision string
	// ISA limits the native engine: "auto" (also ""), "avx512", "avx2", "neon", "portable".
	ISA string
	// Plan is how the native engine computes: "winograd" (also "auto" and "") is fastest
	// in batches, "compact" takes a quarter of the memory for its weights. The features
	// of both agree within the numeric class, but not bit by bit: so both have the same
	// fingerprint, and the plan is part of [EngineInfo].
	Plan string
	// Threads is how many threads of the native engine share one call; 0 means 1, which
	// suits callers who extract from many goroutines at once. It changes no feature.
	Threads int
	// Engines are further engines that the program offers.
	Engines []EngineSpec

	// IgnoreEXIF leaves a photo as its sensor recorded it, as torchvision's
	// ImageFolder does. It is part of the fingerprint.
	IgnoreEXIF bool
	// Fit is how a picture becomes a square: "crop" (also "") cuts out the middle, as
	// torchvision does; "squash" makes the sides equal; "pad" fills the rest of a square
	// with Background, or with black. It is part of the fingerprint, as the next two are.
	Fit string
	// Background is the colour that transparent pixels lie over: "white", "black" or
	// "#rrggbb". "" drops the alpha channel, as Pillow's convert("RGB") does.
	Background string
	// Truncated is "refuse" (also "") or "accept": a JPEG or a PNG that ends early
	// is decoded as far as it goes. The rest is grey or black, as Pillow makes it where
	// LOAD_TRUNCATED_IMAGES is set. Other kinds of image are refused.
	Truncated string
	// MaxPixels is the most pixels that an image may have. A larger one is refused by
	// its header, before it is decoded. 0 means [DefaultMaxPixels].
	MaxPixels int64
	// Memory is the most bytes that one image may take while it is turned into a crop, its
	// own among them; see [Extractor.Memory]. A larger one is refused by its header, with a
	// [MemoryError]. 0 is no limit.
	Memory int64

	// Note takes what the engine has to tell a person while it opens and runs, one line
	// a call. It is called from any goroutine and must not call the Extractor. nil drops
	// the lines.
	Note func(text string)
	// Memo keeps what engines have measured. nil means that every process measures
	// again.
	Memo Memo
	// Env looks up environment variables; nil means os.Getenv.
	Env func(string) string
}

// DefaultMaxPixels is the largest image decoded unless Options say otherwise.
const DefaultMaxPixels = imaging.DefaultMaxPixels

// EngineSpec is an engine that a program offers besides the native one.
type EngineSpec struct {
	Name     string   // as written in Options.Engine
	Numerics []string // the numeric classes that it offers: fp32, bf16, tf32, fp16
	// Open opens the engine. After any error "auto" goes on to the next engine; unless
	// the error is ErrNoDevice, [Extractor.Skipped] returns it.
	Open func(context.Context, Backbone) (Engine, EngineInfo, error)
}

// Fault is a value of Options that cannot be used.
type Fault struct {
	Field string // of Options, such as "MaxPixels"
	Text  string // what is wrong with it, such as "(-1) must be ≥ 0"
}

func (f Fault) Error() string { return f.Field + " " + f.Text }

// Fault returns the field and the text.
func (f Fault) Fault() (field, text string) { return f.Field, f.Text }

// Validate reports every fault of o at once: the error joins Fault values.
func (o Options) Validate() error {
	var faults []error
	add := func(wrong bool, field, format string, args ...any) {
		if wrong {
			faults = append(faults, Fault{field, fmt.Sprintf(format, args...)})
		}
	}
	if kind, seed, ok := strings.Cut(o.Weights, ":"); ok && kind == Random {
		_, err := strconv.ParseUint(seed, 10, 64)
		add(err != nil, "Weights", "%q: the seed after \"random:\" must be a whole number ≥ 0", o.Weights)
	}
	add(o.Engine != "" && !slices.Contains(o.engineNames(), o.Engine), "Engine", "%q is not known: choose %s", o.Engine, strings.Join(o.engineNames(), ", "))
	d, err := ParseDevice(o.Device)
	if err != nil {
		faults = append(faults, err)
	}
	_, known := leastCosine[o.numeric()]
	add(!known, "Precision", "%q is not known: choose %s", o.Precision, strings.Join(Choices()["Precision"], ", "))
	onCPU := slices.Contains(nativeNumerics, o.numeric())
	add(known && !onCPU && (o.Engine == Native || d.CPU), "Precision", "%s needs a GPU, and the engine is to run on the CPU: leave it at fp32", o.Precision)
	add(o.numeric() == resnet.BF16 && (o.Engine == CUDA || d.GPU), "Precision", "bf16 is for CPUs, and the engine is to run on a GPU: choose fp32, tf32 or fp16")
	add(d.GPU && o.Engine == Native || d.CPU && o.Engine == CUDA, "Device", "%s and engine %s exclude each other: leave one at auto", o.Device, o.Engine)
	add(!slices.Contains([]string{"", Auto, "avx512", "avx2", "neon", Portable}, o.ISA), "ISA", "%q is not known: choose auto, avx512, avx2, neon or portable", o.ISA)
	add(!slices.Contains([]string{"", Auto, resnet.Winograd, resnet.Compact}, o.Plan), "Plan", "%q is not known: choose auto, %s or %s", o.Plan, resnet.Winograd, resnet.Compact)
	add(o.Threads < 0, "Threads", "(%d) must be ≥ 0", o.Threads)
	for _, w := range []struct{ field, word string }{{"Fit", o.Fit}, {"Truncated", o.Truncated}} {
		words := Choices()[w.field]
		add(w.word != "" && !slices.Contains(words, w.word), w.field, "%q is not known: choose %s", w.word, strings.Join(words, ", "))
	}
	if o.Background != "" {
		_, err := imaging.Colour(o.Background)
		add(err != nil, "Background", "%v", err)
	}
	add(o.MaxPixels < 0, "MaxPixels", "(%d) must be ≥ 0", o.MaxPixels)
	add(o.Memory < 0, "Memory", "(%d) must be ≥ 0", o.Memory)
	return errors.Join(faults...)
}

// pixels are the options of the way from an image's bytes to a crop.
func (o Options) pixels() imaging.Options {
	return imaging.Options{IgnoreEXIF: o.IgnoreEXIF, MaxPixels: o.MaxPixels, Memory: o.Memory, Fit: o.Fit, Background: o.Background, AcceptTruncated: o.Truncated == Accept}
}

// numeric is the numeric class that rows will have.
func (o Options) numeric() string {
	if o.Precision == "" {
		return "fp32"
	}
	return o.Precision
}

// candidates lists the engines to try, in order.
func (o Options) candidates() []EngineSpec {
	d, _ := ParseDevice(o.Device)
	auto := o.Engine == "" || o.Engine == Auto
	var list []EngineSpec
	for _, e := range o.Engines {
		if (auto && !d.CPU || e.Name == o.Engine) && slices.Contains(e.Numerics, o.numeric()) {
			list = append(list, e)
		}
	}
	if native := nativeSpec(o); (auto || o.Engine == Native) && !d.GPU && slices.Contains(native.Numerics, o.numeric()) {
		list = append(list, native)
	}
	return list
}

func (o Options) engineNames() []string {
	names := []string{Auto, Native, CUDA}
	for _, e := range o.Engines {
		if e.Name != CUDA {
			names = append(names, e.Name)
		}
	}
	return names
}

// randomSeed returns the seed of "random", which is 0, or of "random:SEED".
func (o Options) randomSeed() (seed uint64, ok bool) {
	kind, arg, _ := strings.Cut(o.Weights, ":")
	if kind != Random {
		return 0, false
	}
	seed, _ = strconv.ParseUint(arg, 10, 64)
	return seed, true
}
