package config

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"icebox/headtrain"
)

// classWeights reads none, balanced, or a mapping from class to weight. The names of
// classes are taken as they were written, quoted or not.
type classWeights struct{}

var (
	classWeightModes = text{[]string{headtrain.WeightsNone, headtrain.WeightsBalanced}}
	classWeight      = number{headtrain.Ranges()["ClassWeights.Map"]}
)

func (classWeights) kind() string { return classWeightModes.kind() + ", or class: weight" }

func (classWeights) schema() map[string]any {
	weights := map[string]any{"type": "object", "minProperties": 1, "additionalProperties": classWeight.schema()}
	return map[string]any{"oneOf": []any{classWeightModes.schema(), weights}}
}

func (c classWeights) parse(n *yaml.Node) (w headtrain.ClassWeights, err error) {
	if n.Kind != yaml.MappingNode {
		w.Mode, err = classWeightModes.parse(n)
		if err != nil {
			err = fmt.Errorf("%w, or a mapping such as {ants: 2}", err)
		}
		return w, err
	}
	w = headtrain.ClassWeights{Mode: headtrain.WeightsMap, Map: map[string]float64{}}
	err = eachPair(n, func(class string, v *yaml.Node) error {
		weight, err := classWeight.parse(v)
		w.Map[class] = weight
		return err
	})
	if err == nil && len(w.Map) == 0 {
		err = errors.New(": the mapping names no class")
	}
	return w, err
}

// eachPair calls do for each pair of a mapping and joins what is wrong with them,
// each fault beginning with the name of its pair.
func eachPair(n *yaml.Node, do func(name string, v *yaml.Node) error) error {
	var found []error
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && len(found) < maxFaults; i += 2 {
		at, name, v := n.Content[i], deref(n.Content[i]), deref(n.Content[i+1])
		var err error
		switch {
		case name.Kind != yaml.ScalarNode:
			err = within("", at, fmt.Errorf(": a key must be a name, not %s", describe(name)))
		case seen[name.Value]:
			err = within("."+quote(name.Value), at, errors.New(" is given twice"))
		default:
			seen[name.Value] = true
			err = within("."+quote(name.Value), at, do(name.Value, v))
		}
		if err != nil {
			found = append(found, err)
		}
	}
	return errors.Join(found...)
}
