package main

import (
	"testing"
)

func TestQuickstartIsWarmTheSecondTime(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	dir := t.TempDir()
	cold := icebox(t, dir, "quickstart", "--json", "--weights", "random")
	if cold.code != 0 {
		t.Fatal(cold.errOut)
	}
	got := cold.lastJSON(t)
	if c := got["cold"].(map[string]any); c["images_opened"] != c["images"] || c["random_weights"] != true {
		t.Errorf("cold: %v", c)
	}
	if w := got["warm"].(map[string]any); w["images_opened"] != 0.0 {
		t.Errorf("warm: %v", w)
	}
	again := icebox(t, dir, "quickstart", "--json", "--weights", "random").lastJSON(t)
	if c := again["cold"].(map[string]any); c["images_opened"] != 0.0 {
		t.Errorf("a second quickstart opened images: %v", c)
	}
}
