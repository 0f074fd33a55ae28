package page

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"icebox/headtrain/judge"
	"icebox/pipeline/insight"
	"icebox/pipeline/report"
	"icebox/pipeline/words"
)

// funcs are what the template writes numbers with.
var funcs = template.FuncMap{
	"percent": words.Percent,
	"share":   words.Share,
	"number":  words.Number[int],
	"count":   words.Count[int],
	"fixed":   func(v float64) string { return fmt.Sprintf("%.3f", v) },
	"points":  func(v float64) string { return fmt.Sprintf("%+.1f", 100*v) },
	"seconds": words.Duration,
	"short":   func(hash string) string { return hash[:min(len(hash), 12)] },
}

// view is a page as the template sees it.
type view struct {
	*Page
	album album
}

func newView(p *Page) *view {
	return &view{Page: p, album: album{picture: p.Picture, numbers: map[string]int{}}}
}

// Held is the score on the part that the page judges by.
func (v *view) Held() report.Score { return v.Report.Parts[v.Report.WrongOf] }

// Interval is that of the accuracy, or nil.
func (v *view) Interval() *judge.Interval { return v.Report.Answers.Parts[v.Report.WrongOf].Interval }

// Verdict is what the baselines say.
func (v *view) Verdict() string {
	if v.Report.Base == nil || len(v.Report.Base.Found) == 0 {
		return ""
	}
	text, _ := v.Report.Base.Verdict()
	if text == "" {
		best := v.Report.Base.Best()
		text = fmt.Sprintf("The head is ahead of the best baseline, %s (%s), by more than chance.", best.Name, words.Percent(best.Accuracy))
	}
	return text
}

// Part is a row of the table of parts.
type part struct {
	Name string
	report.Score
}

// Scores are the parts in their usual order.
func (v *view) Scores() []part {
	var all []part
	for _, name := range []string{"train", "val", "test", "all"} {
		if s, ok := v.Report.Parts[name]; ok {
			all = append(all, part{name, s})
		}
	}
	return all
}

// classCounts are the images of a class by part.
type classCounts struct {
	Class  string
	Counts []int
	Width  []float64 // of each part's bar, in hundredths of the largest class
	X      []float64 // where it begins
}

// Counts are the images of each class, part by part, as bars.
func (v *view) Counts() []classCounts {
	parts := v.Scores()
	all := make([]classCounts, len(v.Report.Classes))
	most := 1
	for i, class := range v.Report.Classes {
		all[i].Class = class
		total := 0
		for _, p := range parts {
			n := 0
			if i < len(p.PerClass) {
				n = p.PerClass[i].Support
			}
			all[i].Counts = append(all[i].Counts, n)
			total += n
		}
		most = max(most, total)
	}
	for i := range all {
		x := 0.0
		for _, n := range all[i].Counts {
			w := 100 * float64(n) / float64(most)
			all[i].X, all[i].Width = append(all[i].X, x), append(all[i].Width, w)
			x += w
		}
	}
	return all
}

// Quarantine is the first of the bad files.
func (v *view) Quarantine() []quarantined {
	var all []quarantined
	for _, b := range v.Report.Summary.Quarantine[:min(len(v.Report.Summary.Quarantine), maxBad)] {
		all = append(all, quarantined{b.Path, b.Reason})
	}
	return all
}

type quarantined struct{ Path, Reason string }

// cell is one of the confusion matrix.
type cell struct {
	N     int
	ID    string // of its pictures; "" where there are none
	Shade int    // 0 to 9, by its share of the row
	Right bool   // on the diagonal
	Row   string
	Col   string
	Of    float64 // its share of the row
}

// Matrix is the confusion matrix, nil where it would be too large to read.
func (v *view) Matrix() [][]cell {
	held := v.Held()
	if len(held.Confusion) == 0 || len(held.Confusion) > maxMatrix {
		return nil
	}
	classes := v.Report.Classes
	matrix := make([][]cell, len(held.Confusion))
	for i, row := range held.Confusion {
		total := 0
		for _, n := range row {
			total += n
		}
		for j, n := range row {
			c := cell{N: n, Right: i == j, Row: classes[i], Col: classes[j]}
			if n > 0 {
				c.Of = float64(n) / float64(total)
				c.Shade = min(int(10*c.Of), 9)
			}
			if n > 0 && i != j {
				c.ID = fmt.Sprintf("c%d-%d", i, j)
			}
			matrix[i] = append(matrix[i], c)
		}
	}
	return matrix
}

// confused is a pair of classes and the images of one that were taken for the other.
type confused struct {
	ID       string
	Row, Col string
	N        int
	Images   []report.Wrong // the surest first
}

// Confused lists the cells off the diagonal, the fullest first, with their pictures.
func (v *view) Confused() []confused {
	place := map[string]int{}
	for i, c := range v.Report.Classes {
		place[c] = i
	}
	cells := map[[2]int]*confused{}
	for _, w := range v.Report.Wrong {
		at := [2]int{place[w.Label], place[w.Predicted]}
		c := cells[at]
		if c == nil {
			c = &confused{ID: fmt.Sprintf("c%d-%d", at[0], at[1]), Row: w.Label, Col: w.Predicted}
			cells[at] = c
		}
		if c.N++; c.N <= maxInCell {
			c.Images = append(c.Images, w)
		}
	}
	var all []confused
	for _, c := range cells {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b confused) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.ID, b.ID)) })
	if v.Matrix() == nil {
		all = all[:min(len(all), maxConfused)]
	}
	return all
}

// Mistakes are the surest ones.
func (v *view) Mistakes() []report.Wrong {
	return v.Report.Wrong[:min(len(v.Report.Wrong), maxMistakes)]
}

// Suspects are the labels most likely to be wrong.
func (v *view) Suspects() []insight.Suspect {
	return v.Insight.Suspects[:min(len(v.Insight.Suspects), maxSuspects)]
}

// Pairs are copies: first those that matter.
func (v *view) Pairs() []insight.CopyPair {
	pairs := slices.Clone(v.Insight.Copies.Pairs)
	rank := func(p insight.CopyPair) int {
		if p.Leak() || p.A.Label != p.B.Label {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(pairs, func(a, b insight.CopyPair) int { return cmp.Compare(rank(a), rank(b)) })
	return pairs[:min(len(pairs), maxPairs)]
}

// picture is an image as the template draws it.
type picture struct {
	Path   string
	Name   string // its last part
	Number int    // in the album; 0 is none
	Where  template.URL
	Alt    string
}

// Picture returns the picture of an image and puts it into the album. What describes it to
// those who do not see it follows its path.
func (v *view) Pic(path, alt string) picture {
	n, _ := v.album.number(path)
	p := picture{Path: path, Name: path[strings.LastIndexByte(path, '/')+1:], Number: n, Alt: alt}
	if v.Page.Where != nil {
		// An address of a file of the user's own, made by net/url.
		p.Where = template.URL(v.Page.Where(path))
	}
	return p
}

// NearestTo returns what an image lies next to.
func (v *view) NearestTo(path string) Nearest { return v.Page.Nearest[path] }

// Wide reports whether there are many classes.
func (v *view) Wide() bool { return len(v.Report.Classes) > 12 }
