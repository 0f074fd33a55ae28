//go:build !purego

#include "textflag.h"

// The two blocks of a pair lie in the two halves of a register; a register
// holds a row of each. The steps are those of pass in idct.go.

#define PAIR(name, first, second) \
	DATA name+0(SB)/4, $((first)&0xffff|((second)&0xffff)<<16)   \
	GLOBL name(SB), RODATA|NOPTR, $4

PAIR(evenT2<>, 4433, 4433-15137)
PAIR(evenT3<>, 4433+6270, 4433)
PAIR(oddZ3<>, 9633-16069, 9633)
PAIR(oddZ4<>, 9633, 9633-3196)
PAIR(oddO0<>, -7373, 12299-7373)
PAIR(oddO3<>, 2446-7373, -7373)
PAIR(oddO1<>, -20995, 25172-20995)
PAIR(oddO2<>, 16819-20995, -20995)
PAIR(round1<>, 1<<10, 0)
PAIR(round2<>, 0, 2)
PAIR(center8<>, 0x8080, 0x8080)

// PASS transforms Y0…Y7 into Y4, Y6, Y7, Y13, Y1, Y3, Y10, Y12. It keeps the
// middle of the even part on the stack.
#define PASS(round, shift) \
	VPBROADCASTD evenT3<>(SB), Y14  \
	VPBROADCASTD evenT2<>(SB), Y15  \
	VPUNPCKLWD   Y6, Y2, Y8         \
	VPUNPCKHWD   Y6, Y2, Y9         \
	VPMADDWD     Y14, Y8, Y10       \
	VPMADDWD     Y14, Y9, Y11       \
	VPMADDWD     Y15, Y8, Y8        \
	VPMADDWD     Y15, Y9, Y9        \
	VPBROADCASTD round, Y14         \
	VPXOR        Y12, Y12, Y12      \
	VPADDW       Y4, Y0, Y2         \
	VPSUBW       Y4, Y0, Y6         \
	VPUNPCKLWD   Y2, Y12, Y0        \
	VPUNPCKHWD   Y2, Y12, Y2        \
	VPUNPCKLWD   Y6, Y12, Y4        \
	VPUNPCKHWD   Y6, Y12, Y6        \
	VPSRAD       $3, Y0, Y0         \
	VPSRAD       $3, Y2, Y2         \
	VPSRAD       $3, Y4, Y4         \
	VPSRAD       $3, Y6, Y6         \
	VPADDD       Y14, Y0, Y0        \
	VPADDD       Y14, Y2, Y2        \
	VPADDD       Y14, Y4, Y4        \
	VPADDD       Y14, Y6, Y6        \
	VPADDD       Y10, Y0, Y12       \
	VPADDD       Y11, Y2, Y13       \
	VPSUBD       Y10, Y0, Y0        \
	VPSUBD       Y11, Y2, Y2        \
	VPADDD       Y8, Y4, Y10        \
	VPADDD       Y9, Y6, Y11        \
	VPSUBD       Y8, Y4, Y4         \
	VPSUBD       Y9, Y6, Y6         \
	VMOVDQU      Y4, mid2-64(SP)    \
	VMOVDQU      Y6, mid2-32(SP)    \
	VMOVDQU      Y0, mid3-128(SP)   \
	VMOVDQU      Y2, mid3-96(SP)    \
	VPADDW       Y3, Y7, Y8         \
	VPADDW       Y1, Y5, Y9         \
	VPUNPCKLWD   Y9, Y8, Y14        \
	VPUNPCKHWD   Y9, Y8, Y15        \
	VPBROADCASTD oddZ3<>(SB), Y4    \
	VPBROADCASTD oddZ4<>(SB), Y6    \
	VPMADDWD     Y4, Y14, Y8        \
	VPMADDWD     Y4, Y15, Y9        \
	VPMADDWD     Y6, Y14, Y14       \
	VPMADDWD     Y6, Y15, Y15       \
	VPBROADCASTD oddO0<>(SB), Y4    \
	VPBROADCASTD oddO3<>(SB), Y6    \
	VPUNPCKLWD   Y1, Y7, Y0         \
	VPUNPCKHWD   Y1, Y7, Y2         \
	VPMADDWD     Y4, Y0, Y1         \
	VPMADDWD     Y4, Y2, Y7         \
	VPMADDWD     Y6, Y0, Y0         \
	VPMADDWD     Y6, Y2, Y2         \
	VPADDD       Y14, Y1, Y1        \
	VPADDD       Y15, Y7, Y7        \
	VPADDD       Y8, Y0, Y0         \
	VPADDD       Y9, Y2, Y2         \
	VPADDD       Y1, Y12, Y4        \
	VPADDD       Y7, Y13, Y6        \
	VPSUBD       Y1, Y12, Y12       \
	VPSUBD       Y7, Y13, Y13       \
	VPSRAD       $shift, Y4, Y4     \
	VPSRAD       $shift, Y6, Y6     \
	VPSRAD       $shift, Y12, Y12   \
	VPSRAD       $shift, Y13, Y13   \
	VPACKSSDW    Y6, Y4, Y4         \
	VPACKSSDW    Y13, Y12, Y12      \
	VMOVDQU      mid3-128(SP), Y1   \
	VMOVDQU      mid3-96(SP), Y6    \
	VPADDD       Y0, Y1, Y13        \
	VPADDD       Y2, Y6, Y7         \
	VPSUBD       Y0, Y1, Y1         \
	VPSUBD       Y2, Y6, Y6         \
	VPSRAD       $shift, Y13, Y13   \
	VPSRAD       $shift, Y7, Y7     \
	VPSRAD       $shift, Y1, Y1     \
	VPSRAD       $shift, Y6, Y6     \
	VPACKSSDW    Y7, Y13, Y13       \
	VPACKSSDW    Y6, Y1, Y1         \
	VPBROADCASTD oddO1<>(SB), Y6    \
	VPBROADCASTD oddO2<>(SB), Y7    \
	VPUNPCKLWD   Y3, Y5, Y0         \
	VPUNPCKHWD   Y3, Y5, Y2         \
	VPMADDWD     Y6, Y0, Y3         \
	VPMADDWD     Y6, Y2, Y5         \
	VPMADDWD     Y7, Y0, Y0         \
	VPMADDWD     Y7, Y2, Y2         \
	VPADDD       Y8, Y3, Y3         \
	VPADDD       Y9, Y5, Y5         \
	VPADDD       Y14, Y0, Y0        \
	VPADDD       Y15, Y2, Y2        \
	VPADDD       Y3, Y10, Y6        \
	VPADDD       Y5, Y11, Y7        \
	VPSUBD       Y3, Y10, Y10       \
	VPSUBD       Y5, Y11, Y11       \
	VPSRAD       $shift, Y6, Y6     \
	VPSRAD       $shift, Y7, Y7     \
	VPSRAD       $shift, Y10, Y10   \
	VPSRAD       $shift, Y11, Y11   \
	VPACKSSDW    Y7, Y6, Y6         \
	VPACKSSDW    Y11, Y10, Y10      \
	VMOVDQU      mid2-64(SP), Y3    \
	VMOVDQU      mid2-32(SP), Y5    \
	VPADDD       Y0, Y3, Y7         \
	VPADDD       Y2, Y5, Y8         \
	VPSUBD       Y0, Y3, Y3         \
	VPSUBD       Y2, Y5, Y5         \
	VPSRAD       $shift, Y7, Y7     \
	VPSRAD       $shift, Y8, Y8     \
	VPSRAD       $shift, Y3, Y3     \
	VPSRAD       $shift, Y5, Y5     \
	VPACKSSDW    Y8, Y7, Y7         \
	VPACKSSDW    Y5, Y3, Y3

