//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// FOUR transposes 8 rows, at SI and R9, of the four features at byte `at`.
#define FOUR(at, to) \
	VMOVUPS     at(SI), X0               \
	VINSERTF128 $1, at(R9), Y0, Y0       \
	VMOVUPS     at(SI)(DX*1), X1         \
	VINSERTF128 $1, at(R9)(DX*1), Y1, Y1 \
	VMOVUPS     at(SI)(DX*2), X2         \
	VINSERTF128 $1, at(R9)(DX*2), Y2, Y2 \
	VMOVUPS     at(SI)(BX*1), X3         \
	VINSERTF128 $1, at(R9)(BX*1), Y3, Y3 \
	VUNPCKLPS   Y1, Y0, Y4               \
	VUNPCKHPS   Y1, Y0, Y5               \
	VUNPCKLPS   Y3, Y2, Y6               \
	VUNPCKHPS   Y3, Y2, Y7               \
	VUNPCKLPD   Y6, Y4, Y0               \
	VUNPCKHPD   Y6, Y4, Y1               \
	VUNPCKLPD   Y7, Y5, Y2               \
	VUNPCKHPD   Y7, Y5, Y3               \
	VMOVUPS     Y0, (to)(DI)             \
	VMOVUPS     Y1, (to+128)(DI)         \
	VMOVUPS     Y2, (to+256)(DI)         \
	VMOVUPS     Y3, (to+384)(DI)

// func transposeAVX2(a *transposeArgs)
// 8 rows at a time, and of those 8 features at a time.
TEXT ·transposeAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ transposeArgs_dst(AX), R8
	MOVQ transposeArgs_x(AX), R10
	MOVQ transposeArgs_xBytes(AX), DX
	LEAQ (DX)(DX*2), BX
	MOVQ $4, R11

rows:                                         // do {
	MOVQ R8, DI
	MOVQ R10, SI
	LEAQ (SI)(DX*4), R9
	MOVQ transposeArgs_cols(AX), CX

features:                                     // do {
	FOUR(0, 0)
	FOUR(16, 512)
	ADDQ $32, SI
	ADDQ $32, R9
	ADDQ $1024, DI
	SUBQ $8, CX
	JG   features                         // } while (features -= 8)
	ADDQ $32, R8
	LEAQ (R10)(DX*8), R10
	DECQ R11
	JNZ  rows                             // } while (--passes)
	VZEROUPPER
	RET
