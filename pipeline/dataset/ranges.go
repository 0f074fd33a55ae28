package dataset

import "icebox/pipeline/fault"

// Ranges returns the ranges of the numbers in [Options], by field.
func Ranges() map[string]fault.Range {
	fraction := fault.From(0).Below(1)
	return map[string]fault.Range{"Split.Val": fraction, "Split.Test": fraction, "MaxClasses": fault.From(2)}
}
