package sweep

import "icebox/headtrain"

// Ranges returns the ranges of the numbers in [Options], by field. Those of an axis are
// the option's own; [FractionKey] is a share of rows.
func Ranges() map[string]headtrain.Range {
	return map[string]headtrain.Range{
		"Seeds": headtrain.From(1), "Folds": headtrain.From(0), "Trials": headtrain.From(0),
		"Axes." + FractionKey: headtrain.Above(0).To(1),
	}
}

// Steps is how many points a range of an axis may have in a grid.
var Steps = headtrain.From(2).To(mostSteps)

// mostSteps keeps a slip of the keyboard from asking for all memory.
const mostSteps = 10_000

// Choices returns the words that a text in [Options] may be, by field.
func Choices() map[string][]string {
	return map[string][]string{
		"Method": {Grid, Random, Halving}, "Metric": {headtrain.MetricValAcc, headtrain.MetricValLoss, headtrain.MetricValMacroF1, headtrain.MetricValBalancedAcc},
	}
}
