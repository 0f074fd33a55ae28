//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "ahead_amd64.h"

// Two rows at a time, x and y, 16 features of them in Z24 and Z25, under up to 12
// classes: their weights w at SI, R8, R9 with the distance DX, three times which is
// BX; a register of 16 sums for each class and row, s for x and t for y.
#define COLS1(OP)  OP((SI), Z0, X0, Z1)
#define COLS2(OP)  COLS1(OP); OP((SI)(DX*1), Z2, X2, Z3)
#define COLS3(OP)  COLS2(OP); OP((SI)(DX*2), Z4, X4, Z5)
#define COLS4(OP)  COLS3(OP); OP((SI)(BX*1), Z6, X6, Z7)
#define COLS5(OP)  COLS4(OP); OP((R8), Z8, X8, Z9)
#define COLS6(OP)  COLS5(OP); OP((R8)(DX*1), Z10, X10, Z11)
#define COLS7(OP)  COLS6(OP); OP((R8)(DX*2), Z12, X12, Z13)
#define COLS8(OP)  COLS7(OP); OP((R8)(BX*1), Z14, X14, Z15)
#define COLS9(OP)  COLS8(OP); OP((R9), Z16, X16, Z17)
#define COLS10(OP) COLS9(OP); OP((R9)(DX*1), Z18, X18, Z19)
#define COLS11(OP) COLS10(OP); OP((R9)(DX*2), Z20, X20, Z21)
#define COLS12(OP) COLS11(OP); OP((R9)(BX*1), Z22, X22, Z23)

// BIAS starts the first of the 16 sums; the others start at 0.
#define BIAS(w, a, ax, b) \
	VMOVSS  w, ax                   /* s[0] = the bias */ \
	VMOVAPS a, b                    /* t = s, for the second row */

#define FMA(w, a, ax, b) \
	VMOVUPS     w, Z26              /* w[f:f+16] */                \
	VFMADD231PS Z24, Z26, a         /* s = fma(x[f:f+16], w, s) */ \
	VFMADD231PS Z25, Z26, b         /* t = fma(y[f:f+16], w, t) */

#define TAILFMA(w, a, ax, b) \
	VMOVUPS.Z   w, K1, Z26          /* w[f:f+rest], else 0 */      \
	VFMADD231PS Z24, Z26, a         /* s = fma(x[f:f+16], w, s) */ \
	VFMADD231PS Z25, Z26, b         /* t = fma(y[f:f+16], w, t) */

// LOAD takes 16 features at byte R12 of both rows, R10 and R11; TAILLOAD those of
// the mask K1.
#define LOAD \
	VMOVUPS (R10)(R12*1), Z24       /* x[f:f+16] */ \
	VMOVUPS (R11)(R12*1), Z25       /* y[f:f+16] */

#define TAILLOAD \
	VMOVUPS.Z (R10)(R12*1), K1, Z24 /* x[f:f+rest], else 0 */ \
	VMOVUPS.Z (R11)(R12*1), K1, Z25 /* y[f:f+rest], else 0 */

// MAP loads them as LOAD does, maps them by mean, R15, and scale, DI, and stores
// them at R13 and AX; TAILMAP those of the mask K1.
#define MAP \
	LOAD                                                               \
	VMOVUPS (R15)(R12*1), Z27       /* mean[f:f+16] */                 \
	VMOVUPS (DI)(R12*1), Z28        /* scale[f:f+16] */                \
	VSUBPS  Z27, Z24, Z24           /* x -= mean */                    \
	VSUBPS  Z27, Z25, Z25           /* y -= mean */                    \
	VMULPS  Z28, Z24, Z24           /* x *= scale */                   \
	VMULPS  Z28, Z25, Z25           /* y *= scale */                   \
	VMOVUPS Z24, (R13)(R12*1)       /* first mapped row[f:f+16] = x */ \
	VMOVUPS Z25, (AX)(R12*1)        /* second mapped row[f:f+16] = y */

