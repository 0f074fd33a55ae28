package report

import (
	"bufio"
	"encoding/csv"
	"errors"
	"os"
	"strconv"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
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
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(f, 1<<20)
	w := csv.NewWriter(buffered)
	header := []string{"part", "path", "label", "predicted", "probability"}
	for _, c := range h.Classes {
		header = append(header, "p:"+c)
	}
	err = w.Write(header)
	for _, p := range parts {
		if err == nil {
			err = p.write(w, h, ds)
		}
	}
	w.Flush()
	err = errors.Join(err, w.Error(), buffered.Flush(), f.Close())
	if err != nil {
		os.Remove(path)
	}
	return err
}

func (p Judged) write(w *csv.Writer, h *headtrain.Head, ds *dataset.Dataset) error {
	k, temperature := len(h.Classes), Temperature(h)
	probs, line := make([]float64, k), make([]string, 5+k)
	for n, i := range p.Rows.Items {
		best := judge.Softmax(probs, p.Logits[n*k:(n+1)*k], temperature)
		copy(line, []string{p.Name, ds.Display(&ds.Items[i]), h.Classes[p.Rows.Data.Labels[n]], h.Classes[best]})
		for c, v := range probs {
			line[5+c] = strconv.FormatFloat(v, 'g', 8, 64)
		}
		line[4] = line[5+best]
		if err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// Temperature is what a head's logits are divided by; 1 where none was fitted.
func Temperature(h *headtrain.Head) float64 {
	if h.Temperature == 0 {
		return 1
	}
	return h.Temperature
}
