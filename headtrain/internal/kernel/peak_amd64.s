//go:build !purego

#include "textflag.h"

#define FMA12(a, b, c, d, e, f, g, h, i, j, k, l, m) \
	VFMADD231PS m, m, a             /* a += m*m */ \
	VFMADD231PS m, m, b                            \
	VFMADD231PS m, m, c                            \
	VFMADD231PS m, m, d                            \
	VFMADD231PS m, m, e                            \
	VFMADD231PS m, m, f                            \
	VFMADD231PS m, m, g                            \
	VFMADD231PS m, m, h                            \
	VFMADD231PS m, m, i                            \
	VFMADD231PS m, m, j                            \
	VFMADD231PS m, m, k                            \
	VFMADD231PS m, m, l

// func peakAVX2(rounds int)
// 24 multiply-adds of 8 lanes a round, 12 of them independent.
TEXT ·peakAVX2(SB), NOSPLIT, $0-8
	MOVQ   rounds+0(FP), CX
	VXORPS Y15, Y15, Y15                  // m = 0

round:                                        // do {
	FMA12(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y15)
	FMA12(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y15)
	DECQ CX
	JNZ  round                            // } while (--rounds > 0)
	VZEROUPPER
	RET

// func peakAVX512(rounds int)
// 24 multiply-adds of 16 lanes a round, all independent.
TEXT ·peakAVX512(SB), NOSPLIT, $0-8
	MOVQ   rounds+0(FP), CX
	VPXORQ Z31, Z31, Z31                  // m = 0

round:                                        // do {
	FMA12(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z31)
	FMA12(Z12, Z13, Z14, Z15, Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z31)
	DECQ CX
	JNZ  round                            // } while (--rounds > 0)
	VZEROUPPER
	RET
