package headtrain

import "icebox/headtrain/internal/fault"

// Values of Options.Kind.
const (
	KindLinear = "linear"
	KindMLP    = "mlp" // one hidden layer with ReLU and dropout
)

// EngineFused is the name of the engine that New returns.
const EngineFused = "fused"

// Engine is a trainer under the name that people choose it by.
type Engine struct {
	Name    string
	Trainer Trainer
	// Check returns an error wrapping ErrOptions that names each option the
	// engine does not know. Fit returns it too, but only once there are features.
	Check func(Options) error
}

// Fused returns the engine of New.
func Fused() Engine { return Engine{Name: EngineFused, Trainer: New(), Check: checkFused} }

func checkFused(o Options) error {
	var f fault.List
	f.Check(o.Kind != KindMLP, "kind: the engine %s does not know %s; use the engine gorgonia", EngineFused, KindMLP)
	return f.Err(ErrOptions)
}

// defaultHidden is the hidden units of an MLP: half of a ResNet-18's features.
const defaultHidden = 256

// maxHidden keeps a slip of the keyboard from asking for all memory.
const maxHidden = 65_536

func (o Options) checkKind(f *fault.List) {
	oneOf(f, "kind", o.Kind, KindLinear, KindMLP)
	f.Check(o.Hidden >= 0 && o.Hidden <= maxHidden, "hidden must be from 0 to %d, not %d", maxHidden, o.Hidden)
	f.Check(o.Dropout >= 0 && o.Dropout < 1, "dropout must be from 0 to less than 1, not %v", o.Dropout)
	f.Check(o.Kind == KindMLP || o.Hidden == 0, "hidden is for the kind mlp, not %s", o.Kind)
	f.Check(o.Kind == KindMLP || o.Dropout == 0, "dropout is for the kind mlp, not %s", o.Kind)
}
