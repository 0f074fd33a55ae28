package main

import (
	"strings"
	"testing"

	"icebox/extract"
)

func TestBenchForwardPrintsRatesAndLayers(t *testing.T) {
	if extract.NativeISA() == extract.Portable {
		t.Skip("takes a minute in plain Go")
	}
	r := icebox(t, t.TempDir(), "bench", "forward", "--weights", "random", "--seconds", "0.03")
	for _, want := range []string{"plan winograd", "single images compact", "1 thread", "batch 32", "layer4.1.conv2", "F(7,3)", "all"} {
		if r.code != 0 || !strings.Contains(r.out, want) {
			t.Fatalf("exit %d, no %q in %s%s", r.code, want, r.out, r.errOut)
		}
	}
	m := icebox(t, t.TempDir(), "bench", "forward", "--weights", "random", "--seconds", "0.03", "--batch", "1", "--threads", "2", "--json").lastJSON(t)
	if m["batch"] != 1.0 || m["threads"] != 2.0 || m["plan"] != "compact-3" || !(m["images_per_s"].(float64) > 0) {
		t.Errorf("%v", m)
	}
}

func TestBenchMeasuresImages(t *testing.T) {
	dir := folder(t, 2, 2)
	for _, what := range []string{"preprocess", "extract"} {
		args := []string{"bench", what, "--weights", "random", "--seconds", "0.01", "--batch", "1", "--threads", "1", "--data", "photos"}
		if r := icebox(t, dir, args...); r.code != 0 || !strings.Contains(r.out, what+": ") || !strings.Contains(r.out, "1 thread, batch 1") {
			t.Errorf("exit %d: %s%s", r.code, r.out, r.errOut)
		}
	}
	if r := icebox(t, dir, "bench", "extract", "--weights", "random"); r.code != exitUsage || !strings.Contains(r.errOut, "bench extract needs --data DIR") {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
	if r := icebox(t, dir, "bench", "forward", "--threads", "0"); r.code != exitUsage {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
}
