//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "ahead_amd64.h"

// Two rows at a time, 8 features of them in Y12 and Y13, under up to 3 classes:
// their weights at SI with the distance DX; two registers of 8 sums for each
// class and row.
#define COLS1(OP) OP((SI), 32(SI), Y0, X0, Y1, Y2, X2, Y3)
#define COLS2(OP) COLS1(OP); OP((SI)(DX*1), 32(SI)(DX*1), Y4, X4, Y5, Y6, X6, Y7)
#define COLS3(OP) COLS2(OP); OP((SI)(DX*2), 32(SI)(DX*2), Y8, X8, Y9, Y10, X10, Y11)

// BIAS starts the first of the 16 sums; the others start at 0.
#define BIAS(lo, hi, a, ax, a8, b, bx, b8) \
	VMOVSS  lo, ax     \
	VMOVAPS a, b       \
	VXORPS  a8, a8, a8 \
	VXORPS  b8, b8, b8

#define FMALOW(lo, hi, a, ax, a8, b, bx, b8) \
	VMOVUPS     lo, Y14      \
	VFMADD231PS Y12, Y14, a \
	VFMADD231PS Y13, Y14, b

#define FMAHIGH(lo, hi, a, ax, a8, b, bx, b8) \
	VMOVUPS     hi, Y14       \
	VFMADD231PS Y12, Y14, a8 \
	VFMADD231PS Y13, Y14, b8

#define TAILLOW(lo, hi, a, ax, a8, b, bx, b8) \
	VMASKMOVPS  lo, Y15, Y14 \
	VFMADD231PS Y12, Y14, a \
	VFMADD231PS Y13, Y14, b

#define TAILHIGH(lo, hi, a, ax, a8, b, bx, b8) \
	VMASKMOVPS  hi, Y15, Y14  \
	VFMADD231PS Y12, Y14, a8 \
	VFMADD231PS Y13, Y14, b8

// FOLD adds up the sums of a class, of both rows, and stores them.
#define FOLD(lo, hi, a, ax, a8, b, bx, b8) \
	VADDPS       a8, a, a     \
	VEXTRACTF128 $1, a, X12   \
	VADDPS       X12, ax, ax  \
	VADDPS       b8, b, b     \
	VEXTRACTF128 $1, b, X13   \
	VADDPS       X13, bx, bx  \
	VUNPCKLPD    bx, ax, X12  \
	VUNPCKHPD    bx, ax, X13  \
	VADDPS       X13, X12, X12 \
	VHADDPS      X12, X12, X12 \
	VMOVLPS      X12, (DI)    \
	ADDQ         $128, DI

// TILE is the loop over features, in runs of 16 times 16, for n classes;
// meanwhile a line each is fetched.
#define TILE(n, COLS, run, loop, last, done) \
	MOVQ forwardArgs_features(AX), R8 \
	LEAQ (SI)(R8*4), SI               \
	COLS(BIAS)                        \
	SHLQ $2, R8                       \
	SUBQ R8, SI                       \
	SHRQ $6, R8                       \
	XORQ R12, R12                     \
	TESTQ R8, R8                      \
	JZ   last                         \
run:                                      \
	MOVQ    $16, CX                   \
	CMPQ    R8, CX                    \
	CMOVQLT R8, CX                    \
	SUBQ    CX, R8                    \
	AHEAD(forwardArgs_ahead, R9, R15) \
loop:                                     \
	PREFETCHT1 (R9)                   \
	ADDQ    $64, R9                   \
	VMOVUPS (R10)(R12*1), Y12         \
	VMOVUPS (R11)(R12*1), Y13         \
	COLS(FMALOW)                      \
	VMOVUPS 32(R10)(R12*1), Y12       \
	VMOVUPS 32(R11)(R12*1), Y13       \
	COLS(FMAHIGH)                     \
	ADDQ    $64, R12                  \
	ADDQ    $64, SI                   \
	DECQ    CX                        \
	JNZ     loop                      \
	TESTQ   R8, R8                    \
	JNZ     run                       \
last:                                     \
	MOVQ forwardArgs_features(AX), R8 \
	ANDQ $15, R8                      \
	JZ   done                         \
	LEAQ forwardMask<>(SB), R9        \
	SHLQ $2, R8                       \
	SUBQ R8, R9                       \
	VMOVUPS    64(R9), Y15            \
	VMASKMOVPS (R10)(R12*1), Y15, Y12 \
	VMASKMOVPS (R11)(R12*1), Y15, Y13 \
	COLS(TAILLOW)                     \
	VMOVUPS    96(R9), Y15            \
	VMASKMOVPS 32(R10)(R12*1), Y15, Y12 \
	VMASKMOVPS 32(R11)(R12*1), Y15, Y13 \
	COLS(TAILHIGH)                    \
done:                                     \
	SUBQ R12, SI                      \
	COLS(FOLD)                        \
	SUBQ $(128*n), DI                 \
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
	CMOVQLT R13, BX
	MOVQ    $16, R14
	MOVQ    forwardArgs_x(AX), R10

pair:                                         // do {
	MOVQ R10, R11
	ADDQ forwardArgs_xBytes(AX), R11
	CMPQ BX, $3
	JEQ  n3
	CMPQ BX, $2
	JEQ  n2
	JMP  n1

stored:
	ADDQ  $8, DI
	MOVQ  forwardArgs_xBytes(AX), R8
	LEAQ  (R10)(R8*2), R10
	DECQ  R14
	JNZ   pair                            // } while (--pairs)
	MOVQ  BX, R8
	IMULQ DX, R8
	ADDQ  R8, SI
	MOVQ  BX, R8
	SHLQ  $7, R8
	LEAQ  -128(DI)(R8*1), DI
	SUBQ  BX, R13
	JNZ   tile                            // } while classes are left
	VZEROUPPER
	RET

n3:
	TILE(3, COLS3, run3, loop3, last3, done3)

n2:
	TILE(2, COLS2, run2, loop2, last2, done2)

n1:
	TILE(1, COLS1, run1, loop1, last1, done1)
