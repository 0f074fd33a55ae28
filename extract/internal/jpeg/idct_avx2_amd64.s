//go:build !purego

#include "textflag.h"

// The two blocks of a pair lie in the two halves of a register; a register
// holds a row of each. The steps and their names are those of pass in idct.go.

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

// PASS is pass on eight columns (transposed: rows) of both blocks: in[0] … in[7] are Y0 to Y7, and
// out[0] … out[7] become Y4, Y6, Y7, Y13, Y1, Y3, Y10, Y12. Words become sums of 32
// bits in two registers, for columns 0…3 and 4…7: what the first of two lines does,
// the second does for columns 4…7.
#define PASS(round, shift) \
	VPBROADCASTD evenT3<>(SB), Y14                                                \
	VPBROADCASTD evenT2<>(SB), Y15                                                \
	VPUNPCKLWD   Y6, Y2, Y8         /* z = pairs in[2], in[6] */                  \
	VPUNPCKHWD   Y6, Y2, Y9                                                       \
	VPMADDWD     Y14, Y8, Y10       /* t3 = z2*(fix0541+fix0765) + z3*fix0541 */  \
	VPMADDWD     Y14, Y9, Y11                                                     \
	VPMADDWD     Y15, Y8, Y8        /* t2 = z2*fix0541 + z3*(fix0541-fix1847) */  \
	VPMADDWD     Y15, Y9, Y9                                                      \
	VPBROADCASTD round, Y14         /* half = 1<<(shift-1) */                     \
	VPXOR        Y12, Y12, Y12                                                    \
	VPADDW       Y4, Y0, Y2         /* t0 = in[0] + in[4] */                      \
	VPSUBW       Y4, Y0, Y6         /* t1 = in[0] - in[4] */                      \
	VPUNPCKLWD   Y2, Y12, Y0        /* t0 <<= 16 */                               \
	VPUNPCKHWD   Y2, Y12, Y2                                                      \
	VPUNPCKLWD   Y6, Y12, Y4        /* t1 <<= 16 */                               \
	VPUNPCKHWD   Y6, Y12, Y6                                                      \
	VPSRAD       $3, Y0, Y0         /* t0 >>= 16-constBits */                     \
	VPSRAD       $3, Y2, Y2                                                       \
	VPSRAD       $3, Y4, Y4         /* t1 >>= 16-constBits */                     \
	VPSRAD       $3, Y6, Y6                                                       \
	VPADDD       Y14, Y0, Y0        /* t0 += half */                              \
	VPADDD       Y14, Y2, Y2                                                      \
	VPADDD       Y14, Y4, Y4        /* t1 += half */                              \
	VPADDD       Y14, Y6, Y6                                                      \
	VPADDD       Y10, Y0, Y12       /* e0 = t0 + t3 */                            \
	VPADDD       Y11, Y2, Y13                                                     \
	VPSUBD       Y10, Y0, Y0        /* e3 = t0 - t3 */                            \
	VPSUBD       Y11, Y2, Y2                                                      \
	VPADDD       Y8, Y4, Y10        /* e1 = t1 + t2 */                            \
	VPADDD       Y9, Y6, Y11                                                      \
	VPSUBD       Y8, Y4, Y4         /* e2 = t1 - t2 */                            \
	VPSUBD       Y9, Y6, Y6                                                       \
	VMOVDQU      Y4, mid2-64(SP)    /* mid2 = e2 */                               \
	VMOVDQU      Y6, mid2-32(SP)                                                  \
	VMOVDQU      Y0, mid3-128(SP)   /* mid3 = e3 */                               \
	VMOVDQU      Y2, mid3-96(SP)                                                  \
	VPADDW       Y3, Y7, Y8         /* s3 = in[7] + in[3] */                      \
	VPADDW       Y1, Y5, Y9         /* s4 = in[5] + in[1] */                      \
	VPUNPCKLWD   Y9, Y8, Y14        /* s = pairs s3, s4 */                        \
	VPUNPCKHWD   Y9, Y8, Y15                                                      \
	VPBROADCASTD oddZ3<>(SB), Y4                                                  \
	VPBROADCASTD oddZ4<>(SB), Y6                                                  \
	VPMADDWD     Y4, Y14, Y8        /* z3 = s3*(fix1175-fix1961) + s4*fix1175 */  \
	VPMADDWD     Y4, Y15, Y9                                                      \
	VPMADDWD     Y6, Y14, Y14       /* z4 = s3*fix1175 + s4*(fix1175-fix0390) */  \
	VPMADDWD     Y6, Y15, Y15                                                     \
	VPBROADCASTD oddO0<>(SB), Y4                                                  \
	VPBROADCASTD oddO3<>(SB), Y6                                                  \
	VPUNPCKLWD   Y1, Y7, Y0         /* i = pairs in[7], in[1] */                  \
	VPUNPCKHWD   Y1, Y7, Y2                                                       \
	VPMADDWD     Y4, Y0, Y1         /* o0 = i7*-fix0899 + i1*(fix1501-fix0899) */ \
	VPMADDWD     Y4, Y2, Y7                                                       \
	VPMADDWD     Y6, Y0, Y0         /* o3 = i7*(fix0298-fix0899) + i1*-fix0899 */ \
	VPMADDWD     Y6, Y2, Y2                                                       \
	VPADDD       Y14, Y1, Y1        /* o0 += z4 */                                \
	VPADDD       Y15, Y7, Y7                                                      \
	VPADDD       Y8, Y0, Y0         /* o3 += z3 */                                \
	VPADDD       Y9, Y2, Y2                                                       \
	VPADDD       Y1, Y12, Y4        /* v0 = e0 + o0 */                            \
	VPADDD       Y7, Y13, Y6                                                      \
	VPSUBD       Y1, Y12, Y12       /* v7 = e0 - o0 */                            \
	VPSUBD       Y7, Y13, Y13                                                     \
	VPSRAD       $shift, Y4, Y4     /* v0 >>= shift */                            \
	VPSRAD       $shift, Y6, Y6                                                   \
	VPSRAD       $shift, Y12, Y12   /* v7 >>= shift */                            \
	VPSRAD       $shift, Y13, Y13                                                 \
	VPACKSSDW    Y6, Y4, Y4         /* out[0] = saturate(v0) */                   \
	VPACKSSDW    Y13, Y12, Y12      /* out[7] = saturate(v7) */                   \
	VMOVDQU      mid3-128(SP), Y1   /* e3 = mid3 */                               \
	VMOVDQU      mid3-96(SP), Y6                                                  \
	VPADDD       Y0, Y1, Y13        /* v3 = e3 + o3 */                            \
	VPADDD       Y2, Y6, Y7                                                       \
	VPSUBD       Y0, Y1, Y1         /* v4 = e3 - o3 */                            \
	VPSUBD       Y2, Y6, Y6                                                       \
	VPSRAD       $shift, Y13, Y13   /* v3 >>= shift */                            \
	VPSRAD       $shift, Y7, Y7                                                   \
	VPSRAD       $shift, Y1, Y1     /* v4 >>= shift */                            \
	VPSRAD       $shift, Y6, Y6                                                   \
	VPACKSSDW    Y7, Y13, Y13       /* out[3] = saturate(v3) */                   \
	VPACKSSDW    Y6, Y1, Y1         /* out[4] = saturate(v4) */                   \
	VPBROADCASTD oddO1<>(SB), Y6                                                  \
	VPBROADCASTD oddO2<>(SB), Y7                                                  \
	VPUNPCKLWD   Y3, Y5, Y0         /* i = pairs in[5], in[3] */                  \
	VPUNPCKHWD   Y3, Y5, Y2                                                       \
	VPMADDWD     Y6, Y0, Y3         /* o1 = i5*-fix2562 + i3*(fix3072-fix2562) */ \
	VPMADDWD     Y6, Y2, Y5                                                       \
	VPMADDWD     Y7, Y0, Y0         /* o2 = i5*(fix2053-fix2562) + i3*-fix2562 */ \
	VPMADDWD     Y7, Y2, Y2                                                       \
	VPADDD       Y8, Y3, Y3         /* o1 += z3 */                                \
	VPADDD       Y9, Y5, Y5                                                       \
	VPADDD       Y14, Y0, Y0        /* o2 += z4 */                                \
	VPADDD       Y15, Y2, Y2                                                      \
	VPADDD       Y3, Y10, Y6        /* v1 = e1 + o1 */                            \
	VPADDD       Y5, Y11, Y7                                                      \
	VPSUBD       Y3, Y10, Y10       /* v6 = e1 - o1 */                            \
	VPSUBD       Y5, Y11, Y11                                                     \
	VPSRAD       $shift, Y6, Y6     /* v1 >>= shift */                            \
	VPSRAD       $shift, Y7, Y7                                                   \
	VPSRAD       $shift, Y10, Y10   /* v6 >>= shift */                            \
	VPSRAD       $shift, Y11, Y11                                                 \
	VPACKSSDW    Y7, Y6, Y6         /* out[1] = saturate(v1) */                   \
	VPACKSSDW    Y11, Y10, Y10      /* out[6] = saturate(v6) */                   \
	VMOVDQU      mid2-64(SP), Y3    /* e2 = mid2 */                               \
	VMOVDQU      mid2-32(SP), Y5                                                  \
	VPADDD       Y0, Y3, Y7         /* v2 = e2 + o2 */                            \
	VPADDD       Y2, Y5, Y8                                                       \
	VPSUBD       Y0, Y3, Y3         /* v5 = e2 - o2 */                            \
	VPSUBD       Y2, Y5, Y5                                                       \
	VPSRAD       $shift, Y7, Y7     /* v2 >>= shift */                            \
	VPSRAD       $shift, Y8, Y8                                                   \
	VPSRAD       $shift, Y3, Y3     /* v5 >>= shift */                            \
	VPSRAD       $shift, Y5, Y5                                                   \
	VPACKSSDW    Y8, Y7, Y7         /* out[2] = saturate(v2) */                   \
	VPACKSSDW    Y5, Y3, Y3         /* out[5] = saturate(v5) */

