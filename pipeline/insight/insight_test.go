package insight

import (
	"math"
	"math/rand/v2"
	"testing"

	"icebox/headtrain"
)

func TestFoldsAreEvenAndKeepCopiesTogether(t *testing.T) {
	const classes, each = 4, 23
	rng := rand.New(rand.NewPCG(1, 1))
	s := &Set{Data: &headtrain.Dataset{Classes: make([]string, classes)}}
	for n := range classes * each {
		var image Image
		for k := range image.Hash {
			image.Hash[k] = byte(rng.Uint32())
		}
		s.Images = append(s.Images, image)
		s.Data.Labels = append(s.Data.Labels, int32(n/each))
	}
	c := newClusters(len(s.Images))
	together := [][]int{{0, 9, 31}, {50, 51}, {31, 60}}
	for _, rows := range together {
		for _, r := range rows[1:] {
			c.join(rows[0], r)
		}
	}
	fold := s.deal(c)
	for _, rows := range together {
		for _, r := range rows {
			if fold[r] != fold[rows[0]] {
				t.Errorf("rows %v are in folds %d and %d", rows, fold[rows[0]], fold[r])
			}
		}
	}
	var ofClass [classes][Folds]int
	var all [Folds]int
	for r, f := range fold {
		ofClass[s.Data.Labels[r]][f]++
		all[f]++
	}
	for class, counts := range ofClass {
		for _, n := range counts {
			if n < each/Folds-2 || n > each/Folds+3 {
				t.Errorf("class %d: %v rows a fold", class, counts)
			}
		}
	}
	for _, n := range all {
		if n < 14 || n > 23 {
			t.Errorf("rows a fold: %v", all)
		}
	}
}

func TestExtrapolationFollowsAPowerLaw(t *testing.T) {
	law := func(floor float64) (points []CurvePoint, byFold [][]float64) {
		for n, rows := range []int{100, 250, 500, 1000} {
			accuracy := 1 - powerLaw{floor, 2, 0.5}.at(float64(rows))
			points = append(points, CurvePoint{Share: curveShares[n], Rows: rows, Accuracy: accuracy})
			byFold = append(byFold, []float64{accuracy, accuracy, accuracy})
		}
		return points, byFold
	}
	for _, floor := range []float64{0, 0.02} {
		points, byFold := law(floor)
		want := powerLaw{floor, 2, 0.5}
		gain := want.at(1000) - want.at(2000)
		g := extrapolate(points, byFold)
		if g == nil || math.Abs(g.Gain-gain) > 0.002 || g.Low > gain+1e-4 || g.High < gain-1e-4 || g.Rows != 2000 {
			t.Errorf("floor %v: %+v, want a gain of %v", floor, g, gain)
		}
	}
	perfect := []CurvePoint{{Rows: 10, Accuracy: 0.9}, {Rows: 20, Accuracy: 1}, {Rows: 40, Accuracy: 1}, {Rows: 80, Accuracy: 1}}
	if g := extrapolate(perfect, [][]float64{{1, 1}, {1, 1}}); g != nil {
		t.Errorf("a guess beyond perfection: %+v", g)
	}
	flat := []CurvePoint{{Rows: 10, Accuracy: 0.5}, {Rows: 20, Accuracy: 0.5}, {Rows: 40, Accuracy: 0.5}, {Rows: 80, Accuracy: 0.5}}
	if g := extrapolate(flat, [][]float64{{.5, .5}, {.5, .5}}); g == nil || g.Gain > 1e-9 || g.High > 1e-9 {
		t.Errorf("a flat curve: %+v", g)
	}
}
