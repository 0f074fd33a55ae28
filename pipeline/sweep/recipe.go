package sweep

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"icebox/headtrain"
)

// Recipe is what heads depend on. A sweep is resumed only by one of the same.
type Recipe struct {
	Format   int               `json:"format"`
	Program  string            `json:"program"`
	Choice   json.RawMessage   `json:"choice"`   // how the rows were found
	Settings map[string]string `json:"settings"` // by config key, as JSON
}

const recipeFormat = 1

// NewRecipe describes the sweep o around the options base, of the rows that a digest
// names. Choice is how they were found, for whoever resumes; program wrote the recipe.
func NewRecipe(o Options, base headtrain.Options, rows RowsOf, choice any, program string) (Recipe, error) {
	raw, err := json.Marshal(choice)
	if err != nil {
		return Recipe{}, err
	}
	settings := map[string]string{}
	flatten(settings, "head", base)
	flatten(settings, "sweep", map[string]any{"method": o.Method, "metric": o.Metric, "seeds": o.Seeds, "folds": o.Folds, "trials": o.Trials, "refit": o.Refit})
	if lbfgs(o, base) {
		flatten(settings, pathKey, "path 1")
	}
	for _, a := range o.Axes {
		flatten(settings, "sweep.axes", map[string]any{a.Key: a.text()})
	}
	flatten(settings, "data.split", map[string]any{"val": rows.Val, "test": rows.Test})
	flatten(settings, "data", map[string]any{"name": rows.Dataset, "rows": rows.Digest, "space": rows.Space})
	return Recipe{Format: recipeFormat, Program: program, Choice: raw, Settings: settings}, nil
}

// pathKey is no setting: it says by which rules heads of L-BFGS are trained along paths of
// weight decays. Recipes of versions that did not do so lack it.
const pathKey = "sweep.path"

// lbfgs reports whether heads of L-BFGS may be among those of a sweep.
func lbfgs(o Options, base headtrain.Options) bool {
	return base.Optimizer == headtrain.OptimizerLBFGS ||
		slices.ContainsFunc(o.Axes, func(a Axis) bool { return slices.Contains(a.Values, any(headtrain.OptimizerLBFGS)) })
}

// RowsOf names the rows that heads learn from and are judged by.
type RowsOf struct {
	Dataset   string
	Space     string  // "" for rows of a folder
	Val, Test float64 // fractions that were asked for
	Digest    string  // of contents, labels and parts
}

// text writes an axis as the configuration does.
func (a Axis) text() string {
	if len(a.Values) > 0 {
		return fmt.Sprint(a.Values)
	}
	scale, bounds := "lin", a.Lin
	if len(a.Log) > 0 {
		scale, bounds = "log", a.Log
	}
	return fmt.Sprintf("{%s: %v, steps: %d}", scale, bounds, a.Steps)
}

// flatten adds the fields of v, as JSON, under their names below prefix.
func flatten(to map[string]string, prefix string, v any) {
	text, err := json.Marshal(v)
	var fields map[string]json.RawMessage
	if err == nil && json.Unmarshal(text, &fields) == nil {
		for name, value := range fields {
			flatten(to, prefix+"."+name, value)
		}
		return
	}
	to[prefix] = string(text)
}

// differences lists what is not in now as it is in r, a line a setting.
func (r Recipe) differences(now Recipe) []string {
	keys := map[string]bool{}
	for k := range r.Settings {
		keys[k] = true
	}
	for k := range now.Settings {
		keys[k] = true
	}
	var lines []string
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		was, is := r.Settings[k], now.Settings[k]
		switch {
		case was == is:
		case k == pathKey && was == "":
			lines = append(lines, "the version that began it ("+r.Program+") trained heads of lbfgs in another way, which that version alone can go on with")
		case k == "data.rows":
			lines = append(lines, "the images, their labels or their split are others")
		default:
			lines = append(lines, fmt.Sprintf("%s was %s and is %s", k, orNothing(was), orNothing(is)))
		}
	}
	return lines
}

func orNothing(s string) string {
	if s == "" {
		return "not there"
	}
	return s
}
