//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Two neighbouring pixels to pairs of 16 bits (red red, green green, blue blue, -),
// in each half of a vector: taps 0 and 1 of a group, and 2 and 3.
DATA firstTaps<>+0(SB)/8, $0xff04ff01ff03ff00
DATA firstTaps<>+8(SB)/8, $0xffffffffff05ff02
DATA firstTaps<>+16(SB)/8, $0xff04ff01ff03ff00
DATA firstTaps<>+24(SB)/8, $0xffffffffff05ff02
GLOBL firstTaps<>(SB), RODATA|NOPTR, $32

DATA lastTaps<>+0(SB)/8, $0xff0aff07ff09ff06
DATA lastTaps<>+8(SB)/8, $0xffffffffff0bff08
DATA lastTaps<>+16(SB)/8, $0xff0aff07ff09ff06
DATA lastTaps<>+24(SB)/8, $0xffffffffff0bff08
GLOBL lastTaps<>(SB), RODATA|NOPTR, $32

// RGB- of two rows, for output 0 and then 1, to RGBRGB-- of each row.
DATA couple<>+0(SB)/8, $0xffff0a0908020100
DATA couple<>+8(SB)/8, $0xffff0e0d0c060504
DATA couple<>+16(SB)/8, $0xffff0a0908020100
DATA couple<>+24(SB)/8, $0xffff0e0d0c060504
GLOBL couple<>(SB), RODATA|NOPTR, $32

// The half that is added before rounding down.
DATA half<>+0(SB)/4, $0x200000
GLOBL half<>(SB), RODATA|NOPTR, $4

// SETUP loads the arguments.
#define SETUP \
	MOVQ a+0(FP), AX                                       \
	MOVQ alongArgs_dst(AX), DI                             \
	MOVQ alongArgs_src(AX), SI                             \
	MOVQ alongArgs_starts(AX), BX                          \
	MOVQ alongArgs_pairs(AX), DX      /* weights */        \
	MOVQ alongArgs_dstStride(AX), R10                      \
	MOVQ alongArgs_srcStride(AX), R8                       \
	MOVQ alongArgs_couples(AX), CX    /* of two outputs */ \
	MOVQ alongArgs_groups(AX), R12    /* of four taps */   \
	LEAQ (R8)(R8*2), R9               /* 3*srcStride */    \
	LEAQ (R10)(R10*2), R11            /* 3*dstStride */    \
	VMOVDQU firstTaps<>(SB), Y15                           \
	VMOVDQU lastTaps<>(SB), Y14

// BEGIN points R13 at the first tap of the next output and clears the sums:
// Y0 and Y1 are the upper and lower half of rows 0 and 1, Y2 and Y3 of rows 2 and 3.
#define BEGIN \
	MOVLQSX (BX), R13               /* start = starts[0] */             \
	ADDQ $4, BX                     /* starts = starts[1:] */           \
	ADDQ SI, R13                    /* p = src[start:] */               \
	MOVQ R12, AX                    /* n = groups */                    \
	VPXOR Y0, Y0, Y0                /* upper = 0, of rows 0 and 1 */    \
	VPBROADCASTD half<>(SB), Y1     /* lower = half, of rows 0 and 1 */ \
	VPXOR Y2, Y2, Y2                /* upper = 0, of rows 2 and 3 */    \
	VMOVDQA Y1, Y3                  /* lower = half, of rows 2 and 3 */

// PIXELS loads the group's pixels: Y6 and Y4 are taps 0,1 and 2,3 of rows 0 and 1,
// Y7 and Y5 of rows 2 and 3.
#define PIXELS \
	VMOVDQU (R13), X4                   /* row 0: p[:16], of which 12 count */            \
	VINSERTI128 $1, (R13)(R8*1), Y4, Y4 /* row 1, in the upper half */                    \
	VMOVDQU (R13)(R8*2), X5             /* row 2 */                                       \
	VINSERTI128 $1, (R13)(R9*1), Y5, Y5 /* row 3 */                                       \
	VPSHUFB Y15, Y4, Y6                 /* taps 0, 1 of rows 0 and 1: r r, g g, b b, - */ \
	VPSHUFB Y14, Y4, Y4                 /* taps 2, 3 of rows 0 and 1 */                   \
	VPSHUFB Y15, Y5, Y7                 /* taps 0, 1 of rows 2 and 3 */                   \
	VPSHUFB Y14, Y5, Y5                 /* taps 2, 3 of rows 2 and 3 */                   \
	VPBROADCASTD (DX), Y8               /* high, of taps 0, 1 */                          \
	VPBROADCASTD 4(DX), Y9              /* low, of taps 0, 1 */                           \
	VPBROADCASTD 8(DX), Y10             /* high, of taps 2, 3 */                          \
	VPBROADCASTD 12(DX), Y11            /* low, of taps 2, 3 */                           \
	ADDQ $12, R13                       /* p = p[12:] */                                  \
	ADDQ $16, DX                        /* weights = weights[2:] */

// END rounds the sums: out becomes, in 16 bits, rows 0 and 2 | rows 1 and 3.
#define END(out) \
	VPSLLD $11, Y0, Y0              /* upper <<= lowBits */ \
	VPSLLD $11, Y2, Y2                                      \
	VPADDD Y1, Y0, Y0               /* upper += lower */    \
	VPADDD Y3, Y2, Y2                                       \
	VPSRLD $22, Y0, Y0              /* upper >>= Bits */    \
	VPSRLD $22, Y2, Y2                                      \
	VPACKUSDW Y2, Y0, out           /* to 16 bits */

