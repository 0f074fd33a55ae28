package exitcode

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"icebox/pipeline/features"
	"icebox/pipeline/shards"
)

func TestCodesOfErrors(t *testing.T) {
	for _, c := range []struct {
		err     error
		code    int
		mayPass bool
	}{
		{nil, OK, false},
		{errors.New("something else"), Failure, true},
		{fmt.Errorf("a: %w", ErrUsage), Usage, false},
		{fmt.Errorf("a: %w", shards.ErrManifest), Cache, false},
		{errors.Join(context.Canceled, shards.ErrMixed), Interrupted, true},
		{shards.ErrMixed, Data, false},
		{features.ErrFailureBudget, BadImages, false},
	} {
		if code := Of(c.err); code != c.code || MayPass(code) != c.mayPass {
			t.Errorf("%v: code %d, may pass: %v", c.err, code, MayPass(code))
		}
	}
	if !MayPass(137) {
		t.Error("what the system ends may pass")
	}
}

// Every class has a code with a meaning.
func TestEveryClassHasAMeaning(t *testing.T) {
	known := map[int]bool{}
	for _, m := range Meanings {
		if known[m.Code] || m.Text == "" {
			t.Errorf("code %d twice, or without a meaning", m.Code)
		}
		known[m.Code] = true
	}
	for _, c := range Classes {
		if !known[c.Code] || len(c.Errors) == 0 {
			t.Errorf("class %d: %v", c.Code, c.Errors)
		}
	}
}
