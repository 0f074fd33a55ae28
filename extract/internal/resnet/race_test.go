//go:build race

package resnet

// raceDetector makes plain loops over floats some 20 times slower: what has no
// goroutines and takes seconds without it is left out.
const raceDetector = true