#define TAILMAP \
	TAILLOAD                                                           \
	VMOVUPS.Z (R15)(R12*1), K1, Z27 /* mean[f:f+rest], else 0 */       \
	VMOVUPS.Z (DI)(R12*1), K1, Z28  /* scale[f:f+rest], else 0 */      \
	VSUBPS    Z27, Z24, Z24         /* x -= mean */                    \
	VSUBPS    Z27, Z25, Z25         /* y -= mean */                    \
	VMULPS.Z  Z28, Z24, K1, Z24     /* x *= scale, else 0 */           \
	VMULPS.Z  Z28, Z25, K1, Z25     /* y *= scale, else 0 */           \
	VMOVUPS   Z24, (R13)(R12*1)     /* first mapped row[f:f+16] = x */ \
	VMOVUPS   Z25, (AX)(R12*1)      /* second mapped row[f:f+16] = y */

// TILE is the loop over features, in runs of 16 times 16, and over the tail of
// less than 16; meanwhile a line each is fetched.
#define TILE(TAKE, TAILTAKE, COLS, run, loop, tail) \
	MOVQ  forwardArgs_features(AX), CX /* d */                              \
	SHLQ  $2, CX                       /* d, in bytes */                    \
	ADDQ  CX, SI                       /* w[d:], of class 0 */              \
	LEAQ  (SI)(DX*4), R8               /* of class 4 */                     \
	LEAQ  (SI)(DX*8), R9               /* of class 8 */                     \
	COLS(BIAS)                         /* s, t = bias, of n classes */      \
	SUBQ  CX, SI                       /* w[0:] */                          \
	SUBQ  CX, R8                                                            \
	SUBQ  CX, R9                                                            \
	XORQ  R12, R12                     /* f = 0 */                          \
	MOVQ  forwardArgs_xBytes(AX), AX                                        \
	ADDQ  R13, AX                      /* the second mapped row */          \
	CMPQ  R12, full-16(SP)             /* if full > 0 { */                  \
	JGE   tail                                                              \
run:                                       /* do { */                           \
	MOVQ  a+0(FP), AX                  /* the arguments, for AHEAD */       \
	AHEAD(forwardArgs_ahead, R14, CX)  /* line = the next piece to fetch */ \
	MOVQ  forwardArgs_xBytes(AX), AX                                        \
	ADDQ  R13, AX                      /* the second mapped row */          \
	MOVQ  $16, CX                      /* k = 16 */                         \
loop:                                      /* do { */                           \
	PREFETCHT1 (R14)                   /* fetch line */                     \
	ADDQ  $64, R14                     /* line += a line */                 \
	TAKE                               /* x, y at f */                      \
	COLS(FMA)                          /* s, t += x, y · w[f:f+16] */       \
	ADDQ  $64, R12                     /* f += 16 */                        \
	ADDQ  $64, SI                      /* w = w[16:] */                     \
	ADDQ  $64, R8                                                           \
	ADDQ  $64, R9                                                           \
	CMPQ  R12, full-16(SP)                                                  \
	JGE   tail                         /* if f >= full { goto tail } */     \
	DECQ  CX                                                                \
	JNZ   loop                         /* } while (--k > 0) */              \
	JMP   run                          /* } } */                            \
tail:                                                                           \
	CMPQ  rest-56(SP), $0                                                   \
	JZ    fold                         /* if rest > 0 { */                  \
	TAILTAKE                           /* x, y at f, and 0 behind */        \
	COLS(TAILFMA)                      /* s, t += x, y · w[f:f+rest] } */   \
	JMP   fold

// HALVES, QUARTERS, PAIRS and SINGLES add the halves, the quarters of halves and
// so on of two registers and leave both in the first.
#define HALVES(a, b, t) \
	VSHUFF32X4 $0x44, b, a, t       /* t = a[0:8], b[0:8] */   \
	VSHUFF32X4 $0xee, b, a, a       /* a = a[8:16], b[8:16] */ \
	VADDPS     a, t, a              /* a += t */

#define QUARTERS(a, b, t) \
	VSHUFF32X4 $0x88, b, a, t       /* t = quarters 0, 2 of a and of b */ \
	VSHUFF32X4 $0xdd, b, a, a       /* a = quarters 1, 3 of a and of b */ \
	VADDPS     a, t, a              /* a += t */

