//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func prefetchLines(p *float32, lines int)
TEXT ·prefetchLines(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), SI
	MOVQ lines+8(FP), CX

line:                                         // do {
	PREFETCHT1 (SI)
	ADDQ       $64, SI
	DECQ       CX
	JNZ        line                       // } while (--lines)
	RET

// func sumAVX2(a *sumArgs)
TEXT ·sumAVX2(SB), NOSPLIT, $0-8
	MOVQ         a+0(FP), AX
	MOVQ         sumArgs_dst(AX), DI
	MOVQ         sumArgs_src(AX), SI
	MOVQ         sumArgs_n(AX), CX
	MOVQ         sumArgs_srcBytes(AX), DX
	VBROADCASTSS sumArgs_keep(AX), Y4

values:                                       // do {
	VANDPS (DI), Y4, Y0
	VANDPS 32(DI), Y4, Y1
	MOVQ   SI, R8
	MOVQ   sumArgs_summands(AX), R9

summand:                                      // do {
	VADDPS (R8), Y0, Y0
	VADDPS 32(R8), Y1, Y1
	ADDQ   DX, R8
	DECQ   R9
	JNZ    summand                        // } while (--summands)
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ    $64, DI
	ADDQ    $64, SI
	SUBQ    $16, CX
	JNZ     values                        // } while (n -= 16)
	VZEROUPPER
	RET

// func lerpAVX2(dst, src *float32, n int, share float32)
TEXT ·lerpAVX2(SB), NOSPLIT, $0-28
	MOVQ         dst+0(FP), DI
	MOVQ         src+8(FP), SI
	MOVQ         n+16(FP), CX
	VBROADCASTSS share+24(FP), Y8
	SHLQ         $2, CX
	XORQ         BX, BX

loop:                                         // do {
	VMOVUPS (DI)(BX*1), Y0
	VMOVUPS (SI)(BX*1), Y1
	VSUBPS  Y0, Y1, Y1
	VMULPS  Y8, Y1, Y1
	VADDPS  Y1, Y0, Y0                  // dst += share·(src-dst)
	VMOVUPS Y0, (DI)(BX*1)
	VMOVUPS 32(DI)(BX*1), Y2
	VMOVUPS 32(SI)(BX*1), Y3
	VSUBPS  Y2, Y3, Y3
	VMULPS  Y8, Y3, Y3
	VADDPS  Y3, Y2, Y2
	VMOVUPS Y2, 32(DI)(BX*1)
	ADDQ    $64, BX
	CMPQ    BX, CX
	JL      loop                          // } while (i < n)
	VZEROUPPER
	RET
