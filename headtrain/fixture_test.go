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

func newTestTeam(t testing.TB) *team.Team {
	one := team.New(1)
	t.Cleanup(one.Close)
	return one
}
