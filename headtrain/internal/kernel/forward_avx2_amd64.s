//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "ahead_amd64.h"

// Two rows at a time, x and y, 8 features of them in Y12 and Y13, under up to 3
// classes: their weights w at SI with the distance DX; two registers of 8 sums for
// each class and row, s for x and t for y.
#define COLS1(OP) OP((SI), 32(SI), Y0, X0, Y1, Y2, X2, Y3)
#define COLS2(OP) COLS1(OP); OP((SI)(DX*1), 32(SI)(DX*1), Y4, X4, Y5, Y6, X6, Y7)
#define COLS3(OP) COLS2(OP); OP((SI)(DX*2), 32(SI)(DX*2), Y8, X8, Y9, Y10, X10, Y11)

// BIAS starts the first of the 16 sums; the others start at 0.
#define BIAS(lo, hi, a, ax, a8, b, bx, b8) \
	VMOVSS  lo, ax                  /* s[0] = the bias */           \
	VMOVAPS a, b                    /* t = s, for the second row */ \
	VXORPS  a8, a8, a8              /* s[8:16] = 0 */               \
	VXORPS  b8, b8, b8              /* t[8:16] = 0 */

#define FMALOW(lo, hi, a, ax, a8, b, bx, b8) \
	VMOVUPS     lo, Y14             /* w[f:f+8] */                          \
	VFMADD231PS Y12, Y14, a         /* s[0:8] = fma(x[f:f+8], w, s[0:8]) */ \
	VFMADD231PS Y13, Y14, b         /* t[0:8] = fma(y[f:f+8], w, t[0:8]) */

#define FMAHIGH(lo, hi, a, ax, a8, b, bx, b8) \
	VMOVUPS     hi, Y14             /* w[f+8:f+16] */                            \
	VFMADD231PS Y12, Y14, a8        /* s[8:16] = fma(x[f+8:f+16], w, s[8:16]) */ \
	VFMADD231PS Y13, Y14, b8        /* t[8:16] = fma(y[f+8:f+16], w, t[8:16]) */

#define TAILLOW(lo, hi, a, ax, a8, b, bx, b8) \
	VMASKMOVPS  lo, Y15, Y14        /* w[f:f+8], as far as it counts */     \
	VFMADD231PS Y12, Y14, a         /* s[0:8] = fma(x[f:f+8], w, s[0:8]) */ \
	VFMADD231PS Y13, Y14, b         /* t[0:8] = fma(y[f:f+8], w, t[0:8]) */

#define TAILHIGH(lo, hi, a, ax, a8, b, bx, b8) \
	VMASKMOVPS  hi, Y15, Y14        /* w[f+8:f+16], as far as it counts */       \
	VFMADD231PS Y12, Y14, a8        /* s[8:16] = fma(x[f+8:f+16], w, s[8:16]) */ \
	VFMADD231PS Y13, Y14, b8        /* t[8:16] = fma(y[f+8:f+16], w, t[8:16]) */

// FOLD adds up the sums of a class, of both rows, and stores them.
#define FOLD(lo, hi, a, ax, a8, b, bx, b8) \
	VADDPS       a8, a, a           /* s[0:8] += s[8:16] */                  \
	VEXTRACTF128 $1, a, X12                                                  \
	VADDPS       X12, ax, ax        /* s[0:4] += s[4:8] */                   \
	VADDPS       b8, b, b           /* t[0:8] += t[8:16] */                  \
	VEXTRACTF128 $1, b, X13                                                  \
	VADDPS       X13, bx, bx        /* t[0:4] += t[4:8] */                   \
	VUNPCKLPD    bx, ax, X12        /* s[0:2], t[0:2] */                     \
	VUNPCKHPD    bx, ax, X13        /* s[2:4], t[2:4] */                     \
	VADDPS       X13, X12, X12      /* s[0:2] += s[2:4], t[0:2] += t[2:4] */ \
	VHADDPS      X12, X12, X12      /* s[0] += s[1], t[0] += t[1] */         \
	VMOVLPS      X12, (DI)          /* z[r], z[r+1] = s[0], t[0] */          \
	ADDQ         $128, DI           /* z = z of the next class */

// TILE is the loop over features, in runs of 16 times 16, for n classes;
// meanwhile a line each is fetched.
#define TILE(n, COLS, run, loop, last, done) \
	MOVQ forwardArgs_features(AX), R8   /* d */                                         \
	LEAQ (SI)(R8*4), SI                 /* w[d:] */                                     \
	COLS(BIAS)                          /* s, t = bias, of n classes */                 \
	SHLQ $2, R8                         /* d, in bytes */                               \
	SUBQ R8, SI                         /* w[0:] */                                     \
	SHRQ $6, R8                         /* full = d/16 */                               \
	XORQ R12, R12                       /* f = 0 */                                     \
	TESTQ R8, R8                                                                        \
	JZ   last                           /* if full > 0 { */                             \
run:                                        /* do { */                                      \
	MOVQ    $16, CX                                                                     \
	CMPQ    R8, CX                                                                      \
	CMOVQLT R8, CX                      /* k = min(16, full) */                         \
	SUBQ    CX, R8                      /* full -= k */                                 \
	AHEAD(forwardArgs_ahead, R9, R15)   /* line = the next piece to fetch */            \
