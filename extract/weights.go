package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"icebox/extract/internal/resnet"
	"icebox/extract/internal/weights"
)

// WeightsInfo says which weights an extractor runs on.
type WeightsInfo struct {
	Kind string `json:"kind"`           // file or random
	Path string `json:"path,omitempty"` // of the file
	Seed uint64 `json:"seed"`           // of random weights
	Hash string `json:"hash"`           // of the tensors, 64 hexadecimal digits
}

// String gives the path of the file, or "random:SEED".
func (w WeightsInfo) String() string {
	if w.Kind == Random {
		return fmt.Sprintf("random:%d", w.Seed)
	}
	return w.Path
}

// Random reports whether the weights are untrained.
func (w WeightsInfo) Random() bool { return w.Kind == Random }

func weightsInfo(s *weights.Set) WeightsInfo {
	src := s.Source()
	return WeightsInfo{Kind: src.Kind, Path: src.Path, Seed: src.Seed, Hash: s.Hash()}
}

// openWeights opens what o.Weights names.
func (o Options) openWeights(ctx context.Context) (*weights.Set, error) {
	set, err := o.findWeights(ctx)
	if err != nil {
		return nil, err
	}
	if o.WeightsHash != "" && set.Hash() != o.WeightsHash {
		got := set.Hash()
		where := weightsInfo(set).String()
		set.Close()
		return nil, fmt.Errorf("%w: %s has the tensor hash %.12s…, not %.12s…: these are other weights", ErrWeightsMismatch, where, got, o.WeightsHash)
	}
	return set, nil
}

func (o Options) findWeights(ctx context.Context) (*weights.Set, error) {
	if seed, ok := o.randomSeed(); ok {
		return weights.Random(seed), nil
	}
	path, err := o.Weights, error(nil)
	switch {
	case path == "" || path == Auto:
		path, err = o.lookFor(ctx, weights.Search{Env: o.Env, Hash: o.WeightsHash, Hints: o.WeightsHints})
	case strings.Contains(path, "://") && o.Bring != nil:
		path, err = o.Bring(ctx, path)
	}
	if err != nil {
		return nil, err
	}
	set, err := weights.Open(path)
	var file *fs.PathError
	if errors.As(err, &file) {
		err = fmt.Errorf("%w: %w", ErrWeightsOpen, file)
	}
	return set, err
}

// lookFor finds a file on this machine, or else lets o.Fetch bring it.
func (o Options) lookFor(ctx context.Context, s weights.Search) (path string, err error) {
	path, err = weights.Find(s)
	if o.Fetch == nil || !errors.Is(err, ErrNoWeights) || !s.Official() {
		return path, err
	}
	path, ferr := o.Fetch(ctx)
	switch {
	case ferr != nil && ctx.Err() != nil:
		return "", ferr
	case ferr != nil:
		return "", fmt.Errorf("%w; %w", err, ferr)
	}
	return path, nil
}

// WeightsFile describes a weights file to a person; see [InspectWeights].
type WeightsFile = weights.Info

// InspectWeights describes the weights file at path. If its tensors are not those of
// resnet18, the description says what is wrong with them.
func InspectWeights(path string) (WeightsFile, error) { return weights.Inspect(path) }

// ConvertWeights writes the weights file src to the new file dst, whose ending (.pth or
// .safetensors) names the format. The tensor hash stays the same. The error is
// fs.ErrExist if dst is there already.
func ConvertWeights(src, dst string) error { return weights.Convert(src, dst) }

// FetchOptions say what FetchWeights downloads and where to.
type FetchOptions = weights.FetchOptions

// FetchWeights downloads a weights file, by default torchvision's official one into the
// folder of PyTorch's hub, if there is one, or else icebox's own, and checks its SHA-256.
// It resumes what an earlier call left. It is the only function of this package that uses
// the network.
func FetchWeights(ctx context.Context, o FetchOptions) (path string, err error) {
	return weights.Fetch(ctx, o)
}

// FindWeights returns the file that "auto" takes, in the environment env (nil means
// os.Getenv). The error is [ErrNoWeights] or [ErrWeightsVariable].
func FindWeights(env func(string) string) (path string, err error) {
	return weights.Find(weights.Search{Env: env})
}

// OfficialWeightsURL is where torchvision publishes its file.
const OfficialWeightsURL = weights.OfficialURL

// SaveWeights writes the weights that x runs on to a new file, whose ending names the
// format: .pth, or else .safetensors. So random weights can be used in another program.
func (x *Extractor) SaveWeights(path string) error {
	if strings.HasSuffix(path, ".pth") {
		return weights.WritePTH(path, x.weights)
	}
	return weights.WriteSafetensors(path, x.weights)
}

// Tensor is a named array of a weights file: float32 Values or whole Counts, row-major.
type Tensor = weights.Tensor

// Formats of files of tensors.
const (
	FormatPTH         = weights.FormatPTH         // a zip, as torch.save writes it
	FormatSafetensors = weights.FormatSafetensors // with float32 and int64 alone
)

// Tensors returns the tensors that x runs on, by torchvision's names, shapes and order: a
// convolution's weight (out × in × taps × taps), then its batch norm's four vectors; there
// is no fc. The values are read only and valid until Close.
func (x *Extractor) Tensors() []Tensor { return x.weights.Tensors() }

// Folded returns the convolution called conv with the batch norm called norm folded into
// it, such as "layer2.0.downsample.0" and "layer2.0.downsample.1": out × in × taps × taps
// weights, and a bias an output channel. Both slices are the caller's. It panics on a name
// that [Extractor.Tensors] does not have.
func (x *Extractor) Folded(conv, norm string) (weights, bias []float32, err error) {
	return resnet.FoldConv(x.weights.Tensor, conv, norm)
}

// WriteTensors writes tensors in a format: [FormatPTH], or else [FormatSafetensors]. The
// error is that of w, or names a tensor whose values do not fit its shape.
func WriteTensors(w io.Writer, format string, all []Tensor) error {
	return weights.WriteTensors(w, format, all)
}

// ReadTensors reads all tensors of a file of either format, in the order of the file. The
// error wraps [ErrWeightsFormat] where the file is damaged or has a tensor of another type
// than float32 and int64, and else is that of the file system.
func ReadTensors(path string) ([]Tensor, error) { return weights.ReadTensors(path) }
