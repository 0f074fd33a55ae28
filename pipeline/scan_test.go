package pipeline

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"icebox/pipeline/dataset"
)

// Nobody fetches weights for a folder that is no use.
func TestDataIsCheckedBeforeWeightsAreAskedFor(t *testing.T) {
	o := settings(photos(t, 1, 2))
	one := o.Data.Train
	o.Backbone.Weights = filepath.Join(t.TempDir(), "none.pth")
	for _, program := range []func() error{
		func() error { _, err := Run(context.Background(), o, Silent); return err },
		func() error { _, err := Extract(context.Background(), o, Silent); return err },
		func() error { _, err := Plan(context.Background(), o, Silent); return err },
	} {
		o.Data.Train = filepath.Join(t.TempDir(), "wrong")
		if err := program(); !errors.Is(err, dataset.ErrData) {
			t.Errorf("neither folder nor weights: %v", err)
		}
		o.Data.Train = photos(t, 2, 2)
		if err := program(); err == nil || errors.Is(err, dataset.ErrData) {
			t.Errorf("no weights: %v", err)
		}
	}
	o.Data.Train = one
	if _, err := Run(context.Background(), o, Silent); !errors.Is(err, dataset.ErrData) {
		t.Errorf("one class and no weights: %v", err)
	}
}
