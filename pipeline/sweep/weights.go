package sweep

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

// WeightMaps returns the weights by class that stand on an axis of p.
func (p *Plan) WeightMaps() ([]headtrain.ClassWeights, error) {
	var all []headtrain.ClassWeights
	for _, a := range p.Axes {
		for _, v := range a.Values {
			if w, ok := v.(WeightMap); ok {
				weights, err := w.Weights()
				if err != nil {
					return nil, err
				}
				all = append(all, weights)
			}
		}
	}
	return all, nil
}
