//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "reader_amd64.h"

// Entropy decoding, as reader.block does it, with the reader in registers:
//
//	AX   acc: the next bits, at the top      R12  k: index of the last coefficient
//	BX   n: how many of them count           R13  e: entry of a code
//	SI   pos: address of the byte behind     R14  table in which FIND looks
//	R8   ac: table of AC                     R15  v: value of a coefficient
//	R9   zigzag                              DI   coefs: the block
//	R10  u: unit                             CX, DX  scratch
//	R11  last: the latest pos at which a block may begin

// ADVANCE moves R12 on.
#define ADVANCE \
	MOVL R13, CX                                                \
	SHRL $const_entryAdvance, CX    /* c = e >> entryAdvance */ \
	ADDL CX, R12                    /* k += c */

// STORE writes the value. Behind the 64 places zigzag goes on with the last.
#define STORE \
	MOVBLZX (R9)(R12*1), CX         /* i = zigzag[k] */ \
	MOVW    R15, (DI)(CX*2)         /* coefs[i] = value */

// BEGIN and END take over and give back the reader.
#define BEGIN \
	MOVQ r+0(FP), CX                                           \
	MOVQ reader_acc(CX), AX         /* acc = r.acc */          \
	MOVQ reader_n(CX), BX           /* n = r.n */              \
	MOVQ reader_data(CX), DX                                   \
	MOVQ reader_pos(CX), SI                                    \
	ADDQ DX, SI                     /* pos = r.data + r.pos */ \
	MOVQ reader_end(CX), R11                                   \
	LEAQ 8(R11)(DX*1), R11          /* last = r.data + r.end + 8 */

#define END \
	MOVQ r+0(FP), CX                                  \
	MOVQ AX, reader_acc(CX)         /* r.acc = acc */ \
	MOVQ BX, reader_n(CX)           /* r.n = n */     \
	SUBQ reader_data(CX), SI                          \
	MOVQ SI, reader_pos(CX)         /* r.pos = pos - r.data */

// DC decodes the first coefficient of a block into R15.
#define DC(next, found, known, bad) \
	CMPQ SI, R11                                                          \
	JHI  bad                        /* if pos > last { goto bad } */      \
	REFILL                                                                \
	MOVQ unit_dc(R10), R14          /* dc = u.dc */                       \
	MOVQ unit_ac(R10), R8           /* ac = u.ac */                       \
	LOOK(R14)                       /* e = dc.look[…] */                  \
	TESTL R13, R13                                                        \
	JPL  known                      /* if e&special != 0 { */             \
	FIND(next, found, bad)          /* e = dc.find(acc), or goto bad } */ \
known:                                                                        \
	VALUE                           /* v = value(e) */                    \
	USE                             /* use(e) */                          \
	MOVQ unit_pred(R10), DX                                               \
	ADDL (DX), R15                  /* v += *u.pred */                    \
	MOVL R15, (DX)                  /* *u.pred = v */                     \
	XORL R12, R12                   /* k = 0 */

// func decodeAVX2(r *reader, units *unit, count, first, mcus int) bool
TEXT ·decodeAVX2(SB), NOSPLIT, $8-41
	BEGIN
	LEAQ zigzagOn<>(SB), R9

mcu:                                          // do {
	MOVQ units+8(FP), R10                 // u = units[0]
	MOVQ count+16(FP), DX
	MOVQ DX, left-8(SP)                   // left = count

block:                                        // do {
	MOVQ  first+24(FP), DI
	IMULQ unit_step(R10), DI              // i = first*u.step
	MOVQ  unit_coefs(R10), DX
	LEAQ  (DX)(DI*2), DI                  // coefs = u.coefs[i:]
	DC(nextDC, foundDC, knownDC, bad)     // v = DC
	MOVW  R15, (DI)                       // coefs[0] = v
	JMP   second

more:                                         // do {
	REFILL
	LOOK(R8)                              // e = ac.look[…]
	TESTL R13, R13
	JMI   special1                        // if e&special != 0 { goto special1 }
known:
	ADVANCE                               // k += e >> entryAdvance
	VALUE                                 // v = value(e)
	USE                                   // use(e)
	STORE                                 // coefs[zigzag[k]] = v
	CMPL  R12, $63
	JGE   full                            // if k >= 63 { goto full }

