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
	MOVQ biasArgs_cols(AX), R13           // classes

column:                                       // do {
	VXORPS Y0, Y0, Y0                     // s = 0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	MOVQ   SI, DX                         // p = dz, of this class
	MOVQ   biasArgs_blocks(AX), CX        // b = blocks

block:                                        // do {
	VADDPS (DX), Y0, Y0                   // s[0:8] += p[0:8]
	VADDPS 32(DX), Y1, Y1                 // s[8:16] += p[8:16]
	VADDPS 64(DX), Y2, Y2                 // s[16:24] += p[16:24]
	VADDPS 96(DX), Y3, Y3                 // s[24:32] += p[24:32]
	ADDQ   R11, DX                        // p = p of the next block
	DECQ   CX
	JNZ    block                          // } while (--b > 0)

	VADDPS       Y2, Y0, Y0               // s[0:8] += s[16:24]
	VADDPS       Y3, Y1, Y1               // s[8:16] += s[24:32]
	VADDPS       Y1, Y0, Y0               // s[0:8] += s[8:16]
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0               // s[0:4] += s[4:8]
	VPERMILPS    $0x0e, X0, X1
	VADDPS       X1, X0, X0               // s[0:2] += s[2:4]
	VPERMILPS    $0x01, X0, X1
	VADDPS       X1, X0, X0               // s[0] += s[1]
	VADDSS       (DI), X0, X0             // s[0] += g[0]
	VMOVSS       X0, (DI)                 // g[0] = s[0]
	ADDQ         R10, DI                  // g = g of the next class
	ADDQ         $128, SI                 // dz = dz of the next class
	DECQ         R13
	JNZ          column                   // } while (--classes > 0)
	VZEROUPPER
	RET
