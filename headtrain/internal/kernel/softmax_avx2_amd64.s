//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "const_amd64.h"

DATA softmaxConst<>+0(SB)/4, LOG2E
DATA softmaxConst<>+4(SB)/4, SHIFT
DATA softmaxConst<>+8(SB)/4, LN2HIGH
DATA softmaxConst<>+12(SB)/4, LN2LOW
DATA softmaxConst<>+16(SB)/4, CUTOFF
DATA softmaxConst<>+20(SB)/4, ONE
DATA softmaxConst<>+24(SB)/4, HALF
DATA softmaxConst<>+28(SB)/4, FACT3
DATA softmaxConst<>+32(SB)/4, FACT4
DATA softmaxConst<>+36(SB)/4, FACT5
DATA softmaxConst<>+40(SB)/4, FACT6
DATA softmaxConst<>+44(SB)/4, FACT7
DATA softmaxConst<>+48(SB)/4, ROOTHALF
DATA softmaxConst<>+52(SB)/4, MANTISSA
DATA softmaxConst<>+56(SB)/4, LOGLN2HI
DATA softmaxConst<>+60(SB)/4, LOGLN2LO
DATA softmaxConst<>+64(SB)/4, LOG1
DATA softmaxConst<>+68(SB)/4, LOG2
DATA softmaxConst<>+72(SB)/4, LOG3
DATA softmaxConst<>+76(SB)/4, LOG4
DATA softmaxConst<>+80(SB)/4, $1
GLOBL softmaxConst<>(SB), RODATA|NOPTR, $84

#define HORNER(at, p) \
	VMULPS       Y4, p, p           /* p *= r */ \
	VBROADCASTSS at(BX), Y14                     \
	VADDPS       Y14, p, p          /* p += constant */

// func softmaxAVX2(a *softmaxArgs)
// Four passes of 8 rows, a lane each.
TEXT ·softmaxAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ softmaxArgs_z(AX), DI
	MOVQ softmaxArgs_labels(AX), R8
	MOVQ softmaxArgs_hot(AX), R9
	MOVQ softmaxArgs_spread(AX), R10
	MOVQ softmaxArgs_out(AX), R11
	MOVQ softmaxArgs_classes(AX), R12
	MOVQ $4, R13
	LEAQ softmaxConst<>(SB), BX

rows:                                         // do {
	VMOVDQU      (R8), Y13                // y = labels[:8]
	VPBROADCASTD 80(BX), Y12              // 1
	VPXOR        Y8, Y8, Y8               // c = 0
	VPXOR        Y10, Y10, Y10            // best = 0: the first class with the largest logit
	VPXOR        Y11, Y11, Y11            // zy = 0: the logit of class y
	VMOVUPS      (DI), Y0                 // top = z[0]: the largest logit
	MOVQ         DI, SI
	MOVQ         R12, CX

peak:                                         // do {
	VMOVUPS   (SI), Y1                    // v = z[c]
	VCMPPS    $30, Y0, Y1, Y2             // above = v > top
	VBLENDVPS Y2, Y1, Y0, Y0              // top = v if above
	VBLENDVPS Y2, Y8, Y10, Y10            // best = c if above
	VPCMPEQD  Y8, Y13, Y3                 // mine = c == y
	VBLENDVPS Y3, Y1, Y11, Y11            // zy = v if mine
	VPADDD    Y12, Y8, Y8                 // c++
	ADDQ      $128, SI
	DECQ      CX
	JNZ       peak                        // } while c < classes
	VMOVDQU   Y10, 256(R11)               // out.Best = best

	VPXOR        Y6, Y6, Y6               // sum = 0
	VPXOR        Y7, Y7, Y7               // spread = 0
	VBROADCASTSS 0(BX), Y8                // log2E
	VBROADCASTSS 4(BX), Y9                // shift
	VBROADCASTSS 8(BX), Y10               // ln2High
	VBROADCASTSS 12(BX), Y12              // ln2Low
	VBROADCASTSS 20(BX), Y15              // 1
	MOVQ         DI, SI                   // c = 0
	MOVQ         R10, DX
	MOVQ         R12, CX

