//go:build !purego

#include "textflag.h"

// Rows: upsampling and colour. Each loop does 16 samples a turn; the last turn
// ends where the row ends, over samples that the one before it has done.

// TURN leaves the loop after the last sample, else lays the next turn of 16.
// at: first sample; n: samples; loop, done: labels.
#define TURN(at, n, loop, done) \
	ADDQ $16, at                    /* at += 16 */           \
	CMPQ at, n                                               \
	JGE  done                       /* if at >= n { goto done } */ \
	LEAQ -16(n), DX                                          \
	CMPQ at, DX                     /* at = min(at, n-16) */ \
	CMOVQGT DX, at                                           \
	JMP  loop                       /* goto loop */

// func blendAVX2(dst, near, far *byte, n, bias int)
TEXT ·blendAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ near+8(FP), SI
	MOVQ far+16(FP), BX
	MOVQ n+24(FP), R8
	VMOVD bias+32(FP), X0
	VPBROADCASTW X0, Y0                   // b = bias
	XORQ AX, AX                           // i = 0

loop:                                         // do {
	VPMOVZXBW (SI)(AX*1), Y1              // near = near[i:i+16], to 16 bits
	VPMOVZXBW (BX)(AX*1), Y2              // far = far[i:i+16], to 16 bits
	VPADDW    Y0, Y2, Y2                  // sum = far + b
	VPADDW    Y1, Y2, Y2                  // sum += near
	VPADDW    Y1, Y1, Y1                  // near *= 2
	VPADDW    Y1, Y2, Y2                  // sum += near
	VPSRLW    $2, Y2, Y2                  // sum >>= 2
	VPACKUSWB Y2, Y2, Y2                  // to 8 bits, in each half
	VPERMQ    $0x08, Y2, Y2               // the halves side by side
	VMOVDQU   X2, (DI)(AX*1)              // dst[i:i+16] = sum
	TURN(AX, R8, loop, done)              // } while i < n

done:
	VZEROUPPER
	RET

// func weighAVX2(dst *int16, near, far *byte, n int)
TEXT ·weighAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ near+8(FP), SI
	MOVQ far+16(FP), BX
	MOVQ n+24(FP), R8
	XORQ AX, AX                           // i = 0

loop:                                         // do {
	VPMOVZXBW (SI)(AX*1), Y1              // near = near[i:i+16], to 16 bits
	VPMOVZXBW (BX)(AX*1), Y2              // far = far[i:i+16], to 16 bits
	VPADDW    Y1, Y2, Y2                  // sum = far + near
	VPADDW    Y1, Y1, Y1                  // near *= 2
	VPADDW    Y1, Y2, Y2                  // sum += near
	VMOVDQU   Y2, (DI)(AX*2)              // dst[i:i+16] = sum
	TURN(AX, R8, loop, done)              // } while i < n

done:
	VZEROUPPER
	RET

// func spreadAVX2(dst *byte, sums *int16, n, even, odd int)
TEXT ·spreadAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ sums+8(FP), SI
	MOVQ n+16(FP), R8
	VMOVD even+24(FP), X0
	VPBROADCASTW X0, Y0                   // e = even
	VMOVD odd+32(FP), X1
	VPBROADCASTW X1, Y1                   // o = odd
	XORQ AX, AX                           // i = 0

loop:                                         // do {
	VMOVDQU 2(SI)(AX*2), Y2               // this = sums[i+1:i+17]
	VPADDW  Y2, Y2, Y3                    // three = 2*this
	VPADDW  Y2, Y3, Y3                    // three += this
	VPADDW  (SI)(AX*2), Y3, Y4            // a = three + sums[i:i+16], the sum before
	VPADDW  4(SI)(AX*2), Y3, Y5           // b = three + sums[i+2:i+18], the sum after
	VPADDW  Y0, Y4, Y4                    // a += e
	VPADDW  Y1, Y5, Y5                    // b += o
	VPSRLW  $4, Y4, Y4                    // a >>= 4
	VPSRLW  $4, Y5, Y5                    // b >>= 4
	VPSLLW  $8, Y5, Y5                    // b to the upper byte of each word
	VPOR    Y4, Y5, Y5                    // words of a, b
	VMOVDQU Y5, (DI)(AX*2)                // dst[2*i:2*i+32] = a0, b0, a1, b1, …
	TURN(AX, R8, loop, done)              // } while i < n

done:
	VZEROUPPER
	RET

// Factors of Cb and Cr: what 16 bits hold of them, the rest being added whole.
#define WORDS(name, low, high) \
	DATA name+0(SB)/8, $(high<<48|low<<32|high<<16|low)   \
	DATA name+8(SB)/8, $(high<<48|low<<32|high<<16|low)   \
	DATA name+16(SB)/8, $(high<<48|low<<32|high<<16|low)  \
	DATA name+24(SB)/8, $(high<<48|low<<32|high<<16|low)  \
	GLOBL name(SB), RODATA|NOPTR, $32

WORDS(center<>, 128, 128)
WORDS(one<>, 1, 1)
WORDS(redFactor<>, 26345, 26345)              // 91881 - 65536
WORDS(blueFactor<>, 50594, 50594)             // 116130 - 2·65536
WORDS(greenFactor<>, 42982, 18734)            // -22554; 65536 - 46802
WORDS(roundHalf<>, 32768, 0)

// Where the bytes of 8 pixels come from: of R and G in one register, B in the
// other; 16 bytes and then 8.
DATA firstRG<>+0(SB)/8, $0x0a02800901800800
DATA firstRG<>+8(SB)/8, $0x05800c04800b0380
DATA firstRG<>+16(SB)/8, $0x0a02800901800800
DATA firstRG<>+24(SB)/8, $0x05800c04800b0380
GLOBL firstRG<>(SB), RODATA|NOPTR, $32

