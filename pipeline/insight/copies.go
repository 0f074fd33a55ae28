package insight

import (
	"context"

	"icebox/cache"
	"icebox/headtrain/probe"
)

// Copies are images that are there more than once.
type Copies struct {
	Cosine float64 `json:"cosine"` // from where on two images count as near copies
	Exact  int     `json:"exact"`  // images that equal an earlier one, byte for byte
	Near   int     `json:"near"`   // pairs of near copies
	Leaks  int     `json:"leaks"`  // pairs, exact or near, that lie in two parts, such as train and test
	Torn   int     `json:"torn"`   // pairs under two labels
	// Pairs lists the exact ones, then the near ones by their cosine. An image with
	// more near copies than 8 has the nearest of them here; at most 20,000 are listed.
	Pairs []CopyPair `json:"pairs"`
}

// CopyPair is an image and a copy of it.
type CopyPair struct {
	A      Ref     `json:"a"`
	B      Ref     `json:"b"`
	Cosine float64 `json:"cosine"` // 1 for an exact copy
	Exact  bool    `json:"exact"`
}

// Ref names an image.
type Ref struct {
	Path  string `json:"path"`
	Part  string `json:"part"`
	Label string `json:"label"`
}

// Leak reports whether the pair makes held-out numbers better than they are.
func (c *CopyPair) Leak() bool { return c.A.Part != c.B.Part }

// findCopies lists copies, and joins the rows that must stay in one fold: copies, and
// items of one group.
func (s *Set) findCopies(ctx context.Context, near float32) (Copies, *clusters, error) {
	c := Copies{Cosine: float64(near), Pairs: []CopyPair{}}
	joined := s.exactCopies(&c)
	white, err := probe.Whiten(ctx, s.Data)
	if err != nil {
		return c, nil, err
	}
	pairs, total, err := probe.Copies(ctx, white, near)
	if err != nil {
		return c, nil, err
	}
	c.Near = total
	for _, p := range pairs {
		if s.Images[p.I].Hash == s.Images[p.J].Hash {
			c.Near--
			continue
		}
		c.Pairs = append(c.Pairs, CopyPair{s.Images[p.I].Ref, s.Images[p.J].Ref, min(p.Cosine, 1), false})
		if joined.size(p.I)+joined.size(p.J) <= clusterLimit {
			joined.join(p.I, p.J)
		}
	}
	for n := range c.Pairs {
		p := &c.Pairs[n]
		if p.Leak() {
			c.Leaks++
		}
		if p.A.Label != p.B.Label {
			c.Torn++
		}
	}
	c.Pairs = c.Pairs[:min(len(c.Pairs), copiesListed)]
	return c, joined, nil
}

// exactCopies adds the images that another one equals, byte for byte.
func (s *Set) exactCopies(c *Copies) *clusters {
	joined := newClusters(len(s.Images))
	first := map[cache.Key]int{}
	groups := map[string]int{}
	for r := range s.Images {
		it := &s.Images[r]
		if a, ok := first[it.Hash]; ok {
			c.Exact++
			c.Pairs = append(c.Pairs, CopyPair{s.Images[a].Ref, it.Ref, 1, true})
			joined.join(a, r)
		} else {
			first[it.Hash] = r
		}
		if it.Group != "" {
			if a, ok := groups[it.Group]; ok {
				joined.join(a, r)
			}
			groups[it.Group] = r
		}
	}
	return joined
}

// copiesListed keeps the files readable where most images are copies.
const copiesListed = 20_000

// clusterLimit keeps a chain of near copies, such as a film, from becoming one
// cluster that leaves nothing to train on.
const clusterLimit = 16

// clusters are sets of rows that must stay in one fold.
type clusters struct {
	parent []int
	count  []int
}

func newClusters(n int) *clusters {
	c := &clusters{make([]int, n), make([]int, n)}
	for r := range n {
		c.parent[r], c.count[r] = r, 1
	}
	return c
}

// root returns the row that stands for r's cluster: its first one.
func (c *clusters) root(r int) int {
	for c.parent[r] != r {
		c.parent[r] = c.parent[c.parent[r]]
		r = c.parent[r]
	}
	return r
}

func (c *clusters) size(r int) int { return c.count[c.root(r)] }

func (c *clusters) join(a, b int) {
	a, b = c.root(a), c.root(b)
	if a == b {
		return
	}
	if a > b {
		a, b = b, a
	}
	c.parent[b] = a
	c.count[a] += c.count[b]
}
