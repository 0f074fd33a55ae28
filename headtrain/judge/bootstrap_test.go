package judge

import (
	"math"
	"testing"
)

// The interval of a proportion is close to the normal one, p ± 1.96·√(p(1-p)/n),
// and wider where rows come in groups.
func TestBootstrapIsCloseToTheNormalInterval(t *testing.T) {
	hit := make([]bool, 1000)
	var rows, groups [][]int
	for n := range hit {
		hit[n] = n/10%5 != 0 // whole tens are wrong
		rows = append(rows, []int{n})
		if n%10 == 0 {
			groups = append(groups, nil)
		}
		groups[n/10] = append(groups[n/10], n)
	}
	i := Bootstrap(rows, hit, 1)
	half := 1.96 * math.Sqrt(0.8*0.2/1000)
	if math.Abs(i.Low-(0.8-half)) > 0.004 || math.Abs(i.High-(0.8+half)) > 0.004 {
		t.Errorf("%v, normal 0.8 ± %v", i, half)
	}
	g := Bootstrap(groups, hit, 1)
	half = 1.96 * math.Sqrt(0.8*0.2/100)
	if math.Abs(g.Low-(0.8-half)) > 0.012 || math.Abs(g.High-(0.8+half)) > 0.012 {
		t.Errorf("by group %v, normal 0.8 ± %v", g, half)
	}
	if Bootstrap(groups, hit, 1) != g || Bootstrap(groups, hit, 2) == g && Bootstrap(groups, hit, 3) == g && Bootstrap(groups, hit, 4) == g {
		t.Error("the interval does not follow the seed alone")
	}
}