DATA firstB<>+0(SB)/8, $0x8080018080008080
DATA firstB<>+8(SB)/8, $0x8004808003808002
DATA firstB<>+16(SB)/8, $0x8080018080008080
DATA firstB<>+24(SB)/8, $0x8004808003808002
GLOBL firstB<>(SB), RODATA|NOPTR, $32

DATA lastRG<>+0(SB)/8, $0x800f07800e06800d
DATA lastRG<>+8(SB)/8, $0x8080808080808080
DATA lastRG<>+16(SB)/8, $0x800f07800e06800d
DATA lastRG<>+24(SB)/8, $0x8080808080808080
GLOBL lastRG<>(SB), RODATA|NOPTR, $32

DATA lastB<>+0(SB)/8, $0x0780800680800580
DATA lastB<>+8(SB)/8, $0x8080808080808080
DATA lastB<>+16(SB)/8, $0x0780800680800580
DATA lastB<>+24(SB)/8, $0x8080808080808080
GLOBL lastB<>(SB), RODATA|NOPTR, $32

// func convertAVX2(dst, luma, cb, cr *byte, n int)
TEXT ·convertAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ luma+8(FP), SI
	MOVQ cb+16(FP), BX
	MOVQ cr+24(FP), CX
	MOVQ n+32(FP), R8
	VMOVDQU center<>(SB), Y8
	VMOVDQU one<>(SB), Y9
	VMOVDQU redFactor<>(SB), Y10
	VMOVDQU blueFactor<>(SB), Y11
	VMOVDQU greenFactor<>(SB), Y12
	VMOVDQU roundHalf<>(SB), Y13
	VMOVDQU firstRG<>(SB), Y14
	VMOVDQU firstB<>(SB), Y15
	XORQ AX, AX                           // i = 0

loop:                                         // do {
	VPMOVZXBW (SI)(AX*1), Y0              // y = luma[i:i+16], to 16 bits
	VPMOVZXBW (BX)(AX*1), Y1              // u = cb[i:i+16], to 16 bits
	VPMOVZXBW (CX)(AX*1), Y2              // v = cr[i:i+16], to 16 bits
	VPSUBW    Y8, Y1, Y1                  // u -= 128
	VPSUBW    Y8, Y2, Y2                  // v -= 128

	// Green: a product pair and a whole -Cr.
	VPUNPCKLWD Y2, Y1, Y3                 // pairs u, v of pixels 0…3 of each half
	VPUNPCKHWD Y2, Y1, Y4                 // of pixels 4…7
	VPMADDWD   Y12, Y3, Y3                // g = -greenCb*u + (65536-greenCr)*v
	VPMADDWD   Y12, Y4, Y4
	VPADDD     Y13, Y3, Y3                // g += 1<<15
	VPADDD     Y13, Y4, Y4
	VPSRAD     $16, Y3, Y3                // g >>= 16
	VPSRAD     $16, Y4, Y4
	VPACKSSDW  Y4, Y3, Y3                 // to 16 bits, pixels in order
	VPADDW     Y0, Y3, Y3                 // g += y
	VPSUBW     Y2, Y3, Y3                 // g -= v

	// Red and blue: the upper half of a doubled product, rounded.
	VPADDW  Y2, Y2, Y4                    // r = 2*v
	VPADDW  Y1, Y1, Y5                    // u2 = 2*u
	VPMULHW Y10, Y4, Y4                   // r = (redCr-65536)*r >> 16
	VPMULHW Y11, Y5, Y6                   // b = (blueCb-131072)*u2 >> 16
	VPADDW  Y9, Y4, Y4                    // r += 1
	VPADDW  Y9, Y6, Y6                    // b += 1
	VPSRAW  $1, Y4, Y4                    // r >>= 1
	VPSRAW  $1, Y6, Y6                    // b >>= 1
	VPADDW  Y2, Y4, Y4                    // r += v
	VPADDW  Y5, Y6, Y6                    // b += u2
	VPADDW  Y0, Y4, Y4                    // r += y
	VPADDW  Y0, Y6, Y6                    // b += y

	VPACKUSWB    Y3, Y4, Y4               // of each half: r of 8 pixels, g of 8 pixels
	VPACKUSWB    Y6, Y6, Y6               // b, b
	VPSHUFB      Y14, Y4, Y0              // r g - r g - … of 5⅓ pixels
	VPSHUFB      Y15, Y6, Y1              // - - b - - b …
	VPOR         Y0, Y1, Y0               // 16 bytes of each half
	VPSHUFB      lastRG<>(SB), Y4, Y2     // the rest of r and g
	VPSHUFB      lastB<>(SB), Y6, Y3      // the rest of b
	VPOR         Y2, Y3, Y2               // 8 bytes of each half
	LEAQ         (AX)(AX*2), R9           // at = 3*i
	VMOVDQU      X0, (DI)(R9*1)           // dst[at:at+16], pixels 0 to 5
	VMOVQ        X2, 16(DI)(R9*1)         // dst[at+16:at+24], to pixel 7
	VEXTRACTI128 $1, Y0, 24(DI)(R9*1)     // dst[at+24:at+40], pixels 8 to 13
	VEXTRACTI128 $1, Y2, X2
	VMOVQ        X2, 40(DI)(R9*1)         // dst[at+40:at+48], to pixel 15
	TURN(AX, R8, loop, done)              // } while i < n

done:
	VZEROUPPER
	RET
