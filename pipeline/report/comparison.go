package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"

	"icebox/headtrain/judge"
	"icebox/pipeline/words"
)

// Comparison holds the heads of two runs against each other, on images that neither has
// learned from.
type Comparison struct {
	A    Listed `json:"a"`
	B    Listed `json:"b"`
	Part string `json:"part"` // the images: test, or else val
	judge.Paired
	AccA float64 `json:"acc_a"` // on these images
	AccB float64 `json:"acc_b"`
	// Apart are images of the part that only one of the runs held out, which are left out.
	Apart int `json:"apart"`
	// Differing are the images that one of the two has right and the other has not; those
	// come first that the heads are surest of.
	Differing []Differing `json:"differing"`
}

// Differing is an image to which two heads give different answers, one of them right.
type Differing struct {
	Path         string  `json:"path"` // in the dataset of A
	Label        string  `json:"label"`
	A            string  `json:"a"` // answer of A
	ProbabilityA float64 `json:"a_probability"`
	B            string  `json:"b"`
	ProbabilityB float64 `json:"b_probability"`
}

// Right reports whether A has the image right, and not B.
func (d Differing) Right() bool { return d.A == d.Label }

// Text writes c for a person.
func (c *Comparison) Text(w io.Writer, y Style) {
	fmt.Fprintf(w, "%s that neither has learned from", words.Count(c.Rows, c.Part+" image"))
	if c.Apart > 0 {
		fmt.Fprintf(w, "; %s that one of the two has not held out are left out", words.Number(c.Apart))
	}
	fmt.Fprint(w, "\n\n")
	t := NewTable(w, 2)
	t.AppendHeader(table.Row{"", "run", "accuracy", "right alone"})
	t.AppendRow(table.Row{"A", y.path(c.A.Run), words.Percent(c.AccA), words.Number(c.OnlyA)})
	t.AppendRow(table.Row{"B", y.path(c.B.Run), words.Percent(c.AccB), words.Number(c.OnlyB)})
	t.Render()
	fmt.Fprintf(w, "\n%s\n", c.Verdict())
	if differing := c.Options(); len(differing) > 0 {
		fmt.Fprintln(w)
		t := NewTable(w)
		t.AppendHeader(table.Row{"option of the head", "A", "B"})
		for _, key := range differing {
			t.AppendRow(table.Row{key, OrDefault(c.A.Options, key), OrDefault(c.B.Options, key)})
		}
		t.Render()
	}
}

// Verdict says which is better, and whether by more than chance.
func (c *Comparison) Verdict() string {
	if c.OnlyA == c.OnlyB {
		return "Both are right equally often."
	}
	better := "B"
	if c.Difference < 0 {
		better = "A"
	}
	low, high := c.Low, c.High
	if c.Difference < 0 {
		low, high = -high, -low
	}
	text := fmt.Sprintf("%s is right %.2f points more often (95 %% interval %.2f to %.2f), ", better, 100*math.Abs(c.Difference), 100*low, 100*high)
	if c.ByChance() {
		return text + fmt.Sprintf("which chance may explain: p = %.2g in the exact test of McNemar.", c.P)
	}
	return text + fmt.Sprintf("by more than chance: p = %.2g in the exact test of McNemar.", c.P)
}

// Options are the keys in which the two heads differ.
func (c *Comparison) Options() []string {
	keys := maps.Clone(c.A.Options)
	if keys == nil {
		keys = map[string]string{}
	}
	maps.Copy(keys, c.B.Options)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(keys)), func(key string) bool { return c.A.Options[key] == c.B.Options[key] })
}

// OrDefault is the value of a key among options, or "default" where there is none.
func OrDefault(options map[string]string, key string) string {
	if v, ok := options[key]; ok {
		return v
	}
	return "default"
}