// ROW loads a row of coefficients, leaves 0 in its place, and notes in Y8
// whether any is not 0.
#define ROW(at, y, x) \
	VMOVDQU     at(SI), x              \
	VINSERTI128 $1, (128+at)(SI), y, y \
	VMOVDQU     X9, at(SI)             \
	VMOVDQU     X9, (128+at)(SI)       \
	VPOR        y, Y8, Y8

// func idctAVX2(dst *byte, stride int, coefs *int16, quant *uint16, pairs int)
TEXT ·idctAVX2(SB), NOSPLIT, $160-40
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ coefs+16(FP), SI
	MOVQ quant+24(FP), BX
	MOVQ pairs+32(FP), CX
	LEAQ (R8)(R8*2), R9

pair:
	VPXOR Y9, Y9, Y9
	VPXOR Y8, Y8, Y8
	ROW(0, Y0, X0)
	VPXOR Y8, Y8, Y8 // the first row does not count
	ROW(16, Y1, X1)
	ROW(32, Y2, X2)
	ROW(48, Y3, X3)
	ROW(64, Y4, X4)
	ROW(80, Y5, X5)
	ROW(96, Y6, X6)
	ROW(112, Y7, X7)
	VBROADCASTI128 (BX), Y10
	VPMULLW        Y10, Y0, Y0
	VPSLLW         $2, Y0, Y15

	// A block whose rows are 0 but for the first has columns of one value.
	VPTEST Y8, Y8
	JZ     flat
	XORL   DX, DX
	VEXTRACTI128 $1, Y8, X10
	VPTEST X8, X8
	JZ     halfFlat
	INCL   DX
