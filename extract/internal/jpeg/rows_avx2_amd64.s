//go:build !purego

#include "textflag.h"

// Rows: upsampling and colour. Each loop does 16 samples a turn; the last turn
// ends where the row ends, over samples that the one before it has done.

// TURN leaves the loop after the last sample, else lays the next turn of 16.
// at: first sample; n: samples; loop, done: labels.
#define TURN(at, n, loop, done) \
	ADDQ $16, at       \
	CMPQ at, n         \
	JGE  done          \
	LEAQ -16(n), DX    \
	CMPQ at, DX        \
	CMOVQGT DX, at     \
	JMP  loop

// func blendAVX2(dst, near, far *byte, n, bias int)
TEXT ·blendAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ near+8(FP), SI
	MOVQ far+16(FP), BX
	MOVQ n+24(FP), R8
	VMOVD bias+32(FP), X0
	VPBROADCASTW X0, Y0
	XORQ AX, AX

loop:
	VPMOVZXBW (SI)(AX*1), Y1
	VPMOVZXBW (BX)(AX*1), Y2
	VPADDW    Y0, Y2, Y2
	VPADDW    Y1, Y2, Y2
	VPADDW    Y1, Y1, Y1
	VPADDW    Y1, Y2, Y2
	VPSRLW    $2, Y2, Y2
	VPACKUSWB Y2, Y2, Y2
	VPERMQ    $0x08, Y2, Y2
	VMOVDQU   X2, (DI)(AX*1)
	TURN(AX, R8, loop, done)

done:
	VZEROUPPER
	RET

// func weighAVX2(dst *int16, near, far *byte, n int)
TEXT ·weighAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ near+8(FP), SI
	MOVQ far+16(FP), BX
	MOVQ n+24(FP), R8
	XORQ AX, AX

loop:
	VPMOVZXBW (SI)(AX*1), Y1
	VPMOVZXBW (BX)(AX*1), Y2
	VPADDW    Y1, Y2, Y2
	VPADDW    Y1, Y1, Y1
	VPADDW    Y1, Y2, Y2
	VMOVDQU   Y2, (DI)(AX*2)
	TURN(AX, R8, loop, done)

done:
	VZEROUPPER
	RET

// func spreadAVX2(dst *byte, sums *int16, n, even, odd int)
TEXT ·spreadAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ sums+8(FP), SI
	MOVQ n+16(FP), R8
	VMOVD even+24(FP), X0
	VPBROADCASTW X0, Y0
	VMOVD odd+32(FP), X1
	VPBROADCASTW X1, Y1
	XORQ AX, AX

loop:
	VMOVDQU 2(SI)(AX*2), Y2
	VPADDW  Y2, Y2, Y3
	VPADDW  Y2, Y3, Y3
	VPADDW  (SI)(AX*2), Y3, Y4
	VPADDW  4(SI)(AX*2), Y3, Y5
	VPADDW  Y0, Y4, Y4
	VPADDW  Y1, Y5, Y5
	VPSRLW  $4, Y4, Y4
	VPSRLW  $4, Y5, Y5
	VPSLLW  $8, Y5, Y5
	VPOR    Y4, Y5, Y5
	VMOVDQU Y5, (DI)(AX*2)
	TURN(AX, R8, loop, done)

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
WORDS(redFactor<>, 26345, 26345)   // 91881 - 65536
WORDS(blueFactor<>, 50594, 50594)  // 116130 - 2·65536
WORDS(greenFactor<>, 42982, 18734) // -22554; 65536 - 46802
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
	XORQ AX, AX

loop:
	VPMOVZXBW (SI)(AX*1), Y0
	VPMOVZXBW (BX)(AX*1), Y1
	VPMOVZXBW (CX)(AX*1), Y2
	VPSUBW    Y8, Y1, Y1
	VPSUBW    Y8, Y2, Y2

	// Green: a product pair and a whole -Cr.
	VPUNPCKLWD Y2, Y1, Y3
	VPUNPCKHWD Y2, Y1, Y4
	VPMADDWD   Y12, Y3, Y3
	VPMADDWD   Y12, Y4, Y4
	VPADDD     Y13, Y3, Y3
	VPADDD     Y13, Y4, Y4
	VPSRAD     $16, Y3, Y3
	VPSRAD     $16, Y4, Y4
	VPACKSSDW  Y4, Y3, Y3
	VPADDW     Y0, Y3, Y3
	VPSUBW     Y2, Y3, Y3

	// Red and blue: the upper half of a doubled product, rounded.
	VPADDW  Y2, Y2, Y4
	VPADDW  Y1, Y1, Y5
	VPMULHW Y10, Y4, Y4
	VPMULHW Y11, Y5, Y6
	VPADDW  Y9, Y4, Y4
	VPADDW  Y9, Y6, Y6
	VPSRAW  $1, Y4, Y4
	VPSRAW  $1, Y6, Y6
	VPADDW  Y2, Y4, Y4
	VPADDW  Y5, Y6, Y6
	VPADDW  Y0, Y4, Y4
	VPADDW  Y0, Y6, Y6

	VPACKUSWB    Y3, Y4, Y4 // R, G
	VPACKUSWB    Y6, Y6, Y6 // B
	VPSHUFB      Y14, Y4, Y0
	VPSHUFB      Y15, Y6, Y1
	VPOR         Y0, Y1, Y0
	VPSHUFB      lastRG<>(SB), Y4, Y2
	VPSHUFB      lastB<>(SB), Y6, Y3
	VPOR         Y2, Y3, Y2
	LEAQ         (AX)(AX*2), R9
	VMOVDQU      X0, (DI)(R9*1)
	VMOVQ        X2, 16(DI)(R9*1)
	VEXTRACTI128 $1, Y0, 24(DI)(R9*1)
	VEXTRACTI128 $1, Y2, X2
	VMOVQ        X2, 40(DI)(R9*1)
	TURN(AX, R8, loop, done)

done:
	VZEROUPPER
	RET
