//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "reader_amd64.h"

// Entropy decoding of a band of coefficients, as bandReader does it. Both functions return
// how many blocks they have read. They leave a block in which something is rare or makes no
// sense to portable code, with the reader where the block begins. Beside the registers of
// reader_amd64.h:
//
//	R10  set: address of the block's bits    R9   naturalDown
//	DI   coefs: the block                    R8   see each

// BEGIN takes over the reader, and keeps the latest pos at which a block may begin.
#define BEGIN \
	MOVQ b+0(FP), DX                                            \
	MOVQ bandReader_blank(DX), CX                               \
	MOVQ CX, blank-8(SP)            /* blank = b.blank */       \
	MOVQ bandReader_table(DX), R14  /* table = b.table */       \
	MOVQ bandReader_reader(DX), CX                              \
	MOVQ reader_acc(CX), AX         /* acc = r.acc */           \
	MOVQ reader_n(CX), BX           /* n = r.n */               \
	MOVQ reader_data(CX), DX                                    \
	MOVQ reader_pos(CX), SI                                     \
	ADDQ DX, SI                     /* pos = r.data + r.pos */  \
	MOVQ reader_end(CX), R11                                    \
	LEAQ 8(R11)(DX*1), R11                                      \
	MOVQ R11, last-16(SP)           /* last = r.data + r.end + 8 */ \
	MOVQ coefs+8(FP), DI                                        \
	MOVQ set+16(FP), R10                                        \
	MOVQ count+24(FP), CX                                       \
	MOVQ CX, left-48(SP)            /* left = count */          \
	LEAQ naturalDown<>(SB), R9

// MARK keeps where a block begins.
#define MARK \
	MOVQ AX, acc0-24(SP) \
	MOVQ BX, n0-32(SP)   \
	MOVQ SI, pos0-40(SP)

// BACK returns to where the block begins.
#define BACK \
	MOVQ acc0-24(SP), AX \
	MOVQ n0-32(SP), BX   \
	MOVQ pos0-40(SP), SI

// END gives back the reader, and gets into CX how many blocks are read.
#define END \
	MOVQ b+0(FP), DX                                           \
	MOVQ blank-8(SP), CX                                       \
	MOVQ CX, bandReader_blank(DX)   /* b.blank = blank */      \
	MOVQ bandReader_reader(DX), CX                             \
	MOVQ AX, reader_acc(CX)         /* r.acc = acc */          \
	MOVQ BX, reader_n(CX)           /* r.n = n */              \
	SUBQ reader_data(CX), SI                                   \
	MOVQ SI, reader_pos(CX)         /* r.pos = pos - r.data */ \
	MOVQ count+24(FP), CX                                      \
	SUBQ left-48(SP), CX            /* c = count - left */

// ENDOF gets endOf of entry R13 into CX.
#define ENDOF \
	MOVL  R13, CX                                                    \
	SHRL  $const_entryCode, CX                                       \
	SHLXQ CX, AX, R11               /* x = acc << code */            \
	SHRQ  $1, R11                                                    \
	MOVL  R13, CX                                                    \
	SHRL  $const_entryAdvance, CX                                    \
	ANDL  $15, CX                   /* m = e >> entryAdvance & 15 */ \
	MOVL  $63, DX                                                    \
	SUBL  CX, DX                                                     \
	SHRXQ DX, R11, R11              /* x >>= 64 - m */               \
	MOVL  $1, DX                                                     \
	SHLXQ CX, DX, CX                                                 \
	ADDQ  R11, CX                   /* 1<<m + x */

// func firstAVX2(b *bandReader, coefs *int16, set *uint64, count int) int
//
// R8 is the set of the block, and R12 the index k of the last coefficient.
TEXT ·firstAVX2(SB), NOSPLIT, $48-40
	BEGIN

block:                                        // do {
	MOVQ blank-8(SP), CX
	TESTQ CX, CX
	JNE  blank                            // if blank > 0 { goto blank }
	CMPQ SI, last-16(SP)
	JHI  out                              // if pos > last { goto out }
	MARK
	MOVQ (R10), R8                        // nonzero = set[i]
	MOVQ b+0(FP), DX
	MOVQ bandReader_from(DX), R12
	DECQ R12                              // k = b.from - 1

more:                                         // do {
	REFILL
	LOOK(R14)                             // e = table.look[…]
	TESTL R13, R13
	JMI  special                          // if e&special != 0 { goto special }
