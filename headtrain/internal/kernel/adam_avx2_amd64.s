//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func adamAVX2(a *adamArgs)
TEXT ·adamAVX2(SB), NOSPLIT, $0-8
	MOVQ         a+0(FP), AX
	MOVQ         adamArgs_w(AX), DI
	MOVQ         adamArgs_m(AX), SI
	MOVQ         adamArgs_v(AX), R8
	MOVQ         adamArgs_g(AX), R9
	MOVQ         adamArgs_bytes(AX), CX
	MOVQ         adamArgs_step(AX), DX
	VBROADCASTSS AdamStep_L2(DX), Y8
	VBROADCASTSS AdamStep_Decay(DX), Y9
	VBROADCASTSS AdamStep_KeepM(DX), Y10
	VBROADCASTSS AdamStep_Beta2(DX), Y11
	VBROADCASTSS AdamStep_KeepV(DX), Y12
	VBROADCASTSS AdamStep_InvRoot(DX), Y13
	VBROADCASTSS AdamStep_Eps(DX), Y14
	VBROADCASTSS AdamStep_Rate(DX), Y15
	XORQ         BX, BX

loop:                                         // do {
	VMOVUPS (DI)(BX*1), Y0
	VMOVUPS (SI)(BX*1), Y1
	VMULPS  Y8, Y0, Y2
	VADDPS  (R9)(BX*1), Y2, Y2            // grad = g + L2·w
	VSUBPS  Y1, Y2, Y3
	VMULPS  Y10, Y3, Y3
	VADDPS  Y3, Y1, Y1                  // m += KeepM·(grad - m)
	VMOVUPS Y1, (SI)(BX*1)
	VMULPS  Y12, Y2, Y3
	VMULPS  Y2, Y3, Y3
	VMULPS  (R8)(BX*1), Y11, Y4
	VADDPS  Y3, Y4, Y4                  // v = Beta2·v + KeepV·grad·grad
	VMOVUPS Y4, (R8)(BX*1)
	VSQRTPS Y4, Y4
	VMULPS  Y13, Y4, Y4
	VADDPS  Y14, Y4, Y4                 // denom = √v·InvRoot + Eps
	VMULPS  Y15, Y1, Y1
	VDIVPS  Y4, Y1, Y1                  // Rate·m / denom
	VMULPS  Y9, Y0, Y0
	VSUBPS  Y1, Y0, Y0                  // w = Decay·w - …
	VMOVUPS Y0, (DI)(BX*1)
	ADDQ    $32, BX
	CMPQ    BX, CX
	JL      loop                          // } while (i < n)
	VZEROUPPER
	RET
