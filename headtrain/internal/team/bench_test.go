package team

import "testing"

// BenchmarkTeam is the cost of handing out work and waiting for it.
func BenchmarkTeam(b *testing.B) {
	t := New(2)
	defer t.Close()
	for b.Loop() {
		t.Run(2, 2, func(int, int) {})
	}
}
