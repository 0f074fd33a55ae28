//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The half that is added before rounding down.
DATA half<>+0(SB)/4, $0x200000
GLOBL half<>(SB), RODATA|NOPTR, $4

// SETUP loads the arguments.
#define SETUP \
	MOVQ a+0(FP), AX                                    \
	MOVQ acrossArgs_dst(AX), DI                         \
	MOVQ acrossArgs_src(AX), SI                         \
	MOVQ acrossArgs_at(AX), R8                          \
	MOVQ acrossArgs_pairs(AX), R9   /* weights */       \
	MOVQ acrossArgs_blocks(AX), CX                      \
	MOVQ acrossArgs_count(AX), R10  /* pairs of rows */ \
	VPXOR Y15, Y15, Y15             /* zero */

// BEGIN clears the sums of a block: Y0 to Y3 are the upper halves, Y4 to Y7 the
// lower ones.
#define BEGIN \
	MOVQ R8, BX                     /* at */                                  \
	MOVQ R9, DX                     /* weights */                             \
	MOVQ R10, AX                    /* n = pairs */                           \
	VPXOR Y0, Y0, Y0                /* upper = 0, of columns 0…3 and 16…19 */ \
	VPXOR Y1, Y1, Y1                /* of columns 4…7 and 20…23 */            \
	VPXOR Y2, Y2, Y2                /* of columns 8…11 and 24…27 */           \
	VPXOR Y3, Y3, Y3                /* of columns 12…15 and 28…31 */          \
	VPBROADCASTD half<>(SB), Y4     /* lower = half, of the same */           \
	VMOVDQA Y4, Y5                                                            \
	VMOVDQA Y4, Y6                                                            \
	VMOVDQA Y4, Y7

// PIXELS loads a block of two rows and makes pairs of 16 bits of them:
// Y10, Y11, Y8 and Y9 are each four columns of either half of the block.
#define PIXELS \
	MOVQ (BX), R11                  /* first row: src[at[0]:] */                    \
	MOVQ 8(BX), R12                 /* second row: src[at[1]:] */                   \
	VMOVDQU (SI)(R11*1), Y8         /* first = the row's 32 bytes */                \
	VMOVDQU (SI)(R12*1), Y9         /* second = the row's 32 bytes */               \
	VPBROADCASTD (DX), Y13          /* high = weights.high, of first and second */  \
	VPBROADCASTD 4(DX), Y14         /* low = weights.low */                         \
	VPUNPCKLBW Y9, Y8, Y11          /* bytes first, second of columns 0…7, 16…23 */ \
	VPUNPCKHBW Y9, Y8, Y9           /* of columns 8…15, 24…31 */                    \
	VPUNPCKLBW Y15, Y11, Y10        /* to 16 bits: columns 0…3, 16…19 */            \
	VPUNPCKHBW Y15, Y11, Y11        /* columns 4…7, 20…23 */                        \
	VPUNPCKLBW Y15, Y9, Y8          /* columns 8…11, 24…27 */                       \
	VPUNPCKHBW Y15, Y9, Y9          /* columns 12…15, 28…31 */                      \
	ADDQ $16, BX                    /* at = at[2:] */                               \
	ADDQ $8, DX                     /* weights = weights[1:] */

#define ROUND(upper, lower) \
	VPSLLD $11, upper, upper        /* upper <<= lowBits */ \
	VPADDD lower, upper, upper      /* upper += lower */    \
	VPSRLD $22, upper, upper        /* upper >>= Bits */

// END rounds the sums and writes them, as a block of the row.
#define END \
	ROUND(Y0, Y4)                                                        \
	ROUND(Y1, Y5)                                                        \
	ROUND(Y2, Y6)                                                        \
	ROUND(Y3, Y7)                                                        \
	VPACKUSDW Y1, Y0, Y0            /* to 16 bits: columns 0…7, 16…23 */ \
	VPACKUSDW Y3, Y2, Y2            /* columns 8…15, 24…31 */            \
	VPACKUSWB Y2, Y0, Y0            /* to 8 bits: columns 0…31 */        \
	VMOVDQU Y0, (DI)                /* dst[:32] */                       \
	ADDQ $32, DI                    /* dst = dst[32:] */                 \
	ADDQ $32, SI                    /* src = src[32:] */

#define DOTAVX2(pixels, upper, lower) \
	VPMADDWD Y13, pixels, Y12       /* h = first*high[0] + second*high[1] */ \
	VPMADDWD Y14, pixels, pixels    /* l = first*low[0] + second*low[1] */   \
	VPADDD Y12, upper, upper        /* upper += h */                         \
	VPADDD pixels, lower, lower     /* lower += l */

#define DOTAVX512(pixels, upper, lower) \
	VPDPWSSD Y13, pixels, upper     /* upper += first*high[0] + second*high[1] */ \
	VPDPWSSD Y14, pixels, lower     /* lower += first*low[0] + second*low[1] */

// func acrossAVX2(a *acrossArgs)
TEXT ·acrossAVX2(SB), NOSPLIT, $0-8
	SETUP

block:                                        // do {
	BEGIN

pair:                                         // do {
	PIXELS                                // two rows more
	DOTAVX2(Y10, Y0, Y4)                  // columns 0…3, 16…19
	DOTAVX2(Y11, Y1, Y5)                  // columns 4…7, 20…23
	DOTAVX2(Y8, Y2, Y6)                   // columns 8…11, 24…27
	DOTAVX2(Y9, Y3, Y7)                   // columns 12…15, 28…31
	DECQ AX
	JNZ  pair                             // } while (--n > 0)
	END                                   // dst[:32] = upper<<lowBits + lower, rounded
	DECQ CX
	JNZ  block                            // } while (--blocks > 0)
	VZEROUPPER
	RET

// func acrossAVX512(a *acrossArgs)
TEXT ·acrossAVX512(SB), NOSPLIT, $0-8
	SETUP

block:                                        // do {
	BEGIN

pair:                                         // do {
	PIXELS                                // two rows more
	DOTAVX512(Y10, Y0, Y4)                // columns 0…3, 16…19
	DOTAVX512(Y11, Y1, Y5)                // columns 4…7, 20…23
	DOTAVX512(Y8, Y2, Y6)                 // columns 8…11, 24…27
	DOTAVX512(Y9, Y3, Y7)                 // columns 12…15, 28…31
	DECQ AX
	JNZ  pair                             // } while (--n > 0)
	END                                   // dst[:32] = upper<<lowBits + lower, rounded
	DECQ CX
	JNZ  block                            // } while (--blocks > 0)
	VZEROUPPER
	RET
