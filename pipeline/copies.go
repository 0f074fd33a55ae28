package pipeline

import (
	"context"

	"icebox/cache"
	"icebox/headtrain/probe"
)

// Copies are images that are there more than once.
type Copies struct {
	Cosine float64 `json:"cosine"` // from where on two images count as near copies
	Exact  int     `json:"exact"`  // images that another one equals, byte for byte
	Near   int     `json:"near"`   // pairs of near copies
	Leaks  int     `json:"leaks"`  // pairs, exact or near, that lie in two parts, such as train and test
	Torn   int     `json:"torn"`   // pairs under two labels
	// Pairs lists the exact ones, then the near ones by their cosine. An image with
	// more near copies than 8 has the nearest of them here; at most 20,000 are listed.
	Pairs []CopyPair `json:"pairs"`
}

// CopyPair is an image and a copy of it.
type CopyPair struct {
	A      ImageRef `json:"a"`
	B      ImageRef `json:"b"`
	Cosine float64  `json:"cosine"` // 1 for an exact copy
	Exact  bool     `json:"exact"`
}

// ImageRef names an image.
type ImageRef struct {
	Path  string `json:"path"`
	Part  string `json:"part"`
	Label string `json:"label"`
}

// leak reports whether the pair makes held-out numbers better than they are.
func (c *CopyPair) leak() bool { return c.A.Part != c.B.Part }

func (i *inspection) ref(row int) ImageRef {
	return ImageRef{i.path(row), i.item(row).Part.String(), i.class(row)}
}

// findCopies lists copies, and deals rows into folds so that copies stay together.
func (i *inspection) findCopies(ctx context.Context, _ *job) error {
	i.progress.Start("copies", 0)
	c := &i.insight.Copies
	c.Cosine = float64(i.near)
	c.Pairs = []CopyPair{}
	clusters := newClusters(len(i.rows.items))
	first := map[cache.Key]int{}
	groups := map[string]int{}
	for r := range i.rows.items {
		it := i.item(r)
		if a, ok := first[it.Hash]; ok {
			c.Exact++
			c.Pairs = append(c.Pairs, CopyPair{i.ref(a), i.ref(r), 1, true})
			clusters.join(a, r)
		} else {
			first[it.Hash] = r
		}
		if it.Group != "" {
			if a, ok := groups[it.Group]; ok {
				clusters.join(a, r)
			}
			groups[it.Group] = r
		}
	}
	white, err := probe.Whiten(ctx, i.rows.data)
	if err != nil {
		return err
	}
	pairs, total, err := probe.Copies(ctx, white, i.near)
	if err != nil {
		return err
	}
	c.Near = total
	for _, p := range pairs {
		if i.item(p.I).Hash == i.item(p.J).Hash {
			c.Near--
			continue
		}
		c.Pairs = append(c.Pairs, CopyPair{i.ref(p.I), i.ref(p.J), min(p.Cosine, 1), false})
		if clusters.size(p.I)+clusters.size(p.J) <= clusterLimit {
			clusters.join(p.I, p.J)
		}
	}
	for n := range c.Pairs {
		p := &c.Pairs[n]
		if p.leak() {
			c.Leaks++
		}
		if p.A.Label != p.B.Label {
			c.Torn++
		}
	}
	c.Pairs = c.Pairs[:min(len(c.Pairs), copiesListed)]
	i.deal(clusters)
	return nil
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
