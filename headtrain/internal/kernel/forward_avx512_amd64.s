//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "ahead_amd64.h"

// Up to 12 classes: their weights at SI, R8, R9 with the distance DX, three
// times which is BX; two registers of 16 rows each.
#define COLS1(OP)  OP(0, (SI), Z0, Z1)
#define COLS2(OP)  COLS1(OP); OP(128, (SI)(DX*1), Z2, Z3)
#define COLS3(OP)  COLS2(OP); OP(256, (SI)(DX*2), Z4, Z5)
#define COLS4(OP)  COLS3(OP); OP(384, (SI)(BX*1), Z6, Z7)
#define COLS5(OP)  COLS4(OP); OP(512, (R8), Z8, Z9)
#define COLS6(OP)  COLS5(OP); OP(640, (R8)(DX*1), Z10, Z11)
#define COLS7(OP)  COLS6(OP); OP(768, (R8)(DX*2), Z12, Z13)
#define COLS8(OP)  COLS7(OP); OP(896, (R8)(BX*1), Z14, Z15)
#define COLS9(OP)  COLS8(OP); OP(1024, (R9), Z16, Z17)
#define COLS10(OP) COLS9(OP); OP(1152, (R9)(DX*1), Z18, Z19)
#define COLS11(OP) COLS10(OP); OP(1280, (R9)(DX*2), Z20, Z21)
#define COLS12(OP) COLS11(OP); OP(1408, (R9)(BX*1), Z22, Z23)

#define BIAS(at, w, a, b) \
	VBROADCASTSS w, a \
	VMOVAPS      a, b

#define FMA(at, w, a, b) \
	VBROADCASTSS w, Z26       \
	VFMADD231PS  Z24, Z26, a \
	VFMADD231PS  Z25, Z26, b

#define STORE(at, w, a, b) \
	VMOVUPS a, at(DI)      \
	VMOVUPS b, (at+64)(DI)

// TILE is the loop over features for n classes, in runs of 16; meanwhile a
// line a feature is fetched.
#define TILE(n, run, loop, COLS) \
	MOVQ    forwardArgs_features(AX), R10 \
	LEAQ    (SI)(R10*4), SI              \
	LEAQ    (SI)(DX*4), R8               \
	LEAQ    (SI)(DX*8), R9               \
	COLS(BIAS)                           \
	LEAQ    (R10*4), CX                  \
	SUBQ    CX, SI                       \
	SUBQ    CX, R8                       \
	SUBQ    CX, R9                       \
	MOVQ    R12, R11                     \
run:                                         \
	MOVQ    $16, CX                     \
	CMPQ    R10, CX                     \
	CMOVQLT R10, CX                     \
	SUBQ    CX, R10                     \
	AHEAD(forwardArgs_ahead, R14, R15) \
loop:                                        \
	PREFETCHT1 (R14)                    \
	ADDQ    $64, R14                    \
	VMOVUPS (R11), Z24                   \
	VMOVUPS 64(R11), Z25                 \
	COLS(FMA)                            \
	ADDQ    $128, R11                    \
	ADDQ    $4, SI                       \
	ADDQ    $4, R8                       \
	ADDQ    $4, R9                       \
	DECQ    CX                          \
	JNZ     loop                        \
	TESTQ   R10, R10                    \
	JNZ     run                         \
	COLS(STORE)                          \
	MOVQ    $n, CX                       \
	JMP     next

// func forwardAVX512(a *forwardArgs)
TEXT ·forwardAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
	MOVQ forwardArgs_z(AX), DI
	MOVQ forwardArgs_x(AX), R12
	MOVQ forwardArgs_w(AX), SI
	MOVQ forwardArgs_wBytes(AX), DX
	MOVQ forwardArgs_cols(AX), R13
	LEAQ (DX)(DX*2), BX

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
	MOVQ  forwardArgs_features(AX), R14
	SHLQ  $2, R14
	SUBQ  R14, SI
	MOVQ  CX, R14
	IMULQ DX, R14
	ADDQ  R14, SI
	MOVQ  CX, R14
	SHLQ  $7, R14
	ADDQ  R14, DI
	SUBQ  CX, R13
	JNZ   tile                            // } while classes are left
	VZEROUPPER
	RET

n12:
	TILE(12, run12, loop12, COLS12)

n11:
	TILE(11, run11, loop11, COLS11)

n10:
	TILE(10, run10, loop10, COLS10)

n9:
	TILE(9, run9, loop9, COLS9)

n8:
	TILE(8, run8, loop8, COLS8)

n7:
	TILE(7, run7, loop7, COLS7)

n6:
	TILE(6, run6, loop6, COLS6)

n5:
	TILE(5, run5, loop5, COLS5)

n4:
	TILE(4, run4, loop4, COLS4)

n3:
	TILE(3, run3, loop3, COLS3)

n2:
	TILE(2, run2, loop2, COLS2)

n1:
	TILE(1, run1, loop1, COLS1)
