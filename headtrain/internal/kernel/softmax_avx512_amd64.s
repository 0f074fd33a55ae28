//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "const_amd64.h"

#define CONST(bits, r) \
	MOVL         bits, BX \
	VPBROADCASTD BX, r

// func softmaxAVX512(a *softmaxArgs)
// Two passes of 16 rows, a lane each.
TEXT ·softmaxAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ softmaxArgs_z(AX), DI
	MOVQ softmaxArgs_labels(AX), R8
	MOVQ softmaxArgs_hot(AX), R9
	MOVQ softmaxArgs_spread(AX), R10
	MOVQ softmaxArgs_out(AX), R11
	MOVQ softmaxArgs_classes(AX), R12
	MOVQ $2, R13
	CONST(LOG2E, Z20)
	CONST(SHIFT, Z21)
	CONST(LN2HIGH, Z22)
	CONST(LN2LOW, Z23)
	CONST(CUTOFF, Z24)
	CONST(ONE, Z25)
	CONST(HALF, Z26)
	CONST(FACT3, Z27)
	CONST(FACT4, Z28)
	CONST(FACT5, Z29)
	CONST(FACT6, Z30)
	CONST(FACT7, Z31)
	CONST($1, Z19)

rows:                                         // do {
	VMOVDQU32 (R8), Z18                   // y = labels[:16]
	VPXORQ    Z17, Z17, Z17               // c = 0
	VPXORQ    Z10, Z10, Z10               // best = 0: the first class with the largest logit
	VPXORQ    Z11, Z11, Z11               // zy = 0: the logit of class y
	VMOVUPS   (DI), Z0                    // top = z[0]: the largest logit
	MOVQ      DI, SI
	MOVQ      R12, CX

peak:                                         // do {
	VMOVUPS   (SI), Z1                    // v = z[c]
	VCMPPS    $30, Z0, Z1, K1             // above = v > top
	VMOVAPS   Z1, K1, Z0                  // top = v if above
	VMOVDQA32 Z17, K1, Z10                // best = c if above
	VPCMPEQD  Z17, Z18, K2                // mine = c == y
	VMOVAPS   Z1, K2, Z11                 // zy = v if mine
	VPADDD    Z19, Z17, Z17               // c++
	ADDQ      $128, SI
	DECQ      CX
	JNZ       peak                        // } while c < classes

	VPXORQ Z6, Z6, Z6                     // sum = 0
	VPXORQ Z7, Z7, Z7                     // spread = 0
	MOVQ   DI, SI
	MOVQ   R10, DX
	MOVQ   R12, CX                        // c = 0

