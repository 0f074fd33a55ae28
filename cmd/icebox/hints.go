package main

import (
	"errors"

	"icebox/extract"
	"icebox/extract/cuda"
)

// hints say what to do next, by the error that a package below returns; the first that
// fits counts.
var hints = []struct {
	of   error
	text string
}{
	{extract.ErrNoWeightsOfHash, "name the file these features were made with, or get torchvision's with `icebox weights fetch`"},
	{extract.ErrNoWeights, "`icebox weights fetch` downloads them"},
	{extract.ErrWeightsVariable, "correct or unset the variable"},
	{extract.ErrDownloadRange, "remove that file and fetch again"},
	{extract.ErrDownloadBroken, "run the same command again to resume"},
	{extract.ErrChecksum, "fetch it again, or from elsewhere"},
	{extract.ErrISA, "backbone.isa=auto takes the fastest of them"},
	{cuda.ErrNoneOpens, "set backbone.device=cpu to go on without it"},
}

// hint returns what to do about err, "" if nothing is known.
func hint(err error) string {
	var disagree *extract.DisagreeError
	if errors.As(err, &disagree) {
		setting := "backbone.isa=portable"
		if disagree.Engine.Name != extract.Native {
			setting = "backbone.device=cpu"
		}
		return "nothing was written; set " + setting + " to go on without it, and please report this"
	}
	var library *cuda.LibraryError
	if errors.As(err, &library) {
		text := "install NVIDIA's driver"
		if library.Package != "" {
			text = "`pip install " + library.Package + "`"
		}
		return text + ", or set backbone.device=cpu"
	}
	for _, h := range hints {
		if errors.Is(err, h.of) {
			return h.text
		}
	}
	return ""
}
