//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// FOLD adds the sixteen sums of a row and a class, in vectors a, a+1, a+2 and a+3, in the order of
// dotPortable, and stores the logit: V28 is lost.
#define FOLD(a, b, c, d, A, F, to) \
	FADD4(a, a, c)                  /* lanes l and l+8 */ \
	FADD4(b, b, d)                                        \
	FADD4(a, a, b)                  /* l and l+4 */       \
	VEXT $8, A.B16, A.B16, V28.B16                        \
	FADD4(a, a, 28)                 /* l and l+2 */       \
	FADDP2(a, a)                    /* l and l+1 */       \
	FMOVS F, to

// STEP23 adds four features of two rows and three classes. The sums of row r and class c are four
// vectors from 4·(3r+c) on, of which it takes the q-th.
#define STEP23(v0, v1, v2, v3, v4, v5) \
	VLD1.P 16(R8), [V24.S4]         /* x of the first row */  \
	VLD1.P 16(R9), [V25.S4]         /* x of the second */     \
	VLD1.P 16(R10), [V26.S4]        /* w of the classes */    \
	VLD1.P 16(R11), [V27.S4]                                  \
	VLD1.P 16(R12), [V28.S4]                                  \
	VFMLA V26.S4, V24.S4, v0.S4                               \
	VFMLA V27.S4, V24.S4, v1.S4                               \
	VFMLA V28.S4, V24.S4, v2.S4                               \
	VFMLA V26.S4, V25.S4, v3.S4                               \
	VFMLA V27.S4, V25.S4, v4.S4                               \
	VFMLA V28.S4, V25.S4, v5.S4

// STEP41 adds four features of four rows and one class.
#define STEP41(v0, v1, v2, v3) \
	VLD1.P 16(R8), [V24.S4]         /* x of the rows */       \
	VLD1.P 16(R9), [V25.S4]                                   \
	VLD1.P 16(R11), [V26.S4]                                  \
	VLD1.P 16(R12), [V27.S4]                                  \
	VLD1.P 16(R10), [V28.S4]        /* w of the class */      \
	VFMLA V28.S4, V24.S4, v0.S4                               \
	VFMLA V28.S4, V25.S4, v1.S4                               \
	VFMLA V28.S4, V26.S4, v2.S4                               \
	VFMLA V28.S4, V27.S4, v3.S4

// func forwardNEON(z, x, w *float32, xBytes, wBytes, features, cols int)
//
// It takes three classes at a time, and what is left one by one. The number of features is a
// multiple of 16.
TEXT ·forwardNEON(SB), NOSPLIT, $0-56
	MOVD z+0(FP), R0
	MOVD w+16(FP), R2
	MOVD xBytes+24(FP), R3
	MOVD wBytes+32(FP), R4
	MOVD features+40(FP), R5
	MOVD cols+48(FP), R6
	LSL  $2, R5, R7                       // where the bias lies behind the weights

classes:                                      // for three classes
	CMP  $3, R6
	BLT  rest
	MOVD x+8(FP), R1
	MOVD $16, R13                         // pairs of rows

pair:
	MOVD R1, R8
	ADD  R3, R1, R9
	MOVD R2, R10
	ADD  R4, R2, R11
	ADD  R4, R11, R12
	MOVD R5, R14
	ADD  R7, R10, R15                   // the first of the sums starts as the bias
	FMOVS (R15), F0
	ADD  R7, R11, R15
	FMOVS (R15), F4
	ADD  R7, R12, R15
	FMOVS (R15), F8
	VMOV V0.B16, V12.B16
	VMOV V4.B16, V16.B16
	VMOV V8.B16, V20.B16
	ZERO(V1)
	ZERO(V2)
	ZERO(V3)
	ZERO(V5)
	ZERO(V6)
	ZERO(V7)
	ZERO(V9)
	ZERO(V10)
	ZERO(V11)
	ZERO(V13)
	ZERO(V14)
	ZERO(V15)
	ZERO(V17)
	ZERO(V18)
	ZERO(V19)
	ZERO(V21)
	ZERO(V22)
	ZERO(V23)

