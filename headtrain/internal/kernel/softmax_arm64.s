//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

#define HORNER(constant) \
	FMUL4(5, 5, 4)          /* p *= r */    \
	FADD4(5, 5, constant)   /* p += constant */

// GATHER loads the four values of a table, whose address is in a register, that the labels at
// R1 choose: R9 and R10 are lost.
#define GATHER(table, V) \
	MOVWU 0(R1), R9                 \
	ADD   R9<<2, table, R10         \
	VLD1  (R10), V.S[0]             \
	MOVWU 4(R1), R9                 \
	ADD   R9<<2, table, R10         \
	VLD1  (R10), V.S[1]             \
	MOVWU 8(R1), R9                 \
	ADD   R9<<2, table, R10         \
	VLD1  (R10), V.S[2]             \
	MOVWU 12(R1), R9                \
	ADD   R9<<2, table, R10         \
	VLD1  (R10), V.S[3]

// func softmaxNEON(z *float32, labels *int32, t *LossTable, out *Judged, terms *float32, classes int, learn bool)
//
// Eight passes of 4 rows, a lane each. The operations are those of softmaxPortable, in its order;
// terms are softmaxTerms, of which V16 to V27 keep those of the exponential.
TEXT ·softmaxNEON(SB), NOSPLIT, $0-49
	MOVD  z+0(FP), R0
	MOVD  labels+8(FP), R1
	MOVD  t+16(FP), R4
	MOVD  out+24(FP), R11
	MOVD  terms+32(FP), R5
	MOVD  classes+40(FP), R12
	MOVBU learn+48(FP), R13
	MOVD  LossTable_Soft(R4), R6
	MOVD  LossTable_Hot(R4), R2
	MOVD  LossTable_Spread(R4), R3
	FMOVS LossTable_Total(R4), F28
	VDUP  V28.S[0], V28.S4                // Total
	VLD1R.P 4(R5), [V16.S4]               // log2E
	VLD1R.P 4(R5), [V17.S4]               // shift
	VLD1R.P 4(R5), [V18.S4]               // ln2High
	VLD1R.P 4(R5), [V19.S4]               // ln2Low
	VLD1R.P 4(R5), [V20.S4]               // expCutoff
	VLD1R.P 4(R5), [V21.S4]               // 1/5040
	VLD1R.P 4(R5), [V22.S4]               // 1/720
	VLD1R.P 4(R5), [V23.S4]               // 1/120
	VLD1R.P 4(R5), [V24.S4]               // 1/24
	VLD1R.P 4(R5), [V25.S4]               // 1/6
	VLD1R.P 4(R5), [V26.S4]               // 1/2
	VLD1R.P 4(R5), [V27.S4]               // 1
	MOVD $1, R9
	VDUP R9, V12.S4                       // 1, a whole number
	MOVD $8, R14

rows:                                         // do {
	VLD1 (R1), [V11.S4]                   // y = labels[:4]
	ZERO(V8)                              // c = 0
	ZERO(V10)                             // best = 0: the first class with the largest logit
	ZERO(V9)                              // zy = 0: the logit of class y
	VLD1 (R0), [V0.S4]                    // top = z[0]: the largest logit
	MOVD R0, R8
	MOVD R12, R7

peak:                                         // do {
	VLD1 (R8), [V1.S4]                    // v = z[c]
	FCMGT4(2, 1, 0)                       // above = v > top
	VBIT V2.B16, V1.B16, V0.B16           // top = v if above
	VBIT V2.B16, V8.B16, V10.B16          // best = c if above
	VCMEQ V8.S4, V11.S4, V3.S4            // mine = c == y
	VBIT V3.B16, V1.B16, V9.B16           // zy = v if mine
	VADD V12.S4, V8.S4, V8.S4             // c++
	ADD  $128, R8
	SUBS $1, R7
	BNE  peak                             // } while c < classes
	ADD  $Judged_Best, R11, R9
	VST1 [V10.S4], (R9)                   // out.Best = best

	ZERO(V6)                              // sum = 0
	ZERO(V7)                              // spread = 0
	MOVD R0, R8                           // c = 0
	MOVD R3, R10
	MOVD R12, R7

