//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func gradientAVX512(a *gradientArgs)
// Z0–Z15: one feature each, 16 classes a register.
TEXT ·gradientAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ gradientArgs_g(AX), DI
	MOVQ gradientArgs_x(AX), SI
	MOVQ gradientArgs_dz(AX), DX
	MOVQ gradientArgs_xBytes(AX), R8
	MOVQ gradientArgs_dzBytes(AX), R9
	MOVQ gradientArgs_rows(AX), R10

chunk:                                        // do {
	MOVQ    gradientArgs_chunk(AX), CX
	CMPQ    R10, CX
	CMOVQLT R10, CX                       // rows of this chunk
	SUBQ    CX, R10
	VPXORQ  Z0, Z0, Z0
	VPXORQ  Z1, Z1, Z1
	VPXORQ  Z2, Z2, Z2
	VPXORQ  Z3, Z3, Z3
	VPXORQ  Z4, Z4, Z4
	VPXORQ  Z5, Z5, Z5
	VPXORQ  Z6, Z6, Z6
	VPXORQ  Z7, Z7, Z7
	VPXORQ  Z8, Z8, Z8
	VPXORQ  Z9, Z9, Z9
	VPXORQ  Z10, Z10, Z10
	VPXORQ  Z11, Z11, Z11
	VPXORQ  Z12, Z12, Z12
	VPXORQ  Z13, Z13, Z13
	VPXORQ  Z14, Z14, Z14
	VPXORQ  Z15, Z15, Z15

row:                                          // do {
	VMOVUPS (DX), Z16                     // dz[r]
	VFMADD231PS.BCST 0(SI), Z16, Z0          // acc[f] = fma(x[r][f], dz[r], acc[f])
	VFMADD231PS.BCST 4(SI), Z16, Z1
	VFMADD231PS.BCST 8(SI), Z16, Z2
	VFMADD231PS.BCST 12(SI), Z16, Z3
	VFMADD231PS.BCST 16(SI), Z16, Z4
	VFMADD231PS.BCST 20(SI), Z16, Z5
	VFMADD231PS.BCST 24(SI), Z16, Z6
	VFMADD231PS.BCST 28(SI), Z16, Z7
	VFMADD231PS.BCST 32(SI), Z16, Z8
	VFMADD231PS.BCST 36(SI), Z16, Z9
	VFMADD231PS.BCST 40(SI), Z16, Z10
	VFMADD231PS.BCST 44(SI), Z16, Z11
	VFMADD231PS.BCST 48(SI), Z16, Z12
	VFMADD231PS.BCST 52(SI), Z16, Z13
	VFMADD231PS.BCST 56(SI), Z16, Z14
	VFMADD231PS.BCST 60(SI), Z16, Z15
	ADDQ    R8, SI
	ADDQ    R9, DX
	DECQ    CX
	JNZ     row                           // } while (--rows)
	VADDPS  0(DI), Z0, Z0                   // g[f] += acc[f]
	VMOVUPS Z0, 0(DI)
	VADDPS  64(DI), Z1, Z1
	VMOVUPS Z1, 64(DI)
	VADDPS  128(DI), Z2, Z2
	VMOVUPS Z2, 128(DI)
	VADDPS  192(DI), Z3, Z3
	VMOVUPS Z3, 192(DI)
	VADDPS  256(DI), Z4, Z4
	VMOVUPS Z4, 256(DI)
	VADDPS  320(DI), Z5, Z5
	VMOVUPS Z5, 320(DI)
	VADDPS  384(DI), Z6, Z6
	VMOVUPS Z6, 384(DI)
	VADDPS  448(DI), Z7, Z7
	VMOVUPS Z7, 448(DI)
	VADDPS  512(DI), Z8, Z8
	VMOVUPS Z8, 512(DI)
	VADDPS  576(DI), Z9, Z9
	VMOVUPS Z9, 576(DI)
	VADDPS  640(DI), Z10, Z10
	VMOVUPS Z10, 640(DI)
	VADDPS  704(DI), Z11, Z11
	VMOVUPS Z11, 704(DI)
	VADDPS  768(DI), Z12, Z12
	VMOVUPS Z12, 768(DI)
	VADDPS  832(DI), Z13, Z13
	VMOVUPS Z13, 832(DI)
	VADDPS  896(DI), Z14, Z14
	VMOVUPS Z14, 896(DI)
	VADDPS  960(DI), Z15, Z15
	VMOVUPS Z15, 960(DI)
	TESTQ   R10, R10
	JNZ     chunk                         // } while rows are left
	VZEROUPPER
	RET
