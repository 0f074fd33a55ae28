//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "ahead_amd64.h"

// Up to 3 classes, four registers of 8 features each.
#define COLS1(OP) OP(0, DI, Y12, Y0, Y1, Y2, Y3)
#define COLS2(OP) COLS1(OP); OP(128, R8, Y13, Y4, Y5, Y6, Y7)
#define COLS3(OP) COLS2(OP); OP(256, R9, Y14, Y8, Y9, Y10, Y11)

#define ZERO(at, g, v, a, b, c, d) \
	VXORPS a, a, a                  /* acc[0:8] = 0 */   \
	VXORPS b, b, b                  /* acc[8:16] = 0 */  \
	VXORPS c, c, c                  /* acc[16:24] = 0 */ \
	VXORPS d, d, d                  /* acc[24:32] = 0 */

#define OFROW(at, g, v, a, b, c, d) VBROADCASTSS at(DX), v // v = dz[r] of the class
#define FMA0(at, g, v, a, b, c, d) VFMADD231PS Y15, v, a // acc[0:8] = fma(x[0:8], v, acc[0:8])
#define FMA1(at, g, v, a, b, c, d) VFMADD231PS Y15, v, b // acc[8:16] = fma(x[8:16], v, acc[8:16])
#define FMA2(at, g, v, a, b, c, d) VFMADD231PS Y15, v, c // acc[16:24] = fma(x[16:24], v, acc[16:24])
#define FMA3(at, g, v, a, b, c, d) VFMADD231PS Y15, v, d // acc[24:32] = fma(x[24:32], v, acc[24:32])

// ADD adds what is there if the mask Y15 keeps it.
#define ADD(at, g, v, a, b, c, d) \
	VANDPS  (g), Y15, v             /* v = g[0:8], or 0 if fresh */ \
	VADDPS  v, a, a                 /* acc[0:8] += v */             \
	VMOVUPS a, (g)                  /* g[0:8] = acc[0:8] */         \
	VANDPS  32(g), Y15, v           /* v = g[8:16] */               \
	VADDPS  v, b, b                 /* acc[8:16] += v */            \
	VMOVUPS b, 32(g)                /* g[8:16] = acc[8:16] */       \
	VANDPS  64(g), Y15, v           /* v = g[16:24] */              \
	VADDPS  v, c, c                 /* acc[16:24] += v */           \
	VMOVUPS c, 64(g)                /* g[16:24] = acc[16:24] */     \
	VANDPS  96(g), Y15, v           /* v = g[24:32] */              \
	VADDPS  v, d, d                 /* acc[24:32] += v */           \
	VMOVUPS d, 96(g)                /* g[24:32] = acc[24:32] */

// TILE sums n classes over the rows, block by block of 32, in runs of 16;
// meanwhile a line a row is fetched.
#define TILE(n, block, run, row, COLS) \
	COLS(ZERO)                              /* acc = 0, of n classes */          \
	MOVQ    gradientArgs_x(AX), SI          /* x, from row 0 on */               \
	MOVQ    gradientArgs_rows(AX), R12      /* rows left */                      \
	MOVQ    R15, R14                        /* next = dz, of the first class */  \
block:                                          /* do { */                           \
	MOVQ    R14, DX                         /* dz = next */                      \
	ADDQ    gradientArgs_dzBytes(AX), R14   /* next = dz of the next block */    \
	MOVQ    $32, R9                                                              \
	CMPQ    R12, R9                                                              \
	CMOVQLT R12, R9                         /* left = min(32, rows) */           \
	SUBQ    R9, R12                         /* rows -= left */                   \
run:                                            /* do { */                           \
	MOVQ    $16, CX                                                              \
	CMPQ    R9, CX                                                               \
	CMOVQLT R9, CX                          /* k = min(16, left) */              \
	SUBQ    CX, R9                          /* left -= k */                      \
	AHEAD(gradientArgs_ahead, R8, R11)      /* line = the next piece to fetch */ \
row:                                            /* do { */                           \
	PREFETCHT1 (R8)                         /* fetch line */                     \
	ADDQ    $64, R8                         /* line += a line */                 \
	COLS(OFROW)                             /* v = dz[r], of n classes */        \
	VMOVUPS (SI), Y15                       /* x[0:8] of row r */                \
	COLS(FMA0)                                                                   \
	VMOVUPS 32(SI), Y15                     /* x[8:16] */                        \
	COLS(FMA1)                                                                   \
	VMOVUPS 64(SI), Y15                     /* x[16:24] */                       \
	COLS(FMA2)                                                                   \
	VMOVUPS 96(SI), Y15                     /* x[24:32] */                       \
	COLS(FMA3)                              /* acc = fma(x[r], v, acc) */        \
	ADDQ    $4, DX                          /* dz = dz[1:] */                    \
	ADDQ    BX, SI                          /* x = x of the next row */          \
	DECQ    CX                                                                   \
	JNZ     row                             /* } while (--k > 0) */              \
	TESTQ   R9, R9                                                               \
	JNZ     run                             /* } while left > 0 */               \
	TESTQ   R12, R12                                                             \
	JNZ     block                           /* } while rows > 0 */               \
	VBROADCASTSS gradientArgs_keep(AX), Y15 /* keep */                           \
	LEAQ    (DI)(R10*1), R8                 /* g of the second class */          \
	LEAQ    (DI)(R10*2), R9                 /* g of the third class */           \
	COLS(ADD)                               /* g += acc, or g = acc if fresh */  \
	MOVQ    $n, CX                          /* done = n */                       \
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
	JGE  n3                               // if classes >= 3 { TILE(3) }
	CMPQ R13, $2
	JEQ  n2                               // else if classes == 2 { TILE(2) }
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

n3:
	TILE(3, block3, run3, row3, COLS3)

n2:
	TILE(2, block2, run2, row2, COLS2)

n1:
	TILE(1, block1, run1, row1, COLS1)
