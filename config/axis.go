package config

import (
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"icebox/headtrain"
	"icebox/pipeline/sweep"
)

// axis reads the values of one sweep axis: a list, or a range.
type axis struct {
	option string
	item   func(*yaml.Node) (any, error) // reads a value of the option
	of     map[string]any                // schema of an item
}

// axisKeys makes a key for every option that can be swept.
func axisKeys() []*key {
	var keys []*key
	head := slices.Concat(headKeys(), optimizerKeys())
	share := number{ranges["Sweep.Axes."+sweep.FractionKey]}
	for _, option := range sweep.Keys {
		a := axis{option, anyOf(share), share.schema()}
		if option == "class_weights" {
			a.item, a.of = classWeightsItem, classWeights{}.schema()
		} else if i := slices.IndexFunc(head, func(k *key) bool { return k.Name == "head."+option }); i >= 0 {
			a.item, a.of = head[i].parse, head[i].schema
		}
		keys = append(keys, a.key().like(axisExamples[option]))
	}
	return keys
}

// axisExamples are for people; a range is written as that of lr or epochs.
var axisExamples = map[string]string{
	"batch_size":      "[64, 256, 1024]",
	"class_weights":   "[none, balanced]",
	"epochs":          "{lin: [5, 50], steps: 4}",
	"input":           "[standardise, l2]",
	"label_smoothing": "[0, 0.1]",
	"lr":              "{log: [1e-4, 1e-1], steps: 7}",
	"optimizer":       "[adam, sgd]",
	"schedule":        "[constant, cosine]",
	"train_fraction":  "[0.1, 0.5, 1]",
	"weight_decay":    "[0, 1e-4]",
}

// anyOf forgets the type that c reads.
func anyOf[T any](c codec[T]) func(*yaml.Node) (any, error) {
	return func(n *yaml.Node) (any, error) { return c.parse(n) }
}

// classWeightsItem reads a value of head.class_weights as one of an axis.
func classWeightsItem(n *yaml.Node) (any, error) {
	w, err := classWeights{}.parse(n)
	if err != nil || w.Mode != headtrain.WeightsMap {
		return w.Mode, err
	}
	return sweep.NewWeightMap(w.Map)
}

func (a axis) numeric() bool { return a.of["type"] == "number" || a.of["type"] == "integer" }

func (a axis) key() *key {
	name := "sweep.axes." + a.option
	k := &key{
		Key:    Key{Name: name, Env: envName(name), Type: "list", Help: "values of head." + a.option + " to try"},
		field:  "Sweep.Axes." + a.option,
		parse:  a.parse,
		schema: a.schema(),
		get:    a.get,
		set:    a.set,
	}
	if a.option == "train_fraction" {
		k.Help = "shares of the training images to learn from"
	}
	if a.numeric() {
		k.Type = "list or range"
	}
	return k
}

func (a axis) get(o *options) any {
	for _, x := range o.Sweep.Axes {
		if x.Key == a.option {
			return x
		}
	}
	return nil
}

// set adds the axis. Axes come in the order of the table, wherever they were written.
func (a axis) set(o *options, v any) { o.Sweep.Axes = append(o.Sweep.Axes, v.(sweep.Axis)) }

func (a axis) schema() map[string]any {
	list := map[string]any{"type": "array", "minItems": 1, "items": a.of}
	if !a.numeric() {
		return list
	}
	bounds := map[string]any{"type": "array", "minItems": 2, "maxItems": 2, "items": a.of}
	span := func(scale string) map[string]any {
		return map[string]any{
			"type": "object", "additionalProperties": false, "required": []string{scale},
			"properties": map[string]any{scale: bounds, "steps": axisSteps.schema()},
		}
	}
	return map[string]any{"oneOf": []any{list, span("log"), span("lin")}}
}

var axisSteps = whole[int]{sweep.Steps}

func (a axis) parse(n *yaml.Node) (any, error) {
	x := sweep.Axis{Key: a.option}
	var err error
	switch {
	case n.Kind == yaml.SequenceNode:
		x.Values, err = a.list(n)
		if err == nil && len(x.Values) == 0 {
			err = fmt.Errorf(": the list is empty: give it values, such as %s, or leave the axis out", axisExamples[a.option])
		}
	case n.Kind == yaml.MappingNode && a.numeric():
		err = a.span(n, &x)
	case n.Kind == yaml.MappingNode:
		err = fmt.Errorf(": a range is for numbers, not for %s: give a list", a.option)
	case a.numeric():
		err = wrongType(n, "a list, or a range such as {log: [1e-4, 1e-1], steps: 7}")
	default:
		err = wrongType(n, "a list")
	}
	return x, err
}

func (a axis) list(n *yaml.Node) ([]any, error) {
	var values []any
	var found []error
	for i, item := range n.Content {
		v, err := a.item(deref(item))
		values = append(values, v)
		if err != nil {
			found = append(found, within(fmt.Sprintf("[%d]", i), item, err))
		}
		if len(found) == maxFaults {
			break
		}
	}
	return values, errors.Join(found...)
}

// span reads {log: [a, b], steps: n}. What makes sense as a range is for
// package sweep to say.
func (a axis) span(n *yaml.Node, x *sweep.Axis) error {
	err := eachPair(n, func(name string, v *yaml.Node) (err error) {
		switch name {
		case "log":
			x.Log, err = a.bounds(v)
		case "lin":
			x.Lin, err = a.bounds(v)
		case "steps":
			x.Steps, err = axisSteps.parse(v)
		default:
			err = errors.New(" is not part of a range: log, lin and steps are")
		}
		return err
	})
	if err == nil && (x.Log == nil) == (x.Lin == nil) {
		err = errors.New(" needs log: [a, b] or lin: [a, b], one of them")
	}
	return err
}

func (a axis) bounds(n *yaml.Node) ([]float64, error) {
	if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
		return nil, errors.New(" must be a list of two numbers, the lower first")
	}
	values, err := a.list(n)
	if err != nil {
		return nil, err
	}
	var bounds []float64
	for _, v := range values {
		switch v := v.(type) {
		case float64:
			bounds = append(bounds, v)
		case int:
			bounds = append(bounds, float64(v))
		}
	}
	return bounds, nil
}
