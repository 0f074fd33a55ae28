//go:build nocuda || !linux || !(amd64 || arm64)

package cuda

import (
	"fmt"

	"icebox/extract"
)

// errLeftOut says that no library would help.
var errLeftOut = fmt.Errorf("%w: this build of icebox leaves it out (it is in builds for linux/amd64 and linux/arm64 without the tag nocuda)", extract.ErrEngineUnavailable)

func open(Options, extract.Backbone) (extract.Engine, extract.EngineInfo, error) {
	return nil, extract.EngineInfo{}, errLeftOut
}

func probe(Options) Report { return Report{Missing: errLeftOut.Error()} }
