//go:build !purego

#include "textflag.h"

// Instructions that Go's assembler does not know, by the numbers of registers; the loops take
// 8 bytes at a time, of which a pixel has 3 or 4.
#define UHADD8(d, n, m) WORD $(0x2e200400 | (m << 16) | (n << 5) | d) // d = (n + m) / 2
#define UABD8(d, n, m) WORD $(0x2e207400 | (m << 16) | (n << 5) | d)  // d = |n - m|
#define UMIN8(d, n, m) WORD $(0x2e206c00 | (m << 16) | (n << 5) | d)
#define CMHS8(d, n, m) WORD $(0x2e203c00 | (m << 16) | (n << 5) | d)  // d = n >= m
#define USUBL8(d, n, m) WORD $(0x2e202000 | (m << 16) | (n << 5) | d) // words d = n - m, of bytes
#define ABS16(d, n) WORD $(0x4e60b800 | (n << 5) | d)
#define UQXTN8(d, n) WORD $(0x2e214800 | (n << 5) | d)                // bytes d = n, 255 at most

// A pixel depends on the one before it, so that one is done at a time. Of one of 3 bytes the
// first byte of the next one is loaded, too, and not stored:
//
//	R0  row    R2  n    V0  a: the pixel before, done
//	R1  prev   R3  bpp  V1  b: the pixel above      V2  c: the pixel above a

// STORE stores the bytes of V0 that belong to a pixel, and goes on to the next.
#define STORE(wide, next) \
	CMP   $4, R3                                    \
	BEQ   wide                                      \
	VST1  V0.H[0], (R0)         /* row[0:2] = a */  \
	ADD   $2, R0, R4                                \
	VST1  V0.B[2], (R4)         /* row[2] = a */    \
	B     next                                      \
wide:                                                   \
	FMOVS F0, (R0)              /* row[0:4] = a */  \
next:                                                   \
	ADD   R3, R0                /* row += bpp */

// func upNEON(row, prev *byte, n int)
TEXT ·upNEON(SB), NOSPLIT, $0-24
	MOVD row+0(FP), R0
	MOVD prev+8(FP), R1
	MOVD n+16(FP), R2

turn:                                         // do {
	VLD1   (R0), [V0.B16, V1.B16]
	VLD1.P 32(R1), [V2.B16, V3.B16]
	VADD   V2.B16, V0.B16, V0.B16
	VADD   V3.B16, V1.B16, V1.B16
	VST1.P [V0.B16, V1.B16], 32(R0)       // row[i:] += prev[i:], 32 bytes
	SUBS   $1, R2
	BNE    turn                           // } while (--n > 0)
	RET

// func subNEON(row *byte, n, bpp int)
TEXT ·subNEON(SB), NOSPLIT, $0-24
	MOVD row+0(FP), R0
	MOVD n+8(FP), R2
	MOVD bpp+16(FP), R3
	VEOR V0.B16, V0.B16, V0.B16           // a = 0

pixel:                                        // do {
	FMOVS (R0), F3
	VADD  V3.B8, V0.B8, V0.B8             // a += x
	STORE(wide, next)
	SUBS  $1, R2
	BNE   pixel                           // } while (--n > 0)
	RET

// func averageNEON(row, prev *byte, n, bpp int)
TEXT ·averageNEON(SB), NOSPLIT, $0-32
	MOVD row+0(FP), R0
	MOVD prev+8(FP), R1
	MOVD n+16(FP), R2
	MOVD bpp+24(FP), R3
	VEOR V0.B16, V0.B16, V0.B16           // a = 0

pixel:                                        // do {
	FMOVS (R1), F1                        // b
	FMOVS (R0), F3                        // x
	UHADD8(0, 0, 1)                       // a = (a + b) / 2
	VADD  V3.B8, V0.B8, V0.B8             // a += x
	STORE(wide, next)
	ADD   R3, R1
	SUBS  $1, R2
	BNE   pixel                           // } while (--n > 0)
	RET

// func paethNEON(row, prev *byte, n, bpp int)
//
// pc may be up to 510. It is compared with bytes, so that 255 tells as much.
TEXT ·paethNEON(SB), NOSPLIT, $0-32
	MOVD row+0(FP), R0
	MOVD prev+8(FP), R1
	MOVD n+16(FP), R2
	MOVD bpp+24(FP), R3
	VEOR V0.B16, V0.B16, V0.B16           // a = 0
	VEOR V2.B16, V2.B16, V2.B16           // c = 0

pixel:                                        // do {
	FMOVS (R1), F1                        // b
	FMOVS (R0), F3                        // x
	USUBL8(4, 1, 2)
	USUBL8(5, 0, 2)
	VADD  V5.H8, V4.H8, V4.H8             // pc = (b - c) + (a - c), in words
	ABS16(4, 4)
	UQXTN8(4, 4)                          // pc = |pc|
	UABD8(5, 1, 2)                        // pa = |b - c|
	UABD8(6, 0, 2)                        // pb = |a - c|
	UMIN8(7, 6, 4)
	CMHS8(7, 7, 5)                        // left = pa <= pb && pa <= pc
	CMHS8(4, 4, 6)                        // above = pb <= pc
	VBSL  V2.B8, V1.B8, V4.B8             // p = above ? b : c
	VBIT  V7.B8, V0.B8, V4.B8             // p = left ? a : p
	VADD  V3.B8, V4.B8, V0.B8             // a = p + x
	VMOV  V1.B8, V2.B8                    // c = b
	STORE(wide, next)
	ADD   R3, R1
	SUBS  $1, R2
	BNE   pixel                           // } while (--n > 0)
	RET
