package dataset

import "icebox/headtrain"

// Ranges returns the ranges of the numbers in [Options], by field.
func Ranges() map[string]headtrain.Range {
	fraction := headtrain.From(0).Below(1)
	return map[string]headtrain.Range{"Split.Val": fraction, "Split.Test": fraction}
}