loop:                                       /* do { */                                      \
	PREFETCHT1 (R9)                     /* fetch line */                                \
	ADDQ    $64, R9                     /* line += a line */                            \
	VMOVUPS (R10)(R12*1), Y12           /* x[f:f+8] */                                  \
	VMOVUPS (R11)(R12*1), Y13           /* y[f:f+8] */                                  \
	COLS(FMALOW)                        /* s, t += x, y · w[f:f+8] */                   \
	VMOVUPS 32(R10)(R12*1), Y12         /* x[f+8:f+16] */                               \
	VMOVUPS 32(R11)(R12*1), Y13         /* y[f+8:f+16] */                               \
	COLS(FMAHIGH)                       /* s, t += x, y · w[f+8:f+16] */                \
	ADDQ    $64, R12                    /* f += 16 */                                   \
	ADDQ    $64, SI                     /* w = w[16:] */                                \
	DECQ    CX                                                                          \
	JNZ     loop                        /* } while (--k > 0) */                         \
	TESTQ   R8, R8                                                                      \
	JNZ     run                         /* } while full > 0 } */                        \
last:                                                                                       \
	MOVQ forwardArgs_features(AX), R8                                                   \
	ANDQ $15, R8                        /* rest = d % 16 */                             \
	JZ   done                           /* if rest > 0 { */                             \
	LEAQ forwardMask<>(SB), R9                                                          \
	SHLQ $2, R8                                                                         \
	SUBQ R8, R9                         /* mask = forwardMask[16-rest:] */              \
	VMOVUPS    64(R9), Y15              /* mask of f … f+7 */                           \
	VMASKMOVPS (R10)(R12*1), Y15, Y12   /* x[f:f+8], as far as it counts */             \
	VMASKMOVPS (R11)(R12*1), Y15, Y13   /* y[f:f+8], as far as it counts */             \
	COLS(TAILLOW)                       /* s, t += x, y · w[f:f+8] */                   \
	VMOVUPS    96(R9), Y15              /* mask of f+8 … f+15 */                        \
	VMASKMOVPS 32(R10)(R12*1), Y15, Y12 /* x[f+8:f+16], as far as it counts */          \
	VMASKMOVPS 32(R11)(R12*1), Y15, Y13 /* y[f+8:f+16], as far as it counts */          \
	COLS(TAILHIGH)                      /* s, t += x, y · w[f+8:f+16] } */              \
done:                                                                                       \
	SUBQ R12, SI                        /* w = w[-f:] */                                \
	COLS(FOLD)                          /* z[r], z[r+1] = s, t, folded, of n classes */ \
	SUBQ $(128*n), DI                   /* z of the first class */                      \
	JMP  stored

// 16 lanes that count and 16 that do not.
DATA forwardMask<>+0(SB)/8, $-1
DATA forwardMask<>+8(SB)/8, $-1
DATA forwardMask<>+16(SB)/8, $-1
DATA forwardMask<>+24(SB)/8, $-1
DATA forwardMask<>+32(SB)/8, $-1
DATA forwardMask<>+40(SB)/8, $-1
DATA forwardMask<>+48(SB)/8, $-1
DATA forwardMask<>+56(SB)/8, $-1
GLOBL forwardMask<>(SB), RODATA|NOPTR, $128

// func forwardAVX2(a *forwardArgs)
TEXT ·forwardAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ forwardArgs_z(AX), DI
	MOVQ forwardArgs_w(AX), SI
	MOVQ forwardArgs_wBytes(AX), DX
	MOVQ forwardArgs_cols(AX), R13

tile:                                         // do {
	MOVQ    $3, BX
	CMPQ    R13, BX
	CMOVQLT R13, BX                       // n = min(3, classes)
	MOVQ    $16, R14                      // pairs = Block/2
	MOVQ    forwardArgs_x(AX), R10        // x = row 0

pair:                                         // do {
	MOVQ R10, R11
	ADDQ forwardArgs_xBytes(AX), R11      // y = the row after x
	CMPQ BX, $3
	JEQ  n3                               // if n == 3 { TILE(3) }
	CMPQ BX, $2
	JEQ  n2                               // else if n == 2 { TILE(2) }
	JMP  n1                               // else { TILE(1) }

stored:
	ADDQ  $8, DI                          // z = z[2:]
	MOVQ  forwardArgs_xBytes(AX), R8
	LEAQ  (R10)(R8*2), R10                // x = x two rows on
	DECQ  R14
	JNZ   pair                            // } while (--pairs > 0)
	MOVQ  BX, R8
	IMULQ DX, R8
	ADDQ  R8, SI                          // w = w of class n
	MOVQ  BX, R8
	SHLQ  $7, R8
	LEAQ  -128(DI)(R8*1), DI              // z = z of class n: it stands at the end of class 0
	SUBQ  BX, R13                         // classes -= n
	JNZ   tile                            // } while classes > 0
	VZEROUPPER
	RET

n3:
	TILE(3, COLS3, run3, loop3, last3, done3)

n2:
	TILE(2, COLS2, run2, loop2, last2, done2)

n1:
	TILE(1, COLS1, run1, loop1, last1, done1)