halfFlat:
	VPTEST X10, X10
	JZ     load
	ADDL   $2, DX
load:
	VBROADCASTI128 16(BX), Y8
	VBROADCASTI128 32(BX), Y9
	VBROADCASTI128 48(BX), Y10
	VBROADCASTI128 64(BX), Y11
	VBROADCASTI128 80(BX), Y12
	VBROADCASTI128 96(BX), Y13
	VBROADCASTI128 112(BX), Y14
	VPMULLW Y8, Y1, Y1
	VPMULLW Y9, Y2, Y2
	VPMULLW Y10, Y3, Y3
	VPMULLW Y11, Y4, Y4
	VPMULLW Y12, Y5, Y5
	VPMULLW Y13, Y6, Y6
	VPMULLW Y14, Y7, Y7
	VMOVDQU Y15, columns-160(SP)
	PASS(round1<>(SB), 11)

	CMPL DX, $3
	JEQ  transpose
	VMOVDQU columns-160(SP), Y15
	CMPL    DX, $1
	JEQ     flatHigh
	VPBLENDD $0x0f, Y15, Y4, Y4
	VPBLENDD $0x0f, Y15, Y6, Y6
	VPBLENDD $0x0f, Y15, Y7, Y7
	VPBLENDD $0x0f, Y15, Y13, Y13
	VPBLENDD $0x0f, Y15, Y1, Y1
	VPBLENDD $0x0f, Y15, Y3, Y3
	VPBLENDD $0x0f, Y15, Y10, Y10
	VPBLENDD $0x0f, Y15, Y12, Y12
	JMP      transpose
flatHigh:
	VPBLENDD $0xf0, Y15, Y4, Y4
	VPBLENDD $0xf0, Y15, Y6, Y6
	VPBLENDD $0xf0, Y15, Y7, Y7
	VPBLENDD $0xf0, Y15, Y13, Y13
	VPBLENDD $0xf0, Y15, Y1, Y1
	VPBLENDD $0xf0, Y15, Y3, Y3
	VPBLENDD $0xf0, Y15, Y10, Y10
	VPBLENDD $0xf0, Y15, Y12, Y12

