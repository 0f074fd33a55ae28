//go:build !purego

#include "textflag.h"

// A pixel depends on the one before it, so that one is done at a time. Of one of 3 bytes the
// first byte of the next one is loaded, too, and not stored:
//
//	DI  row    CX  n    X0  a: the pixel before, done
//	SI  prev   DX  bpp  X1  b: the pixel above      X2  c: the pixel above a

// STORE stores the bytes of register AX that belong to a pixel, and goes on to the next.
#define STORE(wide, next) \
	CMPQ DX, $4                             \
	JEQ  wide                               \
	MOVW AX, (DI)         /* row[0:2] = a */ \
	SHRL $16, AX                            \
	MOVB AX, 2(DI)        /* row[2] = a */   \
	JMP  next                               \
wide:                                       \
	MOVL AX, (DI)         /* row[0:4] = a */ \
next:                                       \
	ADDQ DX, DI           /* row += bpp */

// func upAVX2(row, prev *byte, n int)
TEXT ·upAVX2(SB), NOSPLIT, $0-24
	MOVQ row+0(FP), DI
	MOVQ prev+8(FP), SI
	MOVQ n+16(FP), CX

turn:                                         // do {
	VMOVDQU (DI), Y0
	VPADDB  (SI), Y0, Y0
	VMOVDQU Y0, (DI)                      // row[i:] += prev[i:], 32 bytes
	ADDQ    $32, DI
	ADDQ    $32, SI
	DECQ    CX
	JNE     turn                          // } while (--n > 0)
	VZEROUPPER
	RET

// func subAVX2(row *byte, n, bpp int)
TEXT ·subAVX2(SB), NOSPLIT, $0-24
	MOVQ row+0(FP), DI
	MOVQ n+8(FP), CX
	MOVQ bpp+16(FP), DX
	VPXOR X0, X0, X0                      // a = 0

pixel:                                        // do {
	VMOVD  (DI), X3
	VPADDB X3, X0, X0                     // a += x
	VMOVD  X0, AX
	STORE(wide, next)
	DECQ   CX
	JNE    pixel                          // } while (--n > 0)
	RET

// func averageAVX2(row, prev *byte, n, bpp int)
TEXT ·averageAVX2(SB), NOSPLIT, $0-32
	MOVQ row+0(FP), DI
	MOVQ prev+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ bpp+24(FP), DX
	VPXOR    X0, X0, X0                   // a = 0
	VPCMPEQB X7, X7, X7
	VPABSB   X7, X7                       // ones = 1 in each byte

pixel:                                        // do {
	VMOVD  (SI), X1                       // b
	VMOVD  (DI), X3                       // x
	VPXOR  X0, X1, X4
	VPAND  X7, X4, X4                     // odd = (a ^ b) & 1
	VPAVGB X0, X1, X0                     // a = (a + b + 1) / 2
	VPSUBB X4, X3, X3
	VPADDB X3, X0, X0                     // a += x - odd
	VMOVD  X0, AX
	STORE(wide, next)
	ADDQ   DX, SI
	DECQ   CX
	JNE    pixel                          // } while (--n > 0)
	RET

// func paethAVX2(row, prev *byte, n, bpp int)
//
// Bytes stand in words, whose upper halves stay 0.
TEXT ·paethAVX2(SB), NOSPLIT, $0-32
	MOVQ row+0(FP), DI
	MOVQ prev+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ bpp+24(FP), DX
	VPXOR X0, X0, X0                      // a = 0
	VPXOR X2, X2, X2                      // c = 0
	VPXOR X7, X7, X7

pixel:                                        // do {
	VMOVD      (SI), X1
	VPUNPCKLBW X7, X1, X1                 // b
	VMOVD      (DI), X6
	VPUNPCKLBW X7, X6, X6                 // x
	VPSUBW     X2, X1, X3                 // pa = b - c
	VPSUBW     X2, X0, X4                 // pb = a - c
	VPADDW     X3, X4, X5                 // pc = pa + pb
	VPABSW     X3, X3
	VPABSW     X4, X4
	VPABSW     X5, X5
	VPMINSW    X4, X3, X8
	VPMINSW    X5, X8, X8                 // least = min(|pa|, |pb|, |pc|)
	VPCMPEQW   X3, X8, X9
	VPCMPEQW   X4, X8, X10
	VPBLENDVB  X10, X1, X2, X11           // p = |pb| == least ? b : c
	VPBLENDVB  X9, X0, X11, X11           // p = |pa| == least ? a : p
	VPADDB     X6, X11, X0                // a = p + x
	VMOVDQA    X1, X2                     // c = b
	VPACKUSWB  X0, X0, X11
	VMOVD      X11, AX
	STORE(wide, next)
	ADDQ       DX, SI
	DECQ       CX
	JNE        pixel                      // } while (--n > 0)
	RET