exp:                                          // do {
	VLD1 (R8), [V1.S4]                    // v = z[c]
	VLD1R.P 4(R10), [V2.S4]               // Spread[c]
	FSUB4(1, 1, 0)                        // x = v - top
	FMUL4(2, 2, 1)
	FADD4(7, 7, 2)                        // spread += Spread[c]·x
	FMUL4(2, 1, 16)
	FADD4(2, 2, 17)                       // t = x·log2E + shift
	FSUB4(3, 2, 17)                       // n = t - shift
	FMUL4(4, 3, 18)
	FSUB4(4, 1, 4)                        // r = x - n·ln2High
	FMUL4(3, 3, 19)
	FSUB4(4, 4, 3)                        // r -= n·ln2Low
	VMOV V21.B16, V5.B16                  // p = 1/5040
	HORNER(22)                            // p = p·r + 1/720
	HORNER(23)                            // p = p·r + 1/120
	HORNER(24)                            // p = p·r + 1/24
	HORNER(25)                            // p = p·r + 1/6
	HORNER(26)                            // p = p·r + 1/2
	HORNER(27)                            // p = p·r + 1
	HORNER(27)                            // p = p·r + 1
	VSHL $23, V2.S4, V2.S4                // t <<= 23, as bits
	VADD V27.S4, V2.S4, V2.S4             // t += bits of 1: 2ⁿ
	FMUL4(5, 5, 2)                        // e = p·t
	FCMGT4(2, 20, 1)                      // low = x < expCutoff
	BIC4(5, 5, 2)                         // e = 0 if low
	FADD4(6, 6, 5)                        // sum += e
	VST1 [V5.S4], (R8)                    // z[c] = e
	ADD  $128, R8                         // c++
	SUBS $1, R7
	BNE  exp                              // } while c < classes

	MOVD R5, R15                          // log = log32(sum), of bits x
	VLD1R.P 4(R15), [V4.S4]               // rootHalf
	VSUB V4.S4, V6.S4, V1.S4              // u = x - rootHalf
	SSHR4(2, 1, 23)
	SCVTF4(2, 2)                          // e = u >> 23, to float
	VSHL $9, V1.S4, V1.S4
	VUSHR $9, V1.S4, V1.S4                // u &= mantissa
	VADD V4.S4, V1.S4, V1.S4              // u += rootHalf
	FSUB4(1, 1, 27)                       // f = u - 1, as floats
	FADD4(3, 27, 27)
	FADD4(3, 3, 1)
	FDIV4(3, 1, 3)                        // s = f/(2 + f)
	FMUL4(4, 3, 3)                        // q = s·s
	FMUL4(5, 4, 4)                        // w = q·q
	VLD1R.P 4(R15), [V14.S4]              // logTerm4
	VLD1R.P 4(R15), [V15.S4]              // logTerm2
	FMUL4(14, 5, 14)
	FADD4(14, 14, 15)
	FMUL4(14, 5, 14)                      // t1 = w·(logTerm2 + w·logTerm4)
	VLD1R.P 4(R15), [V10.S4]              // logTerm3
	VLD1R.P 4(R15), [V15.S4]              // logTerm1
	FMUL4(10, 5, 10)
	FADD4(10, 10, 15)
	FMUL4(10, 4, 10)                      // t2 = q·(logTerm1 + w·logTerm3)
	FADD4(10, 10, 14)                     // t2 += t1
	FMUL4(4, 1, 26)
	FMUL4(4, 4, 1)                        // half = (f·0.5)·f
	FADD4(5, 4, 10)
	FMUL4(3, 3, 5)                        // log = s·(half + t2)
	VLD1R.P 4(R15), [V14.S4]              // logLn2Lo
	VLD1R.P 4(R15), [V15.S4]              // logLn2Hi
	FMUL4(14, 2, 14)
	FADD4(3, 3, 14)                       // log += e·logLn2Lo
	FSUB4(3, 3, 4)                        // log -= half
	FADD4(3, 3, 1)                        // log += f
	FMUL4(15, 2, 15)
	FADD4(3, 3, 15)                       // log += e·logLn2Hi
	FSUB4(1, 6, 6)
	FADD4(3, 3, 1)                        // log += sum - sum: not a number if sum is none

	FSUB4(1, 0, 9)                        // gap = top - zy
	GATHER(R2, V9)                        // hot = Hot[y]
	FADD4(1, 1, 3)
	FMUL4(1, 9, 1)                        // loss = hot·(gap + log)
	FMUL4(2, 28, 3)
	FSUB4(2, 2, 7)
	FADD4(1, 1, 2)                        // loss += Total·log - spread
	VST1 [V1.S4], (R11)                   // out.Loss = loss
	ADD  $Judged_Sum, R11, R9
	VST1 [V6.S4], (R9)                    // out.Sum = sum
	CBZ  R13, next                        // if learn {

	GATHER(R6, V13)
	FDIV4(13, 13, 6)                      // a = Soft[y]/sum
	ZERO(V8)                              // c = 0
	MOVD R0, R8
	MOVD R3, R10
	MOVD R12, R7

residual:                                     // do {
	VLD1 (R8), [V1.S4]
	VLD1R.P 4(R10), [V2.S4]               // Spread[c]
	FMUL4(1, 13, 1)
	FSUB4(1, 1, 2)                        // grad = a·z[c] - Spread[c]
	FSUB4(2, 1, 9)                        // less = grad - hot
	VCMEQ V8.S4, V11.S4, V3.S4            // mine = c == y
	VBIT V3.B16, V2.B16, V1.B16           // grad = less if mine
	VST1 [V1.S4], (R8)                    // z[c] = grad
	VADD V12.S4, V8.S4, V8.S4             // c++
	ADD  $128, R8
	SUBS $1, R7
	BNE  residual                         // } while c < classes }

next:
	ADD  $16, R0                          // z = z[4:]
	ADD  $16, R1                          // labels = labels[4:]
	ADD  $16, R11                         // out = out[4:], each of its fields
	SUBS $1, R14
	BNE  rows                             // } while (--passes > 0)
	RET
