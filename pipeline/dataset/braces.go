package dataset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"icebox/extract/format"
	"icebox/pipeline/words"
)

// archiveKinds are the kinds of archives by the endings of their names.
var archiveKinds = map[string]string{".tar": Tar, ".parquet": Parquet}

// archiveKind is the kind of archive that a file is by its name; "" for none.
func archiveKind(name string) string { return archiveKinds[format.Ending(name)] }

// IsArchive reports whether a file is an archive of images by its name.
func IsArchive(name string) bool { return archiveKind(name) != "" }

// maxShards is how many archives a pattern may name.
const maxShards = 100_000

// isPattern reports whether a source names archives by a pattern.
func isPattern(source string) bool {
	return strings.Contains(source, "{") && strings.Contains(source, "}") && IsArchive(source)
}

// expand lists the names that a pattern stands for, as a shell does: {a,b} is a or b, and
// {000..012} counts, with as many digits as are written.
func expand(pattern string) ([]string, error) {
	before, rest, ok := strings.Cut(pattern, "{")
	if !ok {
		return []string{pattern}, nil
	}
	inner, after, ok := strings.Cut(rest, "}")
	if !ok || strings.Contains(inner, "{") {
		return nil, fmt.Errorf("%w: the pattern %s has braces in braces, or one that is not closed", ErrData, pattern)
	}
	choices, err := choicesOf(inner)
	if err != nil {
		return nil, fmt.Errorf("%w: the pattern %s: %w", ErrData, pattern, err)
	}
	tails, err := expand(after)
	if err != nil {
		return nil, err
	}
	if len(choices)*len(tails) > maxShards {
		return nil, tooManyShards(pattern)
	}
	var names []string
	for _, choice := range choices {
		for _, tail := range tails {
			names = append(names, before+choice+tail)
		}
	}
	if double := firstDouble(names); double != "" {
		return nil, fmt.Errorf("%w: the pattern %s names %s twice", ErrData, pattern, double)
	}
	return names, nil
}

func tooManyShards(pattern string) error {
	return fmt.Errorf("%w: the pattern %s names more than %s files", ErrData, pattern, words.Number(maxShards))
}

func firstDouble(names []string) string {
	sorted := slices.Sorted(slices.Values(names))
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return sorted[i]
		}
	}
	return ""
}

// choicesOf lists what a pair of braces stands for.
func choicesOf(inner string) ([]string, error) {
	first, last, ok := strings.Cut(inner, "..")
	if !ok {
		return strings.Split(inner, ","), nil
	}
	from, err := strconv.ParseUint(first, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("{%s} counts from no whole number", inner)
	}
	to, err := strconv.ParseUint(last, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("{%s} counts to no whole number", inner)
	}
	if to < from || to-from >= maxShards {
		return nil, fmt.Errorf("{%s} counts down, or to more than %s", inner, words.Number(maxShards))
	}
	width := 0
	if len(first) > 1 && first[0] == '0' || len(last) > 1 && last[0] == '0' {
		width = max(len(first), len(last))
	}
	var all []string
	for n := from; n <= to; n++ {
		all = append(all, fmt.Sprintf("%0*d", width, n))
	}
	return all, nil
}
