package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/pipeline/dataset"
)

// films makes two classes of 6 films with 4 frames each: files that differ in a byte behind
// the picture, so that their features are equal and their content is not.
func films(t *testing.T) string {
	t.Helper()
	dir := photos(t, 2, 6)
	for c := range 2 {
		for film := range 6 {
			name := filepath.Join(dir, fmt.Sprintf("class%d", c), fmt.Sprintf("%03d%s", film, []string{".jpg", ".png"}[film%2]))
			first, err := os.ReadFile(name)
			must(t, err)
			for frame := range 3 {
				copied := strings.TrimSuffix(name, filepath.Ext(name)) + fmt.Sprint("-", frame) + filepath.Ext(name)
				must(t, os.WriteFile(copied, append(append([]byte(nil), first...), byte(frame)), 0o644))
				old := time.Now().Add(-time.Hour)
				must(t, os.Chtimes(copied, old, old))
			}
		}
	}
	time.Sleep(settle)
	return dir
}

func TestNearCopiesAcrossPartsAreTold(t *testing.T) {
	ctx := context.Background()
	o := ready(t, settings(films(t)))
	run, err := Run(ctx, o, Silent)
	must(t, err)
	said := strings.Join(run.Warnings, "\n")
	if run.Leaks == nil || run.Leaks.Part != "test" || run.Leaks.Of != run.TestRows || run.Leaks.Images < run.TestRows/2 {
		t.Fatalf("%+v", run.Leaks)
	}
	want := fmt.Sprintf("%d of %d test images have a near copy among the training images", run.Leaks.Images, run.Leaks.Of)
	if !strings.Contains(said, want) || !strings.Contains(said, "Data.Split.Near = true") {
		t.Errorf("no %q in %s", want, said)
	}
	again, err := Run(ctx, o, Silent)
	must(t, err)
	if *again.Leaks != *run.Leaks {
		t.Errorf("remembered as %+v, found as %+v", again.Leaks, run.Leaks)
	}

	o.Data.Split.Near = true
	apart, err := Run(ctx, o, Silent)
	must(t, err)
	if apart.Leaks.Images != 0 || strings.Contains(strings.Join(apart.Warnings, "\n"), "near copy") || apart.TestRows == 0 || apart.ValRows == 0 {
		t.Errorf("kept in one part: %+v, %v", apart.Leaks, apart.Warnings)
	}
	film := map[string]string{}
	for path, part := range partsOf(t, o, "photos") {
		name := strings.TrimSuffix(path, filepath.Ext(path))
		name, _, _ = strings.Cut(name, "-")
		if was, ok := film[name]; ok && was != part && path != "path" {
			t.Errorf("film %s lies in %s and in %s", name, was, part)
		}
		film[name] = part
	}
	once, err := Train(ctx, o, Choice{}, Silent)
	must(t, err)
	if once.Leaks.Images != 0 || once.TestRows != apart.TestRows {
		t.Errorf("trained from the cache: %+v, %d test rows", once.Leaks, once.TestRows)
	}
	o.Data.Split = dataset.Split{Val: 0.3, Near: true}
	other, err := Train(ctx, o, Choice{}, Silent)
	must(t, err)
	if other.Leaks.Part != "val" || other.Leaks.Images != 0 || other.ValRows < 8 {
		t.Errorf("split anew from the cache: %+v, %d val rows", other.Leaks, other.ValRows)
	}
}
