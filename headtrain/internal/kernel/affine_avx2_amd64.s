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
	MOVQ         affineArgs_n(AX), CX     // n
	VBROADCASTSS affineArgs_rowScale(AX), Y3 // rowScale
	XORQ         BX, BX                   // j = 0, in bytes
	SUBQ         $8, CX
	JL           done

full:                                         // while (n -= 8) >= 0 {
	PREFETCHT0 (R10)(BX*1)                // fetch ahead[j:]
	VMOVUPS    (SI)(BX*1), Y0             // t = x[j:j+8]
	VSUBPS     (R8)(BX*1), Y0, Y0         // t -= mean[j:j+8]
	VMULPS     (R9)(BX*1), Y0, Y0         // t *= scale[j:j+8]
	VMULPS     Y3, Y0, Y0                 // t *= rowScale
	VMOVUPS Y0, (DI)(BX*1)                // dst[j:j+8] = t
	ADDQ    $32, BX                       // j += 8
	SUBQ    $8, CX                        // n -= 8
	JGE     full                          // }

done:
	VZEROUPPER
	RET
