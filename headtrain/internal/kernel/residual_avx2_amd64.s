//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func residualAVX2(a *residualArgs)
TEXT ·residualAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ residualArgs_e(AX), DI
	MOVQ residualArgs_a(AX), SI
	MOVQ residualArgs_q(AX), R8
	MOVQ residualArgs_eBytes(AX), R9
	MOVQ residualArgs_colBytes(AX), R10
	MOVQ residualArgs_rows(AX), CX

row:                                          // do {
	VBROADCASTSS (SI), Y1
	XORQ         BX, BX

column:                                       // do {
	VMULPS  (DI)(BX*1), Y1, Y0            // a[r] · e[r][c]
	VSUBPS  (R8)(BX*1), Y0, Y0            // - q[c]
	VMOVUPS Y0, (DI)(BX*1)
	ADDQ    $32, BX
	CMPQ    BX, R10
	JL      column                        // } while (c < cols)
	ADDQ    $4, SI
	ADDQ    R9, DI
	DECQ    CX
	JNZ     row                           // } while (--rows)
	VZEROUPPER
	RET
