//go:build !purego

#include "textflag.h"

// Instructions that Go's assembler does not know, by the numbers of their registers. An i is a lane
// of 16 bits; m is then at most 15.
#define LANE(i) (((i & 4) << 9) | ((i & 2) << 20) | ((i & 1) << 20))
#define SMULL(d, n, m, i) WORD $(0x0f40a000 | LANE(i) | (m << 16) | (n << 5) | d)  // d.4s = n.4h · m.h[i]
#define SMULL2(d, n, m, i) WORD $(0x4f40a000 | LANE(i) | (m << 16) | (n << 5) | d) // of the upper half of n
#define SMLAL(d, n, m, i) WORD $(0x0f402000 | LANE(i) | (m << 16) | (n << 5) | d)  // d.4s += …
#define SMLAL2(d, n, m, i) WORD $(0x4f402000 | LANE(i) | (m << 16) | (n << 5) | d)
#define SSHLL13(d, n) WORD $(0x0f1da400 | (n << 5) | d)                            // d.4s = n.4h << 13
#define SSHLL213(d, n) WORD $(0x4f1da400 | (n << 5) | d)
#define SQSHRN11(d, n) WORD $(0x0f159400 | (n << 5) | d)                           // d.4h = n.4s >> 11, saturated
#define SQSHRN211(d, n) WORD $(0x4f159400 | (n << 5) | d)
#define SHRN16(d, n) WORD $(0x0f108400 | (n << 5) | d)                             // d.4h = n.4s >> 16
#define SHRN216(d, n) WORD $(0x4f108400 | (n << 5) | d)
#define RSHRN16(d, n) WORD $(0x0f108c00 | (n << 5) | d)                            // d.4h = (n.4s + 1<<15) >> 16
#define RSHRN216(d, n) WORD $(0x4f108c00 | (n << 5) | d)
#define SSHR2(d, n) WORD $(0x4f1e0400 | (n << 5) | d)                              // d.8h = n.8h >> 2
#define SQXTN(d, n) WORD $(0x0e214800 | (n << 5) | d)                              // d.8b = n.8h, saturated
#define SQXTUN(d, n) WORD $(0x2e212800 | (n << 5) | d)                             // to unsigned bytes
#define SQXTUN2(d, n) WORD $(0x6e212800 | (n << 5) | d)
#define MUL8H(d, n, m) WORD $(0x4e609c00 | (m << 16) | (n << 5) | d)
#define UMLAL(d, n, m) WORD $(0x2e208000 | (m << 16) | (n << 5) | d)               // d.8h += n.8b · m.8b
#define UMLAL2(d, n, m) WORD $(0x6e208000 | (m << 16) | (n << 5) | d)
#define SHRN2(d, n) WORD $(0x0f0e8400 | (n << 5) | d)                              // d.8b = n.8h >> 2
#define SHRN22(d, n) WORD $(0x4f0e8400 | (n << 5) | d)

// The factors of pass in idct.go.
DATA factors<>+0(SB)/8, $0xe6dc29cfd6301151  // 0541, 0541-1847, 0541+0765, 1175-1961
DATA factors<>+8(SB)/8, $0x133ee333192525a1  // 1175, 1175-0390, -0899, 1501-0899
DATA factors<>+16(SB)/8, $0xefb01051adfdecc1 // 0298-0899, -2562, 3072-2562, 2053-2562
DATA factors<>+24(SB)/8, $0
GLOBL factors<>(SB), RODATA|NOPTR, $32

