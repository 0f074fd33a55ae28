package report

import (
	"fmt"
	"io"
	"strings"

	"icebox/headtrain/judge"
	"icebox/pipeline/words"
)

// Corrections are those that were laid over the labels of a dataset.
type Corrections struct {
	File      string `json:"file"`
	SHA256    string `json:"sha256"` // of the file
	Changed   int    `json:"changed"`
	Excluded  int    `json:"excluded"`
	Confirmed int    `json:"confirmed"`
	Stale     int    `json:"stale"` // without effect: the image has other bytes by now
	Gone      int    `json:"gone"`  // without effect: the image is not there

	// Parts judge the head by the corrected labels, where those of a part were corrected.
	// All other numbers of held-out parts are by the labels that were given.
	Parts map[string]CorrectedPart `json:"parts,omitempty"`
}

// CorrectedPart judges a head on a part by corrected labels.
type CorrectedPart struct {
	Accuracy float64         `json:"accuracy"`
	Interval *judge.Interval `json:"accuracy_interval"` // 95 %
	Images   int             `json:"images"`
	Changed  int             `json:"changed"` // of the part: labels changed, images left out or newly labelled
}

// Text says how the head does by corrected labels; "" where none of a held-out part were
// corrected.
func (c *Corrections) Text() string {
	if c == nil {
		return ""
	}
	var parts []string
	for _, name := range partOrder {
		if p, ok := c.Parts[name]; ok {
			parts = append(parts, fmt.Sprintf("%s %s (%s, %s corrected)", name, words.Percent(p.Accuracy), words.Count(p.Images, "image"), words.Number(p.Changed)))
		}
	}
	return strings.Join(parts, ", ")
}

// line writes the same as a line, if there is anything to say.
func (c *Corrections) line(w io.Writer, name string) {
	if text := c.Text(); text != "" {
		fmt.Fprintf(w, "%s by the corrected labels: %s\n", name, text)
	}
}
