package sweep

import (
	"fmt"
	"reflect"
	"slices"

	"icebox/headtrain"
)

// Point is one combination of the axes' values.
type Point struct {
	Values   []any             // one an axis: float64, int, string or WeightMap
	Options  headtrain.Options // with the first seed
	Fraction float64           // of the training rows
}

// apply makes the point's options from base.
func (q *Point) apply(axes []Axis, base headtrain.Options) error {
	q.Options, q.Fraction = base, 1
	for i, a := range axes {
		if err := q.set(a.Key, q.Values[i]); err != nil {
			return err
		}
	}
	// Momentum is an option of one optimizer and says nothing to the others.
	if slices.ContainsFunc(axes, func(a Axis) bool { return a.Key == "optimizer" }) && q.Options.Optimizer != headtrain.OptimizerSGD {
		q.Options.Momentum, q.Options.Nesterov = 0, false
	}
	if !(q.Fraction > 0 && q.Fraction <= 1) {
		return fmt.Errorf("%w: the share of the training rows (%v) must be above 0 and at most 1", headtrain.ErrOptions, q.Fraction)
	}
	return q.Options.Validate()
}

// set takes the value of one axis.
func (q *Point) set(key string, value any) error {
	o := &q.Options
	if key == "class_weights" {
		switch v := value.(type) {
		case string:
			o.ClassWeights = headtrain.ClassWeights{Mode: v}
			return nil
		case WeightMap:
			var err error
			o.ClassWeights, err = v.Weights()
			return err
		}
	}
	field, ok := map[string]any{
		"batch_size": &o.BatchSize, "epochs": &o.Epochs, "input": &o.Input, "label_smoothing": &o.LabelSmoothing, "lr": &o.LR,
		"optimizer": &o.Optimizer, "schedule": &o.Schedule, "weight_decay": &o.WeightDecay, FractionKey: &q.Fraction,
	}[key]
	v := reflect.ValueOf(value)
	if !ok || !v.IsValid() || reflect.TypeOf(field).Elem() != v.Type() {
		return fmt.Errorf("%w: the axis %s takes no value %v", headtrain.ErrOptions, key, value)
	}
	reflect.ValueOf(field).Elem().Set(v)
	return nil
}
