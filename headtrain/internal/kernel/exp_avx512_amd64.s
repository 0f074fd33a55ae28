//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "const_amd64.h"

#define CONST(bits, r) \
	MOVL         bits, BX \
	VPBROADCASTD BX, r

// func expAVX512(a *expArgs)
TEXT ·expAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ expArgs_e(AX), DI
	MOVQ expArgs_z(AX), SI
	MOVQ expArgs_top(AX), R8
	MOVQ expArgs_sum(AX), R9
	MOVQ expArgs_eBytes(AX), R10
	MOVQ expArgs_zBytes(AX), R11
	MOVQ expArgs_colBytes(AX), R12
	MOVQ expArgs_rows(AX), CX
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

row:                                          // do {
	VMOVUPS (SI), Z0
	MOVQ    $64, BX
	JMP     peakTest

peak:                                         // 16 lanes of the largest logit
	VMAXPS (SI)(BX*1), Z0, Z0
	ADDQ   $64, BX

peakTest:
	CMPQ          BX, R12
	JL            peak
	VEXTRACTF64X4 $1, Z0, Y1              // fold 8, 4, 2, 1 apart
	VMAXPS        Y1, Y0, Y0
	VEXTRACTF128  $1, Y0, X1
	VMAXPS        X1, X0, X0
	VPERMILPS     $0x0e, X0, X1
	VMAXPS        X1, X0, X0
	VPERMILPS     $0x01, X0, X1
	VMAXPS        X1, X0, X0
	VMOVSS        X0, (R8)
	VBROADCASTSS  X0, Z0
	VPXORQ        Z6, Z6, Z6              // lanes of the sum
	XORQ          BX, BX

column:                                       // do {
	VMOVUPS  (SI)(BX*1), Z1
	VSUBPS   Z0, Z1, Z1                   // x = z - top
	VMULPS   Z20, Z1, Z2
	VADDPS   Z21, Z2, Z2                  // t = x·log2E + shift
	VSUBPS   Z21, Z2, Z3                  // n
	VMULPS   Z22, Z3, Z4
	VSUBPS   Z4, Z1, Z4
	VMULPS   Z23, Z3, Z3
	VSUBPS   Z3, Z4, Z4                   // r = x - n·ln2
	VMULPS   Z31, Z4, Z5
	VADDPS   Z30, Z5, Z5
	VMULPS   Z4, Z5, Z5
	VADDPS   Z29, Z5, Z5
	VMULPS   Z4, Z5, Z5
	VADDPS   Z28, Z5, Z5
	VMULPS   Z4, Z5, Z5
	VADDPS   Z27, Z5, Z5
	VMULPS   Z4, Z5, Z5
	VADDPS   Z26, Z5, Z5
	VMULPS   Z4, Z5, Z5
	VADDPS   Z25, Z5, Z5
	VMULPS   Z4, Z5, Z5
	VADDPS   Z25, Z5, Z5                  // p
	VPSLLD   $23, Z2, Z2
	VPADDD   Z25, Z2, Z2                  // 2ⁿ
	VCMPPS   $21, Z24, Z1, K1             // not (x < cutoff)
	VMULPS.Z Z2, Z5, K1, Z5
	VMOVUPS  Z5, (DI)(BX*1)
	VADDPS   Z5, Z6, Z6
	ADDQ     $64, BX
	CMPQ     BX, R12
	JL       column                       // } while (c < cols)

	VEXTRACTF64X4 $1, Z6, Y1              // fold 8, 4, 2, 1 apart
	VADDPS        Y1, Y6, Y6
	VEXTRACTF128  $1, Y6, X1
	VADDPS        X1, X6, X6
	VPERMILPS     $0x0e, X6, X1
	VADDPS        X1, X6, X6
	VPERMILPS     $0x01, X6, X1
	VADDPS        X1, X6, X6
	VMOVSS        X6, (R9)
	ADDQ          $4, R8
	ADDQ          $4, R9
	ADDQ          R10, DI
	ADDQ          R11, SI
	DECQ          CX
	JNZ           row                     // } while (--rows)
	VZEROUPPER
	RET
