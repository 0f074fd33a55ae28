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
	VPXORQ a, a, a                  /* acc[0:16] = 0 */ \
	VPXORQ b, b, b                  /* acc[16:32] = 0 */

#define FMA(at, g, h, a, b) \
	VBROADCASTSS at(DX), Z26        /* v = dz[r] of the class */                 \
	VFMADD231PS  Z24, Z26, a        /* acc[0:16] = fma(x[0:16], v, acc[0:16]) */ \
	VFMADD231PS  Z25, Z26, b        /* acc[16:32] = fma(x[16:32], v, acc[16:32]) */

// ADD adds what is there if the mask K1 keeps it.
#define ADD(at, g, h, a, b) \
	VMOVUPS.Z g, K1, Z24            /* t = g[0:16], or 0 if fresh */  \
	VMOVUPS.Z h, K1, Z25            /* u = g[16:32], or 0 if fresh */ \
	VADDPS    Z24, a, a             /* acc[0:16] += t */              \
	VADDPS    Z25, b, b             /* acc[16:32] += u */             \
	VMOVUPS   a, g                  /* g[0:16] = acc[0:16] */         \
	VMOVUPS   b, h                  /* g[16:32] = acc[16:32] */

// TILE sums n classes over the rows, block by block of 32, in runs of 16;
// meanwhile a line a row is fetched.
#define TILE(n, block, run, row, COLS) \
	COLS(ZERO)                            /* acc = 0, of n classes */                     \
	MOVQ    gradientArgs_x(AX), SI        /* x, from row 0 on */                          \
	MOVQ    gradientArgs_rows(AX), R12    /* rows left */                                 \
	MOVQ    R15, R14                      /* next = dz, of the first class */             \
block:                                        /* do { */                                      \
	MOVQ    R14, DX                       /* dz = next */                                 \
	ADDQ    gradientArgs_dzBytes(AX), R14 /* next = dz of the next block */               \
	MOVQ    $32, R9                                                                       \
	CMPQ    R12, R9                                                                       \
	CMOVQLT R12, R9                       /* left = min(32, rows) */                      \
	SUBQ    R9, R12                       /* rows -= left */                              \
run:                                          /* do { */                                      \
	MOVQ    $16, CX                                                                       \
	CMPQ    R9, CX                                                                        \
	CMOVQLT R9, CX                        /* k = min(16, left) */                         \
	SUBQ    CX, R9                        /* left -= k */                                 \
	AHEAD(gradientArgs_ahead, R8, R11)    /* line = the next piece to fetch */            \
row:                                          /* do { */                                      \
	PREFETCHT1 (R8)                       /* fetch line */                                \
	ADDQ    $64, R8                       /* line += a line */                            \
	VMOVUPS (SI), Z24                     /* x[0:16] of row r */                          \
	VMOVUPS 64(SI), Z25                   /* x[16:32] */                                  \
	COLS(FMA)                             /* acc = fma(x[r], dz[r], acc), of n classes */ \
	ADDQ    $4, DX                        /* dz = dz[1:] */                               \
	ADDQ    BX, SI                        /* x = x of the next row */                     \
	DECQ    CX                                                                            \
	JNZ     row                           /* } while (--k > 0) */                         \
	TESTQ   R9, R9                                                                        \
	JNZ     run                           /* } while left > 0 */                          \
	TESTQ   R12, R12                                                                      \
	JNZ     block                         /* } while rows > 0 */                          \
	LEAQ    (R10)(R10*2), R11             /* from class to class, three times */          \
	LEAQ    (DI)(R10*4), R8               /* g of the fifth class */                      \
	LEAQ    (DI)(R10*8), R9               /* g of the ninth class */                      \
	COLS(ADD)                             /* g += acc, or g = acc if fresh */             \
	MOVQ    $n, CX                        /* done = n */                                  \
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
	JGE  n12                              // if classes >= 12 { TILE(12) }
	CMPQ R13, $11
	JEQ  n11                              // else if classes == 11 { TILE(11) }
	CMPQ R13, $10
	JEQ  n10                              // …
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
	JMP  n1                               // else { TILE(1) }

next:                                         // CX classes are done
	MOVQ  CX, R14
	IMULQ R10, R14
	ADDQ  R14, DI                         // g = g of class `done`
	MOVQ  CX, R14
	SHLQ  $7, R14
	ADDQ  R14, R15                        // dz = dz of class `done`
	SUBQ  CX, R13                         // classes -= done
	JNZ   tile                            // } while classes > 0
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
