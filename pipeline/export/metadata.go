package export

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"icebox/extract"
	"icebox/pipeline/export/onnx"
)

// describe says what a model is, for people.
func describe(m Model, input string) string {
	what := map[string]string{
		InputCrop:   "image is N crops of 224×224 pixels, RGB, from 0 to 255",
		InputPixels: "pixel_values is N crops of 224×224 pixels, as planes, normalised by ImageNet's mean and std",
		InputImage:  "image is one decoded and upright image, RGB, from 0 to 255; its Resize antialiases, which ONNX Runtime does on the CPU as Pillow does",
	}[input]
	text := fmt.Sprintf("ResNet-18 with the head of run %s: %s.\n%s. logits are as trained; probabilities are the softmax of logits over %g; label is the place of the likeliest class in the metadata labels.", m.Name, labelList(m.Head.Classes), what, temperature(m.Head))
	if m.Info.Weights.Random() {
		text += "\nThe backbone is untrained (random weights): the answers mean nothing."
	}
	return text
}

// labelList names some classes.
func labelList(classes []string) string {
	if len(classes) > 10 {
		return fmt.Sprintf("%s and %d other classes", strings.Join(classes[:9], ", "), len(classes)-9)
	}
	return strings.Join(classes, ", ")
}

// metadata is what other programs look for: ONNX's own keys for images, Ultralytics' names,
// and icebox's.
func metadata(m Model, input string) ([]onnx.Entry, error) {
	var all []onnx.Entry
	var err error
	add := func(key, value string) { all = append(all, onnx.Entry{Key: key, Value: value}) }
	addJSON := func(key string, v any) {
		text, jerr := json.Marshal(v)
		if jerr != nil && err == nil {
			err = jerr
		}
		add(key, string(text))
	}
	if input != InputPixels {
		add("Image.BitmapPixelFormat", "Rgb8")
		add("Image.ColorSpaceGamma", "SRGB")
		add("Image.NominalPixelRange", "NominalRange_0_255")
	}
	add("task", "classify")
	add("names", pythonDict(m.Head.Classes))
	addJSON("labels", m.Head.Classes)
	if input != InputImage {
		add("imgsz", fmt.Sprintf("[%d, %d]", extract.Side, extract.Side))
	}
	add("icebox.run", m.Name)
	add("icebox.input", input)
	add("icebox.space", m.Head.Fingerprint)
	add("icebox.weights", m.Info.Weights.Hash)
	addJSON("icebox.preprocess", m.Info.Fingerprint.Preprocess)
	add("icebox.temperature", strconv.FormatFloat(temperature(m.Head), 'g', -1, 64))
	add("icebox.reject_threshold", strconv.FormatFloat(m.Head.Threshold, 'g', -1, 64))
	if m.Head.Recipe != nil {
		add("icebox.recipe", string(m.Head.Recipe))
	}
	return all, err
}

// pythonDict is {0: 'cat', 1: 'dog'}: a dict of Python, and a map of YAML.
func pythonDict(classes []string) string {
	entries := make([]string, len(classes))
	for i, name := range classes {
		quoted := "'" + name + "'"
		if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '\'' || r == '\\' || r == 0x7f }) {
			quoted = strconv.Quote(name) // whose escapes both languages know
		}
		entries[i] = fmt.Sprintf("%d: %s", i, quoted)
	}
	return "{" + strings.Join(entries, ", ") + "}"
}
