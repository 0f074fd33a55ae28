package dataset

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// glob is a pattern of files and folders that are passed over, as in a .gitignore.
type glob struct {
	again    bool // "!" before it: what it fits is not passed over after all
	folders  bool // "/" at its end: it fits folders alone
	anchored bool // "/" within it: it fits the whole path, and not any name in it
	segments []string
}

func newGlob(pattern string) (glob, error) {
	var g glob
	pattern, g.again = strings.CutPrefix(pattern, "!")
	pattern, g.folders = strings.CutSuffix(pattern, "/")
	g.anchored = strings.Contains(pattern, "/")
	g.segments = strings.Split(strings.TrimPrefix(pattern, "/"), "/")
	if slices.Contains(g.segments, "") {
		return g, errors.New("it names nothing between two slashes")
	}
	for _, s := range g.segments {
		if _, err := path.Match(s, ""); err != nil {
			return g, errors.New("a bracket is not closed")
		}
	}
	return g, nil
}

// fits reports whether g fits a path below the source.
func (g glob) fits(rel string, folder bool) bool {
	if g.folders && !folder {
		return false
	}
	if !g.anchored {
		return fitSegment(g.segments[0], path.Base(rel))
	}
	return fitSegments(g.segments, strings.Split(rel, "/"))
}

// fitSegments fits a path segment by segment; "**" stands for any number of folders. Where
// what follows a "**" does not fit, that one takes a folder more; those before it need not.
func fitSegments(pattern, segments []string) bool {
	p, again, taken := 0, -1, 0
	for n := 0; n < len(segments) || p < len(pattern) && pattern[p] == "**"; {
		switch {
		case p < len(pattern) && pattern[p] == "**":
			again, taken = p, n
			p++
		case p < len(pattern) && fitSegment(pattern[p], segments[n]):
			p, n = p+1, n+1
		case again >= 0:
			taken++
			p, n = again+1, taken
		default:
			return false
		}
	}
	return p == len(pattern)
}

func fitSegment(pattern, segment string) bool {
	ok, _ := path.Match(pattern, segment) // newGlob has checked the pattern
	return ok
}

// exclusion is a list of globs.
type exclusion []glob

func newExclusion(patterns []string) (exclusion, error) {
	var e exclusion
	for _, p := range patterns {
		g, err := newGlob(p)
		if err != nil {
			return nil, err
		}
		e = append(e, g)
	}
	return e, nil
}

// excludes reports whether a path below the source is passed over.
func (e exclusion) excludes(rel string, folder bool) bool {
	out := false
	for _, g := range e {
		if out == g.again && g.fits(rel, folder) {
			out = !g.again
		}
	}
	return out
}
