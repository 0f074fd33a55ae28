package page

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"

	"icebox/headtrain/judge"
	"icebox/pipeline/insight"
	"icebox/pipeline/quality"
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
	album    album
	Confused []confused
}

func newView(p *Page) *view {
	v := &view{Page: p, album: newAlbum(p.Pictures, p.Where)}
	v.Confused = v.findConfused()
	return v
}

// Pic puts the picture of an image into the album.
func (v *view) Pic(path, alt string) picture { return v.album.Pic(path, alt) }

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

// Corrected says how the head does by corrected labels; "" where no held-out ones are.
func (v *view) Corrected() string { return v.Report.Summary.Corrections.Text() }

// Poor are the issues that some pictures have.
func (v *view) Poor() []quality.Issue { return v.Report.Summary.Quality.Found() }

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
	shown := map[string]bool{}
	for _, c := range v.Confused {
		shown[c.ID] = true
	}
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
			if id := cellID(i, j); shown[id] {
				c.ID = id
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

func cellID(label, predicted int) string { return fmt.Sprintf("c%d-%d", label, predicted) }

// findConfused lists the cells off the diagonal, the fullest first, with their pictures.
func (v *view) findConfused() []confused {
	place := map[string]int{}
	for i, c := range v.Report.Classes {
		place[c] = i
	}
	cells := map[[2]int]*confused{}
	for _, w := range v.Report.Wrong {
		at := [2]int{place[w.Label], place[w.Predicted]}
		c := cells[at]
		if c == nil {
			c = &confused{ID: cellID(at[0], at[1]), Row: w.Label, Col: w.Predicted}
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
	if len(v.Report.Classes) > maxMatrix {
		all = all[:min(len(all), maxConfused)]
	}
	images := 0
	for i := range all {
		if images += len(all[i].Images); images > maxInCells {
			return all[:i]
		}
	}
	return all
}

// Card is an image in doubt: its label and the class that it was taken for.
type Card struct{ Path, Label, Other string }

// Cards lists what the page shows as cards.
func (p *Page) Cards() []Card {
	v := newView(p)
	var all []Card
	for _, w := range v.Mistakes() {
		all = append(all, Card{w.Path, w.Label, w.Predicted})
	}
	if p.Insight != nil {
		for _, s := range v.Suspects() {
			all = append(all, Card{s.Path, s.Label, s.LooksLike})
		}
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

// beside is an image, the map of its evidence, and the training images nearest to it.
type beside struct {
	Image picture
	Map   picture // none where its number is 0
	Near  []nearImage
}

type nearImage struct {
	Class string
	Image picture
}

// Beside puts an image beside the nearest of the class that it is taken for, and of its own,
// as far as there are pictures of these.
func (v *view) Beside(path, label, other string) beside {
	b := beside{Image: v.album.Pic(path, label)}
	if jpeg := v.Maps[Card{path, label, other}]; jpeg != nil {
		b.Map = picture{Path: path, Number: v.album.add(jpeg), Alt: "orange where it speaks for " + other + ", blue where it speaks for " + label}
	}
	n := v.Nearest[path]
	for _, near := range []struct{ class, path string }{{other, n.OfOther}, {label, n.OfLabel}} {
		if v.Pictures[near.path] != nil {
			b.Near = append(b.Near, nearImage{near.class, v.album.Pic(near.path, near.class)})
		}
	}
	return b
}

// Listed are the scores of the classes; where there are very many, those with the lowest F1.
func (v *view) Listed() []judge.Class {
	all := slices.Clone(v.Held().PerClass)
	if len(all) > maxListed {
		slices.SortStableFunc(all, func(a, b judge.Class) int { return cmp.Compare(a.F1, b.F1) })
		all = all[:maxListed]
	}
	return all
}

// Unlisted counts the classes that Listed leaves out.
func (v *view) Unlisted() int { return max(0, len(v.Held().PerClass)-maxListed) }

// ShownCounts are the first of Counts.
func (v *view) ShownCounts() []classCounts {
	all := v.Counts()
	return all[:min(len(all), maxListed)]
}

// Wide reports whether there are many classes.
func (v *view) Wide() bool { return len(v.Report.Classes) > 12 }