features23:
	STEP23(V0, V4, V8, V12, V16, V20)
	STEP23(V1, V5, V9, V13, V17, V21)
	STEP23(V2, V6, V10, V14, V18, V22)
	STEP23(V3, V7, V11, V15, V19, V23)
	SUBS $16, R14
	BNE  features23
	FOLD(0, 1, 2, 3, V0, F0, (R0))
	FOLD(4, 5, 6, 7, V4, F4, 128(R0))
	FOLD(8, 9, 10, 11, V8, F8, 256(R0))
	FOLD(12, 13, 14, 15, V12, F12, 4(R0))
	FOLD(16, 17, 18, 19, V16, F16, 132(R0))
	FOLD(20, 21, 22, 23, V20, F20, 260(R0))
	ADD  $8, R0
	ADD  R3<<1, R1
	SUBS $1, R13
	BNE  pair
	ADD  $256, R0                         // a class has 32 logits: three of them on
	ADD  R4<<1, R2
	ADD  R4, R2
	SUB  $3, R6
	B    classes

rest:                                         // for one class
	CBZ  R6, done
	MOVD x+8(FP), R1
	MOVD $8, R13                          // fours of rows

four:
	MOVD R1, R8
	ADD  R3, R8, R9
	ADD  R3, R9, R11
	ADD  R3, R11, R12
	MOVD R2, R10
	MOVD R5, R14
	ADD  R7, R10, R15
	FMOVS (R15), F0
	VMOV V0.B16, V4.B16
	VMOV V0.B16, V8.B16
	VMOV V0.B16, V12.B16
	ZERO(V1)
	ZERO(V2)
	ZERO(V3)
	ZERO(V5)
	ZERO(V6)
	ZERO(V7)
	ZERO(V9)
	ZERO(V10)
	ZERO(V11)
	ZERO(V13)
	ZERO(V14)
	ZERO(V15)

features41:
	STEP41(V0, V4, V8, V12)
	STEP41(V1, V5, V9, V13)
	STEP41(V2, V6, V10, V14)
	STEP41(V3, V7, V11, V15)
	SUBS $16, R14
	BNE  features41
	FOLD(0, 1, 2, 3, V0, F0, (R0))
	FOLD(4, 5, 6, 7, V4, F4, 4(R0))
	FOLD(8, 9, 10, 11, V8, F8, 8(R0))
	FOLD(12, 13, 14, 15, V12, F12, 12(R0))
	ADD  $16, R0
	ADD  R3<<2, R1
	SUBS $1, R13
	BNE  four
	ADD  R4, R2
	SUB  $1, R6
	B    rest

done:
	RET

// ADDTO adds eight vectors to g, or to zero where R10 says that it is fresh.
#define ADDTO(a, b, c, d, label) \
	VLD1 (R0), [V24.S4, V25.S4, V26.S4, V27.S4]                     \
	CBZ  R10, label                                                 \
	ZERO(V24)                                                       \
	ZERO(V25)                                                       \
	ZERO(V26)                                                       \
	ZERO(V27)                                                       \
label:                                                                  \
	FADD4(24, 24, a)                                                \
	FADD4(25, 25, b)                                                \
	FADD4(26, 26, c)                                                \
	FADD4(27, 27, d)                                                \
	VST1.P [V24.S4, V25.S4, V26.S4, V27.S4], 64(R0)

// func gradientNEON(grad, x, dz *float32, gBytes, xBytes, dzBytes, rows, fresh int)
//
// The gradient of one class over 32 features.
TEXT ·gradientNEON(SB), NOSPLIT, $0-64
	MOVD grad+0(FP), R0
	MOVD x+8(FP), R1
	MOVD dz+16(FP), R2
	MOVD xBytes+32(FP), R4
	MOVD dzBytes+40(FP), R5
	MOVD rows+48(FP), R6
	MOVD fresh+56(FP), R10
	SUB  $64, R4                          // from the middle of a row to the next
	ZERO(V0)
	ZERO(V1)
	ZERO(V2)
	ZERO(V3)
	ZERO(V4)
	ZERO(V5)
	ZERO(V6)
	ZERO(V7)

block:                                        // a block of up to 32 rows
	MOVD R2, R8
	MOVD $32, R7
	CMP  R6, R7
	BLE  row
	MOVD R6, R7

