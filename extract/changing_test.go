package extract

import (
	"context"
	"strings"
	"testing"
)

// changingEngine is the native engine, but it changes its plan in the middle of its
// second call, and the rows of that call are all zero.
type changingEngine struct {
	Engine
	info  EngineInfo
	calls int
}

func (e *changingEngine) Info() EngineInfo { return e.info }

func (e *changingEngine) Forward(ctx context.Context, features []float32, pixels []uint8, n int) error {
	if e.calls++; e.calls == 2 {
		e.info.Plan = "second"
		clear(features)
		return nil
	}
	return e.Engine.Forward(ctx, features, pixels, n)
}

func TestAnEngineMayChangeItsPlan(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: the reference takes minutes under the race detector")
	}
	ctx := context.Background()
	var heard []string
	spec := EngineSpec{Name: "changing", Numerics: []string{"fp32"}, Open: func(ctx context.Context, b Backbone) (Engine, EngineInfo, error) {
		b.Note("a remark")
		e, info, err := nativeSpec(Options{}).Open(ctx, b)
		info.Name, info.Plan = "changing", "first"
		return &changingEngine{Engine: e, info: info}, info, err
	}}
	x := open(t, Options{Engine: "changing", Engines: []EngineSpec{spec}, Note: func(text string) { heard = append(heard, text) }})
	for i, plan := range []string{"first", "second"} { // the second time it changes in the gate
		v, err := x.Gate(ctx)
		if err != nil || v.Cosine < 0.99999 || !strings.Contains(v.Key, "/changing/") || !strings.Contains(v.Key, "/"+plan+"-") {
			t.Errorf("%d: %+v, %v", i, v, err)
		}
		if info := x.engineInfo(t); info.Plan != plan {
			t.Errorf("%d: plan %q", i, info.Plan)
		}
	}
	if len(heard) != 1 || heard[0] != "a remark" {
		t.Errorf("heard %q", heard)
	}
}
