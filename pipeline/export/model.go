package export

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/files"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
	"icebox/pipeline/words"
)

var (
	// ErrExists is returned where the place of an export is taken.
	ErrExists = errors.New("an export does not overwrite")
	// ErrForm is returned for a form that is not known, and for a head or a preprocessing
	// that a form cannot express.
	ErrForm = errors.New("it cannot be exported in this form")
	// ErrDisagrees is returned where an export does not answer as icebox does.
	ErrDisagrees = errors.New("the export disagrees with icebox")
)

// The formats.
const (
	ONNX    = "onnx"
	HF      = "hf"
	Torch   = "torch"
	Sklearn = "sklearn"
)

// Formats are all formats.
func Formats() []string { return []string{ONNX, HF, Torch, Sklearn} }

// Inputs are all forms of input of an ONNX file.
func Inputs() []string { return []string{InputCrop, InputPixels, InputImage} }

// Net is a backbone, as an [extract.Extractor] is one.
type Net interface {
	Tensors() []extract.Tensor
	Folded(conv, norm string) (weights, bias []float32, err error)
	Preprocess(ctx context.Context, crop []uint8, image []byte) (extract.Traits, error)
	Forward(ctx context.Context, features []float32, crops []uint8, n int) error
}

// Model is what is exported.
type Model struct {
	Head    *headtrain.Head
	Info    runs.HeadInfo
	Net     Net            // nil for the formats that take no weights; see [NeedsWeights]
	Report  *report.Report // nil where the run has none
	Name    string         // of the run
	Program string         // that exports, with its version
}

// Options say what is made.
type Options struct {
	Format string // one of [Formats]
	Input  string // of [ONNX]: one of [Inputs]; "" is [InputCrop]
	Out    string // the file, or the folder for [HF]
}

// Exported says what was made.
type Exported struct {
	Format string   `json:"format"`
	Input  string   `json:"input,omitempty"` // of an ONNX file
	Path   string   `json:"path"`
	Files  []string `json:"files"` // paths
	Bytes  int64    `json:"bytes"` // of all files
	Check  *Check   `json:"check,omitempty"`
}

// NeedsWeights reports whether a format takes the backbone along.
func NeedsWeights(format string) bool { return format != Sklearn }

// Validate reports what is wrong with o, apart from any model: an [ErrForm], or an
// [ErrExists]. What killed processes left of the files is removed.
func (o Options) Validate() error {
	switch {
	case !slices.Contains(Formats(), o.Format):
		return fmt.Errorf("%w: the format %q is not %s", ErrForm, o.Format, words.Or(Formats()))
	case o.Input != "" && o.Format != ONNX:
		return fmt.Errorf("%w: only an ONNX file has a choice of inputs, not %s", ErrForm, o.Format)
	case o.Input != "" && !slices.Contains(Inputs(), o.Input):
		return fmt.Errorf("%w: the input %q is not %s", ErrForm, o.Input, words.Or(Inputs()))
	case o.Format == Torch && o.torchFormat() == "":
		return fmt.Errorf("%w: the name %s should end in .pth, .pt or .safetensors", ErrForm, filepath.Base(o.Out))
	}
	taken := []string{o.Out}
	if o.Format == Torch {
		taken = append(taken, o.labelsFile())
	}
	for _, path := range taken {
		files.Tidy(path) // a process may have been killed when it had placed the file
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%w: %s is there", ErrExists, path)
		}
	}
	if fi, err := os.Stat(filepath.Dir(o.Out)); err != nil || !fi.IsDir() {
		return fmt.Errorf("%s: the folder that it is to be in is not there: %w", o.Out, fs.ErrNotExist)
	}
	return nil
}

// Fits reports, as an [ErrForm], what keeps a head from a format: nothing but a linear head
// on raw features is the last layer of a ResNet.
func (o Options) Fits(h *headtrain.Head, info runs.HeadInfo) error {
	p := info.Fingerprint.Preprocess
	switch {
	case o.Format != ONNX && h.Hidden != nil:
		return fmt.Errorf("%w: the head has a hidden layer, and %s has room for one layer", ErrForm, o.Format)
	case o.Format != ONNX && h.Input == headtrain.InputL2:
		return fmt.Errorf("%w: the head scales features to length 1 (head.input: l2), and %s has no room for that", ErrForm, o.Format)
	case o.Format == HF && p.Fit == extract.Pad:
		return fmt.Errorf("%w: images are padded (extract.fit: pad), and no image processor of transformers pads so", ErrForm)
	}
	return nil
}

// Write makes an export, and checks it. The errors are those of [Options.Validate] and
// [Options.Fits], an [ErrDisagrees], that of m.Net and that of the file system. Nothing is
// left under the name of o where it fails.
func Write(ctx context.Context, m Model, o Options) (*Exported, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := o.Fits(m.Head, m.Info); err != nil {
		return nil, err
	}
	if o.Format == ONNX && o.Input == "" {
		o.Input = InputCrop
	}
	out := &Exported{Format: o.Format, Input: o.Input, Path: o.Out}
	var err error
	switch o.Format {
	case ONNX:
		err = writeONNX(ctx, m, o, out)
	case HF:
		err = writeFolder(ctx, m, o, out)
	case Torch:
		err = writeTorch(m, o, out)
	default:
		err = writeSklearn(m, o, out)
	}
	if err != nil {
		return nil, err
	}
	for _, path := range out.Files {
		fi, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		out.Bytes += fi.Size()
	}
	return out, nil
}

// torchFormat is the format of a file of tensors by its ending; "" for another ending.
func (o Options) torchFormat() string {
	switch strings.ToLower(filepath.Ext(o.Out)) {
	case ".pth", ".pt":
		return extract.FormatPTH
	case ".safetensors":
		return extract.FormatSafetensors
	}
	return ""
}

// labelsFile is where the labels of a state dict go, under the name that TorchServe reads.
func (o Options) labelsFile() string { return filepath.Join(filepath.Dir(o.Out), "index_to_name.json") }
