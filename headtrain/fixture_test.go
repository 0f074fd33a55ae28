package headtrain

import (
	"testing"

	"icebox/headtrain/internal/team"
	"icebox/headtrain/internal/testkit"
)

// clusters returns generated rows, see testkit.Clusters.
func clusters(n, d, k int, seed uint64) *Dataset {
	return (*Dataset)(testkit.Clusters(n, d, k, seed))
}

// fifths are five parts, each of which validates on every fifth row and learns from the others.
func fifths(d *Dataset) []Part {
	parts := make([]Part, 5)
	for r := range d.Labels {
		for fold := range parts {
			if of := &parts[fold]; r%5 == fold {
				of.Val = append(of.Val, int32(r))
			} else {
				of.Train = append(of.Train, int32(r))
			}
		}
	}
	return parts
}

func newTestTeam(t testing.TB) *team.Team {
	one := team.New(1)
	t.Cleanup(one.Close)
	return one
}
