// Package kernel holds the inner loops of head training. Every loop exists as
// portable Go and, on amd64, as AVX2+FMA and AVX-512 assembly, and all of them
// give the same bits: the order of each sum and every rounding is part of the
// contract, written on the exported methods of ISA.
//
// # Layout
//
// Matrices of rows are row-major with a stride. Parameters are tiled by class:
//
//	tile t (classes 16t … 16t+15)      params[t*Rows(d)*16:]
//	┌───────────────────────────────┐
//	│ feature 0    │ 16 classes     │  one row = one 64-byte vector
//	│ …            │                │
//	│ feature d-1  │                │
//	│ bias         │                │  row d: the weight of a feature that is 1
//	│ zeros        │                │  up to Rows(d), a multiple of 16
//	└───────────────────────────────┘
//
// so that a sum may run over features in order while a vector spans classes.
//
// # Rounding
//
// A fused multiply-add is rounded once, in portable Go as well (see fmaLanes).
// Everywhere else each operation is rounded by itself; the portable code writes
// float32(a*b)+c, since Go may otherwise fuse on some platforms.
package kernel
