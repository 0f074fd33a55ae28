//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "ahead_amd64.h"

// Up to 3 classes, four registers of 8 rows each.
#define COLS1(OP) OP(0, (SI), Y12, Y0, Y1, Y2, Y3)
#define COLS2(OP) COLS1(OP); OP(128, (SI)(DX*1), Y13, Y4, Y5, Y6, Y7)
#define COLS3(OP) COLS2(OP); OP(256, (SI)(DX*2), Y14, Y8, Y9, Y10, Y11)

#define BIAS(at, w, v, a, b, c, d) \
	VBROADCASTSS w, a \
	VMOVAPS      a, b \
	VMOVAPS      a, c \
	VMOVAPS      a, d

#define WEIGHT(at, w, v, a, b, c, d) VBROADCASTSS w, v
#define FMA0(at, w, v, a, b, c, d) VFMADD231PS Y15, v, a
#define FMA1(at, w, v, a, b, c, d) VFMADD231PS Y15, v, b
#define FMA2(at, w, v, a, b, c, d) VFMADD231PS Y15, v, c
#define FMA3(at, w, v, a, b, c, d) VFMADD231PS Y15, v, d

#define STORE(at, w, v, a, b, c, d) \
	VMOVUPS a, at(DI)      \
	VMOVUPS b, (at+32)(DI) \
	VMOVUPS c, (at+64)(DI) \
	VMOVUPS d, (at+96)(DI)

// TILE is the loop over features for n classes, in runs of 16; meanwhile a
// line a feature is fetched.
#define TILE(n, run, loop, COLS) \
	MOVQ    forwardArgs_features(AX), R8 \
	LEAQ    (R10)(R8*4), SI              \
	COLS(BIAS)                           \
	MOVQ    R10, SI                      \
	MOVQ    R12, R11                     \
run:                                         \
	MOVQ    $16, CX                     \
	CMPQ    R8, CX                      \
	CMOVQLT R8, CX                      \
	SUBQ    CX, R8                      \
	AHEAD(forwardArgs_ahead, R9, R15) \
loop:                                        \
	PREFETCHT1 (R9)                     \
	ADDQ    $64, R9                     \
	COLS(WEIGHT)                         \
	VMOVUPS (R11), Y15                   \
	COLS(FMA0)                           \
	VMOVUPS 32(R11), Y15                 \
	COLS(FMA1)                           \
	VMOVUPS 64(R11), Y15                 \
	COLS(FMA2)                           \
	VMOVUPS 96(R11), Y15                 \
	COLS(FMA3)                           \
	ADDQ    $128, R11                    \
	ADDQ    $4, SI                       \
	DECQ    CX                          \
	JNZ     loop                        \
	TESTQ   R8, R8                      \
	JNZ     run                         \
	COLS(STORE)                          \
	MOVQ    $n, CX                       \
	JMP     next

// func forwardAVX2(a *forwardArgs)
TEXT ·forwardAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ forwardArgs_z(AX), DI
	MOVQ forwardArgs_x(AX), R12
	MOVQ forwardArgs_w(AX), R10
	MOVQ forwardArgs_wBytes(AX), DX
	MOVQ forwardArgs_cols(AX), R13

tile:                                         // do {
	CMPQ R13, $3
	JGE  n3
	CMPQ R13, $2
	JEQ  n2
	JMP  n1

next:                                         // CX classes are done
	MOVQ  CX, R14
	IMULQ DX, R14
	ADDQ  R14, R10
	MOVQ  CX, R14
	SHLQ  $7, R14
	ADDQ  R14, DI
	SUBQ  CX, R13
	JNZ   tile                            // } while classes are left
	VZEROUPPER
	RET

n3:
	TILE(3, run3, loop3, COLS3)

n2:
	TILE(2, run2, loop2, COLS2)

n1:
	TILE(1, run1, loop1, COLS1)