second:                                       // the bits suffice for another
	LOOK(R8)                              // e = ac.look[…]
	TESTL R13, R13
	JMI   special2                        // if e&special != 0 { goto special2 }
	ADVANCE                               // k += e >> entryAdvance
	VALUE                                 // v = value(e)
	USE                                   // use(e)
	STORE                                 // coefs[zigzag[k]] = v
	CMPL  R12, $63
	JLT   more                            // } while k < 63

full:
	JNE bad                               // if k > 63 { goto bad }

next:
	ADDQ $unit__size, R10                 // u = next unit
	DECQ left-8(SP)
	JNE  block                            // } while (--left > 0)
	INCQ first+24(FP)                     // first++
	DECQ mcus+32(FP)
	JNE  mcu                              // } while (--mcus > 0)
	END
	MOVB $1, ret+40(FP)                   // return true
	RET

special2:
	TESTL $63, R13
	JEQ   more                            // a long code: refill and look again
	USE                                   // the end of the block
	JMP   next

special1:
	TESTL $63, R13
	JNE   end                             // if e says no end of block {
	MOVQ  R8, R14
	FIND(nextAC, foundAC, bad)            // e = ac.find(acc), or goto bad
	TESTL R13, R13
	JPL   known                           // if e&special == 0 { goto known } }
end:
	USE                                   // the end of the block
	JMP next

bad:
	MOVB $0, ret+40(FP)                   // return false
	RET

// func skipAVX2(r *reader, units *unit, count, mcus int) bool
TEXT ·skipAVX2(SB), NOSPLIT, $8-33
	BEGIN

mcu:                                          // do {
	MOVQ units+8(FP), R10                 // u = units[0]
	MOVQ count+16(FP), DX
	MOVQ DX, left-8(SP)                   // left = count

block:                                        // do {
	DC(nextDC, foundDC, knownDC, bad)     // v = DC
	JMP second

more:                                         // do {
	REFILL
	LOOK(R8)                              // e = ac.look[…]
	TESTL R13, R13
	JMI   special1                        // if e&special != 0 { goto special1 }
known:
	ADVANCE                               // k += e >> entryAdvance
	USE                                   // use(e)
	CMPL R12, $63
	JGE  full                             // if k >= 63 { goto full }

second:                                       // the bits suffice for another
	LOOK(R8)                              // e = ac.look[…]
	TESTL R13, R13
	JMI   special2                        // if e&special != 0 { goto special2 }
	ADVANCE                               // k += e >> entryAdvance
	USE                                   // use(e)
	CMPL R12, $63
	JLT  more                             // } while k < 63

full:
	JNE bad                               // if k > 63 { goto bad }

next:
	ADDQ $unit__size, R10                 // u = next unit
	DECQ left-8(SP)
	JNE  block                            // } while (--left > 0)
	DECQ mcus+24(FP)
	JNE  mcu                              // } while (--mcus > 0)
	END
	MOVB $1, ret+32(FP)                   // return true
	RET

special2:
	TESTL $63, R13
	JEQ   more                            // a long code: refill and look again
	USE                                   // the end of the block
	JMP   next

special1:
	TESTL $63, R13
	JNE   end                             // if e says no end of block {
	MOVQ  R8, R14
	FIND(nextAC, foundAC, bad)            // e = ac.find(acc), or goto bad
	TESTL R13, R13
	JPL   known                           // if e&special == 0 { goto known } }
end:
	USE                                   // the end of the block
	JMP next

bad:
	MOVB $0, ret+32(FP)
	RET

// zigzag, and beyond it the last place for what overshoots.
DATA zigzagOn<>+0(SB)/8, $0x0a03020910080100
DATA zigzagOn<>+8(SB)/8, $0x05040b1219201811
DATA zigzagOn<>+16(SB)/8, $0x22293028211a130c
DATA zigzagOn<>+24(SB)/8, $0x1c150e07060d141b
DATA zigzagOn<>+32(SB)/8, $0x242b323938312a23
DATA zigzagOn<>+40(SB)/8, $0x332c251e170f161d
DATA zigzagOn<>+48(SB)/8, $0x2e271f262d343b3a
DATA zigzagOn<>+56(SB)/8, $0x3f3e372f363d3c35
DATA zigzagOn<>+64(SB)/8, $0x3f3f3f3f3f3f3f3f
DATA zigzagOn<>+72(SB)/8, $0x3f3f3f3f3f3f3f3f
DATA zigzagOn<>+80(SB)/8, $0x3f3f3f3f3f3f3f3f
DATA zigzagOn<>+88(SB)/8, $0x3f3f3f3f3f3f3f3f
GLOBL zigzagOn<>(SB), RODATA|NOPTR, $96
