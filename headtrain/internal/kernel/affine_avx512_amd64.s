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
	MOVQ         affineArgs_n(AX), CX     // n
	VBROADCASTSS affineArgs_rowScale(AX), Z3 // rowScale
	XORQ         BX, BX                   // j = 0, in bytes
	SUBQ         $16, CX
	JL           tail

full:                                         // while (n -= 16) >= 0 {
	PREFETCHT0 (R10)(BX*1)                // fetch ahead[j:]
	VMOVUPS    (SI)(BX*1), Z0             // t = x[j:j+16]
	VSUBPS     (R8)(BX*1), Z0, Z0         // t -= mean[j:j+16]
	VMULPS     (R9)(BX*1), Z0, Z0         // t *= scale[j:j+16]
	VMULPS     Z3, Z0, Z0                 // t *= rowScale
	VMOVUPS Z0, (DI)(BX*1)                // dst[j:j+16] = t
	ADDQ    $64, BX                       // j += 16
	SUBQ    $16, CX                       // n -= 16
	JGE     full                          // }

tail:
	ADDQ      $16, CX                     // n += 16
	JZ        done                        // if n > 0 {
	MOVL      $1, DX
	SHLL      CX, DX
	DECL      DX                          // mask = 1<<n - 1: n values
	KMOVW     DX, K1
	VMOVUPS.Z (SI)(BX*1), K1, Z0          // t = x[j:j+n]
	VMOVUPS.Z (R8)(BX*1), K1, Z1
	VMOVUPS.Z (R9)(BX*1), K1, Z2
	VSUBPS    Z1, Z0, Z0                  // t -= mean[j:j+n]
	VMULPS    Z2, Z0, Z0                  // t *= scale[j:j+n]
	VMULPS    Z3, Z0, Z0                  // t *= rowScale
	VMOVUPS   Z0, K1, (DI)(BX*1)          // dst[j:j+n] = t }

done:
	VZEROUPPER
	RET
