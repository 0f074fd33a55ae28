package judge

import (
	"errors"
	"fmt"

	"icebox/headtrain"
)

// Goal is what a threshold is to reach, under which a head answers "unknown". One of
// the two is set, from 0 to 1; if both are 0 there is no goal.
type Goal struct {
	Precision float64 `json:"precision,omitempty"` // the least share of right answers among those given
	Coverage  float64 `json:"coverage,omitempty"`  // the least share of rows that get an answer
}

// Validate returns every headtrain.Fault of g, joined.
func (g Goal) Validate() error {
	var faults []error
	check := func(ok bool, field, format string, args ...any) {
		if !ok {
			faults = append(faults, headtrain.Fault{Field: field, Text: fmt.Sprintf(format, args...)})
		}
	}
	check(g.Precision >= 0 && g.Precision <= 1, "Precision", "(%v) must be from 0 to 1", g.Precision)
	check(g.Coverage >= 0 && g.Coverage <= 1, "Coverage", "(%v) must be from 0 to 1", g.Coverage)
	check(g.Precision == 0 || g.Coverage == 0, "Coverage", "(%v) cannot be given together with a precision (%v)", g.Coverage, g.Precision)
	return errors.Join(faults...)
}

// Rejection is a threshold and what it does on some labelled rows.
type Rejection struct {
	Threshold float64 `json:"threshold"` // answers of a lower probability are "unknown"
	Precision float64 `json:"precision"` // share of right answers among those given
	Coverage  float64 `json:"coverage"`  // share of rows that get an answer
	Answered  int     `json:"answered"`
	Rows      int     `json:"rows"`
}
