//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// FOUR transposes 8 rows, at SI and R9, of the four features at byte `at`.
#define FOUR(at, to) \
	VMOVUPS     at(SI), X0                                                         \
	VINSERTF128 $1, at(R9), Y0, Y0       /* rows 0 and 4: features 0…3 of each */  \
	VMOVUPS     at(SI)(DX*1), X1                                                   \
	VINSERTF128 $1, at(R9)(DX*1), Y1, Y1 /* rows 1 and 5 */                        \
	VMOVUPS     at(SI)(DX*2), X2                                                   \
	VINSERTF128 $1, at(R9)(DX*2), Y2, Y2 /* rows 2 and 6 */                        \
	VMOVUPS     at(SI)(BX*1), X3                                                   \
	VINSERTF128 $1, at(R9)(BX*1), Y3, Y3 /* rows 3 and 7 */                        \
	VUNPCKLPS   Y1, Y0, Y4               /* features 0, 1 of rows 0, 1 and 4, 5 */ \
	VUNPCKHPS   Y1, Y0, Y5               /* features 2, 3 */                       \
	VUNPCKLPS   Y3, Y2, Y6               /* features 0, 1 of rows 2, 3 and 6, 7 */ \
	VUNPCKHPS   Y3, Y2, Y7               /* features 2, 3 */                       \
	VUNPCKLPD   Y6, Y4, Y0               /* feature 0 of rows 0…3 and 4…7 */       \
	VUNPCKHPD   Y6, Y4, Y1               /* feature 1 */                           \
	VUNPCKLPD   Y7, Y5, Y2               /* feature 2 */                           \
	VUNPCKHPD   Y7, Y5, Y3               /* feature 3 */                           \
	VMOVUPS     Y0, (to)(DI)             /* dst[0*Block:][:8] = feature 0 */       \
	VMOVUPS     Y1, (to+128)(DI)         /* dst[1*Block:][:8] = feature 1 */       \
	VMOVUPS     Y2, (to+256)(DI)         /* dst[2*Block:][:8] = feature 2 */       \
	VMOVUPS     Y3, (to+384)(DI)         /* dst[3*Block:][:8] = feature 3 */

// func transposeAVX2(a *transposeArgs)
// 8 rows at a time, and of those 8 features at a time.
TEXT ·transposeAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ transposeArgs_dst(AX), R8
	MOVQ transposeArgs_x(AX), R10
	MOVQ transposeArgs_xBytes(AX), DX
	LEAQ (DX)(DX*2), BX                   // three rows
	MOVQ $4, R11                          // passes = Block/8

rows:                                         // do {
	MOVQ R8, DI                           // d = dst
	MOVQ R10, SI                          // x = rows 0…3
	LEAQ (SI)(DX*4), R9                   // rows 4…7
	MOVQ transposeArgs_cols(AX), CX       // n = cols

features:                                     // do {
	FOUR(0, 0)                            // features 0…3
	FOUR(16, 512)                         // features 4…7
	ADDQ $32, SI                          // x = x[8:]
	ADDQ $32, R9
	ADDQ $1024, DI                        // d = d[8*Block:]
	SUBQ $8, CX
	JG   features                         // } while (n -= 8) > 0
	ADDQ $32, R8                          // dst = dst[8:]
	LEAQ (R10)(DX*8), R10                 // the next 8 rows
	DECQ R11
	JNZ  rows                             // } while (--passes > 0)
	VZEROUPPER
	RET