// HALF transforms four of the eight columns of the rows V16 to V23, by the steps and the order of
// pass: V24 and V25 are s3 and s4, V26 and V27 the sum and the difference of rows 0 and 4. It
// leaves the results in V12 to V15 and V28 to V31; V3 to V11 are lost.
#define HALF(SSHLL, SMULL, SMLAL, NARROW) \
	SSHLL(3, 26)                                          \
	SSHLL(4, 27)                                          \
	VADD V2.S4, V3.S4, V3.S4        /* t0 */              \
	VADD V2.S4, V4.S4, V4.S4        /* t1 */              \
	SMULL(11, 18, 0, 0)                                   \
	SMLAL(11, 22, 0, 1)             /* t2 */              \
	VSUB V11.S4, V4.S4, V5.S4       /* e2 */              \
	VADD V11.S4, V4.S4, V4.S4       /* e1 */              \
	SMULL(11, 18, 0, 2)                                   \
	SMLAL(11, 22, 0, 0)             /* t3 */              \
	VSUB V11.S4, V3.S4, V6.S4       /* e3 */              \
	VADD V11.S4, V3.S4, V3.S4       /* e0 */              \
	SMULL(8, 24, 0, 3)                                    \
	SMLAL(8, 25, 0, 4)              /* z3 */              \
	VMOV V8.B16, V10.B16                                  \
	SMULL(7, 24, 0, 4)                                    \
	SMLAL(7, 25, 0, 5)              /* z4 */              \
	VMOV V7.B16, V9.B16                                   \
	SMLAL(7, 23, 0, 6)                                    \
	SMLAL(7, 17, 0, 7)              /* o0 */              \
	SMLAL(8, 21, 1, 1)                                    \
	SMLAL(8, 19, 1, 2)              /* o1 */              \
	SMLAL(9, 21, 1, 3)                                    \
	SMLAL(9, 19, 1, 1)              /* o2 */              \
	SMLAL(10, 23, 1, 0)                                   \
	SMLAL(10, 17, 0, 6)             /* o3 */              \
	VADD V7.S4, V3.S4, V11.S4                             \
	NARROW(12, 11)                                        \
	VSUB V7.S4, V3.S4, V11.S4                             \
	NARROW(31, 11)                                        \
	VADD V8.S4, V4.S4, V11.S4                             \
	NARROW(13, 11)                                        \
	VSUB V8.S4, V4.S4, V11.S4                             \
	NARROW(30, 11)                                        \
	VADD V9.S4, V5.S4, V11.S4                             \
	NARROW(14, 11)                                        \
	VSUB V9.S4, V5.S4, V11.S4                             \
	NARROW(29, 11)                                        \
	VADD V10.S4, V6.S4, V11.S4                            \
	NARROW(15, 11)                                        \
	VSUB V10.S4, V6.S4, V11.S4                            \
	NARROW(28, 11)

#define PASS(NARROW, NARROW2) \
	VADD V19.H8, V23.H8, V24.H8     /* s3: it wraps */    \
	VADD V17.H8, V21.H8, V25.H8     /* s4 */              \
	VADD V20.H8, V16.H8, V26.H8                           \
	VSUB V20.H8, V16.H8, V27.H8                           \
	HALF(SSHLL13, SMULL, SMLAL, NARROW)                   \
	HALF(SSHLL213, SMULL2, SMLAL2, NARROW2)

// TRANSPOSE makes columns V16 to V23 of the rows V12 to V15 and V28 to V31. V3 to V10 are lost.
#define TRANSPOSE \
	VTRN1 V13.H8, V12.H8, V3.H8     \
	VTRN2 V13.H8, V12.H8, V4.H8     \
	VTRN1 V15.H8, V14.H8, V5.H8     \
	VTRN2 V15.H8, V14.H8, V6.H8     \
	VTRN1 V29.H8, V28.H8, V7.H8     \
	VTRN2 V29.H8, V28.H8, V8.H8     \
	VTRN1 V31.H8, V30.H8, V9.H8     \
	VTRN2 V31.H8, V30.H8, V10.H8    \
	VTRN1 V5.S4, V3.S4, V12.S4      /* columns 0, 4 of rows 0…3 */ \
	VTRN2 V5.S4, V3.S4, V14.S4      /* 2, 6 */                     \
	VTRN1 V6.S4, V4.S4, V13.S4      /* 1, 5 */                     \
	VTRN2 V6.S4, V4.S4, V15.S4      /* 3, 7 */                     \
	VTRN1 V9.S4, V7.S4, V28.S4      /* the same of rows 4…7 */     \
	VTRN2 V9.S4, V7.S4, V30.S4      \
	VTRN1 V10.S4, V8.S4, V29.S4     \
	VTRN2 V10.S4, V8.S4, V31.S4     \
	VTRN1 V28.D2, V12.D2, V16.D2    \
	VTRN1 V29.D2, V13.D2, V17.D2    \
	VTRN1 V30.D2, V14.D2, V18.D2    \
	VTRN1 V31.D2, V15.D2, V19.D2    \
	VTRN2 V28.D2, V12.D2, V20.D2    \
	VTRN2 V29.D2, V13.D2, V21.D2    \
	VTRN2 V30.D2, V14.D2, V22.D2    \
	VTRN2 V31.D2, V15.D2, V23.D2