// ROW loads a row of coefficients, leaves 0 in its place, and notes in Y8
// whether any is not 0.
#define ROW(at, y, x) \
	VMOVDQU     at(SI), x              /* the first block's row */  \
	VINSERTI128 $1, (128+at)(SI), y, y /* the second block's row */ \
	VMOVDQU     X9, at(SI)             /* row = 0 */                \
	VMOVDQU     X9, (128+at)(SI)                                    \
	VPOR        y, Y8, Y8              /* below |= row */

// func idctAVX2(dst *byte, stride int, coefs *int16, quant *uint16, pairs int)
TEXT ·idctAVX2(SB), NOSPLIT, $160-40
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ coefs+16(FP), SI
	MOVQ quant+24(FP), BX
	MOVQ pairs+32(FP), CX
	LEAQ (R8)(R8*2), R9                   // 3*stride

pair:                                         // do {
	VPXOR Y9, Y9, Y9
	VPXOR Y8, Y8, Y8                      // below = 0
	ROW(0, Y0, X0)
	VPXOR Y8, Y8, Y8                      // the first row does not count
	ROW(16, Y1, X1)
	ROW(32, Y2, X2)
	ROW(48, Y3, X3)
	ROW(64, Y4, X4)
	ROW(80, Y5, X5)
	ROW(96, Y6, X6)
	ROW(112, Y7, X7)
	VBROADCASTI128 (BX), Y10              // row 0 *= quant
	VPMULLW        Y10, Y0, Y0
	VPSLLW         $2, Y0, Y15            // columns = row 0 << pass1Bits

	// A block whose rows are 0 but for the first has columns of one value.
	VPTEST Y8, Y8                         // if below == 0 {
	JZ     flat                           // goto flat }
	XORL   DX, DX                         // full = 0
	VEXTRACTI128 $1, Y8, X10
	VPTEST X8, X8                         // if the first block has any below {
	JZ     halfFlat
	INCL   DX                             // full = 1 }
