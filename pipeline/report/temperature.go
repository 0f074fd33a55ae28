package report

import (
	"iter"
	"strconv"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/internal/csvfile"
)

// Judged is a part whose rows a head has judged.
type Judged struct {
	Name   string         // of the part
	Rows   *features.Rows // with the head's labels
	Logits []float32      // rows × classes
}

// WritePredictions writes a CSV file of what a head says of each labelled image: a line
// an image, in the dataset's order, part by part. It leaves no file that is not whole.
func WritePredictions(path string, h *headtrain.Head, ds *dataset.Dataset, parts []Judged) error {
	return csvfile.Write(path, func(yield func([]string) bool) {
		header := []string{"part", "path", "label", "predicted", "probability"}
		for _, c := range h.Classes {
			header = append(header, "p:"+c)
		}
		if !yield(header) {
			return
		}
		for _, p := range parts {
			for line := range p.predictions(h, ds) {
				if !yield(line) {
					return
				}
			}
		}
	})
}

// predictions are the lines of a part. The next one takes the place of the last.
func (p Judged) predictions(h *headtrain.Head, ds *dataset.Dataset) iter.Seq[[]string] {
	k, temperature := len(h.Classes), Temperature(h)
	probs, line := make([]float64, k), make([]string, 5+k)
	return func(yield func([]string) bool) {
		for n, i := range p.Rows.Items {
			best := judge.Softmax(probs, p.Logits[n*k:(n+1)*k], temperature)
			copy(line, []string{p.Name, ds.Display(&ds.Items[i]), h.Classes[p.Rows.Data.Labels[n]], h.Classes[best]})
			for c, v := range probs {
				line[5+c] = strconv.FormatFloat(v, 'g', 8, 64)
			}
			line[4] = line[5+best]
			if !yield(line) {
				return
			}
		}
	}
}

// Temperature is what a head's logits are divided by; 1 where none was fitted.
func Temperature(h *headtrain.Head) float64 {
	if h.Temperature == 0 {
		return 1
	}
	return h.Temperature
}
