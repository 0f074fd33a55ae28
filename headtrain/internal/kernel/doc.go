// Package kernel holds the inner loops of head training. Every loop exists as
// portable Go and, on amd64, as AVX2+FMA and AVX-512 assembly, the heaviest of them
// on arm64 as NEON, and all of them give the same bits: the order of each sum and every rounding is part of the
// contract, written on the exported methods of ISA.
//
// # Layout
//
// The lanes of a vector are rows of a batch, or features of rows, but never classes. So
// no lane is empty whatever the number of classes, and heads lie side by side as the
// columns of one matrix.
//
//	weights, a class a row        rows of a batch             logits of a block of 32 rows
//	┌─────────┬──────┬───────┐    ┌──────────┬───────┐        ┌──────────────────────┐
//	│ class 0 │ bias │ zeros │    │ features │ zeros │        │ class 0 of 32 rows   │
//	│ class 1 │ …    │       │    │ …        │       │        │ class 1 of 32 rows   │
//	└─────────┴──────┴───────┘    └──────────┴───────┘        └──────────────────────┘
//	  d values  at d   to Stride(d)
//
// Forward takes a block of rows to a block of logits, class by class; GatherForward
// maps the rows first, from wherever they lie. Softmax turns logits into the gradient
// of the loss where they are, and Gradient multiplies that with the rows.
//
// # Rounding
//
// A fused multiply-add is rounded once, in portable Go as well (see fmaLanes). Every
// other operation is rounded by itself; the portable code writes float32(a*b)+c, because
// Go may fuse a*b+c on some platforms.
package kernel