halfFlat:
	VPTEST X10, X10                       // if the second block has any below {
	JZ     load
	ADDL   $2, DX                         // full += 2 }
load:
	VBROADCASTI128 16(BX), Y8             // rows 1 to 7 *= quant
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
	PASS(round1<>(SB), 11)                // the first pass, down the columns

	CMPL DX, $3                           // if full != 3 {
	JEQ  transpose
	VMOVDQU columns-160(SP), Y15
	CMPL    DX, $1                        // if full == 2 {
	JEQ     flatHigh
	VPBLENDD $0x0f, Y15, Y4, Y4           // the first block's rows = columns
	VPBLENDD $0x0f, Y15, Y6, Y6
	VPBLENDD $0x0f, Y15, Y7, Y7
	VPBLENDD $0x0f, Y15, Y13, Y13
	VPBLENDD $0x0f, Y15, Y1, Y1
	VPBLENDD $0x0f, Y15, Y3, Y3
	VPBLENDD $0x0f, Y15, Y10, Y10
	VPBLENDD $0x0f, Y15, Y12, Y12
	JMP      transpose                    // }
flatHigh:                                     // else {
	VPBLENDD $0xf0, Y15, Y4, Y4           // the second block's rows = columns
	VPBLENDD $0xf0, Y15, Y6, Y6
	VPBLENDD $0xf0, Y15, Y7, Y7
	VPBLENDD $0xf0, Y15, Y13, Y13
	VPBLENDD $0xf0, Y15, Y1, Y1
	VPBLENDD $0xf0, Y15, Y3, Y3
	VPBLENDD $0xf0, Y15, Y10, Y10
	VPBLENDD $0xf0, Y15, Y12, Y12         // } }

