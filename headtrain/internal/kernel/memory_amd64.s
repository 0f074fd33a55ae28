//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func prefetchLines(p *float32, lines int)
TEXT ·prefetchLines(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), SI
	MOVQ lines+8(FP), CX

line:                                         // do {
	PREFETCHT1 (SI)                       // fetch a cache line at p
	ADDQ       $64, SI                    // p += a line
	DECQ       CX
	JNZ        line                       // } while (--lines > 0)
	RET

// func sumAVX2(a *sumArgs)
TEXT ·sumAVX2(SB), NOSPLIT, $0-8
	MOVQ         a+0(FP), AX
	MOVQ         sumArgs_dst(AX), DI
	MOVQ         sumArgs_src(AX), SI
	MOVQ         sumArgs_n(AX), CX        // n
	MOVQ         sumArgs_srcBytes(AX), DX
	VBROADCASTSS sumArgs_keep(AX), Y4     // all ones, or 0 if fresh

values:                                       // do {
	VANDPS (DI), Y4, Y0                   // a = dst[0:8] & keep
	VANDPS 32(DI), Y4, Y1                 // b = dst[8:16] & keep
	MOVQ   SI, R8                         // p = src
	MOVQ   sumArgs_summands(AX), R9       // k = summands

summand:                                      // do {
	VADDPS (R8), Y0, Y0                   // a += p[0:8]
	VADDPS 32(R8), Y1, Y1                 // b += p[8:16]
	ADDQ   DX, R8                         // p = p of the next summand
	DECQ   R9
	JNZ    summand                        // } while (--k > 0)
	VMOVUPS Y0, (DI)                      // dst[0:8] = a
	VMOVUPS Y1, 32(DI)                    // dst[8:16] = b
	ADDQ    $64, DI                       // dst = dst[16:]
	ADDQ    $64, SI                       // src = src[16:]
	SUBQ    $16, CX
	JNZ     values                        // } while (n -= 16) > 0
	VZEROUPPER
	RET

// func lerpAVX2(dst, src *float32, n int, share float32)
TEXT ·lerpAVX2(SB), NOSPLIT, $0-28
	MOVQ         dst+0(FP), DI
	MOVQ         src+8(FP), SI
	MOVQ         n+16(FP), CX
	VBROADCASTSS share+24(FP), Y8
	SHLQ         $2, CX                   // n, in bytes
	XORQ         BX, BX                   // i = 0

loop:                                         // do {
	VMOVUPS (DI)(BX*1), Y0                // d = dst[i:i+8]
	VMOVUPS (SI)(BX*1), Y1                // t = src[i:i+8]
	VSUBPS  Y0, Y1, Y1                    // t -= d
	VMULPS  Y8, Y1, Y1                    // t *= share
	VADDPS  Y1, Y0, Y0                    // d += t
	VMOVUPS Y0, (DI)(BX*1)                // dst[i:i+8] = d
	VMOVUPS 32(DI)(BX*1), Y2              // d = dst[i+8:i+16]
	VMOVUPS 32(SI)(BX*1), Y3              // t = src[i+8:i+16]
	VSUBPS  Y2, Y3, Y3                    // t -= d
	VMULPS  Y8, Y3, Y3                    // t *= share
	VADDPS  Y3, Y2, Y2                    // d += t
	VMOVUPS Y2, 32(DI)(BX*1)              // dst[i+8:i+16] = d
	ADDQ    $64, BX                       // i += 16
	CMPQ    BX, CX
	JL      loop                          // } while i < n
	VZEROUPPER
	RET
