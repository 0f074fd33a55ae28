//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func gradientAVX2(a *gradientArgs)
// Y0–Y7: four features, two registers (16 classes) each; four such passes.
TEXT ·gradientAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ gradientArgs_g(AX), DI
	MOVQ gradientArgs_x(AX), R10
	MOVQ gradientArgs_xBytes(AX), R8
	MOVQ gradientArgs_dzBytes(AX), R9
	MOVQ $4, R11

features:                                     // do {
	MOVQ R10, SI
	MOVQ gradientArgs_dz(AX), DX
	MOVQ gradientArgs_rows(AX), R12

chunk:                                        // do {
	MOVQ    gradientArgs_chunk(AX), CX
	CMPQ    R12, CX
	CMOVQLT R12, CX                       // rows of this chunk
	SUBQ    CX, R12
	VXORPS  Y0, Y0, Y0
	VXORPS  Y1, Y1, Y1
	VXORPS  Y2, Y2, Y2
	VXORPS  Y3, Y3, Y3
	VXORPS  Y4, Y4, Y4
	VXORPS  Y5, Y5, Y5
	VXORPS  Y6, Y6, Y6
	VXORPS  Y7, Y7, Y7

row:                                          // do {
	VMOVUPS      (DX), Y8                 // dz[r]
	VMOVUPS      32(DX), Y9
	VBROADCASTSS 0(SI), Y10
	VBROADCASTSS 4(SI), Y11
	VBROADCASTSS 8(SI), Y12
	VBROADCASTSS 12(SI), Y13
	VFMADD231PS  Y10, Y8, Y0           // acc[f] = fma(x[r][f], dz[r], acc[f])
	VFMADD231PS  Y10, Y9, Y1
	VFMADD231PS  Y11, Y8, Y2
	VFMADD231PS  Y11, Y9, Y3
	VFMADD231PS  Y12, Y8, Y4
	VFMADD231PS  Y12, Y9, Y5
	VFMADD231PS  Y13, Y8, Y6
	VFMADD231PS  Y13, Y9, Y7
	ADDQ         R8, SI
	ADDQ         R9, DX
	DECQ         CX
	JNZ          row                      // } while (--rows)
	VADDPS  0(DI), Y0, Y0                     // g[f] += acc[f]
	VMOVUPS Y0, 0(DI)
	VADDPS  32(DI), Y1, Y1
	VMOVUPS Y1, 32(DI)
	VADDPS  64(DI), Y2, Y2
	VMOVUPS Y2, 64(DI)
	VADDPS  96(DI), Y3, Y3
	VMOVUPS Y3, 96(DI)
	VADDPS  128(DI), Y4, Y4
	VMOVUPS Y4, 128(DI)
	VADDPS  160(DI), Y5, Y5
	VMOVUPS Y5, 160(DI)
	VADDPS  192(DI), Y6, Y6
	VMOVUPS Y6, 192(DI)
	VADDPS  224(DI), Y7, Y7
	VMOVUPS Y7, 224(DI)
	TESTQ   R12, R12
	JNZ     chunk                         // } while rows are left
	ADDQ    $256, DI
	ADDQ    $16, R10
	DECQ    R11
	JNZ     features                      // } while (--passes)
	VZEROUPPER
	RET
