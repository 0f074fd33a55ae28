//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Instructions that Go's assembler does not know, by the numbers of their registers.
//
//	SMLAL(d, n, m, i):  d.4s += n.4h · m.h[i], the lower half of n; m is at most 15
//	SMLAL2(d, n, m, i): of the upper half
//	UQXTN…:             narrows to half as many bits, to the lower or the upper half of d; what is too large becomes the largest
#define SMLAL(d, n, m, i) WORD $(0x0f402000 | ((i & 4) << 9) | ((i & 2) << 20) | ((i & 1) << 20) | (m << 16) | (n << 5) | d)
#define SMLAL2(d, n, m, i) WORD $(0x4f402000 | ((i & 4) << 9) | ((i & 2) << 20) | ((i & 1) << 20) | (m << 16) | (n << 5) | d)
#define UQXTN_H(d, n) WORD $(0x2e614800 | (n << 5) | d)
#define UQXTN2_H(d, n) WORD $(0x6e614800 | (n << 5) | d)
#define UQXTN_B(d, n) WORD $(0x2e214800 | (n << 5) | d)
#define UQXTN2_B(d, n) WORD $(0x6e214800 | (n << 5) | d)

// Bytes of a row to 16 bits (red green blue - of one tap, and of the next): taps 0 and 1 of a
// group, and 2 and 3. Then, of the pixels RGB- of four rows, output 0 in one vector and output 1
// in the next, RGBRGB-- of rows 0 and 1, and of rows 2 and 3.
DATA shuffles<>+0(SB)/8, $0xffffff02ff01ff00
DATA shuffles<>+8(SB)/8, $0xffffff05ff04ff03
DATA shuffles<>+16(SB)/8, $0xffffff08ff07ff06
DATA shuffles<>+24(SB)/8, $0xffffff0bff0aff09
DATA shuffles<>+32(SB)/8, $0xffff121110020100
DATA shuffles<>+40(SB)/8, $0xffff161514060504
DATA shuffles<>+48(SB)/8, $0xffff1a19180a0908
DATA shuffles<>+56(SB)/8, $0xffff1e1d1c0e0d0c
GLOBL shuffles<>(SB), RODATA|NOPTR, $64

// ROUND is what ends a sum: V24 is not touched.
#define ROUND(upper, lower) \
	VSHL $11, upper, upper          /* upper <<= lowBits */ \
	VADD lower, upper, upper        /* upper += lower */    \
	VUSHR $22, upper, upper         /* upper >>= Bits */

// ROW adds four taps of a row: V0 are the weights, high and low of taps 0, 1, then of taps 2, 3.
#define ROW(pointer, upper, lower) \
	VLD1 (pointer), [V8.B16]        /* 16 bytes, of which 12 count */ \
	ADD $12, pointer                                                 \
	VTBL V1.B16, [V8.B16], V9.B16   /* taps 0 and 1 */               \
	VTBL V2.B16, [V8.B16], V10.B16  /* taps 2 and 3 */               \
	SMLAL(upper, 9, 0, 0)                                            \
	SMLAL2(upper, 9, 0, 1)                                           \
	SMLAL(lower, 9, 0, 2)                                            \
	SMLAL2(lower, 9, 0, 3)                                           \
	SMLAL(upper, 10, 0, 4)                                           \
	SMLAL2(upper, 10, 0, 5)                                          \
	SMLAL(lower, 10, 0, 6)                                           \
	SMLAL2(lower, 10, 0, 7)

// BEGIN points R9, R11, R12 and R13 at the first tap of the next output in the four rows, and
// clears the sums: V16 to V19 are their upper halves, V20 to V23 the lower ones.
#define BEGIN \
	MOVW.P 4(R3), R9                /* start = starts[0] */   \
	ADD R2, R9                      /* p = src[start:] */     \
	ADD R6, R9, R11                                           \
	ADD R6, R11, R12                                          \
	ADD R6, R12, R13                                          \
	MOVD R8, R10                    /* n = groups */          \
	VEOR V16.B16, V16.B16, V16.B16  /* upper = 0 */           \
	VEOR V17.B16, V17.B16, V17.B16                            \
	VEOR V18.B16, V18.B16, V18.B16                            \
	VEOR V19.B16, V19.B16, V19.B16                            \
	VMOV V24.B16, V20.B16           /* lower = half */        \
	VMOV V24.B16, V21.B16                                     \
	VMOV V24.B16, V22.B16                                     \
	VMOV V24.B16, V23.B16

#define GROUP \
	VLD1.P 16(R4), [V0.H8] \
	ROW(R9, 16, 20)        \
	ROW(R11, 17, 21)       \
	ROW(R12, 18, 22)       \
	ROW(R13, 19, 23)

// END rounds the sums to bytes: RGB- of the four rows.
#define END(out) \
	ROUND(V16.S4, V20.S4) \
	ROUND(V17.S4, V21.S4) \
	ROUND(V18.S4, V22.S4) \
	ROUND(V19.S4, V23.S4) \
	UQXTN_H(16, 16)       \
	UQXTN2_H(16, 17)      \
	UQXTN_H(18, 18)       \
	UQXTN2_H(18, 19)      \
	UQXTN_B(out, 16)      \
	UQXTN2_B(out, 18)

