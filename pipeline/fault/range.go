package fault

import "icebox/headtrain"

// Range is the values that a number may have.
type Range = headtrain.Range

// From is the range of low and all above it.
func From(low float64) Range { return headtrain.From(low) }
