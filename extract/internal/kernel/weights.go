package kernel

// MaxTaps is the largest side of a kernel.
const MaxTaps = 4

// Filter transforms the weights of a pair of channels into the planes of a scheme.
type Filter struct {
	taps  int
	pairs []phasePair
}

// phasePair is a phase down and a phase across. It holds the taps of the kernel that
// belong to both, and where each pair of points goes.
type phasePair struct {
	columns      int                    // of the taps
	taps         [MaxTaps * MaxTaps]int // row-major; -1 where there is none
	down, across [][MaxTaps]float64     // G, with zeros to the right
	at           []int                  // row-major, the place of a product in Apply's result
}

// Filter returns the filter that puts slot 0, 1, … of plane 0, then those of plane 1
// and so on, stride values apart.
func (s Scheme) Filter(stride int) *Filter {
	sh := s.shape()
	f := &Filter{taps: sh.taps()}
	var next [81]int // by plane
	for p := 1; p < s.Planes(); p++ {
		next[p] = next[p-1] + s.Slots(p-1)
	}
	for _, down := range sh.phases {
		for _, across := range sh.phases {
			pair := phasePair{columns: len(across.taps), down: padded(down.g), across: padded(across.g)}
			for i := range pair.taps {
				pair.taps[i] = -1
				if r, c := i/MaxTaps, i%MaxTaps; r < len(down.taps) && c < len(across.taps) {
					pair.taps[i] = down.taps[r]*f.taps + across.taps[c]
				}
			}
			for i := range down.g {
				for j := range across.g {
					p := i*sh.points + j
					pair.at = append(pair.at, next[p]*stride)
					next[p]++
				}
			}
			f.pairs = append(f.pairs, pair)
		}
	}
	return f
}

func padded(g [][]float64) [][MaxTaps]float64 {
	rows := make([][MaxTaps]float64, len(g))
	for i := range g {
		copy(rows[i][:], g[i])
	}
	return rows
}

// Apply writes the planes of a kernel w, which is row-major.
func (f *Filter) Apply(u []float32, w *[MaxTaps * MaxTaps]float64) {
	for i := range f.pairs {
		f.pairs[i].apply(u, w)
	}
}

// apply is G·w·Gᵀ, in float64.
func (p *phasePair) apply(u []float32, w *[MaxTaps * MaxTaps]float64) {
	var d [MaxTaps * MaxTaps]float64
	for i, tap := range p.taps {
		if tap >= 0 {
			d[i] = w[tap]
		}
	}
	at := p.at
	for i := range p.down {
		g := &p.down[i]
		var h [MaxTaps]float64
		for c := range p.columns {
			h[c] = g[0]*d[c] + g[1]*d[MaxTaps+c] + g[2]*d[2*MaxTaps+c] + g[3]*d[3*MaxTaps+c]
		}
		h0, h1, h2, h3 := h[0], h[1], h[2], h[3]
		for j := range p.across {
			g := &p.across[j]
			u[at[j]] = float32(h0*g[0] + h1*g[1] + h2*g[2] + h3*g[3])
		}
		at = at[len(p.across):]
	}
}
