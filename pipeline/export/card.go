package export

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"icebox/extract"
	"icebox/headtrain/judge"
	"icebox/pipeline/words"
)

// writeCard writes the model card of a folder: what the model is, how good it was found to
// be and on what, how to use it, and what is left to say by a person.
func writeCard(w io.Writer, m Model, name string) error {
	var b strings.Builder
	b.WriteString(`---
library_name: transformers
pipeline_tag: image-classification
tags: [resnet, icebox]
# license: is yours to choose. That of the backbone's weights and of the training images may bind you.
---
`)
	fmt.Fprintf(&b, "\n# %s\n\nA ResNet-18 with a linear head for %s: %s.\n", markdown(name), words.Count(len(m.Head.Classes), "class"), markdown(labelList(m.Head.Classes)))
	if m.Info.Weights.Random() {
		b.WriteString("\n**The backbone is untrained (random weights): the answers mean nothing.**\n")
	}
	fmt.Fprintf(&b, `
    from transformers import pipeline
    classify = pipeline("image-classification", model=%q)
    classify("photo.jpg")

onnx/model.onnx is the same network for ONNX Runtime and Transformers.js: pixel_values in, logits, probabilities and label out.
`, name)
	m.cardNumbers(&b)
	m.cardLimits(&b)
	fmt.Fprintf(&b, "\n## Where it comes from\n\nIt was exported by %s from the run %s, trained on the dataset %s. The weights of the backbone have the tensor hash %.12s….\n\nLicence, intended use and the people in the images are for you to describe.\n",
		cmp.Or(m.Program, "icebox"), markdown(m.Name), markdown(m.Info.Dataset), m.Info.Weights.Hash)
	_, err := io.WriteString(w, b.String())
	return err
}

// cardNumbers tells what the run found on images that it did not learn from.
func (m Model) cardNumbers(b *strings.Builder) {
	b.WriteString("\n## How good it is\n\n")
	held := []string{"test", "val"}
	if m.Report == nil {
		b.WriteString("There is no report of the run: nothing is known of how good it is.\n")
		return
	}
	if m.Report.Parts["test"].N+m.Report.Parts["val"].N == 0 {
		b.WriteString("The run held out no images: nothing is known of images that it did not learn from.\n")
		return
	}
	b.WriteString("| held-out part | images | accuracy | 95 % interval | macro F1 | calibration error (ECE) |\n|---|---|---|---|---|---|\n")
	for _, part := range held {
		score, answers := m.Report.Parts[part], m.Report.Answers.Parts[part]
		if score.N == 0 {
			continue
		}
		interval := "-"
		if r := answers.Interval; r != nil {
			interval = fmt.Sprintf("%.1f–%.1f %%", 100*r.Low, 100*r.High)
		}
		fmt.Fprintf(b, "| %s | %s | %.1f %% | %s | %.3f | %.3f |\n", part, words.Number(score.N), 100*score.Top1, interval, score.MacroF1, answers.Calibration.ECE)
	}
	b.WriteString("\nThe options of the head may have been chosen on the images of val: its numbers are then a little too good. ")
	fmt.Fprintf(b, "The calibration error is that of the probabilities at temperature %.4g.\n", temperature(m.Head))
	part := "test"
	if m.Report.Parts[part].N == 0 {
		part = "val"
	}
	cardClasses(b, part, m.Report.Parts[part])
}

// mostClasses is the most classes that a card lists.
const mostClasses = 100

func cardClasses(b *strings.Builder, part string, score judge.Report) {
	if len(score.PerClass) > mostClasses {
		return
	}
	fmt.Fprintf(b, "\n| class | precision | recall | images of %s |\n|---|---|---|---|\n", part)
	for _, c := range score.PerClass {
		fmt.Fprintf(b, "| %s | %.3f | %.3f | %s |\n", markdown(c.Class), c.Precision, c.Recall, words.Number(c.Support))
	}
}

// cardLimits says how the answers differ from icebox's own.
func (m Model) cardLimits(b *strings.Builder) {
	b.WriteString("\n## What to know\n\n")
	fmt.Fprintf(b, "- The scores of transformers are the softmax of the logits as trained. icebox's probabilities are that of the logits over %.6g (config.json, icebox.temperature); the output probabilities of the ONNX file has it applied.\n", temperature(m.Head))
	if t := m.Head.Threshold; t > 0 {
		fmt.Fprintf(b, "- icebox answers \"unknown\" where the top probability is below %.4g. transformers does not.\n", t)
	}
	b.WriteString("- transformers resizes with its own code: a pixel may differ from icebox's by a few levels, and a crop may begin a pixel off.\n")
	p := m.Info.Fingerprint.Preprocess
	if p.EXIF {
		b.WriteString("- icebox turns photos upright by their EXIF tag before anything else. So must you.\n")
	}
	if p.Background != "" {
		fmt.Fprintf(b, "- Transparent pixels lie over %s in icebox. Lay them so yourself.\n", p.Background)
	}
	if p.Fit != extract.Squash {
		b.WriteString("- What lies at the ends of a long image is cut off.\n")
	}
}

// markdown is a name as text of Markdown, on one line of a table.
func markdown(s string) string {
	return strings.NewReplacer("\n", " ", "\r", " ", "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "[", `\[`).Replace(s)
}
