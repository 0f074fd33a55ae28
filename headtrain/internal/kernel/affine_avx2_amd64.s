//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func affineAVX2(a *affineArgs)
// The last n mod 8 values are the caller's.
TEXT ·affineAVX2(SB), NOSPLIT, $0-8
	MOVQ         a+0(FP), AX
	MOVQ         affineArgs_dst(AX), DI
	MOVQ         affineArgs_x(AX), SI
	MOVQ         affineArgs_mean(AX), R8
	MOVQ         affineArgs_scale(AX), R9
	MOVQ         affineArgs_ahead(AX), R10
	MOVQ         affineArgs_n(AX), CX
	VBROADCASTSS affineArgs_rowScale(AX), Y3
	XORQ         BX, BX
	SUBQ         $8, CX
	JL           done

full:                                         // while (n -= 8) >= 0 {
	PREFETCHT0 (R10)(BX*1)
	VMOVUPS    (SI)(BX*1), Y0
	VSUBPS     (R8)(BX*1), Y0, Y0            // x - mean
	VMULPS     (R9)(BX*1), Y0, Y0            // · scale
	VMULPS     Y3, Y0, Y0                 // · rowScale
	VMOVUPS Y0, (DI)(BX*1)
	ADDQ    $32, BX
	SUBQ    $8, CX
	JGE     full                          // }

done:
	VZEROUPPER
	RET