// STORE writes a row of samples.
#define STORE(n, V) \
	SQXTN(n, n)                     \
	VEOR V11.B16, V.B16, V.B16      /* += 128 */ \
	VST1 [V.B8], (R8)               \
	ADD  R1, R8

// func idctNEON(dst *byte, stride int, coefs *int16, quant *uint16, blocks int)
TEXT ·idctNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD stride+8(FP), R1
	MOVD coefs+16(FP), R2
	MOVD quant+24(FP), R3
	MOVD blocks+32(FP), R4
	MOVD $factors<>(SB), R5
	VLD1 (R5), [V0.H8, V1.H8]

block:                                        // do {
	MOVD R2, R6
	VLD1.P 64(R6), [V16.H8, V17.H8, V18.H8, V19.H8]
	VLD1 (R6), [V20.H8, V21.H8, V22.H8, V23.H8]
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VST1.P [V3.H8, V4.H8, V5.H8, V6.H8], 64(R2) // coefs = 0
	VST1.P [V3.H8, V4.H8, V5.H8, V6.H8], 64(R2)
	MOVD R3, R6
	VLD1.P 64(R6), [V24.H8, V25.H8, V26.H8, V27.H8]
	VLD1 (R6), [V28.H8, V29.H8, V30.H8, V31.H8]
	VORR V17.B16, V18.B16, V3.B16         // below = any coefficient of rows 1 to 7
	VORR V19.B16, V20.B16, V4.B16
	VORR V21.B16, V22.B16, V5.B16
	VORR V23.B16, V3.B16, V3.B16
	VORR V4.B16, V5.B16, V4.B16
	VORR V4.B16, V3.B16, V3.B16
	VMOV V3.D[0], R6
	VMOV V3.D[1], R7
	ORR  R6, R7
	MUL8H(16, 16, 24)
	CBZ  R7, flat                         // if below == 0 { goto flat }
	MUL8H(17, 17, 25)
	MUL8H(18, 18, 26)
	MUL8H(19, 19, 27)
	MUL8H(20, 20, 28)
	MUL8H(21, 21, 29)
	MUL8H(22, 22, 30)
	MUL8H(23, 23, 31)
	MOVD $(1<<10), R6
	VDUP R6, V2.S4
	PASS(SQSHRN11, SQSHRN211)             // the first pass, down the columns
	TRANSPOSE

second:
	MOVD $(1<<17), R6
	VDUP R6, V2.S4
	PASS(SHRN16, SHRN216)                 // the second pass, along the rows; what is above 16 bits is 0
	SSHR2(12, 12)
	SSHR2(13, 13)
	SSHR2(14, 14)
	SSHR2(15, 15)
	SSHR2(28, 28)
	SSHR2(29, 29)
	SSHR2(30, 30)
	SSHR2(31, 31)
	TRANSPOSE
	MOVD $0x80, R6
	VDUP R6, V11.B16
	MOVD R0, R8
	STORE(16, V16)
	STORE(17, V17)
	STORE(18, V18)
	STORE(19, V19)
	STORE(20, V20)
	STORE(21, V21)
	STORE(22, V22)
	STORE(23, V23)
	ADD  $8, R0
	SUBS $1, R4
	BNE  block                            // } while (--blocks > 0)
	RET

