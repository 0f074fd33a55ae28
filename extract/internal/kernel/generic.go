package kernel

// gemmPortable is GEMM; the panels are 4 columns wide.
func gemmPortable(g *GEMM) {
	switch {
	case g.BF16 != nil:
		gemmBF16Portable(g)
	case g.Half != nil:
		gemmHalfPortable(g)
	default:
		gemmFullPortable(g)
	}
}

// gemmFullPortable goes by blocks of 4×4.
func gemmFullPortable(g *GEMM) {
	const width = 4
	for p := range g.Planes {
		for n := 0; n < g.Columns; n += width {
			b := g.B[(p*g.Columns+n)*g.K:][:g.K*width]
			for r := 0; r < g.Rows; r += width {
				rows := min(width, g.Rows-r)
				a, c := g.A[p*g.APlane+r*g.LDA:], g.C[p*g.CPlane+r*g.LDC+n:]
				if rows == width {
					gemmBlock(g, a, b, c)
					continue
				}
				for i := range rows {
					gemmRow(g, a[i*g.LDA:], b, c[i*g.LDC:])
				}
			}
		}
	}
}

// gemmHalfPortable widens B a piece of a panel at a time.
func gemmHalfPortable(g *GEMM) {
	const width = 4
	var wide [256 * width]float32
	for p := range g.Planes {
		for n := 0; n < g.Columns; n += width {
			panel := g.Half[(p*g.Columns+n)*g.K:][:g.K*width]
			for k := 0; k < g.K; k += len(wide) / width {
				part := *g
				part.Planes, part.Columns, part.K, part.Half = 1, width, min(len(wide)/width, g.K-k), nil
				part.Accumulate = g.Accumulate || k > 0
				part.A, part.C = g.A[p*g.APlane+k:], g.C[p*g.CPlane+n:]
				part.B = wide[:part.K*width]
				for i, h := range panel[k*width:][:len(part.B)] {
					part.B[i] = Widen(h)
				}
				gemmFullPortable(&part)
			}
		}
	}
}

// gemmBlock is one 4×4 block: two rows at a time keep their sums in registers.
func gemmBlock(g *GEMM, a, b, c []float32) {
	for r := 0; r < 4; r += 2 {
		c0, c1 := c[r*g.LDC:][:4], c[(r+1)*g.LDC:][:4]
		var s, t [4]float32
		if g.Accumulate {
			s, t = [4]float32(c0), [4]float32(c1)
		}
		s0, s1, s2, s3, t0, t1, t2, t3 := s[0], s[1], s[2], s[3], t[0], t[1], t[2], t[3]
		a0, a1, b := a[r*g.LDA:][:g.K], a[(r+1)*g.LDA:][:g.K], b
		for len(a0) >= KStep && len(a1) >= KStep && len(b) >= KStep*4 {
			x, y, w := (*[KStep]float32)(a0), (*[KStep]float32)(a1), (*[KStep * 4]float32)(b)
			s0 += x[0] * w[0]
			s1 += x[0] * w[1]
			s2 += x[0] * w[2]
			s3 += x[0] * w[3]
			t0 += y[0] * w[0]
			t1 += y[0] * w[1]
			t2 += y[0] * w[2]
			t3 += y[0] * w[3]
			s0 += x[1] * w[4]
			s1 += x[1] * w[5]
			s2 += x[1] * w[6]
			s3 += x[1] * w[7]
			t0 += y[1] * w[4]
			t1 += y[1] * w[5]
			t2 += y[1] * w[6]
			t3 += y[1] * w[7]
			s0 += x[2] * w[8]
			s1 += x[2] * w[9]
			s2 += x[2] * w[10]
			s3 += x[2] * w[11]
			t0 += y[2] * w[8]
			t1 += y[2] * w[9]
			t2 += y[2] * w[10]
			t3 += y[2] * w[11]
			s0 += x[3] * w[12]
			s1 += x[3] * w[13]
			s2 += x[3] * w[14]
			s3 += x[3] * w[15]
			t0 += y[3] * w[12]
			t1 += y[3] * w[13]
			t2 += y[3] * w[14]
			t3 += y[3] * w[15]
			a0, a1, b = a0[KStep:], a1[KStep:], b[KStep*4:]
		}
		c0[0], c0[1], c0[2], c0[3] = s0, s1, s2, s3
		c1[0], c1[1], c1[2], c1[3] = t0, t1, t2, t3
	}
}

