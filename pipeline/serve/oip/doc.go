// Package oip reads and writes the messages of the Open Inference Protocol's gRPC service,
// inference.GRPCInferenceService, from the field numbers of its specification. It knows no
// server: what the messages mean is for those who have them.
// https://github.com/kserve/open-inference-protocol
package oip
