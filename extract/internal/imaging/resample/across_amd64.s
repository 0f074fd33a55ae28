//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The half that is added before rounding down.
DATA half<>+0(SB)/4, $0x200000
GLOBL half<>(SB), RODATA|NOPTR, $4

// SETUP loads the arguments.
#define SETUP \
	MOVQ a+0(FP), AX                     \
	MOVQ acrossArgs_dst(AX), DI          \
	MOVQ acrossArgs_src(AX), SI          \
	MOVQ acrossArgs_at(AX), R8           \
	MOVQ acrossArgs_pairs(AX), R9        \
	MOVQ acrossArgs_blocks(AX), CX       \
	MOVQ acrossArgs_count(AX), R10       \
	VPXOR Y15, Y15, Y15

// BEGIN clears the sums of a block: Y0 to Y3 are the upper halves, Y4 to Y7 the
// lower ones.
#define BEGIN \
	MOVQ R8, BX                          \
	MOVQ R9, DX                          \
	MOVQ R10, AX                         \
	VPXOR Y0, Y0, Y0                     \
	VPXOR Y1, Y1, Y1                     \
	VPXOR Y2, Y2, Y2                     \
	VPXOR Y3, Y3, Y3                     \
	VPBROADCASTD half<>(SB), Y4          \
	VMOVDQA Y4, Y5                       \
	VMOVDQA Y4, Y6                       \
	VMOVDQA Y4, Y7

// PIXELS loads a block of two rows and makes pairs of 16 bits of them:
// Y10, Y11, Y8 and Y9 are each four columns of either half of the block.
#define PIXELS \
	MOVQ (BX), R11                       \
	MOVQ 8(BX), R12                      \
	VMOVDQU (SI)(R11*1), Y8              \
	VMOVDQU (SI)(R12*1), Y9              \
	VPBROADCASTD (DX), Y13               \
	VPBROADCASTD 4(DX), Y14              \
	VPUNPCKLBW Y9, Y8, Y11               \
	VPUNPCKHBW Y9, Y8, Y9                \
	VPUNPCKLBW Y15, Y11, Y10             \
	VPUNPCKHBW Y15, Y11, Y11             \
	VPUNPCKLBW Y15, Y9, Y8               \
	VPUNPCKHBW Y15, Y9, Y9               \
	ADDQ $16, BX                         \
	ADDQ $8, DX

#define ROUND(upper, lower) \
	VPSLLD $11, upper, upper             \
	VPADDD lower, upper, upper           \
	VPSRLD $22, upper, upper

// END rounds the sums and writes them.
#define END \
	ROUND(Y0, Y4)                        \
	ROUND(Y1, Y5)                        \
	ROUND(Y2, Y6)                        \
	ROUND(Y3, Y7)                        \
	VPACKUSDW Y1, Y0, Y0                 \
	VPACKUSDW Y3, Y2, Y2                 \
	VPACKUSWB Y2, Y0, Y0                 \
	VMOVDQU Y0, (DI)                     \
	ADDQ $32, DI                         \
	ADDQ $32, SI

#define DOTAVX2(pixels, upper, lower) \
	VPMADDWD Y13, pixels, Y12            \
	VPMADDWD Y14, pixels, pixels         \
	VPADDD Y12, upper, upper             \
	VPADDD pixels, lower, lower

#define DOTAVX512(pixels, upper, lower) \
	VPDPWSSD Y13, pixels, upper          \
	VPDPWSSD Y14, pixels, lower

// func acrossAVX2(a *acrossArgs)
TEXT ·acrossAVX2(SB), NOSPLIT, $0-8
	SETUP

block:
	BEGIN

pair:
	PIXELS
	DOTAVX2(Y10, Y0, Y4)
	DOTAVX2(Y11, Y1, Y5)
	DOTAVX2(Y8, Y2, Y6)
	DOTAVX2(Y9, Y3, Y7)
	DECQ AX
	JNZ  pair
	END
	DECQ CX
	JNZ  block
	VZEROUPPER
	RET

// func acrossAVX512(a *acrossArgs)
TEXT ·acrossAVX512(SB), NOSPLIT, $0-8
	SETUP

block:
	BEGIN

pair:
	PIXELS
	DOTAVX512(Y10, Y0, Y4)
	DOTAVX512(Y11, Y1, Y5)
	DOTAVX512(Y8, Y2, Y6)
	DOTAVX512(Y9, Y3, Y7)
	DECQ AX
	JNZ  pair
	END
	DECQ CX
	JNZ  block
	VZEROUPPER
	RET
