package features

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/dataset"
)

var (
	// ErrChoose is returned where the cache holds several of what one is needed of.
	ErrChoose = errors.New("choose one")
	// ErrChooseSpace is an [ErrChoose] of a space.
	ErrChooseSpace = fmt.Errorf("%w of the spaces", ErrChoose)
	// ErrChooseDataset is an [ErrChoose] of a dataset.
	ErrChooseDataset = fmt.Errorf("%w of the datasets", ErrChoose)
)

// SpaceOf names the function that x computes, with the type that rows are stored as.
func SpaceOf(x *extract.Extractor, dtype cache.DType) Space {
	return Space{ID: x.Fingerprint().ID(string(dtype)), Fingerprint: x.Fingerprint(), DType: dtype, Weights: x.Weights()}
}

func (s Space) ofCache() (cache.Space, error) {
	info, err := json.Marshal(s)
	return cache.Space{ID: s.ID, DType: s.DType, Dim: extract.Dim, Info: info}, err
}

func spaceIn(s cache.Space) (Space, error) {
	info := Space{ID: s.ID, DType: s.DType}
	if err := json.Unmarshal(s.Info, &info); err != nil {
		return info, fmt.Errorf("%w: description of space %.12s: %w", cache.ErrCorrupt, s.ID, err)
	}
	return info, nil
}

// spacesWith lists the spaces whose ID begins with id; if id is "", those that have
// features of ds (ds may be nil: any).
func spacesWith(c *cache.Cache, id string, ds *dataset.Dataset) ([]Space, error) {
	var fit []Space
	for _, s := range c.Spaces() {
		if !strings.HasPrefix(s.ID, id) || id == "" && !hasAny(c, s.ID, ds) {
			continue
		}
		info, err := spaceIn(s.Space)
		if err != nil {
			return nil, err
		}
		fit = append(fit, info)
	}
	switch {
	case len(fit) == 0 && id != "":
		return nil, fmt.Errorf("%w: no space of the cache begins with %s", cache.ErrNoSpace, id)
	case len(fit) == 0:
		return nil, fmt.Errorf("%w: the cache has no feature of this dataset", ErrNotExtracted)
	}
	return fit, nil
}

// single returns the one space of several that there is.
func single(c *cache.Cache, fit []Space) (Space, error) {
	if len(fit) == 1 {
		return fit[0], nil
	}
	var lines []string
	for _, s := range fit {
		lines = append(lines, fmt.Sprintf("%.12s (%d rows, %s)", s.ID, c.Len(s.ID), s.made()))
	}
	return Space{}, fmt.Errorf("%w: features of this dataset lie in %d spaces: %s", ErrChooseSpace, len(fit), strings.Join(lines, "; "))
}

// chooseSpace finds the one space that spacesWith lists.
func chooseSpace(c *cache.Cache, id string, ds *dataset.Dataset) (Space, error) {
	fit, err := spacesWith(c, id, ds)
	if err != nil {
		return Space{}, err
	}
	return single(c, fit)
}

func hasAny(c *cache.Cache, space string, ds *dataset.Dataset) bool {
	if ds == nil {
		return true
	}
	for i := range ds.Items {
		if it := &ds.Items[i]; it.Hashed() && c.Has(space, it.Hash) {
			return true
		}
	}
	return false
}

// CompleteSpace completes the beginning of a space's ID in the cache at path.
func CompleteSpace(path, prefix string) (string, error) {
	c, err := cache.Open(path, cache.Options{})
	if err != nil {
		return "", err
	}
	defer c.Close()
	info, err := chooseSpace(c, prefix, nil)
	return info.ID, err
}

// DescribeSpace says in a few words what the features of a space are: their numeric
// class, how the images were prepared, where it is not as usual, and the weights.
func DescribeSpace(s cache.Space) (string, error) {
	info, err := spaceIn(s)
	m := info.unusual()
	m.Numeric = info.Fingerprint.Numeric
	return fmt.Sprintf("%v, weights %s (%.12s)", m, info.Weights, info.Weights.Hash), err
}