row:
	VLD1R.P 4(R8), [V16.S4]
	VLD1.P 64(R1), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1 (R1), [V24.S4, V25.S4, V26.S4, V27.S4]
	ADD  R4, R1
	VFMLA V16.S4, V20.S4, V0.S4
	VFMLA V16.S4, V21.S4, V1.S4
	VFMLA V16.S4, V22.S4, V2.S4
	VFMLA V16.S4, V23.S4, V3.S4
	VFMLA V16.S4, V24.S4, V4.S4
	VFMLA V16.S4, V25.S4, V5.S4
	VFMLA V16.S4, V26.S4, V6.S4
	VFMLA V16.S4, V27.S4, V7.S4
	SUB  $1, R6
	SUBS $1, R7
	BNE  row
	ADD  R5, R2
	CBNZ R6, block
	ADDTO(0, 1, 2, 3, low)
	ADDTO(4, 5, 6, 7, high)
	RET

// func gradient2NEON(grad, x, dz *float32, gBytes, xBytes, dzBytes, rows, fresh int)
//
// The gradients of two classes over 32 features: each x is read once for both.
TEXT ·gradient2NEON(SB), NOSPLIT, $0-64
	MOVD grad+0(FP), R0
	MOVD x+8(FP), R1
	MOVD dz+16(FP), R2
	MOVD gBytes+24(FP), R3
	MOVD xBytes+32(FP), R4
	MOVD dzBytes+40(FP), R5
	MOVD rows+48(FP), R6
	MOVD fresh+56(FP), R10
	SUB  $64, R4
	ZERO(V0)
	ZERO(V1)
	ZERO(V2)
	ZERO(V3)
	ZERO(V4)
	ZERO(V5)
	ZERO(V6)
	ZERO(V7)
	ZERO(V8)
	ZERO(V9)
	ZERO(V10)
	ZERO(V11)
	ZERO(V12)
	ZERO(V13)
	ZERO(V14)
	ZERO(V15)

block:
	MOVD R2, R8
	ADD  $128, R2, R9                     // the second class
	MOVD $32, R7
	CMP  R6, R7
	BLE  row
	MOVD R6, R7

row:
	VLD1R.P 4(R8), [V16.S4]
	VLD1R.P 4(R9), [V17.S4]
	VLD1.P 64(R1), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1 (R1), [V24.S4, V25.S4, V26.S4, V27.S4]
	ADD  R4, R1
	VFMLA V16.S4, V20.S4, V0.S4
	VFMLA V17.S4, V20.S4, V8.S4
	VFMLA V16.S4, V21.S4, V1.S4
	VFMLA V17.S4, V21.S4, V9.S4
	VFMLA V16.S4, V22.S4, V2.S4
	VFMLA V17.S4, V22.S4, V10.S4
	VFMLA V16.S4, V23.S4, V3.S4
	VFMLA V17.S4, V23.S4, V11.S4
	VFMLA V16.S4, V24.S4, V4.S4
	VFMLA V17.S4, V24.S4, V12.S4
	VFMLA V16.S4, V25.S4, V5.S4
	VFMLA V17.S4, V25.S4, V13.S4
	VFMLA V16.S4, V26.S4, V6.S4
	VFMLA V17.S4, V26.S4, V14.S4
	VFMLA V16.S4, V27.S4, V7.S4
	VFMLA V17.S4, V27.S4, V15.S4
	SUB  $1, R6
	SUBS $1, R7
	BNE  row
	ADD  R5, R2
	CBNZ R6, block
	ADD  R3, R0, R3                       // the second class of g
	ADDTO(0, 1, 2, 3, low)
	ADDTO(4, 5, 6, 7, high)
	MOVD R3, R0
	ADDTO(8, 9, 10, 11, low2)
	ADDTO(12, 13, 14, 15, high2)
	RET

// func affineNEON(dst, x, mean, scale *float32, n int, rowScale float32)
//
// n is a multiple of 4.
TEXT ·affineNEON(SB), NOSPLIT, $0-44
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD mean+16(FP), R2
	MOVD scale+24(FP), R3
	MOVD n+32(FP), R4
	MOVW rowScale+40(FP), R5
	VDUP R5, V4.S4

values:
	VLD1.P 16(R1), [V0.S4]
	VLD1.P 16(R2), [V1.S4]
	VLD1.P 16(R3), [V2.S4]
	FSUB4(0, 0, 1)
	FMUL4(0, 0, 2)
	FMUL4(0, 0, 4)
	VST1.P [V0.S4], 16(R0)
	SUBS $4, R4
	BNE  values
	RET

