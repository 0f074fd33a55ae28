//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// ROW maps 16 features of row i, keeps them in z and stores them.
#define ROW(i, z) \
	MOVQ        (i*8)(R8), R11          \
	VMOVUPS.Z   (R11)(BX*1), K1, z      \
	VSUBPS      Z16, z, z               \
	VMULPS      Z17, z, z               \
	VMULPS.BCST.Z (i*4)(R9), z, K1, z   \
	VMOVUPS     z, (R10)                \
	ADDQ        DX, R10

// PAIRS interleaves two rows, then QUAD four: after it register i of four holds
// features i, 4+i, 8+i and 12+i of four rows.
#define PAIRS(a, b, lo, hi) \
	VUNPCKLPS b, a, lo \
	VUNPCKHPS b, a, hi

#define QUAD(al, ah, bl, bh, c0, c1, c2, c3) \
	VUNPCKLPD bl, al, c0 \
	VUNPCKHPD bl, al, c1 \
	VUNPCKLPD bh, ah, c2 \
	VUNPCKHPD bh, ah, c3

// COLUMNS puts features i, 4+i, 8+i and 12+i, i.e. f, of sixteen rows together
// from the four QUADs of them.
#define COLUMNS(f, a, b, c, d, s, t, u, v) \
	VSHUFF32X4 $0x88, b, a, s   \
	VSHUFF32X4 $0xdd, b, a, t   \
	VSHUFF32X4 $0x88, d, c, u   \
	VSHUFF32X4 $0xdd, d, c, v   \
	VSHUFF32X4 $0x88, u, s, a   \
	VSHUFF32X4 $0x88, v, t, b   \
	VSHUFF32X4 $0xdd, u, s, c   \
	VSHUFF32X4 $0xdd, v, t, d   \
	VMOVUPS    a, (f*128)(R13)      \
	VMOVUPS    b, (f*128+512)(R13)  \
	VMOVUPS    c, (f*128+1024)(R13) \
	VMOVUPS    d, (f*128+1536)(R13)

// func gatherAVX512(a *gatherArgs)
// 16 features at a time, and of those 16 rows at a time.
TEXT ·gatherAVX512(SB), NOSPLIT, $0-8
	MOVQ  a+0(FP), AX
	MOVQ  gatherArgs_dst(AX), DI
	MOVQ  gatherArgs_xt(AX), SI
	MOVQ  gatherArgs_dstBytes(AX), DX
	MOVQ  gatherArgs_d(AX), CX
	XORQ  BX, BX
	MOVL  $0xffff, R11
	KMOVW R11, K1

features:                                     // do {
	CMPQ  CX, $16
	JGE   full
	MOVL  $1, R11                         // mask = 1<<n - 1
	SHLL  CX, R11
	DECL  R11
	KMOVW R11, K1

full:
	MOVQ gatherArgs_rows(AX), R8
	MOVQ gatherArgs_scales(AX), R9
	MOVQ DI, R10
	MOVQ SI, R13
	MOVQ $2, R12

rows:                                         // do {
	MOVQ      gatherArgs_mean(AX), R11
	VMOVUPS.Z (R11)(BX*1), K1, Z16
	MOVQ      gatherArgs_scale(AX), R11
	VMOVUPS.Z (R11)(BX*1), K1, Z17
	ROW(0, Z0)
	ROW(1, Z1)
	ROW(2, Z2)
	ROW(3, Z3)
	ROW(4, Z4)
	ROW(5, Z5)
	ROW(6, Z6)
	ROW(7, Z7)
	ROW(8, Z8)
	ROW(9, Z9)
	ROW(10, Z10)
	ROW(11, Z11)
	ROW(12, Z12)
	ROW(13, Z13)
	ROW(14, Z14)
	ROW(15, Z15)
	PAIRS(Z0, Z1, Z16, Z17)
	PAIRS(Z2, Z3, Z18, Z19)
	PAIRS(Z4, Z5, Z20, Z21)
	PAIRS(Z6, Z7, Z22, Z23)
	PAIRS(Z8, Z9, Z24, Z25)
	PAIRS(Z10, Z11, Z26, Z27)
	PAIRS(Z12, Z13, Z28, Z29)
	PAIRS(Z14, Z15, Z30, Z31)
	QUAD(Z16, Z17, Z18, Z19, Z0, Z1, Z2, Z3)
	QUAD(Z20, Z21, Z22, Z23, Z4, Z5, Z6, Z7)
	QUAD(Z24, Z25, Z26, Z27, Z8, Z9, Z10, Z11)
	QUAD(Z28, Z29, Z30, Z31, Z12, Z13, Z14, Z15)
	COLUMNS(0, Z0, Z4, Z8, Z12, Z16, Z17, Z18, Z19)
	COLUMNS(1, Z1, Z5, Z9, Z13, Z20, Z21, Z22, Z23)
	COLUMNS(2, Z2, Z6, Z10, Z14, Z24, Z25, Z26, Z27)
	COLUMNS(3, Z3, Z7, Z11, Z15, Z28, Z29, Z30, Z31)
	ADDQ      $128, R8
	ADDQ      $64, R9
	ADDQ      $64, R13
	DECQ      R12
	JNZ       rows                        // } while (--halves)
	ADDQ      $64, BX
	ADDQ      $64, DI
	ADDQ      $2048, SI
	SUBQ      $16, CX
	JG        features                    // } while (features -= 16)
	VZEROUPPER
	RET
