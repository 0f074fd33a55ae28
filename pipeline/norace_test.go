//go:build !race

package pipeline

const raceEnabled = false

func useQuickEngine(*Options) {}