transpose:
	VPUNPCKLWD  Y6, Y4, Y0
	VPUNPCKHWD  Y6, Y4, Y2
	VPUNPCKLWD  Y13, Y7, Y5
	VPUNPCKHWD  Y13, Y7, Y8
	VPUNPCKLWD  Y3, Y1, Y9
	VPUNPCKHWD  Y3, Y1, Y11
	VPUNPCKLWD  Y12, Y10, Y14
	VPUNPCKHWD  Y12, Y10, Y15
	VPUNPCKLDQ  Y5, Y0, Y1
	VPUNPCKHDQ  Y5, Y0, Y3
	VPUNPCKLDQ  Y8, Y2, Y5
	VPUNPCKHDQ  Y8, Y2, Y7
	VPUNPCKLDQ  Y14, Y9, Y8
	VPUNPCKHDQ  Y14, Y9, Y10
	VPUNPCKLDQ  Y15, Y11, Y12
	VPUNPCKHDQ  Y15, Y11, Y13
	VPUNPCKLQDQ Y8, Y1, Y0
	VPUNPCKHQDQ Y8, Y1, Y1
	VPUNPCKLQDQ Y10, Y3, Y2
	VPUNPCKHQDQ Y10, Y3, Y3
	VPUNPCKLQDQ Y12, Y5, Y4
	VPUNPCKHQDQ Y12, Y5, Y5
	VPUNPCKLQDQ Y13, Y7, Y6
	VPUNPCKHQDQ Y13, Y7, Y7

second:
	PASS(round2<>(SB), 18)

	// To bytes, and back to rows.
	VPBROADCASTD center8<>(SB), Y15
	VPACKSSWB    Y7, Y4, Y0         // columns 0, 2
	VPACKSSWB    Y13, Y6, Y2        // 1, 3
	VPACKSSWB    Y10, Y1, Y4        // 4, 6
	VPACKSSWB    Y12, Y3, Y6        // 5, 7
	VPADDB       Y15, Y0, Y0
	VPADDB       Y15, Y2, Y2
	VPADDB       Y15, Y4, Y4
	VPADDB       Y15, Y6, Y6
	VPUNPCKLBW   Y2, Y0, Y1         // 0, 1 of every row
	VPUNPCKHBW   Y2, Y0, Y3         // 2, 3
	VPUNPCKLBW   Y6, Y4, Y5         // 4, 5
	VPUNPCKHBW   Y6, Y4, Y7         // 6, 7
	VPUNPCKLWD   Y3, Y1, Y0         // 0…3 of rows 0…3
	VPUNPCKHWD   Y3, Y1, Y1         // of rows 4…7
	VPUNPCKLWD   Y7, Y5, Y2         // 4…7 of rows 0…3
	VPUNPCKHWD   Y7, Y5, Y3         // of rows 4…7
	VPUNPCKLDQ   Y2, Y0, Y4         // rows 0, 1
	VPUNPCKHDQ   Y2, Y0, Y5         // 2, 3
	VPUNPCKLDQ   Y3, Y1, Y6         // 4, 5
	VPUNPCKHDQ   Y3, Y1, Y7         // 6, 7
	VPERMQ       $0xd8, Y4, Y4      // both blocks side by side
	VPERMQ       $0xd8, Y5, Y5
	VPERMQ       $0xd8, Y6, Y6
	VPERMQ       $0xd8, Y7, Y7
	LEAQ         (DI)(R8*4), DX
	VMOVDQU      X4, (DI)
	VEXTRACTI128 $1, Y4, (DI)(R8*1)
	VMOVDQU      X5, (DI)(R8*2)
	VEXTRACTI128 $1, Y5, (DI)(R9*1)
	VMOVDQU      X6, (DX)
	VEXTRACTI128 $1, Y6, (DX)(R8*1)
	VMOVDQU      X7, (DX)(R8*2)
	VEXTRACTI128 $1, Y7, (DX)(R9*1)

	ADDQ $256, SI
	ADDQ $16, DI
	DECQ CX
	JNE  pair
	VZEROUPPER
	RET

flat:
	VPUNPCKLWD Y15, Y15, Y4
	VPUNPCKHWD Y15, Y15, Y8
	VPSHUFD    $0x00, Y4, Y0
	VPSHUFD    $0x55, Y4, Y1
	VPSHUFD    $0xaa, Y4, Y2
	VPSHUFD    $0xff, Y4, Y3
	VPSHUFD    $0x00, Y8, Y4
	VPSHUFD    $0x55, Y8, Y5
	VPSHUFD    $0xaa, Y8, Y6
	VPSHUFD    $0xff, Y8, Y7
	JMP        second