// func alongNEON(a *alongArgs)
TEXT ·alongNEON(SB), NOSPLIT, $0-8
	MOVD a+0(FP), R0
	MOVD alongArgs_dst(R0), R1
	MOVD alongArgs_src(R0), R2
	MOVD alongArgs_starts(R0), R3
	MOVD alongArgs_pairs(R0), R4
	MOVD alongArgs_dstStride(R0), R5
	MOVD alongArgs_srcStride(R0), R6
	MOVD alongArgs_couples(R0), R7
	MOVD alongArgs_groups(R0), R8
	MOVD $shuffles<>(SB), R10
	VLD1 (R10), [V1.B16, V2.B16, V3.B16, V4.B16]
	MOVW $0x200000, R10
	VDUP R10, V24.S4                      // half

outputs:                                      // do {
	BEGIN                                 // the first output of two

even:                                         // do {
	GROUP                                 // four taps more
	SUBS $1, R10
	BNE even                              // } while (--n > 0)
	END(5)                                // V5 = upper<<lowBits + lower, rounded
	BEGIN                                 // the second output

odd:                                          // do {
	GROUP
	SUBS $1, R10
	BNE odd                               // } while (--n > 0)
	END(6)                                // V6
	VTBL V3.B16, [V5.B16, V6.B16], V8.B16 // rgbrgb-- of rows 0 and 1
	VTBL V4.B16, [V5.B16, V6.B16], V9.B16 // of rows 2 and 3
	MOVD R1, R10
	VST1 V8.D[0], (R10)                   // row 0: dst[:8]
	ADD R5, R10
	VST1 V8.D[1], (R10)
	ADD R5, R10
	VST1 V9.D[0], (R10)
	ADD R5, R10
	VST1 V9.D[1], (R10)
	ADD $6, R1                            // dst = dst[6:]
	SUBS $1, R7
	BNE outputs                           // } while (--couples > 0)
	RET

// EIGHT adds eight columns of a row, widened in V5, with the weights of lanes high and low.
#define EIGHT(first, high, low) \
	SMLAL(16+first, 5, 0, high)  \
	SMLAL2(17+first, 5, 0, high) \
	SMLAL(24+first, 5, 0, low)   \
	SMLAL2(25+first, 5, 0, low)

// LINE adds 32 columns of a row.
#define LINE(high, low) \
	VLD1 (R11), [V1.B16, V2.B16] \
	VUXTL V1.B8, V5.H8           \
	EIGHT(0, high, low)          \
	VUXTL2 V1.B16, V5.H8         \
	EIGHT(2, high, low)          \
	VUXTL V2.B8, V5.H8           \
	EIGHT(4, high, low)          \
	VUXTL2 V2.B16, V5.H8         \
	EIGHT(6, high, low)

// func acrossNEON(a *acrossArgs)
TEXT ·acrossNEON(SB), NOSPLIT, $0-8
	MOVD a+0(FP), R0
	MOVD acrossArgs_dst(R0), R1
	MOVD acrossArgs_src(R0), R2
	MOVD acrossArgs_at(R0), R3
	MOVD acrossArgs_pairs(R0), R4
	MOVD acrossArgs_blocks(R0), R7
	MOVD acrossArgs_count(R0), R8
	MOVW $0x200000, R10
	VDUP R10, V6.S4                       // half

block:                                        // do {
	MOVD R3, R5                           // at
	MOVD R4, R6                           // weights
	MOVD R8, R10                          // n = pairs
	VEOR V16.B16, V16.B16, V16.B16        // upper = 0, of columns 0…3
	VEOR V17.B16, V17.B16, V17.B16        // of columns 4…7
	VEOR V18.B16, V18.B16, V18.B16
	VEOR V19.B16, V19.B16, V19.B16
	VEOR V20.B16, V20.B16, V20.B16
	VEOR V21.B16, V21.B16, V21.B16
	VEOR V22.B16, V22.B16, V22.B16
	VEOR V23.B16, V23.B16, V23.B16
	VMOV V6.B16, V24.B16                  // lower = half, of the same
	VMOV V6.B16, V25.B16
	VMOV V6.B16, V26.B16
	VMOV V6.B16, V27.B16
	VMOV V6.B16, V28.B16
	VMOV V6.B16, V29.B16
	VMOV V6.B16, V30.B16
	VMOV V6.B16, V31.B16

pair:                                         // do {
	VLD1.P 8(R6), [V0.H4]                 // weights: high of both rows, low of both
	MOVD.P 8(R5), R11
	ADD R2, R11                           // first row: src[at[0]:]
	LINE(0, 2)
	MOVD.P 8(R5), R11
	ADD R2, R11                           // second row
	LINE(1, 3)
	SUBS $1, R10
	BNE pair                              // } while (--n > 0)
	ROUND(V16.S4, V24.S4)
	ROUND(V17.S4, V25.S4)
	ROUND(V18.S4, V26.S4)
	ROUND(V19.S4, V27.S4)
	ROUND(V20.S4, V28.S4)
	ROUND(V21.S4, V29.S4)
	ROUND(V22.S4, V30.S4)
	ROUND(V23.S4, V31.S4)
	UQXTN_H(16, 16)
	UQXTN2_H(16, 17)
	UQXTN_H(18, 18)
	UQXTN2_H(18, 19)
	UQXTN_H(20, 20)
	UQXTN2_H(20, 21)
	UQXTN_H(22, 22)
	UQXTN2_H(22, 23)
	UQXTN_B(1, 16)
	UQXTN2_B(1, 18)
	UQXTN_B(2, 20)
	UQXTN2_B(2, 22)
	VST1.P [V1.B16, V2.B16], 32(R1)       // dst = dst[32:]
	ADD $32, R2                           // src = src[32:]
	SUBS $1, R7
	BNE block                             // } while (--blocks > 0)
	RET
