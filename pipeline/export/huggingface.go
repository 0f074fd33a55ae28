package export

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"icebox/extract"
)

// Files of a folder for Hugging Face.
const (
	configFile    = "config.json"
	processorFile = "preprocessor_config.json"
	weightsFile   = "model.safetensors"
	onnxFile      = "onnx/model.onnx" // where Transformers.js looks
	cardFile      = "README.md"
)

// writeFolder makes a folder that transformers loads. It has its name once all of it is
// checked.
func writeFolder(ctx context.Context, m Model, o Options, out *Exported) error {
	f, err := openFolder(o.Out)
	if err != nil {
		return err
	}
	if err := fill(ctx, f, m, out); err != nil {
		f.abandon()
		return err
	}
	for _, name := range []string{configFile, processorFile, weightsFile, onnxFile, cardFile} {
		out.Files = append(out.Files, filepath.Join(o.Out, filepath.FromSlash(name)))
	}
	if err := f.place(); err != nil {
		f.abandon()
		return err
	}
	return nil
}

// fill writes the files of a folder.
func fill(ctx context.Context, f *folder, m Model, out *Exported) error {
	if err := os.Mkdir(f.at(path.Dir(onnxFile)), 0o755); err != nil {
		return err
	}
	var inner Exported
	if err := writeONNX(ctx, m, Options{Input: InputPixels, Out: f.at(onnxFile)}, &inner); err != nil {
		return err
	}
	out.Check = inner.Check
	if err := writeTensors(f.at(weightsFile), extract.FormatSafetensors, transformersDict(m)); err != nil {
		return err
	}
	if err := writeJSON(f.at(configFile), config(m)); err != nil {
		return err
	}
	if err := writeJSON(f.at(processorFile), processor(m)); err != nil {
		return err
	}
	return writeFile(f.at(cardFile), func(w io.Writer) error { return writeCard(w, m, filepath.Base(f.path)) }, nil)
}

// transformersDict is the state dict of ResNetForImageClassification.
func transformersDict(m Model) []extract.Tensor {
	all := linear(m, "classifier.1")
	for _, t := range m.Net.Tensors() {
		t.Name = transformersName(t.Name)
		all = append(all, t)
		if norm, ok := strings.CutSuffix(t.Name, ".running_var"); ok {
			all = append(all, extract.Tensor{Name: norm + ".num_batches_tracked", Shape: []int{}, Counts: []int64{0}})
		}
	}
	return all
}

// transformersName is the name in transformers of a tensor of torchvision's.
func transformersName(name string) string {
	parts := strings.Split(name, ".")
	kind := map[bool]string{true: "convolution", false: "normalization"}
	last := parts[len(parts)-1]
	if len(parts) == 2 { // conv1.weight, bn1.bias
		return "resnet.embedder.embedder." + kind[parts[0] == "conv1"] + "." + last
	}
	block := fmt.Sprintf("resnet.encoder.stages.%c.layers.%s.", parts[0][len("layer")]-1, parts[1])
	if parts[2] == "downsample" {
		return block + "shortcut." + kind[parts[3] == "0"] + "." + last
	}
	layer := map[bool]string{true: "layer.0.", false: "layer.1."}[strings.HasSuffix(parts[2], "1")]
	return block + layer + kind[strings.HasPrefix(parts[2], "conv")] + "." + last
}

// config is config.json. transformers knows no temperature of a classifier: it stands, with
// the rest that is icebox's own, where transformers does not look.
func config(m Model) map[string]any {
	labels := map[string]int{}
	for i, name := range m.Head.Classes {
		labels[name] = i
	}
	return map[string]any{
		"architectures": []string{"ResNetForImageClassification"}, "model_type": "resnet", "dtype": "float32",
		"num_channels": 3, "embedding_size": 64, "hidden_sizes": []int{64, 128, 256, 512}, "depths": []int{2, 2, 2, 2},
		"layer_type": "basic", "hidden_act": "relu", "downsample_in_first_stage": false, "downsample_in_bottleneck": false,
		"problem_type": "single_label_classification", "id2label": numbered(m.Head.Classes), "label2id": labels,
		"icebox": map[string]any{
			"run": m.Name, "space": m.Head.Fingerprint, "weights": m.Info.Weights.Hash, "preprocess": m.Info.Fingerprint.Preprocess,
			"temperature": temperature(m.Head), "reject_threshold": m.Head.Threshold,
		},
	}
}

// processor is preprocessor_config.json.
func processor(m Model) map[string]any {
	p := m.Info.Fingerprint.Preprocess
	all := map[string]any{
		"image_processor_type": "BitImageProcessor", "do_convert_rgb": true, "do_rescale": true, "rescale_factor": 1. / 255,
		"do_normalize": true, "image_mean": mean, "image_std": std,
		"do_resize": true, "resample": 2, "size": map[string]int{"shortest_edge": p.Resize}, // 2 is bilinear
		"do_center_crop": true, "crop_size": map[string]int{"height": p.Crop, "width": p.Crop},
	}
	if p.Fit == extract.Squash {
		all["image_processor_type"] = "ViTImageProcessor"
		all["size"] = map[string]int{"height": extract.Side, "width": extract.Side}
		delete(all, "do_center_crop")
		delete(all, "crop_size")
	}
	return all
}
