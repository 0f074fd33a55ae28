package headtrain_test

import (
	"testing"

	"icebox/headtrain"
	"icebox/headtrain/internal/trainertest"
)

func TestFusedEngine(t *testing.T) { trainertest.Run(t, headtrain.Fused(), headtrain.KindLinear) }
