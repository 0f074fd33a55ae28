//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func sgdAVX2(a *sgdArgs)
TEXT ·sgdAVX2(SB), NOSPLIT, $0-8
	MOVQ         a+0(FP), AX
	MOVQ         sgdArgs_w(AX), DI
	MOVQ         sgdArgs_m(AX), SI
	MOVQ         sgdArgs_g(AX), R9
	MOVQ         sgdArgs_bytes(AX), CX
	MOVQ         sgdArgs_step(AX), DX
	VBROADCASTSS SGDStep_L2(DX), Y8
	VBROADCASTSS SGDStep_Momentum(DX), Y9
	VBROADCASTSS SGDStep_OfGrad(DX), Y10
	VBROADCASTSS SGDStep_OfBuffer(DX), Y11
	VBROADCASTSS SGDStep_Rate(DX), Y12
	XORQ         BX, BX

loop:                                         // do {
	VMOVUPS (DI)(BX*1), Y0
	VMULPS  Y8, Y0, Y2
	VADDPS  (R9)(BX*1), Y2, Y2            // grad = g + L2·w
	VMULPS  (SI)(BX*1), Y9, Y1
	VADDPS  Y2, Y1, Y1                  // m = Momentum·m + grad
	VMOVUPS Y1, (SI)(BX*1)
	VMULPS  Y10, Y2, Y2
	VMULPS  Y11, Y1, Y1
	VADDPS  Y1, Y2, Y2                  // step = OfGrad·grad + OfBuffer·m
	VMULPS  Y12, Y2, Y2
	VSUBPS  Y2, Y0, Y0                  // w -= Rate·step
	VMOVUPS Y0, (DI)(BX*1)
	ADDQ    $32, BX
	CMPQ    BX, CX
	JL      loop                          // } while (i < n)
	VZEROUPPER
	RET
