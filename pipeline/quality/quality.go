// Package quality judges pictures by numbers that were taken while they were decoded: which
// are dark, light, blurry, empty, grey, or of another size or shape than the rest. Names,
// formulas and thresholds are those of CleanVision 0.3.7. What differs is what the numbers
// are taken from:
//
//   - Brightness, entropy and grey are those of the 224-pixel crop, sampled, and not of the
//     whole picture. What [extract.Options] says of fit, background and orientation holds for
//     it.
//   - Blur is measured, as there, at 64 pixels on the longer side; but of the crop, which is
//     the middle of the picture, by two pixels for each small one, and in every other band of
//     four lines if there are 32 or more. Edges of pictures that are made smaller for it count
//     three quarters, because two pixels make more of texture than CleanVision's filter does.
//   - A picture is grey where no sampled pixel has a colour, however it is stored. CleanVision
//     goes by how it is stored. A grey picture's entropy is that of its one channel.
//   - Pictures whose crop shows fewer than three pixels of the small picture in a direction
//     are never called blurry.
//
// Size and shape are those of the header, and agree exactly.
package quality

import (
	"cmp"
	"math"
	"slices"

	"icebox/extract"
	"icebox/pipeline/insight"
)

// Names of the issues.
const (
	Dark           = "dark"
	Light          = "light"
	Blurry         = "blurry"
	LowInformation = "low_information"
	OddSize        = "odd_size"
	OddAspectRatio = "odd_aspect_ratio"
	Grayscale      = "grayscale"
)

// Report says which pictures of a dataset have an issue. It is part of summaries and
// insights in JSON; a field, once published, keeps its meaning.
type Report struct {
	Judged    int     `json:"judged"`     // pictures
	NotJudged int     `json:"not_judged"` // their features are of a version that took no such numbers
	Issues    []Issue `json:"issues"`     // each of them, also those that no picture has
}

// Issue is one kind of fault, and who has it.
type Issue struct {
	Name   string    `json:"issue"`
	Images int       `json:"images"` // that have it
	Worst  []Picture `json:"worst"`  // up to 12 of them, the worst first

	all []Picture
}

// Picture is one that has an issue.
type Picture struct {
	insight.Ref
	Score float64 `json:"score"` // from 0, which is the worst, to 1
}

// All lists all that have the issue, the worst first; nil of a report that was read from a
// file.
func (i *Issue) All() []Picture { return i.all }

// worstListed is how many pictures a report lists of each issue.
const worstListed = 12

// Judge judges pictures; ref names the one of each number. Size is judged by that of the
// others.
func Judge(pictures []extract.Measures, notJudged int, ref func(n int) insight.Ref) *Report {
	r := &Report{Judged: len(pictures), NotJudged: notJudged}
	size := sizesOf(pictures)
	for _, kind := range []struct {
		name  string
		below float64
		score func(*extract.Measures) float64
	}{
		{Dark, 0.32, func(m *extract.Measures) float64 { return float64(m.Bright99) / 255 }},
		{Light, 0.05, func(m *extract.Measures) float64 { return 1 - float64(m.Bright5)/255 }},
		{Blurry, 0.29, sharpness},
		{LowInformation, 0.3, information},
		{OddSize, size.below, size.score},
		{OddAspectRatio, 0.35, ratio},
		{Grayscale, 0.5, colour},
	} {
		issue := Issue{Name: kind.name}
		for n := range pictures {
			if score := kind.score(&pictures[n]); score < kind.below {
				issue.all = append(issue.all, Picture{ref(n), math.Round(score*1e4) / 1e4})
			}
		}
		slices.SortStableFunc(issue.all, func(a, b Picture) int { return cmp.Compare(a.Score, b.Score) })
		issue.Images = len(issue.all)
		issue.Worst = append([]Picture{}, issue.all[:min(len(issue.all), worstListed)]...)
		r.Issues = append(r.Issues, issue)
	}
	return r
}

// Found lists the issues that some pictures have, and that at most half of them have: what
// most pictures have is how the dataset is, and no issue.
func (r *Report) Found() (found []Issue) {
	if r == nil {
		return nil
	}
	for _, issue := range r.Issues {
		if issue.Images > 0 && 2*issue.Images <= r.Judged {
			found = append(found, issue)
		}
	}
	return found
}

// sharpness is low where a picture has no edges, unless it has few tones.
func sharpness(m *extract.Measures) float64 {
	edges := 1 - math.Exp(-float64(m.Edges)/256*0.01)
	spread := 1 - math.Exp(-float64(m.Spread)/256*0.01)
	if spread <= 0.18 {
		spread = 0
	}
	return min(edges+spread, 1)
}

// information is a tenth of the entropy in bits.
func information(m *extract.Measures) float64 {
	entropy := float64(m.Entropy) / 4096
	if m.Grey {
		entropy -= math.Log2(3) // which three equal channels add
	}
	return min(max(0.1*entropy, 0), 1)
}

// ratio is that of the shorter side to the longer one.
func ratio(m *extract.Measures) float64 {
	return float64(min(m.Width, m.Height)) / float64(max(m.Width, m.Height))
}

func colour(m *extract.Measures) float64 {
	if m.Grey {
		return 0
	}
	return 1
}

// sizes says what sizes are usual: from three quartile ranges below the quarter to three
// above.
type sizes struct{ middle, span, below float64 }

func sizeOf(m *extract.Measures) float64 { return math.Sqrt(float64(m.Width) * float64(m.Height)) }

func sizesOf(pictures []extract.Measures) sizes {
	if len(pictures) == 0 {
		return sizes{}
	}
	all := make([]float64, len(pictures))
	for n := range pictures {
		all[n] = sizeOf(&pictures[n])
	}
	slices.Sort(all)
	quarter, threeQuarters := quantile(all, 0.25), quantile(all, 0.75)
	between := threeQuarters - quarter
	low, high := quarter-3*between, threeQuarters+3*between
	if high == low { // most have one size: any other is odd
		return sizes{low, low, 1}
	}
	return sizes{(low + high) / 2, high - low, 0.5}
}

func (s sizes) score(m *extract.Measures) float64 {
	return 1 - min(math.Abs(sizeOf(m)-s.middle)/s.span, 1)
}

// quantile lies between two of the sorted values, as numpy's does.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	n := int(at)
	next := min(n+1, len(sorted)-1)
	return sorted[n] + float64((at-float64(n))*(sorted[next]-sorted[n]))
}
