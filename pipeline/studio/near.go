package studio

import (
	"cmp"
	"context"
	"math"
	"slices"

	"icebox/cache"
	"icebox/headtrain"
	"icebox/headtrain/probe"
)

// mostCompared is in how many images near copies are looked for: each is compared with each.
const mostCompared = 40_000

// ExactOnly reports whether near copies are not looked for, because there are too many images.
func (s *Session) ExactOnly() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.items) > mostCompared
}

// exactCopies are the items that equal another one, byte for byte, with those that they
// equal.
func (s *Session) exactCopies() map[int][]int {
	first, copies := map[cache.Key]int{}, map[int][]int{}
	for _, i := range s.items {
		k, ok := first[s.ds.Items[i].Hash]
		if !ok {
			first[s.ds.Items[i].Hash] = i
			continue
		}
		copies[k] = append(copies[k], i)
		copies[i] = append(copies[i], k)
	}
	return copies
}

// findCopies looks for near copies, once, and has labels judged anew by it.
func (s *Session) findCopies(ctx context.Context) {
	var pairs []probe.Pair
	v := s.view()
	if !s.ExactOnly() {
		all := &headtrain.Dataset{X: v.x, Dim: dim, Labels: make([]int32, len(v.items)), Classes: []string{""}, Finite: true}
		white, err := probe.Whiten(ctx, all)
		if err == nil {
			pairs, _, err = probe.Copies(ctx, white, probe.NearCosine)
		}
		if err != nil {
			pairs = nil // those that are exact are known
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range pairs {
		a, b := s.items[p.I], s.items[p.J]
		if s.ds.Items[a].Hash == s.ds.Items[b].Hash {
			continue
		}
		s.copies[a], s.copies[b] = append(s.copies[a], b), append(s.copies[b], a)
		s.alike = append(s.alike, [2]int{p.I, p.J})
	}
	if ctx.Err() == nil && len(s.alike) > 0 {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	s.tell(Event{Version: s.version, Numbers: true})
}

// Neighbour is an image that lies near another one in feature space.
type Neighbour struct {
	Item   int
	Class  string
	Cosine float64
}

// nearest finds the nearest image of each class to a feature, but not the item not, the
// nearest first.
func (v *view) nearest(x []float32, not int) []Neighbour {
	best := make([]Neighbour, len(v.classes))
	for c := range best {
		best[c] = Neighbour{Item: -1, Class: v.classes[c], Cosine: math.Inf(-1)}
	}
	length := math.Sqrt(product(x, x))
	for r, i := range v.items {
		label := v.labels[r]
		if label < 0 || i == not {
			continue
		}
		row := v.row(r)
		if c := product(x, row) / (length * math.Sqrt(product(row, row))); c > best[label].Cosine {
			best[label].Item, best[label].Cosine = i, c
		}
	}
	best = slices.DeleteFunc(best, func(n Neighbour) bool { return n.Item < 0 })
	slices.SortStableFunc(best, func(a, b Neighbour) int { return cmp.Compare(b.Cosine, a.Cosine) })
	return best
}

func product(a, b []float32) float64 {
	var s0, s1, s2, s3 float32
	for j := 0; j+4 <= len(a); j += 4 {
		s0 += a[j] * b[j]
		s1 += a[j+1] * b[j+1]
		s2 += a[j+2] * b[j+2]
		s3 += a[j+3] * b[j+3]
	}
	return float64(s0) + float64(s1) + float64(s2) + float64(s3)
}

// The unlabelled images that are worth a label first are looked for among the most uncertain,
// and so many of them are apart from each other.
const (
	nextAmong = 600
	nextApart = 60
)

// nextToLabel ranks the images without a label: those that the head is least sure of come
// first, but not such as are alike. Without a head, those that differ most do.
func nextToLabel(n *Numbers, v *view) map[int]int {
	type candidate struct {
		row    int
		unsure float64
		near   float64 // largest cosine with one that was picked
	}
	var all []candidate
	for r, i := range v.items {
		if n.labels[r] < 0 {
			unsure := 1.0
			if a := n.Answers[i]; a.Has {
				unsure = 1 - float64(a.P)
			}
			all = append(all, candidate{row: r, unsure: unsure})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(b.unsure, a.unsure) })
	rank := make(map[int]int, len(all))
	some := all[:min(len(all), nextAmong)]
	for len(rank) < min(len(some), nextApart) {
		best := -1
		for k := range some {
			c := &some[k]
			if _, taken := rank[v.items[c.row]]; !taken && (best < 0 || c.unsure*(1-c.near) > some[best].unsure*(1-some[best].near)) {
				best = k
			}
		}
		picked := v.row(some[best].row)
		rank[v.items[some[best].row]] = len(rank)
		length := math.Sqrt(product(picked, picked))
		for k := range some {
			row := v.row(some[k].row)
			some[k].near = max(some[k].near, min(1, product(picked, row)/(length*math.Sqrt(product(row, row)))))
		}
	}
	for _, c := range all {
		if _, taken := rank[v.items[c.row]]; !taken {
			rank[v.items[c.row]] = len(rank)
		}
	}
	return rank
}
