//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func affineAVX512(a *affineArgs)
TEXT ·affineAVX512(SB), NOSPLIT, $0-8
	MOVQ         a+0(FP), AX
	MOVQ         affineArgs_dst(AX), DI
	MOVQ         affineArgs_x(AX), SI
	MOVQ         affineArgs_mean(AX), R8
	MOVQ         affineArgs_scale(AX), R9
	MOVQ         affineArgs_ahead(AX), R10
	MOVQ         affineArgs_n(AX), CX
	VBROADCASTSS affineArgs_rowScale(AX), Z3
	XORQ         BX, BX
	SUBQ         $16, CX
	JL           tail

full:                                         // while (n -= 16) >= 0 {
	PREFETCHT0 (R10)(BX*1)
	VMOVUPS    (SI)(BX*1), Z0
	VSUBPS     (R8)(BX*1), Z0, Z0            // x - mean
	VMULPS     (R9)(BX*1), Z0, Z0            // · scale
	VMULPS     Z3, Z0, Z0                 // · rowScale
	VMOVUPS Z0, (DI)(BX*1)
	ADDQ    $64, BX
	SUBQ    $16, CX
	JGE     full                          // }

tail:
	ADDQ      $16, CX
	JZ        done
	MOVL      $1, DX                      // mask = 1<<n - 1
	SHLL      CX, DX
	DECL      DX
	KMOVW     DX, K1
	VMOVUPS.Z (SI)(BX*1), K1, Z0
	VMOVUPS.Z (R8)(BX*1), K1, Z1
	VMOVUPS.Z (R9)(BX*1), K1, Z2
	VSUBPS    Z1, Z0, Z0
	VMULPS    Z2, Z0, Z0
	VMULPS    Z3, Z0, Z0
	VMOVUPS   Z0, K1, (DI)(BX*1)

done:
	VZEROUPPER
	RET
