//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Entropy decoding. AX holds the next bits at its top, BX how many count, SI
// points behind the last byte that they came from.
//
//	R8   table of AC          R12  index of the last coefficient
//	R9   zigzag               R13  entry
//	R10  unit                 R15  value
//	R11  latest SI at which a block may begin
//	DI   block                CX, DX, R14  scratch

// REFILL makes at least 56 bits count.
#define REFILL \
	MOVQ   (SI), DX    \
	BSWAPQ DX          \
	SHRXQ  BX, DX, DX  \
	MOVQ   $63, CX     \
	SUBQ   BX, CX      \
	SHRQ   $3, CX      \
	ORQ    DX, AX      \
	ADDQ   CX, SI      \
	ORQ    $56, BX

// LOOK gets the entry of the next code.
#define LOOK(table) \
	MOVQ AX, R13                 \
	SHRQ $(64-const_lookBits), R13 \
	MOVL table_look(table)(R13*4), R13

// USE drops the bits of the entry.
#define USE \
	MOVBLZX R13, CX      \
	SHLXQ   R13, AX, AX  \
	SUBQ    CX, BX

// VALUE gets the entry's value into R15.
#define VALUE \
	MOVL  R13, CX        \
	SHRL  $const_entryCode, CX  \
	SHLXQ CX, AX, R15    \
	MOVQ  R15, DX        \
	SARQ  $63, DX        \
	NOTQ  DX             \
	XORQ  DX, R15        \
	SHRQ  $1, R15        \
	MOVL  R13, CX        \
	SHRL  $const_entryShift, CX \
	SHRXQ CX, R15, R15   \
	XORQ  DX, R15        \
	SUBQ  DX, R15

// ADVANCE moves R12 on.
#define ADVANCE \
	MOVL R13, CX         \
	SHRL $const_entryAdvance, CX \
	ADDL CX, R12

// STORE writes the value. Behind the 64 places zigzag goes on with the last.
#define STORE \
	MOVBLZX (R9)(R12*1), CX  \
	MOVW    R15, (DI)(CX*2)

// FIND resolves a code longer than lookBits, by R14: the table, or goes to bad.
#define FIND(next, found, bad) \
	MOVQ AX, DX                      \
	SHRQ $48, DX                     \
	MOVL $(const_lookBits+1), R13    \
next:                                \
	CMPL DX, table_limit(R14)(R13*4) \
	JB   found                       \
	INCL R13                         \
	CMPL R13, $16                    \
	JLE  next                        \
	JMP  bad                         \
found:                               \
	MOVL    $16, CX                  \
	SUBL    R13, CX                  \
	SHRL    CX, DX                   \
	ADDL    table_offset(R14)(R13*4), DX \
	MOVBLZX DX, DX                   \
	MOVL    table_long(R14)(DX*4), R13

// BEGIN and END take over and give back the reader.
#define BEGIN \
	MOVQ r+0(FP), CX                  \
	MOVQ reader_acc(CX), AX           \
	MOVQ reader_n(CX), BX             \
	MOVQ reader_data(CX), DX          \
	MOVQ reader_pos(CX), SI           \
	ADDQ DX, SI                       \
	MOVQ reader_end(CX), R11          \
	LEAQ 8(R11)(DX*1), R11

#define END \
	MOVQ r+0(FP), CX          \
	MOVQ AX, reader_acc(CX)   \
	MOVQ BX, reader_n(CX)     \
	SUBQ reader_data(CX), SI  \
	MOVQ SI, reader_pos(CX)

// DC decodes the first coefficient of a block into R15.
#define DC(next, found, known, bad) \
	CMPQ SI, R11          \
	JHI  bad              \
	REFILL                \
	MOVQ unit_dc(R10), R14 \
	MOVQ unit_ac(R10), R8 \
	LOOK(R14)             \
	TESTL R13, R13        \
	JPL  known            \
	FIND(next, found, bad) \
known:                    \
	VALUE                 \
	USE                   \
	MOVQ unit_pred(R10), DX \
	ADDL (DX), R15        \
	MOVL R15, (DX)        \
	XORL R12, R12

// func decodeAVX2(r *reader, units *unit, count, first, mcus int) bool
TEXT ·decodeAVX2(SB), NOSPLIT, $8-41
	BEGIN
	LEAQ zigzagOn<>(SB), R9

mcu:
	MOVQ units+8(FP), R10
	MOVQ count+16(FP), DX
	MOVQ DX, left-8(SP)

block:
	MOVQ  first+24(FP), DI
	IMULQ unit_step(R10), DI
	MOVQ  unit_coefs(R10), DX
	LEAQ  (DX)(DI*2), DI
	DC(nextDC, foundDC, knownDC, bad)
	MOVW  R15, (DI)
	JMP   second

more:
	REFILL
	LOOK(R8)
	TESTL R13, R13
	JMI   special1
known:
	ADVANCE
	VALUE
	USE
	STORE
	CMPL  R12, $63
	JGE   full

second:
	LOOK(R8)
	TESTL R13, R13
	JMI   special2
	ADVANCE
	VALUE
	USE
	STORE
	CMPL  R12, $63
	JLT   more

full:
	JNE bad

next:
	ADDQ $unit__size, R10
	DECQ left-8(SP)
	JNE  block
	INCQ first+24(FP)
	DECQ mcus+32(FP)
	JNE  mcu
	END
	MOVB $1, ret+40(FP)
	RET

special2:
	TESTL $63, R13
	JEQ   more
	USE
	JMP   next

special1:
	TESTL $63, R13
	JNE   end
	MOVQ  R8, R14
	FIND(nextAC, foundAC, bad)
	TESTL R13, R13
	JPL   known
end:
	USE
	JMP next

bad:
	MOVB $0, ret+40(FP)
	RET

// func skipAVX2(r *reader, units *unit, count, mcus int) bool
TEXT ·skipAVX2(SB), NOSPLIT, $8-33
	BEGIN

mcu:
	MOVQ units+8(FP), R10
	MOVQ count+16(FP), DX
	MOVQ DX, left-8(SP)

block:
	DC(nextDC, foundDC, knownDC, bad)
	JMP second

more:
	REFILL
	LOOK(R8)
	TESTL R13, R13
	JMI   special1
known:
	ADVANCE
	USE
	CMPL R12, $63
	JGE  full

second:
	LOOK(R8)
	TESTL R13, R13
	JMI   special2
	ADVANCE
	USE
	CMPL R12, $63
	JLT  more

full:
	JNE bad

next:
	ADDQ $unit__size, R10
	DECQ left-8(SP)
	JNE  block
	DECQ mcus+24(FP)
	JNE  mcu
	END
	MOVB $1, ret+32(FP)
	RET

special2:
	TESTL $63, R13
	JEQ   more
	USE
	JMP   next

special1:
	TESTL $63, R13
	JNE   end
	MOVQ  R8, R14
	FIND(nextAC, foundAC, bad)
	TESTL R13, R13
	JPL   known
end:
	USE
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
