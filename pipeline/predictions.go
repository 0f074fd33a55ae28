package pipeline

import (
	"bufio"
	"encoding/csv"
	"errors"
	"os"
	"strconv"

	"icebox/headtrain"
	"icebox/headtrain/judge"
)

// predictions is a CSV file of what a head says of each labelled image: a line an
// image, in the dataset's order, part by part. nil writes nothing.
type predictions struct {
	f    *os.File
	w    *bufio.Writer
	csv  *csv.Writer
	head *headtrain.Head
}

// newPredictions makes the file at path, "" being none, and its header.
func newPredictions(path string, h *headtrain.Head) (*predictions, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	p := &predictions{f: f, w: w, csv: csv.NewWriter(w), head: h}
	header := []string{"part", "path", "label", "predicted", "probability"}
	for _, c := range h.Classes {
		header = append(header, "p:"+c)
	}
	return p, p.csv.Write(header)
}

// part adds the rows of a part, whose labels are the head's, with their logits.
func (p *predictions) part(name string, ds *Dataset, r *rows, logits []float32) error {
	if p == nil {
		return nil
	}
	h := p.head
	k, temperature := len(h.Classes), h.Temperature
	if temperature == 0 {
		temperature = 1
	}
	probs, line := make([]float64, k), make([]string, 5+k)
	for n, i := range r.items {
		best := judge.Softmax(probs, logits[n*k:(n+1)*k], temperature)
		copy(line, []string{name, ds.Display(&ds.Items[i]), h.Classes[r.data.Labels[n]], h.Classes[best]})
		for c, v := range probs {
			line[5+c] = strconv.FormatFloat(v, 'g', 8, 64)
		}
		line[4] = line[5+best]
		if err := p.csv.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// close sees the file written, or takes it away if err says that it is not whole.
func (p *predictions) close(err error) error {
	if p == nil {
		return err
	}
	p.csv.Flush()
	err = errors.Join(err, p.csv.Error(), p.w.Flush(), p.f.Close())
	if err != nil {
		os.Remove(p.f.Name())
	}
	return err
}