// func adamNEON(w, m, v, grad *float32, n int, s *AdamStep)
//
// n is a multiple of 4. The operations are those of adamPortable, in its order.
TEXT ·adamNEON(SB), NOSPLIT, $0-48
	MOVD w+0(FP), R0
	MOVD m+8(FP), R1
	MOVD v+16(FP), R2
	MOVD grad+24(FP), R3
	MOVD n+32(FP), R4
	MOVD s+40(FP), R5
	VLD1R.P 4(R5), [V16.S4]               // L2
	VLD1R.P 4(R5), [V17.S4]               // Decay
	VLD1R.P 4(R5), [V18.S4]               // KeepM
	VLD1R.P 4(R5), [V19.S4]               // Beta2
	VLD1R.P 4(R5), [V20.S4]               // KeepV
	VLD1R.P 4(R5), [V21.S4]               // InvRoot
	VLD1R.P 4(R5), [V22.S4]               // Eps
	VLD1R (R5), [V23.S4]                  // Rate

weights:
	VLD1 (R0), [V0.S4]
	VLD1 (R1), [V1.S4]
	VLD1 (R2), [V2.S4]
	VLD1.P 16(R3), [V3.S4]
	FMUL4(4, 16, 0)
	FADD4(3, 3, 4)                        // grad = g + L2·w
	FSUB4(4, 3, 1)
	FMUL4(4, 18, 4)
	FADD4(1, 1, 4)                        // m += KeepM·(grad - m)
	FMUL4(2, 19, 2)
	FMUL4(4, 20, 3)
	FMUL4(4, 4, 3)
	FADD4(2, 2, 4)                        // v = Beta2·v + KeepV·grad·grad
	FSQRT4(4, 2)
	FMUL4(4, 4, 21)
	FADD4(4, 4, 22)                       // √v·InvRoot + Eps
	FMUL4(5, 23, 1)
	FDIV4(5, 5, 4)
	FMUL4(0, 0, 17)
	FSUB4(0, 0, 5)                        // w = w·Decay - Rate·m/that
	VST1.P [V0.S4], 16(R0)
	VST1.P [V1.S4], 16(R1)
	VST1.P [V2.S4], 16(R2)
	SUBS $4, R4
	BNE  weights
	RET

// func sgdNEON(w, m, grad *float32, n int, s *SGDStep)
//
// n is a multiple of 4. The operations are those of sgdPortable, in its order.
TEXT ·sgdNEON(SB), NOSPLIT, $0-40
	MOVD w+0(FP), R0
	MOVD m+8(FP), R1
	MOVD grad+16(FP), R3
	MOVD n+24(FP), R4
	MOVD s+32(FP), R5
	VLD1R.P 4(R5), [V16.S4]               // L2
	VLD1R.P 4(R5), [V17.S4]               // Momentum
	VLD1R.P 4(R5), [V18.S4]               // OfGrad
	VLD1R.P 4(R5), [V19.S4]               // OfBuffer
	VLD1R (R5), [V20.S4]                  // Rate

weights:
	VLD1 (R0), [V0.S4]
	VLD1 (R1), [V1.S4]
	VLD1.P 16(R3), [V3.S4]
	FMUL4(4, 16, 0)
	FADD4(3, 3, 4)                        // grad = g + L2·w
	FMUL4(1, 17, 1)
	FADD4(1, 1, 3)                        // m = Momentum·m + grad
	FMUL4(3, 18, 3)
	FMUL4(4, 19, 1)
	FADD4(3, 3, 4)                        // step = OfGrad·grad + OfBuffer·m
	FMUL4(3, 20, 3)
	FSUB4(0, 0, 3)                        // w -= Rate·step
	VST1.P [V0.S4], 16(R0)
	VST1.P [V1.S4], 16(R1)
	SUBS $4, R4
	BNE  weights
	RET

// func lerpNEON(dst, src *float32, n int, share float32)
//
// n is a multiple of 16.
TEXT ·lerpNEON(SB), NOSPLIT, $0-28
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R4
	MOVW share+24(FP), R5
	VDUP R5, V16.S4