flat:                                         // all rows are the first, which is shifted
	VSHL $2, V16.H8, V3.H8
	VDUP V3.H[0], V16.H8
	VDUP V3.H[1], V17.H8
	VDUP V3.H[2], V18.H8
	VDUP V3.H[3], V19.H8
	VDUP V3.H[4], V20.H8
	VDUP V3.H[5], V21.H8
	VDUP V3.H[6], V22.H8
	VDUP V3.H[7], V23.H8
	B    second

// Rows: upsampling and colour. Each loop does 16 samples a turn; the last turn ends where the row
// ends, over samples that the one before it has done.

// TURN leaves the loop after the last sample, else lays the next turn of 16. R9 is the first
// sample, R10 the number of samples.
#define TURN(loop, done) \
	ADD $16, R9                                            \
	CMP R10, R9                                            \
	BGE done                        /* if i >= n */        \
	SUB $16, R10, R11                                      \
	CMP R11, R9                                            \
	CSEL GT, R11, R9, R9            /* i = min(i, n-16) */ \
	B   loop

// func blendNEON(dst, near, far *byte, n, bias int)
TEXT ·blendNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD near+8(FP), R1
	MOVD far+16(FP), R2
	MOVD n+24(FP), R10
	MOVD bias+32(FP), R3
	VDUP R3, V7.H8
	MOVD $3, R3
	VDUP R3, V6.B16
	MOVD $0, R9

loop:
	ADD  R9, R1, R4
	VLD1 (R4), [V0.B16]
	ADD  R9, R2, R4
	VLD1 (R4), [V1.B16]
	VUXTL  V1.B8, V2.H8
	VUXTL2 V1.B16, V3.H8
	VADD V7.H8, V2.H8, V2.H8
	VADD V7.H8, V3.H8, V3.H8
	UMLAL(2, 0, 6)                        // far + bias + 3·near
	UMLAL2(3, 0, 6)
	SHRN2(4, 2)
	SHRN22(4, 3)
	ADD  R9, R0, R4
	VST1 [V4.B16], (R4)
	TURN(loop, done)

done:
	RET

// func weighNEON(dst *int16, near, far *byte, n int)
TEXT ·weighNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD near+8(FP), R1
	MOVD far+16(FP), R2
	MOVD n+24(FP), R10
	MOVD $3, R3
	VDUP R3, V6.B16
	MOVD $0, R9

loop:
	ADD  R9, R1, R4
	VLD1 (R4), [V0.B16]
	ADD  R9, R2, R4
	VLD1 (R4), [V1.B16]
	VUXTL  V1.B8, V2.H8
	VUXTL2 V1.B16, V3.H8
	UMLAL(2, 0, 6)                        // far + 3·near
	UMLAL2(3, 0, 6)
	ADD  R9<<1, R0, R4
	VST1 [V2.H8, V3.H8], (R4)
	TURN(loop, done)

done:
	RET

// EIGHT makes sixteen samples of the sums in V0 (before), V1 and V2 (after).
#define EIGHT(out) \
	VADD V1.H8, V1.H8, V3.H8                          \
	VADD V1.H8, V3.H8, V3.H8        /* 3·this */      \
	VADD V0.H8, V3.H8, V0.H8                          \
	VADD V2.H8, V3.H8, V2.H8                          \
	VADD V6.H8, V0.H8, V0.H8        /* + even */      \
	VADD V7.H8, V2.H8, V2.H8        /* + odd */       \
	VUSHR $4, V0.H8, V0.H8                            \
	VUSHR $4, V2.H8, V2.H8                            \
	VSHL $8, V2.H8, V2.H8                             \
	VORR V0.B16, V2.B16, out.B16

// func spreadNEON(dst *byte, sums *int16, n, even, odd int)
TEXT ·spreadNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD sums+8(FP), R1
	MOVD n+16(FP), R10
	MOVD even+24(FP), R3
	VDUP R3, V6.H8
	MOVD odd+32(FP), R3
	VDUP R3, V7.H8
	MOVD $0, R9

