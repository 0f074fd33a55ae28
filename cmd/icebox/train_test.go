package main

import (
	"strings"
	"testing"
)

func TestAverageOverMoreStepsThanThereWereIsNoted(t *testing.T) {
	dir := featureFolder(t)
	note := "moving average of the weights"
	r := icebox(t, dir, "train", "--features", "f", "head.ema=0.9", "head.batch_size=16")
	if want := note + " (ema 0.9) takes in some 10 steps, but training took only 40: try a smaller head.ema or head.epochs=13"; r.code != 0 || !strings.Contains(r.errOut, want) {
		t.Errorf("exit %d: no %q in %s", r.code, want, r.errOut)
	}
	for _, args := range [][]string{{"head.ema=0.9", "head.epochs=13"}, {"head.epochs=1"}} {
		if r := icebox(t, dir, append([]string{"train", "--features", "f", "head.batch_size=16"}, args...)...); r.code != 0 || strings.Contains(r.errOut, note) {
			t.Errorf("%v: exit %d: %s", args, r.code, r.errOut)
		}
	}
}
