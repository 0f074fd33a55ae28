package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"icebox/extract"
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

// Quickstart downloads weights, and goes on with random ones where that fails or may not be.
func TestQuickstartTakesTheWeightsItGets(t *testing.T) {
	sound, _ := torchvision(t)
	wrong := extract.FetchOptions{URL: sound.URL, SHA256Prefix: strings.Repeat("0", 64)}
	for _, c := range []struct {
		official extract.FetchOptions
		offline  bool
		want     string // the weights; "" is a file
		says     string
	}{
		{sound, false, "", "downloading"},
		{wrong, false, "random:0", "wrong SHA-256"},
		{sound, true, "random:0", "--offline forbids"},
	} {
		dir := t.TempDir()
		var told strings.Builder
		q := &quickstart{process: &process{common: common{offline: c.offline}, official: c.official, environ: []string{"XDG_CACHE_HOME=" + dir}, dir: dir, stderr: &told}}
		x, err := q.openBackbone(context.Background())
		must(t, err)
		x.Close()
		want := c.want
		if want == "" {
			want = filepath.Join(dir, "icebox", "weights", "resnet18-f37072fd.pth")
		}
		if q.weights != want || !strings.Contains(told.String(), c.says) {
			t.Errorf("weights %s, want %s; %s", q.weights, want, told.String())
		}
	}
}