loop:
	ADD  R9<<1, R1, R4
	ADD  $2, R4, R5
	ADD  $4, R4, R6
	VLD1.P 16(R4), [V0.H8]
	VLD1.P 16(R5), [V1.H8]
	VLD1.P 16(R6), [V2.H8]
	EIGHT(V4)
	VLD1 (R4), [V0.H8]
	VLD1 (R5), [V1.H8]
	VLD1 (R6), [V2.H8]
	EIGHT(V5)
	ADD  R9<<1, R0, R4
	VST1 [V4.B16, V5.B16], (R4)
	TURN(loop, done)

done:
	RET

// What is left of the factors of Cb and Cr when whole ones are taken off: 16 bits hold it.
DATA rest<>+0(SB)/8, $0x492ea7e6c5a266e9     // 91881-65536, 116130-2·65536, -22554, 65536-46802
DATA rest<>+8(SB)/8, $0
GLOBL rest<>(SB), RODATA|NOPTR, $16

// COLOURS makes red, green and blue of eight pixels, in 16 bits, of y, u and v in V16, V17, V18.
#define COLOURS(r, R, g, G, b, B) \
	VSUB V7.H8, V17.H8, V17.H8      /* u -= 128 */            \
	VSUB V7.H8, V18.H8, V18.H8      /* v -= 128 */            \
	SMULL(19, 18, 0, 0)                                       \
	SMULL2(20, 18, 0, 0)                                      \
	RSHRN16(r, 19)                                            \
	RSHRN216(r, 20)                                           \
	VADD V18.H8, R.H8, R.H8         /* + v */                 \
	VADD V16.H8, R.H8, R.H8         /* + y */                 \
	SMULL(19, 17, 0, 1)                                       \
	SMULL2(20, 17, 0, 1)                                      \
	RSHRN16(b, 19)                                            \
	RSHRN216(b, 20)                                           \
	VADD V17.H8, B.H8, B.H8         /* + 2u */                \
	VADD V17.H8, B.H8, B.H8                                   \
	VADD V16.H8, B.H8, B.H8                                   \
	SMULL(19, 17, 0, 2)                                       \
	SMULL2(20, 17, 0, 2)                                      \
	SMLAL(19, 18, 0, 3)                                       \
	SMLAL2(20, 18, 0, 3)                                      \
	RSHRN16(g, 19)                                            \
	RSHRN216(g, 20)                                           \
	VSUB V18.H8, G.H8, G.H8         /* - v */                 \
	VADD V16.H8, G.H8, G.H8

// func convertNEON(dst, luma, cb, cr *byte, n int)
TEXT ·convertNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD luma+8(FP), R1
	MOVD cb+16(FP), R2
	MOVD cr+24(FP), R3
	MOVD n+32(FP), R10
	MOVD $rest<>(SB), R4
	VLD1 (R4), [V0.H8]
	MOVD $128, R4
	VDUP R4, V7.H8
	MOVD $0, R9

loop:
	ADD  R9, R1, R4
	VLD1 (R4), [V1.B16]
	ADD  R9, R2, R4
	VLD1 (R4), [V2.B16]
	ADD  R9, R3, R4
	VLD1 (R4), [V3.B16]
	VUXTL V1.B8, V16.H8
	VUXTL V2.B8, V17.H8
	VUXTL V3.B8, V18.H8
	COLOURS(21, V21, 22, V22, 23, V23)
	VUXTL2 V1.B16, V16.H8
	VUXTL2 V2.B16, V17.H8
	VUXTL2 V3.B16, V18.H8
	COLOURS(24, V24, 25, V25, 26, V26)
	SQXTUN(4, 21)
	SQXTUN2(4, 24)
	SQXTUN(5, 22)
	SQXTUN2(5, 25)
	SQXTUN(6, 23)
	SQXTUN2(6, 26)
	ADD  R9<<1, R9, R4
	ADD  R0, R4
	VST3 [V4.B16, V5.B16, V6.B16], (R4)
	TURN(loop, done)

done:
	RET
