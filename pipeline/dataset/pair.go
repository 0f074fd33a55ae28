package dataset

// Where two lists do not agree, eachPair looks leastAhead items ahead in either. Where that
// does not help a few times, it looks twice as far after as many items, and so on up to
// mostAhead. So lists that have nothing in common cost a few comparisons an item.
const (
	leastAhead = 64
	mostAhead  = 1 << 16
	fewTimes   = 4
)

// eachPair calls fn with the indices of items that lie in the same place in now and earlier,
// as far as a walk through both side by side finds them: a scan lists the same folder in the
// same order, but for what was added or is gone.
func eachPair(now, earlier *Dataset, fn func(i, j int)) {
	same := func(i, j int) bool {
		return i < len(now.Items) && j < len(earlier.Items) && samePlace(now, &now.Items[i], earlier, &earlier.Items[j])
	}
	ahead, wait, failed := leastAhead, 0, 0
	for i, j := 0, 0; i < len(now.Items) && j < len(earlier.Items); i, j = i+1, j+1 {
		if !same(i, j) && wait > 0 {
			wait--
			continue
		}
		for k := 1; k <= ahead && !same(i, j); k++ {
			switch {
			case same(i+k, j):
				i += k
			case same(i, j+k):
				j += k
			}
		}
		if !same(i, j) {
			if failed++; failed > fewTimes {
				ahead, wait = min(2*ahead, mostAhead), ahead
			}
			continue
		}
		ahead, wait, failed = leastAhead, 0, 0
		fn(i, j)
	}
}
