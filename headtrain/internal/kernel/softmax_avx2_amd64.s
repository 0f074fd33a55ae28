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
	VMULPS       Y4, p, p    \
	VBROADCASTSS at(BX), Y14 \
	VADDPS       Y14, p, p

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
	VMOVDQU      (R8), Y13                // the rows' classes
	VPBROADCASTD 80(BX), Y12              // 1
	VPXOR        Y8, Y8, Y8               // c
	VPXOR        Y10, Y10, Y10            // first class with the largest logit
	VPXOR        Y11, Y11, Y11            // logit of the row's class
	VMOVUPS      (DI), Y0                 // largest logit
	MOVQ         DI, SI
	MOVQ         R12, CX

peak:                                         // do {
	VMOVUPS   (SI), Y1
	VCMPPS    $30, Y0, Y1, Y2             // z > top
	VBLENDVPS Y2, Y1, Y0, Y0
	VBLENDVPS Y2, Y8, Y10, Y10
	VPCMPEQD  Y8, Y13, Y3
	VBLENDVPS Y3, Y1, Y11, Y11
	VPADDD    Y12, Y8, Y8
	ADDQ      $128, SI
	DECQ      CX
	JNZ       peak                        // } while (++c < classes)
	VMOVDQU   Y10, 256(R11)

	VPXOR        Y6, Y6, Y6               // sum of e
	VPXOR        Y7, Y7, Y7               // sum of spread·x
	VBROADCASTSS 0(BX), Y8
	VBROADCASTSS 4(BX), Y9
	VBROADCASTSS 8(BX), Y10
	VBROADCASTSS 12(BX), Y12
	VBROADCASTSS 20(BX), Y15
	MOVQ         DI, SI
	MOVQ         R10, DX
	MOVQ         R12, CX

exp:                                          // do {
	VMOVUPS      (SI), Y1
	VSUBPS       Y0, Y1, Y1               // x = z - top
	VBROADCASTSS (DX), Y2
	VMULPS       Y2, Y1, Y2
	VADDPS       Y2, Y7, Y7
	VMULPS       Y8, Y1, Y2
	VADDPS       Y9, Y2, Y2               // t = x·log2E + shift
	VSUBPS       Y9, Y2, Y3               // n
	VMULPS       Y10, Y3, Y4
	VSUBPS       Y4, Y1, Y4
	VMULPS       Y12, Y3, Y3
	VSUBPS       Y3, Y4, Y4               // r = x - n·ln2
	VBROADCASTSS 44(BX), Y5
	HORNER(40, Y5)
	HORNER(36, Y5)
	HORNER(32, Y5)
	HORNER(28, Y5)
	HORNER(24, Y5)
	HORNER(20, Y5)
	HORNER(20, Y5)                        // p
	VPSLLD       $23, Y2, Y2
	VPADDD       Y15, Y2, Y2              // 2ⁿ
	VMULPS       Y2, Y5, Y5
	VBROADCASTSS 16(BX), Y14
	VCMPPS       $17, Y14, Y1, Y2         // x < cutoff
	VANDNPS      Y5, Y2, Y5
	VMOVUPS      Y5, (SI)
	VADDPS       Y5, Y6, Y6
	ADDQ         $128, SI
	ADDQ         $4, DX
	DECQ         CX
	JNZ          exp                      // } while (++c < classes)

	VPBROADCASTD 48(BX), Y12              // log32(sum)
	VPBROADCASTD 52(BX), Y14
	VPSUBD       Y12, Y6, Y1
	VPSRAD       $23, Y1, Y2
	VCVTDQ2PS    Y2, Y2                   // e
	VPAND        Y14, Y1, Y1
	VPADDD       Y12, Y1, Y1
	VSUBPS       Y15, Y1, Y1              // f = m - 1
	VADDPS       Y15, Y15, Y3
	VADDPS       Y1, Y3, Y3
	VDIVPS       Y3, Y1, Y3               // s = f/(2+f)
	VMULPS       Y3, Y3, Y4               // q = s²
	VMULPS       Y4, Y4, Y5               // w = q²
	VBROADCASTSS 68(BX), Y12
	VBROADCASTSS 76(BX), Y14
	VMULPS       Y14, Y5, Y14
	VADDPS       Y12, Y14, Y14
	VMULPS       Y14, Y5, Y14             // w·(log2 + w·log4)
	VBROADCASTSS 64(BX), Y12
	VBROADCASTSS 72(BX), Y10
	VMULPS       Y10, Y5, Y10
	VADDPS       Y12, Y10, Y10
	VMULPS       Y10, Y4, Y10             // q·(log1 + w·log3)
	VADDPS       Y14, Y10, Y10            // R
	VBROADCASTSS 24(BX), Y12
	VMULPS       Y12, Y1, Y4
	VMULPS       Y1, Y4, Y4               // half = f/2·f
	VADDPS       Y10, Y4, Y5
	VMULPS       Y5, Y3, Y3               // s·(half + R)
	VBROADCASTSS 60(BX), Y12
	VMULPS       Y12, Y2, Y12
	VADDPS       Y12, Y3, Y3
	VSUBPS       Y4, Y3, Y3
	VADDPS       Y1, Y3, Y3
	VBROADCASTSS 56(BX), Y12
	VMULPS       Y12, Y2, Y12
	VADDPS       Y12, Y3, Y3
	VSUBPS       Y6, Y6, Y1
	VADDPS       Y1, Y3, Y3               // NaN stays NaN

	VPCMPEQD     Y14, Y14, Y14
	VGATHERDPS   Y14, (R9)(Y13*4), Y9     // hot[y]
	VSUBPS       Y11, Y0, Y1
	VADDPS       Y3, Y1, Y1
	VMULPS       Y1, Y9, Y1               // hot·((top - z[y]) + log)
	VBROADCASTSS softmaxArgs_total(AX), Y2
	VMULPS       Y3, Y2, Y2
	VSUBPS       Y7, Y2, Y2
	VADDPS       Y2, Y1, Y1               // + (total·log - Σ spread·x)
	VMOVUPS      Y1, (R11)
	VMOVUPS      Y6, 128(R11)
	CMPB         softmaxArgs_learn(AX), $0
	JEQ          next

	MOVQ         softmaxArgs_soft(AX), DX
	VPCMPEQD     Y14, Y14, Y14
	VGATHERDPS   Y14, (DX)(Y13*4), Y8
	VDIVPS       Y6, Y8, Y8               // a = soft[y]/sum
	VPBROADCASTD 80(BX), Y12
	VPXOR        Y10, Y10, Y10            // c
	MOVQ         DI, SI
	MOVQ         R10, DX
	MOVQ         R12, CX

residual:                                     // do {
	VMULPS       (SI), Y8, Y1
	VBROADCASTSS (DX), Y2
	VSUBPS       Y2, Y1, Y1               // a·e - spread
	VSUBPS       Y9, Y1, Y2               // less hot for the row's class
	VPCMPEQD     Y10, Y13, Y3
	VBLENDVPS    Y3, Y2, Y1, Y1
	VMOVUPS      Y1, (SI)
	VPADDD       Y12, Y10, Y10
	ADDQ         $128, SI
	ADDQ         $4, DX
	DECQ         CX
	JNZ          residual                 // } while (++c < classes)

next:
	ADDQ $32, DI
	ADDQ $32, R8
	ADDQ $32, R11
	DECQ R13
	JNZ  rows                             // } while (--passes)
	VZEROUPPER
	RET