known:
	MOVL R13, CX
	SHRL $const_entryAdvance, CX
	ADDQ CX, R12                          // k += e >> entryAdvance
	MOVL R13, CX
	SHRL $const_entryShift, CX
	CMPB CX, $63
	JEQ  zeros                            // if its size is 0 { goto zeros }
	MOVQ b+0(FP), DX
	CMPQ R12, bandReader_to(DX)
	JGT  back                             // if k > b.to { goto back }
	MOVQ bandReader_low(DX), R11
	VALUE                                 // v = value(e)
	USE
	SHLXQ R11, R15, R15                   // v <<= b.low
	MOVL $63, DX
	SUBL R12, DX                          // place = 63 - k
	MOVBLZX (R9)(DX*1), CX
	MOVW R15, (DI)(CX*2)                  // coefs[zigzag[k]] = v
	BTSQ DX, R8                           // nonzero |= 1 << place
	MOVQ b+0(FP), DX
	CMPQ R12, bandReader_to(DX)
	JLT  more                             // } while k < b.to
	JMP  store

zeros:
	USE
	MOVQ b+0(FP), DX
	CMPQ R12, bandReader_to(DX)
	JLT  more

store:
	MOVQ R8, (R10)                        // set[i] = nonzero
next:
	ADDQ $128, DI
	ADDQ $8, R10                          // i++
	DECQ left-48(SP)
	JNE  block                            // } while (--left > 0)
out:
	END
	MOVQ CX, ret+32(FP)                   // return c
	RET

blank:                                        // blocks that have nothing
	MOVQ left-48(SP), DX
	CMPQ CX, DX
	CMOVQGT DX, CX                        // c = min(blank, left)
	SUBQ CX, blank-8(SP)                  // blank -= c
	LEAQ (R10)(CX*8), R10                 // i += c
	MOVQ CX, R11
	SHLQ $7, R11
	ADDQ R11, DI
	SUBQ CX, left-48(SP)                  // left -= c
	JNE  block
	JMP  out

special:
	TESTL $63, R13
	JNE  end                              // if e is a code longer than lookBits {
	FIND(nextFirst, foundFirst, back)     // e = table.find(acc), or goto back
	TESTL R13, R13
	JPL  known                            // if e&special == 0 { goto known } }
end:
	ENDOF
	DECQ CX
	MOVQ CX, blank-8(SP)                  // blank = endOf(e, acc) - 1
	USE
	JMP  store

back:
	BACK
	JMP out

// TAKE reads a bit for each coefficient of R11 and notes in R8 those whose bit is 1. It
// goes to fail where the bits at hand do not suffice.
#define TAKE(fail) \
	POPCNTQ R11, CX                 /* c = number of them */      \
	CMPQ    CX, BX                                                \
	JGT     fail                                                  \
	MOVL    $63, DX                                               \
	SUBL    CX, DX                                                \
	MOVQ    AX, R13                                               \
	SHRQ    $1, R13                                               \
	SHRXQ   DX, R13, R13            /* x = acc >> (64-c) */       \
	PDEPQ   R11, R13, R13           /* x's bits, one for each */  \
	ORQ     R13, R8                 /* moved |= x */              \
	SHLXQ   CX, AX, AX              /* acc <<= c */               \
	SUBQ    CX, BX                  /* n -= c */

// func moreAVX2(b *bandReader, coefs *int16, set *uint64, count int) int
//
// R15 is the set of the block, R12 what is left of its band, and R8 those of its
// coefficients that are to be moved away from 0.
TEXT ·moreAVX2(SB), NOSPLIT, $64-40
	BEGIN
	MOVQ b+0(FP), DX
	MOVQ bandReader_low(DX), CX
	MOVL $1, R11
	SHLXQ CX, R11, R11
	MOVQ R11, step-56(SP)                 // step = 1 << b.low

block:                                        // do {
	CMPQ SI, last-16(SP)
	JHI  out                              // if pos > last { goto out }
	MARK
	MOVQ blank-8(SP), CX
	MOVQ CX, blank0-64(SP)
	MOVQ (R10), R15                       // nonzero = set[i]
	MOVQ b+0(FP), DX
	MOVQ bandReader_in(DX), R12           // rest = b.in
	XORL R8, R8                           // moved = 0
	CMPQ blank-8(SP), $0
	JNE  rest                             // if blank > 0 { goto rest }

more:                                         // do {
	REFILL
	LOOK(R14)                             // e = table.look[…]
	TESTL R13, R13
	JMI  special                          // if e&special != 0 { goto special }