values:
	VLD1 (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	FSUB4(4, 4, 0)
	FSUB4(5, 5, 1)
	FSUB4(6, 6, 2)
	FSUB4(7, 7, 3)
	FMUL4(4, 16, 4)
	FMUL4(5, 16, 5)
	FMUL4(6, 16, 6)
	FMUL4(7, 16, 7)
	FADD4(0, 0, 4)
	FADD4(1, 1, 5)
	FADD4(2, 2, 6)
	FADD4(3, 3, 7)                        // dst += share·(src - dst)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS $16, R4
	BNE  values
	RET

// func sumNEON(dst, src *float32, n, srcBytes, summands, fresh int)
//
// n is a multiple of 16, of which it adds up 16 at a time.
TEXT ·sumNEON(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R4
	MOVD srcBytes+24(FP), R3
	MOVD summands+32(FP), R6
	MOVD fresh+40(FP), R10

columns:
	VLD1 (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	CBZ  R10, kept
	ZERO(V0)
	ZERO(V1)
	ZERO(V2)
	ZERO(V3)

kept:
	MOVD R1, R8
	MOVD R6, R7

summand:
	VLD1 (R8), [V4.S4, V5.S4, V6.S4, V7.S4]
	FADD4(0, 0, 4)
	FADD4(1, 1, 5)
	FADD4(2, 2, 6)
	FADD4(3, 3, 7)
	ADD  R3, R8
	SUBS $1, R7
	BNE  summand
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	ADD  $64, R1
	SUBS $16, R4
	BNE  columns
	RET

// func biasNEON(grad, dz *float32, gBytes, dzBytes, blocks, cols int)
//
// V0 to V7 are the 32 rows of a block.
TEXT ·biasNEON(SB), NOSPLIT, $0-48
	MOVD grad+0(FP), R0
	MOVD dz+8(FP), R1
	MOVD gBytes+16(FP), R3
	MOVD dzBytes+24(FP), R5
	MOVD blocks+32(FP), R6
	MOVD cols+40(FP), R4
	SUB  $64, R5                          // from the middle of a block to the next

class:
	ZERO(V0)
	ZERO(V1)
	ZERO(V2)
	ZERO(V3)
	ZERO(V4)
	ZERO(V5)
	ZERO(V6)
	ZERO(V7)
	MOVD R1, R8
	MOVD R6, R7

block:
	VLD1.P 64(R8), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1 (R8), [V20.S4, V21.S4, V22.S4, V23.S4]
	FADD4(0, 0, 16)
	FADD4(1, 1, 17)
	FADD4(2, 2, 18)
	FADD4(3, 3, 19)
	FADD4(4, 4, 20)
	FADD4(5, 5, 21)
	FADD4(6, 6, 22)
	FADD4(7, 7, 23)
	ADD  R5, R8
	SUBS $1, R7
	BNE  block
	FADD4(0, 0, 4)                        // rows l and l+16
	FADD4(1, 1, 5)
	FADD4(2, 2, 6)
	FADD4(3, 3, 7)
	FMOVS (R0), F8
	FOLD(0, 1, 2, 3, V0, F0, (R0))
	FADDS F0, F8, F0
	FMOVS F0, (R0)                        // g += their sum
	ADD  R3, R0
	ADD  $128, R1
	SUBS $1, R4
	BNE  class
	RET

// func peakNEON(rounds int)
TEXT ·peakNEON(SB), NOSPLIT, $0-8
	MOVD rounds+0(FP), R0
	ZERO(V24)

round:
	VFMLA V24.S4, V24.S4, V0.S4
	VFMLA V24.S4, V24.S4, V1.S4
	VFMLA V24.S4, V24.S4, V2.S4
	VFMLA V24.S4, V24.S4, V3.S4
	VFMLA V24.S4, V24.S4, V4.S4
	VFMLA V24.S4, V24.S4, V5.S4
	VFMLA V24.S4, V24.S4, V6.S4
	VFMLA V24.S4, V24.S4, V7.S4
	VFMLA V24.S4, V24.S4, V8.S4
	VFMLA V24.S4, V24.S4, V9.S4
	VFMLA V24.S4, V24.S4, V10.S4
	VFMLA V24.S4, V24.S4, V11.S4
	VFMLA V24.S4, V24.S4, V12.S4
	VFMLA V24.S4, V24.S4, V13.S4
	VFMLA V24.S4, V24.S4, V14.S4
	VFMLA V24.S4, V24.S4, V15.S4
	VFMLA V24.S4, V24.S4, V16.S4
	VFMLA V24.S4, V24.S4, V17.S4
	VFMLA V24.S4, V24.S4, V18.S4
	VFMLA V24.S4, V24.S4, V19.S4
	VFMLA V24.S4, V24.S4, V20.S4
	VFMLA V24.S4, V24.S4, V21.S4
	VFMLA V24.S4, V24.S4, V22.S4
	VFMLA V24.S4, V24.S4, V23.S4
	SUBS $1, R0
	BNE  round
	RET