exp:                                          // do {
	VMOVUPS      (SI), Y1                 // v = z[c]
	VSUBPS       Y0, Y1, Y1               // x = v - top
	VBROADCASTSS (DX), Y2                 // Spread[c]
	VMULPS       Y2, Y1, Y2               // t = Spread[c]*x
	VADDPS       Y2, Y7, Y7               // spread += t
	VMULPS       Y8, Y1, Y2               // t = x*log2E
	VADDPS       Y9, Y2, Y2               // t += shift
	VSUBPS       Y9, Y2, Y3               // n = t - shift
	VMULPS       Y10, Y3, Y4              // r = n*ln2High
	VSUBPS       Y4, Y1, Y4               // r = x - r
	VMULPS       Y12, Y3, Y3              // n *= ln2Low
	VSUBPS       Y3, Y4, Y4               // r -= n
	VBROADCASTSS 44(BX), Y5               // p = 1/5040
	HORNER(40, Y5)                        // p = p*r + 1/720
	HORNER(36, Y5)                        // p = p*r + 1/120
	HORNER(32, Y5)                        // p = p*r + 1/24
	HORNER(28, Y5)                        // p = p*r + 1/6
	HORNER(24, Y5)                        // p = p*r + 1/2
	HORNER(20, Y5)                        // p = p*r + 1
	HORNER(20, Y5)                        // p = p*r + 1
	VPSLLD       $23, Y2, Y2              // t <<= 23, as bits
	VPADDD       Y15, Y2, Y2              // t += bits of 1: 2ⁿ
	VMULPS       Y2, Y5, Y5               // e = p*t
	VBROADCASTSS 16(BX), Y14
	VCMPPS       $17, Y14, Y1, Y2         // low = x < expCutoff
	VANDNPS      Y5, Y2, Y5               // e = 0 if low
	VMOVUPS      Y5, (SI)                 // z[c] = e
	VADDPS       Y5, Y6, Y6               // sum += e
	ADDQ         $128, SI                 // c++
	ADDQ         $4, DX
	DECQ         CX
	JNZ          exp                      // } while c < classes

	VPBROADCASTD 48(BX), Y12              // log = log32(sum), of bits x
	VPBROADCASTD 52(BX), Y14
	VPSUBD       Y12, Y6, Y1              // u = x - rootHalf
	VPSRAD       $23, Y1, Y2              // e = u >> 23
	VCVTDQ2PS    Y2, Y2                   // to float
	VPAND        Y14, Y1, Y1              // u &= mantissa
	VPADDD       Y12, Y1, Y1              // u += rootHalf
	VSUBPS       Y15, Y1, Y1              // f = u - 1, as floats
	VADDPS       Y15, Y15, Y3             // s = 1 + 1
	VADDPS       Y1, Y3, Y3               // s += f
	VDIVPS       Y3, Y1, Y3               // s = f/s
	VMULPS       Y3, Y3, Y4               // q = s*s
	VMULPS       Y4, Y4, Y5               // w = q*q
	VBROADCASTSS 68(BX), Y12
	VBROADCASTSS 76(BX), Y14
	VMULPS       Y14, Y5, Y14             // t1 = w*logTerm4
	VADDPS       Y12, Y14, Y14            // t1 += logTerm2
	VMULPS       Y14, Y5, Y14             // t1 *= w
	VBROADCASTSS 64(BX), Y12
	VBROADCASTSS 72(BX), Y10
	VMULPS       Y10, Y5, Y10             // t2 = w*logTerm3
	VADDPS       Y12, Y10, Y10            // t2 += logTerm1
	VMULPS       Y10, Y4, Y10             // t2 *= q
	VADDPS       Y14, Y10, Y10            // t2 += t1
	VBROADCASTSS 24(BX), Y12
	VMULPS       Y12, Y1, Y4              // half = f*0.5
	VMULPS       Y1, Y4, Y4               // half *= f
	VADDPS       Y10, Y4, Y5              // t2 += half
	VMULPS       Y5, Y3, Y3               // log = s*t2
	VBROADCASTSS 60(BX), Y12
	VMULPS       Y12, Y2, Y12             // t = e*logLn2Lo
	VADDPS       Y12, Y3, Y3              // log += t
	VSUBPS       Y4, Y3, Y3               // log -= half
	VADDPS       Y1, Y3, Y3               // log += f
	VBROADCASTSS 56(BX), Y12
	VMULPS       Y12, Y2, Y12             // t = e*logLn2Hi
	VADDPS       Y12, Y3, Y3              // log += t
	VSUBPS       Y6, Y6, Y1               // t = sum - sum
	VADDPS       Y1, Y3, Y3               // log += t: not a number if sum is none

	VPCMPEQD     Y14, Y14, Y14            // all lanes
	VGATHERDPS   Y14, (R9)(Y13*4), Y9     // hot = Hot[y]
	VSUBPS       Y11, Y0, Y1              // gap = top - zy
	VADDPS       Y3, Y1, Y1               // gap += log
	VMULPS       Y1, Y9, Y1               // loss = hot*gap
	VBROADCASTSS softmaxArgs_total(AX), Y2 // Total
	VMULPS       Y3, Y2, Y2               // t = Total*log
	VSUBPS       Y7, Y2, Y2               // t -= spread
	VADDPS       Y2, Y1, Y1               // loss += t
	VMOVUPS      Y1, (R11)                // out.Loss = loss
	VMOVUPS      Y6, 128(R11)             // out.Sum = sum
	CMPB         softmaxArgs_learn(AX), $0
	JEQ          next                     // if learn {

	MOVQ         softmaxArgs_soft(AX), DX
	VPCMPEQD     Y14, Y14, Y14            // all lanes
	VGATHERDPS   Y14, (DX)(Y13*4), Y8     // a = Soft[y]
	VDIVPS       Y6, Y8, Y8               // a /= sum
	VPBROADCASTD 80(BX), Y12              // 1
	VPXOR        Y10, Y10, Y10            // c = 0
	MOVQ         DI, SI
	MOVQ         R10, DX
	MOVQ         R12, CX

residual:                                     // do {
	VMULPS       (SI), Y8, Y1             // g = a*z[c]
	VBROADCASTSS (DX), Y2                 // Spread[c]
	VSUBPS       Y2, Y1, Y1               // g -= Spread[c]
	VSUBPS       Y9, Y1, Y2               // less = g - hot
	VPCMPEQD     Y10, Y13, Y3             // mine = c == y
	VBLENDVPS    Y3, Y2, Y1, Y1           // g = less if mine
	VMOVUPS      Y1, (SI)                 // z[c] = g
	VPADDD       Y12, Y10, Y10            // c++
	ADDQ         $128, SI
	ADDQ         $4, DX
	DECQ         CX
	JNZ          residual                 // } while c < classes }

next:
	ADDQ $32, DI                          // z = z[8:]
	ADDQ $32, R8                          // labels = labels[8:]
	ADDQ $32, R11                         // out = out[8:], each of its fields
	DECQ R13
	JNZ  rows                             // } while (--passes > 0)
	VZEROUPPER
	RET
