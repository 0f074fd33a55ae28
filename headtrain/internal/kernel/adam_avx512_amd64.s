//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func adamAVX512(a *adamArgs)
TEXT ·adamAVX512(SB), NOSPLIT, $0-8
	MOVQ         a+0(FP), AX
	MOVQ         adamArgs_w(AX), DI
	MOVQ         adamArgs_m(AX), SI
	MOVQ         adamArgs_v(AX), R8
	MOVQ         adamArgs_g(AX), R9
	MOVQ         adamArgs_bytes(AX), CX
	MOVQ         adamArgs_step(AX), DX
	VBROADCASTSS AdamStep_L2(DX), Z8
	VBROADCASTSS AdamStep_Decay(DX), Z9
	VBROADCASTSS AdamStep_KeepM(DX), Z10
	VBROADCASTSS AdamStep_Beta2(DX), Z11
	VBROADCASTSS AdamStep_KeepV(DX), Z12
	VBROADCASTSS AdamStep_InvRoot(DX), Z13
	VBROADCASTSS AdamStep_Eps(DX), Z14
	VBROADCASTSS AdamStep_Rate(DX), Z15
	XORQ         BX, BX

loop:                                         // do {
	VMOVUPS (DI)(BX*1), Z0
	VMOVUPS (SI)(BX*1), Z1
	VMULPS  Z8, Z0, Z2
	VADDPS  (R9)(BX*1), Z2, Z2            // grad = g + L2·w
	VSUBPS  Z1, Z2, Z3
	VMULPS  Z10, Z3, Z3
	VADDPS  Z3, Z1, Z1                  // m += KeepM·(grad - m)
	VMOVUPS Z1, (SI)(BX*1)
	VMULPS  Z12, Z2, Z3
	VMULPS  Z2, Z3, Z3
	VMULPS  (R8)(BX*1), Z11, Z4
	VADDPS  Z3, Z4, Z4                  // v = Beta2·v + KeepV·grad·grad
	VMOVUPS Z4, (R8)(BX*1)
	VSQRTPS Z4, Z4
	VMULPS  Z13, Z4, Z4
	VADDPS  Z14, Z4, Z4                 // denom = √v·InvRoot + Eps
	VMULPS  Z15, Z1, Z1
	VDIVPS  Z4, Z1, Z1                  // Rate·m / denom
	VMULPS  Z9, Z0, Z0
	VSUBPS  Z1, Z0, Z0                  // w = Decay·w - …
	VMOVUPS Z0, (DI)(BX*1)
	ADDQ    $64, BX
	CMPQ    BX, CX
	JL      loop                          // } while (i < n)
	VZEROUPPER
	RET