func gemmRow(g *GEMM, a, b, c []float32) {
	var s [4]float32
	if g.Accumulate {
		s = [4]float32(c)
	}
	for k, x := range a[:g.K] {
		b := (*[4]float32)(b[4*k:])
		s[0] += x * b[0]
		s[1] += x * b[1]
		s[2] += x * b[2]
		s[3] += x * b[3]
	}
	copy(c, s[:])
}

// inputPortable is Bᵀ·d·B for each tile and channel.
func inputPortable(in *Input) {
	s := in.Scheme.shape()
	size := s.size()
	var d, u [9][9]float32 // by (row phase, point) × column; and then by (…) × (column phase, point)
	for t := range in.Tiles {
		for c := range in.Channels {
			src := in.Src[t*s.step()*in.Pixel+c:]
			for y := range size {
				for x := range size {
					d[y][x] = src[y*in.Row+x*in.Pixel]
				}
				s.inputRow(&u[y], &d[y])
			}
			s.inputColumns(in, t*in.Width+c, &u)
		}
	}
}

// inputRow transforms a row of a tile: its phases one after the other.
func (s *shape) inputRow(u, d *[9]float32) {
	at := 0
	for _, p := range s.phases {
		for _, row := range p.bt {
			sum := float32(0)
			for i, b := range row {
				if b != 0 {
					sum += b * d[p.first+i*p.every]
				}
			}
			u[at] = sum
			at++
		}
	}
}

// inputColumns transforms the columns of u into the planes, slot by slot, from value at on.
func (s *shape) inputColumns(in *Input, at int, u *[9][9]float32) {
	var used [81]int
	for _, down := range s.phases {
		column := 0
		for _, across := range s.phases {
			for j := range across.bt {
				for i, row := range down.bt {
					sum := float32(0)
					for k, b := range row {
						if b != 0 {
							sum += b * u[down.first+k*down.every][column]
						}
					}
					p := i*s.points + j
					if to := at + p*in.Plane + used[p]*in.Channels; in.BF16 != nil {
						in.BF16[to] = BF16(sum)
					} else {
						in.Dst[to] = sum
					}
					used[p]++
				}
				column++
			}
		}
	}
}

// outputPortable is Aᵀ·m·A for each tile and channel.
func outputPortable(out *Output) {
	s := out.Scheme.shape()
	var half [9][7]float32
	for t := range out.Tiles {
		columns := s.outputs
		if t == out.Tiles-1 {
			columns = out.LastColumns
		}
		for c := range out.Channels {
			m := out.M[t*out.Channels+c:]
			for i := range s.points {
				for x := range columns {
					sum := float32(0)
					for j, a := range s.at[x] {
						if a != 0 {
							sum += a * m[(i*s.points+j)*out.Plane]
						}
					}
					half[i][x] = sum
				}
			}
			s.outputPixels(out, out.Dst[t*s.outputs*out.Pixel+c:], columns, out.Bias[c], &half)
		}
	}
}

func (s *shape) outputPixels(out *Output, dst []float32, columns int, bias float32, half *[9][7]float32) {
	for y := range out.Rows {
		for x := range columns {
			sum := float32(0)
			for i, a := range s.at[y] {
				if a != 0 {
					sum += a * half[i][x]
				}
			}
			sum += bias
			to := &dst[y*out.Row+x*out.Pixel]
			if out.Residual {
				sum += *to
			}
			*to = max(sum, 0)
		}
	}
}

func maxPoolPortable(p *Pool) {
	for i := range p.Pixels {
		src, dst := p.Src[2*i*p.Pixel:], p.Dst[i*p.Channels:]
		for c := range p.Channels {
			most := src[c]
			for n := 1; n < 9; n++ {
				most = max(most, src[n/3*p.Row+n%3*p.Pixel+c])
			}
			dst[c] = most
		}
	}
}
