//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "ahead_amd64.h"

// Up to 3 classes, four registers of 8 features each.
#define COLS1(OP) OP(0, DI, Y12, Y0, Y1, Y2, Y3)
#define COLS2(OP) COLS1(OP); OP(128, R8, Y13, Y4, Y5, Y6, Y7)
#define COLS3(OP) COLS2(OP); OP(256, R9, Y14, Y8, Y9, Y10, Y11)

#define ZERO(at, g, v, a, b, c, d) \
	VXORPS a, a, a \
	VXORPS b, b, b \
	VXORPS c, c, c \
	VXORPS d, d, d

#define OFROW(at, g, v, a, b, c, d) VBROADCASTSS at(DX), v
#define FMA0(at, g, v, a, b, c, d) VFMADD231PS Y15, v, a
#define FMA1(at, g, v, a, b, c, d) VFMADD231PS Y15, v, b
#define FMA2(at, g, v, a, b, c, d) VFMADD231PS Y15, v, c
#define FMA3(at, g, v, a, b, c, d) VFMADD231PS Y15, v, d

// ADD adds what is there if the mask Y15 keeps it.
#define ADD(at, g, v, a, b, c, d) \
	VANDPS  (g), Y15, v   \
	VADDPS  v, a, a       \
	VMOVUPS a, (g)        \
	VANDPS  32(g), Y15, v \
	VADDPS  v, b, b       \
	VMOVUPS b, 32(g)      \
	VANDPS  64(g), Y15, v \
	VADDPS  v, c, c       \
	VMOVUPS c, 64(g)      \
	VANDPS  96(g), Y15, v \
	VADDPS  v, d, d       \
	VMOVUPS d, 96(g)

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
	COLS(OFROW)                        \
	VMOVUPS (SI), Y15                  \
	COLS(FMA0)                         \
	VMOVUPS 32(SI), Y15                \
	COLS(FMA1)                         \
	VMOVUPS 64(SI), Y15                \
	COLS(FMA2)                         \
	VMOVUPS 96(SI), Y15                \
	COLS(FMA3)                         \
	ADDQ    $4, DX                     \
	ADDQ    BX, SI                     \
	DECQ    CX                         \
	JNZ     row                        \
	TESTQ   R9, R9                     \
	JNZ     run                        \
	TESTQ   R12, R12                   \
	JNZ     block                      \
	VBROADCASTSS gradientArgs_keep(AX), Y15 \
	LEAQ    (DI)(R10*1), R8            \
	LEAQ    (DI)(R10*2), R9            \
	COLS(ADD)                          \
	MOVQ    $n, CX                     \
	JMP     next

// func gradientAVX2(a *gradientArgs)
TEXT ·gradientAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ gradientArgs_g(AX), DI
	MOVQ gradientArgs_dz(AX), R15
	MOVQ gradientArgs_xBytes(AX), BX
	MOVQ gradientArgs_gBytes(AX), R10
	MOVQ gradientArgs_cols(AX), R13

tile:                                         // do {
	CMPQ R13, $3
	JGE  n3
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

n3:
	TILE(3, block3, run3, row3, COLS3)

n2:
	TILE(2, block2, run2, row2, COLS2)

n1:
	TILE(1, block1, run1, row1, COLS1)
