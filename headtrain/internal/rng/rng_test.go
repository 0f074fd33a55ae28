package rng

import "testing"

// SplitMix64 from state 0, as published with the algorithm.
func TestStreamIsSplitMix64(t *testing.T) {
	s := Stream{}
	for i, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f} {
		if got := s.Next(); got != want {
			t.Errorf("draw %d is %#x, want %#x", i, got, want)
		}
	}
	if got, want := New(42, 0).state, uint64(12870963724712631011); got != want {
		t.Errorf("stream 0 of seed 42 starts from %d, want %d", got, want)
	}
}
