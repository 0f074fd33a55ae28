//go:build race

package resnet

// raceDetector is true under the race detector, which makes plain loops over floats some
// 20 times slower: tests that start no goroutines and take seconds without it are
// skipped then.
const raceDetector = true