#define PAIRS(a, b, t) \
	VUNPCKLPD b, a, t               /* t = of each quarter a[0:2], b[0:2] */ \
	VUNPCKHPD b, a, a               /* a = of each quarter a[2:4], b[2:4] */ \
	VADDPS    a, t, a               /* a += t */

#define SINGLES(a, b, t) \
	VSHUFPS $0x88, b, a, t          /* t = of each quarter a[0], a[2], b[0], b[2] */ \
	VSHUFPS $0xdd, b, a, a          /* a = of each quarter a[1], a[3], b[1], b[3] */ \
	VADDPS  a, t, a                 /* a += t */

// FOUR folds four registers of sums into one: one in each quarter of it.
#define FOUR(a, b, c, d, t, u) \
	HALVES(a, b, t)                 /* eight sums of a, of b */ \
	HALVES(c, d, u)                 /* eight sums of c, of d */ \
	QUARTERS(a, c, t)               /* four sums of a, b, c, d */

// FOLD adds up the sums of up to 12 classes and stores those of two rows at z.
// Lane i of Z0 comes to hold classes i and i+4, of Z16 class i+8.
#define FOLD \
	FOUR(Z0, Z2, Z4, Z6, Z24, Z25)     /* four sums each of classes 0…3, row r */                 \
	FOUR(Z1, Z3, Z5, Z7, Z26, Z27)     /* row r+1 */                                              \
	FOUR(Z8, Z10, Z12, Z14, Z24, Z25)  /* of classes 4…7, row r */                                \
	FOUR(Z9, Z11, Z13, Z15, Z26, Z27)  /* row r+1 */                                              \
	PAIRS(Z0, Z1, Z24)                 /* two sums of rows r, r+1; a quarter a class, 0…3 */      \
	PAIRS(Z8, Z9, Z25)                 /* of classes 4…7 */                                       \
	SINGLES(Z0, Z8, Z26)               /* quarter i: class i of rows r, r+1, class i+4 of them */ \
	FOUR(Z16, Z18, Z20, Z22, Z24, Z25) /* four sums each of classes 8…11, row r */                \
	FOUR(Z17, Z19, Z21, Z23, Z26, Z27) /* row r+1 */                                              \
	PAIRS(Z16, Z17, Z24)               /* two sums of rows r, r+1 */                              \
	SINGLES(Z16, Z16, Z25)             /* quarter i: class i+8 of rows r, r+1 */                  \
	VEXTRACTF32X4 $1, Z0, X1           /* classes 1, 5 */                                         \
	VEXTRACTF32X4 $2, Z0, X2           /* classes 2, 6 */                                         \
	VEXTRACTF32X4 $3, Z0, X3           /* classes 3, 7 */                                         \
	VEXTRACTF32X4 $0, Z16, X4          /* class 8 */                                              \
	VEXTRACTF32X4 $1, Z16, X5          /* class 9 */                                              \
	VEXTRACTF32X4 $2, Z16, X6          /* class 10 */                                             \
	VEXTRACTF32X4 $3, Z16, X7          /* class 11 */                                             \
	MOVQ width-32(SP), CX              /* n */                                                    \
	MOVQ z-8(SP), R8                   /* to = z */                                               \
	ADDQ $8, z-8(SP)                   /* z = z[2:] */

// STORE stores class n-1 of both rows; if it is the last, they are done.
#define STORE(n, MOV, x) \
	MOV  x, ((n-1)*128)(R8)         /* to[(n-1)*Block:][:2] = x */ \
	CMPQ CX, $n                                                    \
	JEQ  stored                     /* if width == n { goto stored } */

#define STORES \
	STORE(1, VMOVLPS, X0)  \
	STORE(2, VMOVLPS, X1)  \
	STORE(3, VMOVLPS, X2)  \
	STORE(4, VMOVLPS, X3)  \
	STORE(5, VMOVHPS, X0)  \
	STORE(6, VMOVHPS, X1)  \
	STORE(7, VMOVHPS, X2)  \
	STORE(8, VMOVHPS, X3)  \
	STORE(9, VMOVLPS, X4)  \
	STORE(10, VMOVLPS, X5) \
	STORE(11, VMOVLPS, X6) \
	STORE(12, VMOVLPS, X7)

