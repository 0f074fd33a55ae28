package pipeline

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"icebox/pipeline/runs"
)

// A file that claims a large picture is quarantined by its header, under any number of
// workers, and tried again where there is more memory.
func TestMemoryForImagesIsBounded(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 6)
	var large bytes.Buffer
	must(t, png.Encode(&large, image.NewNRGBA(image.Rect(0, 0, 1500, 1000)))) // 6 MB, of a few kB
	for _, name := range []string{"x.png", "y.png"} {
		must(t, os.WriteFile(filepath.Join(dir, "class1", name), large.Bytes(), 0o644))
		large.WriteByte(0) // so that each is a content of its own
	}
	time.Sleep(settle)
	o := ready(t, settings(dir))
	o.Extract.MaxFailureRate, o.Extract.Workers, o.Extract.BatchSize = 1, 4, 4
	o.Extract.Memory = 5 << 20
	first, err := Extract(ctx, o, Silent)
	must(t, err)
	if first.Quarantined != 2 || first.Computed != 12 || !strings.Contains(first.Quarantine[0].Reason, "1500×1000 pixels needs 8 MB") {
		t.Fatalf("with little memory: %+v", first)
	}
	again, err := Extract(ctx, o, Silent)
	must(t, err)
	if again.KnownBad != 2 || again.ImagesOpened != 0 {
		t.Errorf("once more: %+v", again)
	}
	o.Extract.Memory = 9 << 20 // for one of them at a time
	raised, err := Extract(ctx, o, Silent)
	must(t, err)
	if raised.Quarantined != 0 || raised.Computed != 2 {
		t.Errorf("with more memory: %+v", raised)
	}
	warm, err := Extract(ctx, o, Silent)
	must(t, err)
	if warm.Hits != 14 || warm.ImagesOpened != 0 {
		t.Errorf("afterwards: %+v", warm)
	}
}

// However little memory there is for several workers, the rows are the same.
func TestLittleMemoryChangesNoRow(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 6)
	time.Sleep(settle)
	var seen [][]float32
	for _, memory := range []int64{0, 3 << 19} { // the second has room for one picture
		o := ready(t, settings(dir))
		o.Cache.Path = filepath.Join(t.TempDir(), "c.db")
		o.Extract.Memory, o.Extract.Workers, o.Extract.BatchSize = memory, 8, 2
		sum, err := Extract(ctx, ready(t, o), Silent)
		must(t, err)
		if sum.Computed != 12 || sum.Quarantined != 0 {
			t.Fatalf("%d bytes: %+v", memory, sum)
		}
		run, err := Train(ctx, o, Choice{}, Silent)
		must(t, err)
		head, _, err := runs.Head(*run.RunDir)
		must(t, err)
		seen = append(seen, head.W)
	}
	if !slices.Equal(seen[0], seen[1]) {
		t.Error("the heads differ")
	}
}
