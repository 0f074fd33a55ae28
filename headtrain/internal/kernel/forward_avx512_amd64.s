//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func forwardAVX512(a *forwardArgs)
// Z0–Z15: one row each, 16 classes a register.
TEXT ·forwardAVX512(SB), NOSPLIT, $0-8
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
	MOVQ      forwardArgs_w(AX), SI
	LEAQ      (R8)(DX*4), R9              // rows 4, 8, 12
	LEAQ      (R9)(DX*4), R10
	LEAQ      (R10)(DX*4), R11
	VMOVUPS   (R15), Z0                   // z[r] = bias
	VMOVAPS   Z0, Z1
	VMOVAPS   Z0, Z2
	VMOVAPS   Z0, Z3
	VMOVAPS   Z0, Z4
	VMOVAPS   Z0, Z5
	VMOVAPS   Z0, Z6
	VMOVAPS   Z0, Z7
	VMOVAPS   Z0, Z8
	VMOVAPS   Z0, Z9
	VMOVAPS   Z0, Z10
	VMOVAPS   Z0, Z11
	VMOVAPS   Z0, Z12
	VMOVAPS   Z0, Z13
	VMOVAPS   Z0, Z14
	VMOVAPS   Z0, Z15
	MOVQ      R14, CX
	TESTQ     CX, CX
	JZ        store

feature:                                      // do {
	VMOVUPS (SI), Z16                     // w[j]
	VFMADD231PS.BCST (R8), Z16, Z0             // z[r] = fma(x[r][j], w[j], z[r])
	VFMADD231PS.BCST (R8)(DX*1), Z16, Z1
	VFMADD231PS.BCST (R8)(DX*2), Z16, Z2
	VFMADD231PS.BCST (R8)(BX*1), Z16, Z3
	VFMADD231PS.BCST (R9), Z16, Z4
	VFMADD231PS.BCST (R9)(DX*1), Z16, Z5
	VFMADD231PS.BCST (R9)(DX*2), Z16, Z6
	VFMADD231PS.BCST (R9)(BX*1), Z16, Z7
	VFMADD231PS.BCST (R10), Z16, Z8
	VFMADD231PS.BCST (R10)(DX*1), Z16, Z9
	VFMADD231PS.BCST (R10)(DX*2), Z16, Z10
	VFMADD231PS.BCST (R10)(BX*1), Z16, Z11
	VFMADD231PS.BCST (R11), Z16, Z12
	VFMADD231PS.BCST (R11)(DX*1), Z16, Z13
	VFMADD231PS.BCST (R11)(DX*2), Z16, Z14
	VFMADD231PS.BCST (R11)(BX*1), Z16, Z15
	ADDQ    $4, R8
	ADDQ    $4, R9
	ADDQ    $4, R10
	ADDQ    $4, R11
	ADDQ    $64, SI
	DECQ    CX
	JNZ     feature                       // } while (--j)

store:
	VMOVUPS Z0, (DI)
	ADDQ    R12, DI
	VMOVUPS Z1, (DI)
	ADDQ    R12, DI
	VMOVUPS Z2, (DI)
	ADDQ    R12, DI
	VMOVUPS Z3, (DI)
	ADDQ    R12, DI
	VMOVUPS Z4, (DI)
	ADDQ    R12, DI
	VMOVUPS Z5, (DI)
	ADDQ    R12, DI
	VMOVUPS Z6, (DI)
	ADDQ    R12, DI
	VMOVUPS Z7, (DI)
	ADDQ    R12, DI
	VMOVUPS Z8, (DI)
	ADDQ    R12, DI
	VMOVUPS Z9, (DI)
	ADDQ    R12, DI
	VMOVUPS Z10, (DI)
	ADDQ    R12, DI
	VMOVUPS Z11, (DI)
	ADDQ    R12, DI
	VMOVUPS Z12, (DI)
	ADDQ    R12, DI
	VMOVUPS Z13, (DI)
	ADDQ    R12, DI
	VMOVUPS Z14, (DI)
	ADDQ    R12, DI
	VMOVUPS Z15, (DI)
	ADDQ    R12, DI
	MOVQ    R14, CX
	SHLQ    $2, CX
	SUBQ    CX, R11                       // back to feature 0
	LEAQ    (R11)(DX*4), R8               // the next 16 rows
	SUBQ    $16, R13
	JNZ     block                         // } while (rows -= 16)
	VZEROUPPER
	RET
