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
	VMOVDQU32 (R8), Z18                   // the rows' classes
	VPXORQ    Z17, Z17, Z17               // c
	VPXORQ    Z10, Z10, Z10               // first class with the largest logit
	VPXORQ    Z11, Z11, Z11               // logit of the row's class
	VMOVUPS   (DI), Z0                    // largest logit
	MOVQ      DI, SI
	MOVQ      R12, CX

peak:                                         // do {
	VMOVUPS   (SI), Z1
	VCMPPS    $30, Z0, Z1, K1             // z > top
	VMOVAPS   Z1, K1, Z0
	VMOVDQA32 Z17, K1, Z10
	VPCMPEQD  Z17, Z18, K2
	VMOVAPS   Z1, K2, Z11
	VPADDD    Z19, Z17, Z17
	ADDQ      $128, SI
	DECQ      CX
	JNZ       peak                        // } while (++c < classes)

	VPXORQ Z6, Z6, Z6                     // sum of e
	VPXORQ Z7, Z7, Z7                     // sum of spread·x
	MOVQ   DI, SI
	MOVQ   R10, DX
	MOVQ   R12, CX

exp:                                          // do {
	VMOVUPS      (SI), Z1
	VSUBPS       Z0, Z1, Z1               // x = z - top
	VBROADCASTSS (DX), Z8
	VMULPS       Z8, Z1, Z8
	VADDPS       Z8, Z7, Z7
	VMULPS       Z20, Z1, Z2
	VADDPS       Z21, Z2, Z2              // t = x·log2E + shift
	VSUBPS       Z21, Z2, Z3              // n
	VMULPS       Z22, Z3, Z4
	VSUBPS       Z4, Z1, Z4
	VMULPS       Z23, Z3, Z3
	VSUBPS       Z3, Z4, Z4               // r = x - n·ln2
	VMULPS       Z31, Z4, Z5
	VADDPS       Z30, Z5, Z5
	VMULPS       Z4, Z5, Z5
	VADDPS       Z29, Z5, Z5
	VMULPS       Z4, Z5, Z5
	VADDPS       Z28, Z5, Z5
	VMULPS       Z4, Z5, Z5
	VADDPS       Z27, Z5, Z5
	VMULPS       Z4, Z5, Z5
	VADDPS       Z26, Z5, Z5
	VMULPS       Z4, Z5, Z5
	VADDPS       Z25, Z5, Z5
	VMULPS       Z4, Z5, Z5
	VADDPS       Z25, Z5, Z5              // p
	VPSLLD       $23, Z2, Z2
	VPADDD       Z25, Z2, Z2              // 2ⁿ
	VCMPPS       $21, Z24, Z1, K1         // not (x < cutoff)
	VMULPS.Z     Z2, Z5, K1, Z5
	VMOVUPS      Z5, (SI)
	VADDPS       Z5, Z6, Z6
	ADDQ         $128, SI
	ADDQ         $4, DX
	DECQ         CX
	JNZ          exp                      // } while (++c < classes)

	CONST(ROOTHALF, Z12)                  // log32(sum)
	CONST(MANTISSA, Z13)
	VPSUBD    Z12, Z6, Z1
	VPSRAD    $23, Z1, Z2
	VCVTDQ2PS Z2, Z2                      // e
	VPANDD    Z13, Z1, Z1
	VPADDD    Z12, Z1, Z1
	VSUBPS    Z25, Z1, Z1                 // f = m - 1
	VADDPS    Z25, Z25, Z3
	VADDPS    Z1, Z3, Z3
	VDIVPS    Z3, Z1, Z3                  // s = f/(2+f)
	VMULPS    Z3, Z3, Z4                  // q = s²
	VMULPS    Z4, Z4, Z5                  // w = q²
	CONST(LOG2, Z12)
	CONST(LOG4, Z13)
	VMULPS    Z13, Z5, Z13
	VADDPS    Z12, Z13, Z13
	VMULPS    Z13, Z5, Z13                // w·(log2 + w·log4)
	CONST(LOG1, Z12)
	CONST(LOG3, Z14)
	VMULPS    Z14, Z5, Z14
	VADDPS    Z12, Z14, Z14
	VMULPS    Z14, Z4, Z14                // q·(log1 + w·log3)
	VADDPS    Z13, Z14, Z14               // R
	VMULPS    Z26, Z1, Z4
	VMULPS    Z1, Z4, Z4                  // half = f/2·f
	VADDPS    Z14, Z4, Z5
	VMULPS    Z5, Z3, Z3                  // s·(half + R)
	CONST(LOGLN2LO, Z12)
	CONST(LOGLN2HI, Z13)
	VMULPS    Z12, Z2, Z12
	VADDPS    Z12, Z3, Z3
	VSUBPS    Z4, Z3, Z3
	VADDPS    Z1, Z3, Z3
	VMULPS    Z13, Z2, Z13
	VADDPS    Z13, Z3, Z3
	VSUBPS    Z6, Z6, Z1
	VADDPS    Z1, Z3, Z3                  // NaN stays NaN

	KXNORW       K3, K3, K3
	VPXORQ       Z9, Z9, Z9
	VGATHERDPS   (R9)(Z18*4), K3, Z9      // hot[y]
	VSUBPS       Z11, Z0, Z1
	VADDPS       Z3, Z1, Z1
	VMULPS       Z1, Z9, Z1               // hot·((top - z[y]) + log)
	VBROADCASTSS softmaxArgs_total(AX), Z2
	VMULPS       Z3, Z2, Z2
	VSUBPS       Z7, Z2, Z2
	VADDPS       Z2, Z1, Z1               // + (total·log - Σ spread·x)
	VMOVUPS      Z1, (R11)
	VMOVUPS      Z6, 128(R11)
	VMOVDQU32    Z10, 256(R11)
	CMPB         softmaxArgs_learn(AX), $0
	JEQ          next

	MOVQ       softmaxArgs_soft(AX), DX
	KXNORW     K3, K3, K3
	VPXORQ     Z8, Z8, Z8
	VGATHERDPS (DX)(Z18*4), K3, Z8
	VDIVPS     Z6, Z8, Z8                 // a = soft[y]/sum
	VPXORQ     Z17, Z17, Z17              // c
	MOVQ       DI, SI
	MOVQ       R10, DX
	MOVQ       R12, CX

residual:                                     // do {
	VMULPS       (SI), Z8, Z1
	VBROADCASTSS (DX), Z2
	VSUBPS       Z2, Z1, Z1               // a·e - spread
	VPCMPEQD     Z17, Z18, K2
	VSUBPS       Z9, Z1, K2, Z1           // less hot for the row's class
	VMOVUPS      Z1, (SI)
	VPADDD       Z19, Z17, Z17
	ADDQ         $128, SI
	ADDQ         $4, DX
	DECQ         CX
	JNZ          residual                 // } while (++c < classes)

next:
	ADDQ $64, DI
	ADDQ $64, R8
	ADDQ $64, R11
	DECQ R13
	JNZ  rows                             // } while (--passes)
	VZEROUPPER
	RET
