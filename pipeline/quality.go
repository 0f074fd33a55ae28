package pipeline

import (
	"icebox/extract"
	"icebox/pipeline/features"
	"icebox/pipeline/insight"
	"icebox/pipeline/quality"
)

// measured is a source that knows what was measured of its pictures.
type measured interface {
	Pictures() (pictures []features.Picture, without int)
}

// qualityOf judges the pictures of a source, as the cache remembers them; nil for arrays.
func qualityOf(src features.Source) *quality.Report {
	m, ok := src.(measured)
	if !ok {
		return nil
	}
	ds := src.Dataset()
	pictures, without := m.Pictures()
	numbers := make([]extract.Measures, len(pictures))
	for n := range pictures {
		numbers[n] = pictures[n].Measures
	}
	return quality.Judge(numbers, without, func(n int) insight.Ref {
		it := &ds.Items[pictures[n].Item]
		return insight.Ref{Path: ds.Display(it), Part: it.Part.String(), Label: ds.Class(it)}
	})
}
