//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func biasAVX2(a *biasArgs)
// Y0–Y3: the 32 rows of a block.
TEXT ·biasAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ biasArgs_g(AX), DI
	MOVQ biasArgs_dz(AX), SI
	MOVQ biasArgs_gBytes(AX), R10
	MOVQ biasArgs_dzBytes(AX), R11
	MOVQ biasArgs_cols(AX), R13

column:                                       // do {
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	MOVQ   SI, DX
	MOVQ   biasArgs_blocks(AX), CX

block:                                        // do {
	VADDPS (DX), Y0, Y0
	VADDPS 32(DX), Y1, Y1
	VADDPS 64(DX), Y2, Y2
	VADDPS 96(DX), Y3, Y3
	ADDQ   R11, DX
	DECQ   CX
	JNZ    block                          // } while (--blocks)

	VADDPS       Y2, Y0, Y0               // fold 16, 8, 4, 2, 1 apart
	VADDPS       Y3, Y1, Y1
	VADDPS       Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0
	VPERMILPS    $0x0e, X0, X1
	VADDPS       X1, X0, X0
	VPERMILPS    $0x01, X0, X1
	VADDPS       X1, X0, X0
	VADDSS       (DI), X0, X0
	VMOVSS       X0, (DI)
	ADDQ         R10, DI
	ADDQ         $128, SI
	DECQ         R13
	JNZ          column                   // } while (--classes)
	VZEROUPPER
	RET
