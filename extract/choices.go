package extract

import "icebox/extract/internal/resnet"

// Choices returns the words that a text in Options may be, by field; each may also be "".
func Choices() map[string][]string {
	return map[string][]string{
		"Precision": {"fp32", "bf16", "tf32", "fp16"},
		"ISA":       {Auto, "avx512", "avx2", "neon", Portable},
		"Fit":       {Crop, Squash, Pad},
		"Truncated": {Refuse, Accept},
		"Plan":      {Auto, resnet.Winograd, resnet.Compact},
	}
}