transpose:
	VPUNPCKLWD  Y6, Y4, Y0                // columns 0…3 of rows 0, 1
	VPUNPCKHWD  Y6, Y4, Y2                // columns 4…7 of rows 0, 1
	VPUNPCKLWD  Y13, Y7, Y5               // columns 0…3 of rows 2, 3
	VPUNPCKHWD  Y13, Y7, Y8               // columns 4…7 of rows 2, 3
	VPUNPCKLWD  Y3, Y1, Y9                // columns 0…3 of rows 4, 5
	VPUNPCKHWD  Y3, Y1, Y11               // columns 4…7 of rows 4, 5
	VPUNPCKLWD  Y12, Y10, Y14             // columns 0…3 of rows 6, 7
	VPUNPCKHWD  Y12, Y10, Y15             // columns 4…7 of rows 6, 7
	VPUNPCKLDQ  Y5, Y0, Y1                // columns 0, 1 of rows 0…3
	VPUNPCKHDQ  Y5, Y0, Y3                // columns 2, 3
	VPUNPCKLDQ  Y8, Y2, Y5                // columns 4, 5
	VPUNPCKHDQ  Y8, Y2, Y7                // columns 6, 7
	VPUNPCKLDQ  Y14, Y9, Y8               // columns 0, 1 of rows 4…7
	VPUNPCKHDQ  Y14, Y9, Y10              // columns 2, 3
	VPUNPCKLDQ  Y15, Y11, Y12             // columns 4, 5
	VPUNPCKHDQ  Y15, Y11, Y13             // columns 6, 7
	VPUNPCKLQDQ Y8, Y1, Y0                // column 0
	VPUNPCKHQDQ Y8, Y1, Y1                // column 1
	VPUNPCKLQDQ Y10, Y3, Y2               // column 2
	VPUNPCKHQDQ Y10, Y3, Y3               // column 3
	VPUNPCKLQDQ Y12, Y5, Y4               // column 4
	VPUNPCKHQDQ Y12, Y5, Y5               // column 5
	VPUNPCKLQDQ Y13, Y7, Y6               // column 6
	VPUNPCKHQDQ Y13, Y7, Y7               // column 7

second:
	PASS(round2<>(SB), 18)                // the second pass, along the rows

	// To bytes, and back to rows.
	VPBROADCASTD center8<>(SB), Y15
	VPACKSSWB    Y7, Y4, Y0               // columns 0, 2
	VPACKSSWB    Y13, Y6, Y2              // 1, 3
	VPACKSSWB    Y10, Y1, Y4              // 4, 6
	VPACKSSWB    Y12, Y3, Y6              // 5, 7
	VPADDB       Y15, Y0, Y0
	VPADDB       Y15, Y2, Y2
	VPADDB       Y15, Y4, Y4
	VPADDB       Y15, Y6, Y6
	VPUNPCKLBW   Y2, Y0, Y1               // 0, 1 of every row
	VPUNPCKHBW   Y2, Y0, Y3               // 2, 3
	VPUNPCKLBW   Y6, Y4, Y5               // 4, 5
	VPUNPCKHBW   Y6, Y4, Y7               // 6, 7
	VPUNPCKLWD   Y3, Y1, Y0               // 0…3 of rows 0…3
	VPUNPCKHWD   Y3, Y1, Y1               // of rows 4…7
	VPUNPCKLWD   Y7, Y5, Y2               // 4…7 of rows 0…3
	VPUNPCKHWD   Y7, Y5, Y3               // of rows 4…7
	VPUNPCKLDQ   Y2, Y0, Y4               // rows 0, 1
	VPUNPCKHDQ   Y2, Y0, Y5               // 2, 3
	VPUNPCKLDQ   Y3, Y1, Y6               // 4, 5
	VPUNPCKHDQ   Y3, Y1, Y7               // 6, 7
	VPERMQ       $0xd8, Y4, Y4            // both blocks side by side
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
	JNE  pair                             // } while (--pairs > 0)
	VZEROUPPER
	RET

flat:
	VPUNPCKLWD Y15, Y15, Y4               // flat: columns 0…3, each twice
	VPUNPCKHWD Y15, Y15, Y8               // columns 4…7, each twice
	VPSHUFD    $0x00, Y4, Y0              // column 0, eight times
	VPSHUFD    $0x55, Y4, Y1              // column 1
	VPSHUFD    $0xaa, Y4, Y2              // column 2
	VPSHUFD    $0xff, Y4, Y3              // column 3
	VPSHUFD    $0x00, Y8, Y4              // column 4
	VPSHUFD    $0x55, Y8, Y5              // column 5
	VPSHUFD    $0xaa, Y8, Y6              // column 6
	VPSHUFD    $0xff, Y8, Y7              // column 7
	JMP        second