// STORE writes two outputs of every row, and two bytes of nothing.
#define STORE \
	VPACKUSWB Y0, Y12, Y12          /* to 8 bits: both outputs of rows 0 and 2 | 1 and 3 */ \
	VPSHUFB couple<>(SB), Y12, Y12  /* rgb rgb - - of row 0, of row 2 | of 1, of 3 */       \
	VEXTRACTI128 $1, Y12, X0        /* rows 1 and 3 */                                      \
	VMOVQ X12, (DI)                 /* row 0: dst[:8] */                                    \
	VMOVHPS X12, (DI)(R10*2)        /* row 2 */                                             \
	VMOVQ X0, (DI)(R10*1)           /* row 1 */                                             \
	VMOVHPS X0, (DI)(R11*1)         /* row 3 */                                             \
	ADDQ $6, DI                     /* dst = dst[6:] */

#define DOTAVX2(pixels, weights, tmp, sum) \
	VPMADDWD weights, pixels, tmp   /* tmp = pixel0*weight0 + pixel1*weight1 */ \
	VPADDD tmp, sum, sum            /* sum += tmp */

#define GROUPAVX2 \
	PIXELS                                                              \
	DOTAVX2(Y6, Y8, Y13, Y0)        /* upper of rows 0, 1; taps 0, 1 */ \
	DOTAVX2(Y6, Y9, Y6, Y1)         /* lower */                         \
	DOTAVX2(Y7, Y8, Y8, Y2)         /* upper of rows 2, 3 */            \
	DOTAVX2(Y7, Y9, Y9, Y3)         /* lower */                         \
	DOTAVX2(Y4, Y10, Y13, Y0)       /* upper of rows 0, 1; taps 2, 3 */ \
	DOTAVX2(Y4, Y11, Y4, Y1)        /* lower */                         \
	DOTAVX2(Y5, Y10, Y10, Y2)       /* upper of rows 2, 3 */            \
	DOTAVX2(Y5, Y11, Y11, Y3)       /* lower */

// Multiply-adds take four cycles, so sums of taps 2 and 3 are apart, in Y16 to Y19.
#define BEGINAVX512 \
	BEGIN                                                                       \
	VPXORD Y16, Y16, Y16            /* upper = 0 of rows 0, 1, for taps 2, 3 */ \
	VPXORD Y17, Y17, Y17            /* lower = 0 */                             \
	VPXORD Y18, Y18, Y18            /* upper = 0 of rows 2, 3 */                \
	VPXORD Y19, Y19, Y19            /* lower = 0 */

#define GROUPAVX512 \
	PIXELS                                                                       \
	VPDPWSSD Y8, Y6, Y0             /* upper of rows 0, 1 += taps 0, 1 · high */ \
	VPDPWSSD Y9, Y6, Y1             /* lower += taps 0, 1 · low */               \
	VPDPWSSD Y8, Y7, Y2             /* upper of rows 2, 3 += taps 0, 1 · high */ \
	VPDPWSSD Y9, Y7, Y3             /* lower += taps 0, 1 · low */               \
	VPDPWSSD Y10, Y4, Y16           /* upper of rows 0, 1 += taps 2, 3 · high */ \
	VPDPWSSD Y11, Y4, Y17           /* lower += taps 2, 3 · low */               \
	VPDPWSSD Y10, Y5, Y18           /* upper of rows 2, 3 += taps 2, 3 · high */ \
	VPDPWSSD Y11, Y5, Y19           /* lower += taps 2, 3 · low */

#define ENDAVX512(out) \
	VPADDD Y16, Y0, Y0              /* upper of rows 0, 1: both together */ \
	VPADDD Y17, Y1, Y1              /* lower */                             \
	VPADDD Y18, Y2, Y2              /* upper of rows 2, 3 */                \
	VPADDD Y19, Y3, Y3              /* lower */                             \
	END(out)

// func alongAVX2(a *alongArgs)
TEXT ·alongAVX2(SB), NOSPLIT, $0-8
	SETUP

outputs:                                      // do {
	BEGIN                                 // the first output of two

even:                                         // do {
	GROUPAVX2                             // four taps more
	DECQ AX
	JNZ  even                             // } while (--n > 0)
	END(Y12)                              // first = upper<<lowBits + lower, rounded
	BEGIN                                 // the second output

odd:                                          // do {
	GROUPAVX2                             // four taps more
	DECQ AX
	JNZ  odd                              // } while (--n > 0)
	END(Y0)                               // second = upper<<lowBits + lower, rounded
	STORE                                 // write both, of four rows
	DECQ CX
	JNZ  outputs                          // } while (--couples > 0)
	VZEROUPPER
	RET

// func alongAVX512(a *alongArgs)
TEXT ·alongAVX512(SB), NOSPLIT, $0-8
	SETUP

outputs:                                      // do {
	BEGINAVX512                           // the first output of two

even:                                         // do {
	GROUPAVX512                           // four taps more
	DECQ AX
	JNZ  even                             // } while (--n > 0)
	ENDAVX512(Y12)                        // first = upper<<lowBits + lower, rounded
	BEGINAVX512                           // the second output

odd:                                          // do {
	GROUPAVX512                           // four taps more
	DECQ AX
	JNZ  odd                              // } while (--n > 0)
	ENDAVX512(Y0)                         // second = upper<<lowBits + lower, rounded
	STORE                                 // write both, of four rows
	DECQ CX
	JNZ  outputs                          // } while (--couples > 0)
	VZEROUPPER
	RET
