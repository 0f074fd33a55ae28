package features

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
)

// Made says what somebody named of how features were made. The zero value, and each zero
// field, fits all.
type Made struct {
	Weights string // path or address of a file, "random" or "random:SEED"
	Numeric string // fp32, bf16, tf32, fp16
	EXIF    *bool  // photos are turned upright by their EXIF tag
	DType   cache.DType
	Env     func(string) string // see extract.Options, as for Bring
	Bring   func(ctx context.Context, address string) (path string, err error)

	Fit        string  // see extract.Options, as for these:
	Background *string // that it is "" may be named, too
	Truncated  string
}

// String names what is asked for.
func (m Made) String() string {
	var all []string
	if m.Weights != "" {
		all = append(all, "weights "+m.Weights)
	}
	if m.Numeric != "" {
		all = append(all, m.Numeric)
	}
	if m.EXIF != nil {
		all = append(all, exifWords(*m.EXIF))
	}
	if m.Fit != "" {
		all = append(all, "fit "+m.Fit)
	}
	if m.Background != nil {
		all = append(all, "background "+cmp.Or(*m.Background, "none"))
	}
	if m.Truncated != "" {
		all = append(all, "truncated images: "+m.Truncated)
	}
	if m.DType != "" {
		all = append(all, "stored as "+string(m.DType))
	}
	return strings.Join(all, ", ")
}

func exifWords(upright bool) string {
	if upright {
		return "photos turned upright"
	}
	return "photos as the sensor recorded them"
}

// unusual is how images were prepared for a space, where it is not as usual.
func (s Space) unusual() Made {
	p := s.Fingerprint.Preprocess
	m := Made{Fit: p.Fit, Truncated: p.Truncated}
	if p.Background != "" {
		m.Background = &p.Background
	}
	return m
}

// made is what String says of a space.
func (s Space) made() string {
	m, exif := s.unusual(), s.Fingerprint.Preprocess.EXIF
	m.Weights, m.Numeric, m.EXIF, m.DType = s.Weights.String(), s.Fingerprint.Numeric, &exif, s.DType
	return m.String()
}

// prepares reports whether images are prepared as m names it.
func (m Made) prepares(p extract.Preprocess) bool {
	named := extract.Options{Fit: m.Fit, Truncated: m.Truncated}
	if m.Background != nil {
		named.Background = *m.Background
	}
	want := named.Preprocess()
	return (m.EXIF == nil || p.EXIF == *m.EXIF) && (m.Fit == "" || p.Fit == want.Fit) &&
		(m.Background == nil || p.Background == want.Background) && (m.Truncated == "" || p.Truncated == want.Truncated)
}

// among returns the spaces that were made so. It is [ErrNotExtracted] where none was.
func (m Made) among(ctx context.Context, spaces []Space) ([]Space, error) {
	fits, err := m.fits(ctx, spaces)
	if err != nil {
		return nil, err
	}
	if kept := slices.DeleteFunc(slices.Clone(spaces), func(s Space) bool { return !fits(s) }); len(kept) > 0 || len(spaces) == 0 {
		return kept, nil
	}
	var have []string
	for _, s := range spaces {
		have = append(have, fmt.Sprintf("%.12s (%s)", s.ID, s.made()))
	}
	return nil, fmt.Errorf("%w: the cache has other features of this dataset than those asked for (%s): it has %s", ErrNotExtracted, m, strings.Join(have, "; "))
}

// Check returns an error, a [headtrain.ErrFingerprint], unless the rows of a head, which
// are of space s, were made so.
func (m Made) Check(ctx context.Context, s Space) error {
	fits, err := m.fits(ctx, []Space{s})
	if err == nil && !fits(s) {
		err = fmt.Errorf("%w: the head takes other features (%s) than those asked for (%s)", headtrain.ErrFingerprint, s.made(), m)
	}
	return err
}

// CheckManifest returns an error, an [ErrOtherFeatures], unless a manifest for features of
// space s is one for such features.
func (m Made) CheckManifest(ctx context.Context, s Space) error {
	fits, err := m.fits(ctx, []Space{s})
	if err == nil && !fits(s) {
		err = fmt.Errorf("%w: the manifest is for %s, and %s is asked for", ErrOtherFeatures, s.made(), m)
	}
	return err
}

// ErrOtherFeatures is returned where features are asked for, or come out, that are not those
// of a manifest.
var ErrOtherFeatures = errors.New("other features than the manifest's")

// fits returns what tells the spaces that were made so. Weights are known by their
// tensors, whatever the file is called; by its path if the file has gone since.
func (m Made) fits(ctx context.Context, spaces []Space) (func(Space) bool, error) {
	sameWeights := func(Space) bool { return true }
	if m.Weights != "" {
		x, err := extract.Open(ctx, extract.Options{Weights: m.Weights, Env: m.Env, Bring: m.Bring})
		switch {
		case err == nil:
			hash := x.Weights().Hash
			sameWeights = func(s Space) bool { return s.Weights.Hash == hash }
			err = x.Close()
		case errors.Is(err, extract.ErrWeightsOpen):
			sameWeights = func(s Space) bool { return s.Weights.Path == filepath.Clean(m.Weights) }
			if slices.ContainsFunc(spaces, sameWeights) {
				err = nil
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return func(s Space) bool {
		print := s.Fingerprint
		return sameWeights(s) && (m.Numeric == "" || print.Numeric == m.Numeric) && m.prepares(print.Preprocess) && (m.DType == "" || s.DType == m.DType)
	}, nil
}