// BEGIN sets what does not change: DX, BX, full, the bytes of features in whole
// runs of 16, rest, how many features are left, and K1, a mask of these.
#define BEGIN \
	MOVQ  a+0(FP), AX                                                 \
	MOVQ  forwardArgs_z(AX), R8                                       \
	MOVQ  R8, z-8(SP)                  /* z */                        \
	MOVQ  forwardArgs_w(AX), SI                                       \
	MOVQ  forwardArgs_wBytes(AX), DX   /* from class to class */      \
	LEAQ  (DX)(DX*2), BX               /* three times */              \
	MOVQ  forwardArgs_features(AX), R8 /* d */                        \
	MOVQ  R8, CX                                                      \
	ANDQ  $15, CX                                                     \
	MOVQ  CX, rest-56(SP)              /* rest = d % 16 */            \
	SHRQ  $4, R8                                                      \
	SHLQ  $6, R8                                                      \
	MOVQ  R8, full-16(SP)              /* full = d/16*16, in bytes */ \
	MOVL  $1, R8                                                      \
	SHLL  CX, R8                                                      \
	DECL  R8                                                          \
	KMOVW R8, K1                       /* a mask of rest features */  \
	MOVQ  $16, pairs-24(SP)            /* pairs = Block/2 */

#define CHOOSE \
	MOVQ width-32(SP), CX           /* n */                            \
	CMPQ CX, $12                                                       \
	JEQ  n12                        /* if n == 12 { TILE(12) } */      \
	CMPQ CX, $11                                                       \
	JEQ  n11                        /* else if n == 11 { TILE(11) } */ \
	CMPQ CX, $10                                                       \
	JEQ  n10                                                           \
	CMPQ CX, $9                                                        \
	JEQ  n9                                                            \
	CMPQ CX, $8                                                        \
	JEQ  n8                                                            \
	CMPQ CX, $7                                                        \
	JEQ  n7                                                            \
	CMPQ CX, $6                                                        \
	JEQ  n6                                                            \
	CMPQ CX, $5                                                        \
	JEQ  n5                                                            \
	CMPQ CX, $4                                                        \
	JEQ  n4                                                            \
	CMPQ CX, $3                                                        \
	JEQ  n3                                                            \
	CMPQ CX, $2                                                        \
	JEQ  n2                                                            \
	JMP  n1                         /* else { TILE(1) } */

// func forwardAVX512(a *forwardArgs)
TEXT ·forwardAVX512(SB), NOSPLIT, $56-8
	BEGIN
	MOVQ forwardArgs_cols(AX), R8
	MOVQ R8, cols-40(SP)                  // classes
	MOVQ forwardArgs_x(AX), R10           // x = row 0

tile:                                         // do {
	MOVQ    $12, CX
	CMPQ    cols-40(SP), CX
	CMOVQLT cols-40(SP), CX               // n = min(12, classes)
	MOVQ    CX, width-32(SP)

pair:                                         // do {
	MOVQ R10, R11
	ADDQ forwardArgs_xBytes(AX), R11      // y = the row after x
	CHOOSE                                // s, t = the sums of both rows, of n classes

fold:
	FOLD                                  // s[0], t[0] = the sums, folded
	STORES                                // z[r], z[r+1] = s[0], t[0], of n classes

stored:
	SUBQ R12, SI                          // w = w[-f:]
	MOVQ a+0(FP), AX
	MOVQ forwardArgs_xBytes(AX), R8
	LEAQ (R10)(R8*2), R10                 // x = x two rows on
	DECQ pairs-24(SP)
	JNZ  pair                             // } while (--pairs > 0)
	MOVQ  CX, R8
	IMULQ DX, R8
	ADDQ  R8, SI                          // w = w of class n
	MOVQ  CX, R8
	SHLQ  $7, R8
	SUBQ  $128, R8
	ADDQ  R8, z-8(SP)                     // z = z of class n: it stands at the end of class 0
	MOVQ  $16, pairs-24(SP)               // pairs = Block/2
	MOVQ  forwardArgs_x(AX), R10          // x = row 0
	SUBQ  CX, cols-40(SP)                 // classes -= n
	JNZ   tile                            // } while classes > 0
	VZEROUPPER
	RET

