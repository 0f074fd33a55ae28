package imaging

import "testing"

// Ink taken from what black leaves is a·b/255, rounded to nearest.
func TestInkIsRoundedToNearest(t *testing.T) {
	for k := range 256 {
		for ink := range 256 {
			px := []byte{byte(ink), 0, 255}
			applyBlack(px, []byte{byte(k)})
			want := k - (2*ink*k+255)/510
			if int(px[0]) != want || int(px[1]) != k || px[2] != 0 {
				t.Fatalf("ink %d under black %d: %v, want %d", ink, k, px, want)
			}
		}
	}
}
