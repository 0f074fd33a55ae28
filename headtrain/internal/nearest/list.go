package nearest

import "slices"

// Neighbour is a row and the cosine of its angle with a query.
type Neighbour struct {
	Row    int
	Cosine float64
}

// Insert puts n into list, which is sorted, behind the neighbours that are as near, and
// keeps at most k of them.
func Insert(list []Neighbour, n Neighbour, k int) []Neighbour {
	i := len(list)
	for i > 0 && list[i-1].Cosine < n.Cosine {
		i--
	}
	if i == k {
		return list
	}
	if len(list) == k {
		list = list[:k-1]
	}
	return slices.Insert(list, i, n)
}
