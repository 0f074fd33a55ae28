package extract

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestBF16IsAClassOfItsOwn(t *testing.T) {
	ctx := context.Background()
	open := func(precision string) *Extractor {
		x, err := Open(ctx, Options{Weights: Random, Device: "cpu", Precision: precision})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { x.Close() })
		return x
	}
	full, narrow := open(""), open("bf16")
	if a, b := full.Fingerprint(), narrow.Fingerprint(); a.ID("float32") == b.ID("float32") || b.Numeric != "bf16" {
		t.Errorf("%+v and %+v share a space", a, b)
	}
	info, err := narrow.Engine()
	if err != nil {
		if !errors.Is(err, ErrEngine) || !strings.Contains(err.Error(), "AVX512-BF16") || !strings.Contains(err.Error(), "fp32") {
			t.Errorf("the error does not say what is missing and what to do: %v", err)
		}
		t.Skip("no AVX512-BF16 in this build or on this machine")
	}
	if info.Numeric != "bf16" {
		t.Errorf("%+v", info)
	}
	if raceEnabled || testing.Short() {
		t.Skip("the reference takes seconds")
	}
	if v, err := narrow.Gate(ctx); err != nil || !(v.Cosine < 1-1e-7) {
		t.Errorf("%+v, %v: features of bfloat16 differ from those of floats, and not by much", v, err)
	}
}
