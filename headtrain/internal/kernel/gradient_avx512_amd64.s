//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "ahead_amd64.h"

// Up to 12 classes: their gradients at DI, R8, R9 with the distance R10, three
// times which is R11; two registers of 16 features each.
#define COLS1(OP)  OP(0, 0(DI), 64(DI), Z0, Z1)
#define COLS2(OP)  COLS1(OP); OP(128, (DI)(R10*1), 64(DI)(R10*1), Z2, Z3)
#define COLS3(OP)  COLS2(OP); OP(256, (DI)(R10*2), 64(DI)(R10*2), Z4, Z5)
#define COLS4(OP)  COLS3(OP); OP(384, (DI)(R11*1), 64(DI)(R11*1), Z6, Z7)
#define COLS5(OP)  COLS4(OP); OP(512, 0(R8), 64(R8), Z8, Z9)
#define COLS6(OP)  COLS5(OP); OP(640, (R8)(R10*1), 64(R8)(R10*1), Z10, Z11)
#define COLS7(OP)  COLS6(OP); OP(768, (R8)(R10*2), 64(R8)(R10*2), Z12, Z13)
#define COLS8(OP)  COLS7(OP); OP(896, (R8)(R11*1), 64(R8)(R11*1), Z14, Z15)
#define COLS9(OP)  COLS8(OP); OP(1024, 0(R9), 64(R9), Z16, Z17)
#define COLS10(OP) COLS9(OP); OP(1152, (R9)(R10*1), 64(R9)(R10*1), Z18, Z19)
#define COLS11(OP) COLS10(OP); OP(1280, (R9)(R10*2), 64(R9)(R10*2), Z20, Z21)
#define COLS12(OP) COLS11(OP); OP(1408, (R9)(R11*1), 64(R9)(R11*1), Z22, Z23)

#define ZERO(at, g, h, a, b) \
	VPXORQ a, a, a \
	VPXORQ b, b, b

#define FMA(at, g, h, a, b) \
	VBROADCASTSS at(DX), Z26  \
	VFMADD231PS  Z24, Z26, a \
	VFMADD231PS  Z25, Z26, b

// ADD adds what is there if the mask K1 keeps it.
#define ADD(at, g, h, a, b) \
	VMOVUPS.Z g, K1, Z24 \
	VMOVUPS.Z h, K1, Z25 \
	VADDPS    Z24, a, a  \
	VADDPS    Z25, b, b  \
	VMOVUPS   a, g       \
	VMOVUPS   b, h

// TILE sums n classes over the rows, block by block of 32, in runs of 16;
// meanwhile a line a row is fetched.
#define TILE(n, block, run, row, COLS) \
	COLS(ZERO)                         \
	MOVQ    gradientArgs_x(AX), SI     \
	MOVQ    gradientArgs_rows(AX), R12 \
	MOVQ    R15, R14                   \
block:                                     \
	MOVQ    R14, DX                    \
	ADDQ    gradientArgs_dzBytes(AX), R14 \
	MOVQ    $32, R9                    \
	CMPQ    R12, R9                    \
	CMOVQLT R12, R9                    \
	SUBQ    R9, R12                    \
run:                                       \
	MOVQ    $16, CX                    \
	CMPQ    R9, CX                     \
	CMOVQLT R9, CX                     \
	SUBQ    CX, R9                     \
	AHEAD(gradientArgs_ahead, R8, R11) \
row:                                       \
	PREFETCHT1 (R8)                    \
	ADDQ    $64, R8                    \
	VMOVUPS (SI), Z24                  \
	VMOVUPS 64(SI), Z25                \
	COLS(FMA)                          \
	ADDQ    $4, DX                     \
	ADDQ    BX, SI                     \
	DECQ    CX                         \
	JNZ     row                        \
	TESTQ   R9, R9                     \
	JNZ     run                        \
	TESTQ   R12, R12                   \
	JNZ     block                      \
	LEAQ    (R10)(R10*2), R11          \
	LEAQ    (DI)(R10*4), R8            \
	LEAQ    (DI)(R10*8), R9            \
	COLS(ADD)                          \
	MOVQ    $n, CX                     \
	JMP     next

// func gradientAVX512(a *gradientArgs)
TEXT ·gradientAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ gradientArgs_g(AX), DI
	MOVQ gradientArgs_dz(AX), R15
	MOVQ gradientArgs_xBytes(AX), BX
	MOVQ gradientArgs_gBytes(AX), R10
	MOVQ gradientArgs_cols(AX), R13
	MOVL gradientArgs_keep(AX), R8
	KMOVW R8, K1

tile:                                         // do {
	CMPQ R13, $12
	JGE  n12
	CMPQ R13, $11
	JEQ  n11
	CMPQ R13, $10
	JEQ  n10
	CMPQ R13, $9
	JEQ  n9
	CMPQ R13, $8
	JEQ  n8
	CMPQ R13, $7
	JEQ  n7
	CMPQ R13, $6
	JEQ  n6
	CMPQ R13, $5
	JEQ  n5
	CMPQ R13, $4
	JEQ  n4
	CMPQ R13, $3
	JEQ  n3
	CMPQ R13, $2
	JEQ  n2
	JMP  n1

next:                                         // CX classes are done
	MOVQ  CX, R14
	IMULQ R10, R14
	ADDQ  R14, DI
	MOVQ  CX, R14
	SHLQ  $7, R14
	ADDQ  R14, R15
	SUBQ  CX, R13
	JNZ   tile                            // } while classes are left
	VZEROUPPER
	RET

n12:
	TILE(12, block12, run12, row12, COLS12)

n11:
	TILE(11, block11, run11, row11, COLS11)

n10:
	TILE(10, block10, run10, row10, COLS10)

n9:
	TILE(9, block9, run9, row9, COLS9)

n8:
	TILE(8, block8, run8, row8, COLS8)

n7:
	TILE(7, block7, run7, row7, COLS7)

n6:
	TILE(6, block6, run6, row6, COLS6)

n5:
	TILE(5, block5, run5, row5, COLS5)

n4:
	TILE(4, block4, run4, row4, COLS4)

n3:
	TILE(3, block3, run3, row3, COLS3)

n2:
	TILE(2, block2, run2, row2, COLS2)

n1:
	TILE(1, block1, run1, row1, COLS1)
