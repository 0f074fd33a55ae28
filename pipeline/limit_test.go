package pipeline

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

// A limit that refused an image says nothing of the image under a larger limit.
func TestARaisedLimitTriesAgain(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 4)
	for i := range 3 {
		writePicture(t, filepath.Join(dir, "class1", string(rune('x'+i))+".png"), 1, 50+i)
	}
	time.Sleep(settle)
	o := ready(t, settings(dir))
	o.Extract.MaxPixels, o.Extract.MaxFailureRate = 100, 1
	first, err := Extract(ctx, o, Silent)
	must(t, err)
	if first.Quarantined != 11 || first.Computed != 0 {
		t.Fatalf("under a small limit: %+v", first)
	}
	for _, limit := range []int64{100, 50} {
		o.Extract.MaxPixels = limit
		again, err := Extract(ctx, o, Silent)
		must(t, err)
		if again.KnownBad != 11 || again.ImagesOpened != 0 {
			t.Errorf("limit %d: %+v", limit, again)
		}
	}
	o.Extract.MaxPixels = 1 << 20
	raised, err := Extract(ctx, o, Silent)
	must(t, err)
	if raised.Quarantined != 0 || raised.Computed != 11 {
		t.Errorf("under a larger limit: %+v", raised)
	}
	warm, err := Extract(ctx, o, Silent)
	must(t, err)
	if warm.Hits != 11 || warm.KnownBad != 0 || warm.ImagesOpened != 0 {
		t.Errorf("afterwards: %+v", warm)
	}
}
