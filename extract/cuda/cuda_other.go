//go:build nocuda || !linux || !(amd64 || arm64)

package cuda

import (
	"fmt"

	"icebox/extract"
)

// errLeftOut is what a build without the engine has to say.
var errLeftOut = fmt.Errorf("%w: this build leaves it out (it is in builds for linux/amd64 and linux/arm64 without the tag nocuda)", extract.ErrEngineUnavailable)

func open(Options, extract.Backbone) (extract.Engine, extract.EngineInfo, error) {
	return nil, extract.EngineInfo{}, errLeftOut
}

func probe(Options) Report { return Report{Missing: errLeftOut.Error()} }
