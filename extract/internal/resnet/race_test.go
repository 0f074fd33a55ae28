//go:build race

package resnet

// The race detector makes plain loops over floats some 20 times slower: tests that start
// no goroutines and take seconds without it are skipped.
const raceDetector = true
