//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func forwardAVX2(a *forwardArgs)
// Y0–Y7: four rows, two registers (16 classes) each.
TEXT ·forwardAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ forwardArgs_z(AX), DI
	MOVQ forwardArgs_x(AX), R8
	MOVQ forwardArgs_zBytes(AX), R12
	MOVQ forwardArgs_xBytes(AX), DX
	MOVQ forwardArgs_rows(AX), R13
	MOVQ forwardArgs_features(AX), R14
	LEAQ (DX)(DX*2), BX
	MOVQ R14, R15
	SHLQ $6, R15
	ADDQ forwardArgs_w(AX), R15           // the bias row

block:                                        // do {
	MOVQ    forwardArgs_w(AX), SI
	VMOVUPS (R15), Y0                     // z[r] = bias
	VMOVUPS 32(R15), Y1
	VMOVAPS Y0, Y2
	VMOVAPS Y1, Y3
	VMOVAPS Y0, Y4
	VMOVAPS Y1, Y5
	VMOVAPS Y0, Y6
	VMOVAPS Y1, Y7
	MOVQ    R8, R9
	MOVQ    R14, CX
	TESTQ   CX, CX
	JZ      store

feature:                                      // do {
	VMOVUPS      (SI), Y8                 // w[j]
	VMOVUPS      32(SI), Y9
	VBROADCASTSS (R9), Y10
	VBROADCASTSS (R9)(DX*1), Y11
	VBROADCASTSS (R9)(DX*2), Y12
	VBROADCASTSS (R9)(BX*1), Y13
	VFMADD231PS  Y10, Y8, Y0           // z[r] = fma(x[r][j], w[j], z[r])
	VFMADD231PS  Y10, Y9, Y1
	VFMADD231PS  Y11, Y8, Y2
	VFMADD231PS  Y11, Y9, Y3
	VFMADD231PS  Y12, Y8, Y4
	VFMADD231PS  Y12, Y9, Y5
	VFMADD231PS  Y13, Y8, Y6
	VFMADD231PS  Y13, Y9, Y7
	ADDQ         $4, R9
	ADDQ         $64, SI
	DECQ         CX
	JNZ          feature                  // } while (--j)

store:
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ    R12, DI
	VMOVUPS Y2, (DI)
	VMOVUPS Y3, 32(DI)
	ADDQ    R12, DI
	VMOVUPS Y4, (DI)
	VMOVUPS Y5, 32(DI)
	ADDQ    R12, DI
	VMOVUPS Y6, (DI)
	VMOVUPS Y7, 32(DI)
	ADDQ    R12, DI
	LEAQ    (R8)(DX*4), R8                // the next four rows
	SUBQ    $4, R13
	JNZ     block                         // } while (rows -= 4)
	VZEROUPPER
	RET
