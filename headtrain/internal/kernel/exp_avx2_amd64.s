//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "const_amd64.h"

DATA expConst<>+0(SB)/4, LOG2E
DATA expConst<>+4(SB)/4, SHIFT
DATA expConst<>+8(SB)/4, LN2HIGH
DATA expConst<>+12(SB)/4, LN2LOW
DATA expConst<>+16(SB)/4, CUTOFF
DATA expConst<>+20(SB)/4, ONE
DATA expConst<>+24(SB)/4, HALF
DATA expConst<>+28(SB)/4, FACT3
DATA expConst<>+32(SB)/4, FACT4
DATA expConst<>+36(SB)/4, FACT5
DATA expConst<>+40(SB)/4, FACT6
DATA expConst<>+44(SB)/4, FACT7
GLOBL expConst<>(SB), RODATA|NOPTR, $48

#define HORNER(at, p) \
	VMULPS       Y4, p, p      \
	VBROADCASTSS at(R13), Y7   \
	VADDPS       Y7, p, p

// EXP writes 8 columns at byte offset at and adds them to the lanes of sum.
#define EXP(at, sum) \
	VMOVUPS      at(SI)(BX*1), Y1 \
	VSUBPS       Y0, Y1, Y1       \
	VMULPS       Y10, Y1, Y2      \
	VADDPS       Y11, Y2, Y2      \
	VSUBPS       Y11, Y2, Y3      \
	VMULPS       Y12, Y3, Y4      \
	VSUBPS       Y4, Y1, Y4       \
	VMULPS       Y13, Y3, Y3      \
	VSUBPS       Y3, Y4, Y4       \
	VBROADCASTSS 44(R13), Y5      \
	HORNER(40, Y5)                \
	HORNER(36, Y5)                \
	HORNER(32, Y5)                \
	HORNER(28, Y5)                \
	HORNER(24, Y5)                \
	HORNER(20, Y5)                \
	HORNER(20, Y5)                \
	VPSLLD       $23, Y2, Y2      \
	VPADDD       Y15, Y2, Y2      \
	VMULPS       Y2, Y5, Y5       \
	VCMPPS       $17, Y14, Y1, Y2 \
	VANDNPS      Y5, Y2, Y5       \
	VMOVUPS      Y5, at(DI)(BX*1) \
	VADDPS       Y5, sum, sum

// func expAVX2(a *expArgs)
TEXT ·expAVX2(SB), NOSPLIT, $0-8
	MOVQ         a+0(FP), AX
	MOVQ         expArgs_e(AX), DI
	MOVQ         expArgs_z(AX), SI
	MOVQ         expArgs_top(AX), R8
	MOVQ         expArgs_sum(AX), R9
	MOVQ         expArgs_eBytes(AX), R10
	MOVQ         expArgs_zBytes(AX), R11
	MOVQ         expArgs_colBytes(AX), R12
	MOVQ         expArgs_rows(AX), CX
	LEAQ         expConst<>(SB), R13
	VBROADCASTSS 0(R13), Y10
	VBROADCASTSS 4(R13), Y11
	VBROADCASTSS 8(R13), Y12
	VBROADCASTSS 12(R13), Y13
	VBROADCASTSS 16(R13), Y14
	VBROADCASTSS 20(R13), Y15

row:                                          // do {
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	MOVQ    $64, BX
	JMP     peakTest

peak:                                         // 16 lanes of the largest logit
	VMAXPS (SI)(BX*1), Y0, Y0
	VMAXPS 32(SI)(BX*1), Y1, Y1
	ADDQ   $64, BX

peakTest:
	CMPQ         BX, R12
	JL           peak
	VMAXPS       Y1, Y0, Y0               // fold 8, 4, 2, 1 apart
	VEXTRACTF128 $1, Y0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0x0e, X0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0x01, X0, X1
	VMAXPS       X1, X0, X0
	VMOVSS       X0, (R8)
	VBROADCASTSS X0, Y0
	VXORPS       Y6, Y6, Y6               // lanes 0–7 of the sum
	VXORPS       Y8, Y8, Y8               // lanes 8–15
	XORQ         BX, BX

column:                                       // do {
	EXP(0, Y6)
	EXP(32, Y8)
	ADDQ $64, BX
	CMPQ BX, R12
	JL   column                           // } while (c < cols)

	VADDPS       Y8, Y6, Y6               // fold 8, 4, 2, 1 apart
	VEXTRACTF128 $1, Y6, X1
	VADDPS       X1, X6, X6
	VPERMILPS    $0x0e, X6, X1
	VADDPS       X1, X6, X6
	VPERMILPS    $0x01, X6, X1
	VADDPS       X1, X6, X6
	VMOVSS       X6, (R9)
	ADDQ         $4, R8
	ADDQ         $4, R9
	ADDQ         R10, DI
	ADDQ         R11, SI
	DECQ         CX
	JNZ          row                      // } while (--rows)
	VZEROUPPER
	RET
