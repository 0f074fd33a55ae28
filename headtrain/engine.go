package headtrain

import "fmt"

// EngineFused is the name of the engine of this package.
const EngineFused = "fused"

// Engine is a trainer and the name that people choose it by.
type Engine struct {
	Name    string
	Trainer Trainer
	// Check returns a Fault, with Engine set, for each sound option that the engine
	// cannot follow, joined. Fit returns them too; Check needs no features.
	Check func(Options) error
}

// Fused returns the engine of New.
func Fused() Engine { return Engine{Name: EngineFused, Trainer: New(), Check: checkFused} }

func checkFused(o Options) error {
	if o.Kind != KindMLP {
		return nil
	}
	return Fault{Field: "Kind", Text: fmt.Sprintf("(%s) cannot be trained by the engine %s", KindMLP, EngineFused), Engine: EngineFused}
}
