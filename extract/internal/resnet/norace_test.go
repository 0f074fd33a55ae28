//go:build !race

package resnet

const raceDetector = false
