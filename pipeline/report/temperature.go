package report

import "icebox/headtrain"

// Temperature is what a head's logits are divided by; 1 where none was fitted.
func Temperature(h *headtrain.Head) float64 {
	if h.Temperature == 0 {
		return 1
	}
	return h.Temperature
}