known:
	ANDNQ R12, R15, DX                    // free = rest &^ nonzero
	POPCNTQ DX, CX
	MOVL R13, R11
	SHRL $const_entryAdvance, R11         // a = e >> entryAdvance
	SUBL R11, CX
	JLT  back                             // if fewer than a are free { goto back }
	MOVL $1, R11
	SHLXQ CX, R11, R11
	PDEPQ DX, R11, DX                     // at = the one of them that a-1 lie before
	MOVL R13, CX
	SHRL $const_entryShift, CX
	CMPB CX, $62
	JNE  zeros                            // if its size is not 1 { goto zeros }
	MOVL R13, CX
	SHRL $const_entryCode, CX
	SHLXQ CX, AX, R11
	SARQ $63, R11
	NOTQ R11                              // sign = -1 if the bit behind the code is 0, or else 0
	USE
	TZCNTQ DX, CX
	MOVBLZX (R9)(CX*1), CX
	MOVQ step-56(SP), R13
	XORQ R11, R13
	SUBQ R11, R13
	MOVW R13, (DI)(CX*2)                  // coefs[zigzag[at]] = step, with that sign
	BLSMSKQ DX, CX                        // from = at and what lies behind it
	MOVQ R12, R11
	ANDQ R15, R11
	ANDNQ R11, CX, R11                    // passed = rest & nonzero &^ from
	ORQ  DX, R15                          // nonzero |= at
	SHRQ $1, CX
	ANDQ CX, R12                          // rest &= from >> 1
	TAKE(back)
	TESTQ R12, R12
	JNE  more                             // } while rest != 0
	JMP  move

zeros:                                        // a run of 16
	CMPB CX, $63
	JNE  back                             // if its size is not 0 { goto back }
	USE
	BLSMSKQ DX, CX
	MOVQ R12, R11
	ANDQ R15, R11
	ANDNQ R11, CX, R11                    // passed = rest & nonzero &^ from
	SHRQ $1, CX
	ANDQ CX, R12                          // rest &= from >> 1
	TAKE(back)
	TESTQ R12, R12
	JNE  more
	JMP  move

special:
	TESTL $63, R13
	JNE  end                              // if e is a code longer than lookBits {
	FIND(nextMore, foundMore, back)       // e = table.find(acc), or goto back
	TESTL R13, R13
	JPL  known                            // if e&special == 0 { goto known } }
end:
	ENDOF
	MOVQ CX, blank-8(SP)                  // blank = endOf(e, acc)
	USE
rest:
	MOVQ R12, R11
	ANDQ R15, R11
	JEQ  ended                            // if known = rest & nonzero; known != 0 {
	REFILL
	TAKE(back)
ended:                                        // }
	DECQ blank-8(SP)                      // blank--

move:
	TESTQ R8, R8
	JEQ  store
each:                                         // for at in moved {
	TZCNTQ R8, CX
	BLSRQ R8, R8
	MOVBLZX (R9)(CX*1), CX
	MOVWLSX (DI)(CX*2), DX                // v = coefs[zigzag[at]]
	MOVL step-56(SP), R13
	TESTL R13, DX
	JNE  there                            // if v&step == 0 {
	MOVL DX, R11
	SARL $31, R11                         // sign = v >> 31
	XORL R11, R13
	SUBL R11, R13
	ADDL DX, R13
	MOVW R13, (DI)(CX*2)                  // coefs[…] = v + step, with its sign
there:                                        // }
	TESTQ R8, R8
	JNE  each                             // }

store:
	MOVQ R15, (R10)                       // set[i] = nonzero
	ADDQ $128, DI
	ADDQ $8, R10                          // i++
	DECQ left-48(SP)
	JNE  block                            // } while (--left > 0)
out:
	END
	MOVQ CX, ret+32(FP)                   // return c
	RET

back:
	MOVQ blank0-64(SP), CX
	MOVQ CX, blank-8(SP)
	BACK
	JMP  out

// zigzag, from its end on: the place of the coefficient of each bit of a set.
DATA naturalDown<>+0(SB)/8, $0x353c3d362f373e3f
DATA naturalDown<>+8(SB)/8, $0x3a3b342d261f272e
DATA naturalDown<>+16(SB)/8, $0x1d160f171e252c33
DATA naturalDown<>+24(SB)/8, $0x232a313839322b24
DATA naturalDown<>+32(SB)/8, $0x1b140d06070e151c
DATA naturalDown<>+40(SB)/8, $0x0c131a2128302922
DATA naturalDown<>+48(SB)/8, $0x11182019120b0405
DATA naturalDown<>+56(SB)/8, $0x000108100902030a
GLOBL naturalDown<>(SB), RODATA|NOPTR, $64