exp:                                          // do {
	VMOVUPS      (SI), Z1                 // v = z[c]
	VSUBPS       Z0, Z1, Z1               // x = v - top
	VBROADCASTSS (DX), Z8                 // Spread[c]
	VMULPS       Z8, Z1, Z8               // t = Spread[c]*x
	VADDPS       Z8, Z7, Z7               // spread += t
	VMULPS       Z20, Z1, Z2              // t = x*log2E
	VADDPS       Z21, Z2, Z2              // t += shift
	VSUBPS       Z21, Z2, Z3              // n = t - shift
	VMULPS       Z22, Z3, Z4              // r = n*ln2High
	VSUBPS       Z4, Z1, Z4               // r = x - r
	VMULPS       Z23, Z3, Z3              // n *= ln2Low
	VSUBPS       Z3, Z4, Z4               // r -= n
	VMULPS       Z31, Z4, Z5              // p = r/5040
	VADDPS       Z30, Z5, Z5              // p += 1/720
	VMULPS       Z4, Z5, Z5               // p *= r
	VADDPS       Z29, Z5, Z5              // p += 1/120
	VMULPS       Z4, Z5, Z5               // p *= r
	VADDPS       Z28, Z5, Z5              // p += 1/24
	VMULPS       Z4, Z5, Z5               // p *= r
	VADDPS       Z27, Z5, Z5              // p += 1/6
	VMULPS       Z4, Z5, Z5               // p *= r
	VADDPS       Z26, Z5, Z5              // p += 1/2
	VMULPS       Z4, Z5, Z5               // p *= r
	VADDPS       Z25, Z5, Z5              // p += 1
	VMULPS       Z4, Z5, Z5               // p *= r
	VADDPS       Z25, Z5, Z5              // p += 1
	VPSLLD       $23, Z2, Z2              // t <<= 23, as bits
	VPADDD       Z25, Z2, Z2              // t += bits of 1: 2ⁿ
	VCMPPS       $21, Z24, Z1, K1         // high = not x < expCutoff
	VMULPS.Z     Z2, Z5, K1, Z5           // e = p*t if high, else 0
	VMOVUPS      Z5, (SI)                 // z[c] = e
	VADDPS       Z5, Z6, Z6               // sum += e
	ADDQ         $128, SI                 // c++
	ADDQ         $4, DX
	DECQ         CX
	JNZ          exp                      // } while c < classes

	CONST(ROOTHALF, Z12)                  // log = log32(sum), of bits x
	CONST(MANTISSA, Z13)
	VPSUBD    Z12, Z6, Z1                 // u = x - rootHalf
	VPSRAD    $23, Z1, Z2                 // e = u >> 23
	VCVTDQ2PS Z2, Z2                      // to float
	VPANDD    Z13, Z1, Z1                 // u &= mantissa
	VPADDD    Z12, Z1, Z1                 // u += rootHalf
	VSUBPS    Z25, Z1, Z1                 // f = u - 1, as floats
	VADDPS    Z25, Z25, Z3                // s = 1 + 1
	VADDPS    Z1, Z3, Z3                  // s += f
	VDIVPS    Z3, Z1, Z3                  // s = f/s
	VMULPS    Z3, Z3, Z4                  // q = s*s
	VMULPS    Z4, Z4, Z5                  // w = q*q
	CONST(LOG2, Z12)
	CONST(LOG4, Z13)
	VMULPS    Z13, Z5, Z13                // t1 = w*logTerm4
	VADDPS    Z12, Z13, Z13               // t1 += logTerm2
	VMULPS    Z13, Z5, Z13                // t1 *= w
	CONST(LOG1, Z12)
	CONST(LOG3, Z14)
	VMULPS    Z14, Z5, Z14                // t2 = w*logTerm3
	VADDPS    Z12, Z14, Z14               // t2 += logTerm1
	VMULPS    Z14, Z4, Z14                // t2 *= q
	VADDPS    Z13, Z14, Z14               // t2 += t1
	VMULPS    Z26, Z1, Z4                 // half = f*0.5
	VMULPS    Z1, Z4, Z4                  // half *= f
	VADDPS    Z14, Z4, Z5                 // t2 += half
	VMULPS    Z5, Z3, Z3                  // log = s*t2
	CONST(LOGLN2LO, Z12)
	CONST(LOGLN2HI, Z13)
	VMULPS    Z12, Z2, Z12                // t = e*logLn2Lo
	VADDPS    Z12, Z3, Z3                 // log += t
	VSUBPS    Z4, Z3, Z3                  // log -= half
	VADDPS    Z1, Z3, Z3                  // log += f
	VMULPS    Z13, Z2, Z13                // t = e*logLn2Hi
	VADDPS    Z13, Z3, Z3                 // log += t
	VSUBPS    Z6, Z6, Z1                  // t = sum - sum
	VADDPS    Z1, Z3, Z3                  // log += t: not a number if sum is none

	KXNORW       K3, K3, K3               // all lanes
	VPXORQ       Z9, Z9, Z9
	VGATHERDPS   (R9)(Z18*4), K3, Z9      // hot = Hot[y]
	VSUBPS       Z11, Z0, Z1              // gap = top - zy
	VADDPS       Z3, Z1, Z1               // gap += log
	VMULPS       Z1, Z9, Z1               // loss = hot*gap
	VBROADCASTSS softmaxArgs_total(AX), Z2 // Total
	VMULPS       Z3, Z2, Z2               // t = Total*log
	VSUBPS       Z7, Z2, Z2               // t -= spread
	VADDPS       Z2, Z1, Z1               // loss += t
	VMOVUPS      Z1, (R11)                // out.Loss = loss
	VMOVUPS      Z6, 128(R11)             // out.Sum = sum
	VMOVDQU32    Z10, 256(R11)            // out.Best = best
	CMPB         softmaxArgs_learn(AX), $0
	JEQ          next                     // if learn {

	MOVQ       softmaxArgs_soft(AX), DX
	KXNORW     K3, K3, K3                 // all lanes
	VPXORQ     Z8, Z8, Z8
	VGATHERDPS (DX)(Z18*4), K3, Z8        // a = Soft[y]
	VDIVPS     Z6, Z8, Z8                 // a /= sum
	VPXORQ     Z17, Z17, Z17              // c = 0
	MOVQ       DI, SI
	MOVQ       R10, DX
	MOVQ       R12, CX

residual:                                     // do {
	VMULPS       (SI), Z8, Z1             // g = a*z[c]
	VBROADCASTSS (DX), Z2                 // Spread[c]
	VSUBPS       Z2, Z1, Z1               // g -= Spread[c]
	VPCMPEQD     Z17, Z18, K2             // mine = c == y
	VSUBPS       Z9, Z1, K2, Z1           // g -= hot if mine
	VMOVUPS      Z1, (SI)                 // z[c] = g
	VPADDD       Z19, Z17, Z17            // c++
	ADDQ         $128, SI
	ADDQ         $4, DX
	DECQ         CX
	JNZ          residual                 // } while c < classes }

next:
	ADDQ $64, DI                          // z = z[16:]
	ADDQ $64, R8                          // labels = labels[16:]
	ADDQ $64, R11                         // out = out[16:], each of its fields
	DECQ R13
	JNZ  rows                             // } while (--passes > 0)
	VZEROUPPER
	RET