n12:
	TILE(LOAD, TAILLOAD, COLS12, run12, loop12, tail12)

n11:
	TILE(LOAD, TAILLOAD, COLS11, run11, loop11, tail11)

n10:
	TILE(LOAD, TAILLOAD, COLS10, run10, loop10, tail10)

n9:
	TILE(LOAD, TAILLOAD, COLS9, run9, loop9, tail9)

n8:
	TILE(LOAD, TAILLOAD, COLS8, run8, loop8, tail8)

n7:
	TILE(LOAD, TAILLOAD, COLS7, run7, loop7, tail7)

n6:
	TILE(LOAD, TAILLOAD, COLS6, run6, loop6, tail6)

n5:
	TILE(LOAD, TAILLOAD, COLS5, run5, loop5, tail5)

n4:
	TILE(LOAD, TAILLOAD, COLS4, run4, loop4, tail4)

n3:
	TILE(LOAD, TAILLOAD, COLS3, run3, loop3, tail3)

n2:
	TILE(LOAD, TAILLOAD, COLS2, run2, loop2, tail2)

n1:
	TILE(LOAD, TAILLOAD, COLS1, run1, loop1, tail1)

// func gatherForwardAVX512(a *forwardArgs)
TEXT ·gatherForwardAVX512(SB), NOSPLIT, $56-8
	BEGIN
	MOVQ forwardArgs_cols(AX), R8
	MOVQ R8, width-32(SP)                 // n
	MOVQ forwardArgs_rows(AX), R8
	MOVQ R8, rows-48(SP)
	MOVQ forwardArgs_mean(AX), R15
	MOVQ forwardArgs_scale(AX), DI
	MOVQ forwardArgs_x(AX), R13           // the first mapped row

pair:                                         // do {
	MOVQ rows-48(SP), R8
	MOVQ (R8), R10                        // x = rows[0]
	MOVQ 8(R8), R11                       // y = rows[1]
	ADDQ $16, rows-48(SP)                 // rows = rows[2:]
	CHOOSE                                // s, t = the sums of both rows, mapped, of n classes

fold:
	FOLD                                  // s[0], t[0] = the sums, folded
	STORES                                // z[r], z[r+1] = s[0], t[0], of n classes

stored:
	SUBQ R12, SI                          // w = w[-f:]
	MOVQ a+0(FP), AX
	MOVQ forwardArgs_xBytes(AX), R8
	LEAQ (R13)(R8*2), R13                 // two mapped rows on
	DECQ pairs-24(SP)
	JNZ  pair                             // } while (--pairs > 0)
	VZEROUPPER
	RET

n12:
	TILE(MAP, TAILMAP, COLS12, run12, loop12, tail12)

n11:
	TILE(MAP, TAILMAP, COLS11, run11, loop11, tail11)

n10:
	TILE(MAP, TAILMAP, COLS10, run10, loop10, tail10)

n9:
	TILE(MAP, TAILMAP, COLS9, run9, loop9, tail9)

n8:
	TILE(MAP, TAILMAP, COLS8, run8, loop8, tail8)

n7:
	TILE(MAP, TAILMAP, COLS7, run7, loop7, tail7)

n6:
	TILE(MAP, TAILMAP, COLS6, run6, loop6, tail6)

n5:
	TILE(MAP, TAILMAP, COLS5, run5, loop5, tail5)

n4:
	TILE(MAP, TAILMAP, COLS4, run4, loop4, tail4)

n3:
	TILE(MAP, TAILMAP, COLS3, run3, loop3, tail3)

n2:
	TILE(MAP, TAILMAP, COLS2, run2, loop2, tail2)

n1:
	TILE(MAP, TAILMAP, COLS1, run1, loop1, tail1)
