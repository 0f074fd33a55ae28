package pipeline

import (
	"bytes"
	"encoding/json"

	"icebox/headtrain"
)

// WeightMap is weights by class as a value of an axis: JSON with its names in order,
// so that equal maps are equal values.
type WeightMap string

// NewWeightMap takes finite weights.
func NewWeightMap(weights map[string]float64) (WeightMap, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // it is shown to people too
	err := e.Encode(weights)
	return WeightMap(bytes.TrimSpace(text.Bytes())), err
}

// Weights are those that w was made of.
func (w WeightMap) Weights() (headtrain.ClassWeights, error) {
	c := headtrain.ClassWeights{Mode: headtrain.WeightsMap}
	return c, json.Unmarshal([]byte(w), &c.Map)
}

// MarshalJSON makes w an object, as it is in a configuration.
func (w WeightMap) MarshalJSON() ([]byte, error) { return []byte(w), nil }

// checkWeightMaps refuses weights on an axis that no head could be trained with.
func (j *job) checkWeightMaps(check headtrain.Job) error {
	for _, a := range j.sweep.plan.axes {
		for _, v := range a.Values {
			w, ok := v.(WeightMap)
			if !ok {
				continue
			}
			weights, err := w.Weights()
			if err != nil {
				return err
			}
			if err := j.ds.checkWeights("sweep.axes."+a.Key, weights); err != nil {
				return err
			}
			check.Heads = []headtrain.Options{j.sweep.base}
			check.Heads[0].ClassWeights = weights
			if err := check.Validate(); err != nil {
				return err
			}
		}
	}
	return nil
}
