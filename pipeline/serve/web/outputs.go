package web

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"

	"icebox/pipeline/serve"
)

// outputs are those that a request asks for, or all but the logits.
func (q *oipRequest) outputs(r *reply) ([]tensor, error) {
	inBinary, _ := q.Parameters["binary_data_output"].(bool)
	if len(q.Outputs) == 0 {
		all := []tensor{r.probabilities(inBinary), r.labels(inBinary)}
		if t, failed := r.faults(inBinary); failed {
			all = append(all, t)
		}
		return all, nil
	}
	var all []tensor
	for i, o := range q.Outputs {
		if slices.ContainsFunc(q.Outputs[:i], func(before wanted) bool { return before.Name == o.Name }) {
			return nil, bad("output %q is asked for twice", o.Name)
		}
		binary := inBinary
		if v, ok := o.Parameters["binary_data"].(bool); ok {
			binary = v
		}
		switch o.Name {
		case "probabilities":
			all = append(all, r.probabilities(binary))
		case "label":
			all = append(all, r.labels(binary))
		case "logits":
			all = append(all, r.numbers("logits", binary, func(a *serve.Answer, c int) float32 { return a.Logits[c] }))
		case "error":
			t, _ := r.faults(binary)
			all = append(all, t)
		default:
			return nil, bad("there is no output %q: probabilities, label, logits and error are", o.Name)
		}
	}
	return all, nil
}

func (r *reply) probabilities(binary bool) tensor {
	return r.numbers("probabilities", binary, func(a *serve.Answer, c int) float32 { return float32(a.Probabilities[c]) })
}

// numbers is an output with a number an image and class; those of a bad image are 0.
func (r *reply) numbers(name string, inBinary bool, of func(*serve.Answer, int) float32) tensor {
	n, k := len(r.answers), len(r.Head.Classes)
	values := make([]float32, n*k)
	for i := range r.answers {
		if r.answers[i].Err == nil {
			for c := range k {
				values[i*k+c] = of(&r.answers[i], c)
			}
		}
	}
	t := tensor{Name: name, Shape: []int64{int64(n), int64(k)}, Datatype: "FP32"}
	if !inBinary {
		t.Data, _ = json.Marshal(values) // they are finite
		return t
	}
	for _, v := range values {
		t.raw = binary.LittleEndian.AppendUint32(t.raw, math.Float32bits(v))
	}
	return t
}

// labels is an output with the label of each image; that of a bad one is "".
func (r *reply) labels(inBinary bool) tensor {
	texts := make([]string, len(r.answers))
	for i := range r.answers {
		texts[i] = r.answers[i].Label
	}
	return textTensor("label", texts, inBinary)
}

// faults says what is wrong with each image, and whether anything is.
func (r *reply) faults(inBinary bool) (t tensor, failed bool) {
	texts := make([]string, len(r.answers))
	for i := range r.answers {
		if err := r.answers[i].Err; err != nil {
			texts[i], failed = err.Error(), true
		}
	}
	return textTensor("error", texts, inBinary), failed
}

func textTensor(name string, texts []string, inBinary bool) tensor {
	t := tensor{Name: name, Shape: []int64{int64(len(texts))}, Datatype: "BYTES"}
	if !inBinary {
		t.Data, _ = json.Marshal(texts) // texts have no error
		return t
	}
	for _, text := range texts {
		t.raw = append(binary.LittleEndian.AppendUint32(t.raw, uint32(len(text))), text...)
	}
	return t
}
