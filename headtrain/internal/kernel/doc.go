// Package kernel holds the inner loops of head training. Every loop exists as
// portable Go and, on amd64, as AVX2+FMA and AVX-512 assembly, and all of them
// give the same bits: the order of each sum and every rounding is part of the
// contract, written on the exported methods of ISA.
//
// # Layout
//
// The lanes of a vector are rows of a batch, or features of a row, and never
// classes: so any number of classes costs what it should, and heads lie side by
// side as the columns of one matrix.
//
//	weights, a class a row        rows of a batch             a block of 32 rows, by column
//	┌─────────┬──────┬───────┐    ┌──────────┬───────┐        ┌──────────────────────┐
//	│ class 0 │ bias │ zeros │    │ features │ zeros │        │ column 0 of 32 rows  │
//	│ class 1 │ …    │       │    │ …        │       │        │ column 1 of 32 rows  │
//	└─────────┴──────┴───────┘    └──────────┴───────┘        └──────────────────────┘
//	  d values  at d   to Stride(d)                             features, or classes' logits
//
// Forward takes a block of features by column to a block of logits by column;
// Softmax turns that into the gradient of the logits where it is; Gradient
// multiplies it with rows as they are.
//
// # Rounding
//
// A fused multiply-add is rounded once, in portable Go as well (see fmaLanes).
// Everywhere else each operation is rounded by itself; the portable code writes
// float32(a*b)+c, since Go may otherwise fuse on some platforms.
package kernel
