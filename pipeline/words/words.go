// Package words writes numbers and lists for people: one way for each, wherever they
// are shown.
package words

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
)

// Number writes n with commas between thousands.
func Number[N int | int64 | float64](n N) string { return humanize.Commaf(float64(n)) }

// Count writes n and what is counted, in the plural unless n is 1. One is the
// singular; its plural ends in s, in es after ss, x and tch, in ies after a consonant's y.
func Count[N int | int64 | float64](n N, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + plural(one)
}

func plural(one string) string {
	switch {
	case strings.HasSuffix(one, "ss"), strings.HasSuffix(one, "x"), strings.HasSuffix(one, "tch"):
		return one + "es"
	case strings.HasSuffix(one, "y") && !strings.HasSuffix(one, "ay") && !strings.HasSuffix(one, "ey"):
		return strings.TrimSuffix(one, "y") + "ies"
	}
	return one + "s"
}

// Percent writes a share, 0 to 1, with two decimals.
func Percent(share float64) string { return fmt.Sprintf("%.2f %%", 100*share) }

// Share writes a share, 0 to 1, in whole percents, where more digits say nothing.
func Share(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// PercentOrDash is Percent, or a dash where there is no share.
func PercentOrDash(share *float64) string {
	if share == nil {
		return "–"
	}
	return Percent(*share)
}

// Duration writes a time in seconds so that it is never shown as 0 and never with
// more digits than anybody reads.
func Duration(seconds float64) string {
	switch {
	case seconds < 1e-3:
		return fmt.Sprintf("%.0f µs", seconds*1e6)
	case seconds < 1:
		return fmt.Sprintf("%.1f ms", seconds*1e3)
	}
	return fmt.Sprintf("%.2f s", seconds)
}

// listed is how many names [List] gives.
const listed = 5

// List joins names in quotes: all of up to five, else the first five and how many
// more there are.
func List(names []string) string {
	var quoted []string
	for _, n := range names[:min(len(names), listed)] {
		quoted = append(quoted, fmt.Sprintf("%q", n))
	}
	if more := len(names) - len(quoted); more > 0 {
		quoted = append(quoted, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(quoted, ", ")
}
