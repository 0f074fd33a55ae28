//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func sgdAVX512(a *sgdArgs)
TEXT ·sgdAVX512(SB), NOSPLIT, $0-8
	MOVQ         a+0(FP), AX
	MOVQ         sgdArgs_w(AX), DI
	MOVQ         sgdArgs_m(AX), SI
	MOVQ         sgdArgs_g(AX), R9
	MOVQ         sgdArgs_bytes(AX), CX
	MOVQ         sgdArgs_step(AX), DX
	VBROADCASTSS SGDStep_L2(DX), Z8
	VBROADCASTSS SGDStep_Momentum(DX), Z9
	VBROADCASTSS SGDStep_OfGrad(DX), Z10
	VBROADCASTSS SGDStep_OfBuffer(DX), Z11
	VBROADCASTSS SGDStep_Rate(DX), Z12
	XORQ         BX, BX

loop:                                         // do {
	VMOVUPS (DI)(BX*1), Z0
	VMULPS  Z8, Z0, Z2
	VADDPS  (R9)(BX*1), Z2, Z2            // grad = g + L2·w
	VMULPS  (SI)(BX*1), Z9, Z1
	VADDPS  Z2, Z1, Z1                  // m = Momentum·m + grad
	VMOVUPS Z1, (SI)(BX*1)
	VMULPS  Z10, Z2, Z2
	VMULPS  Z11, Z1, Z1
	VADDPS  Z1, Z2, Z2                  // step = OfGrad·grad + OfBuffer·m
	VMULPS  Z12, Z2, Z2
	VSUBPS  Z2, Z0, Z0                  // w -= Rate·step
	VMOVUPS Z0, (DI)(BX*1)
	ADDQ    $64, BX
	CMPQ    BX, CX
	JL      loop                          // } while (i < n)
	VZEROUPPER
	RET
