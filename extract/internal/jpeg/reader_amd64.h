// Parts of entropy decoding, as reader has them, with the reader in registers:
//
//	AX   acc: the next bits, at the top      R13  e: entry of a code
//	BX   n: how many of them count           R14  table in which FIND looks
//	SI   pos: address of the byte behind     R15  v: value of a coefficient
//	CX, DX  scratch

// REFILL is refill: it makes at least 56 bits count.
#define REFILL \
	MOVQ   (SI), DX                 /* b = data[pos:pos+8] */ \
	BSWAPQ DX                       /* big-endian */          \
	SHRXQ  BX, DX, DX               /* b >>= n */             \
	MOVQ   $63, CX                                            \
	SUBQ   BX, CX                   /* c = 63 - n */          \
	SHRQ   $3, CX                   /* c >>= 3 */             \
	ORQ    DX, AX                   /* acc |= b */            \
	ADDQ   CX, SI                   /* pos += c */            \
	ORQ    $56, BX                  /* n |= 56 */

// LOOK gets the entry of the next code.
#define LOOK(table) \
	MOVQ AX, R13                       /* i = acc >> (64-lookBits) */ \
	SHRQ $(64-const_lookBits), R13                                    \
	MOVL table_look(table)(R13*4), R13 /* e = table.look[i] */

// USE is use: it drops the bits of the entry.
#define USE \
	MOVBLZX R13, CX                 /* c = e & 255, below 64 */ \
	SHLXQ   R13, AX, AX             /* acc <<= e & 63 */        \
	SUBQ    CX, BX                  /* n -= c */

// VALUE is value: it gets the entry's value into R15.
#define VALUE \
	MOVL  R13, CX                                                          \
	SHRL  $const_entryCode, CX      /* c = e >> entryCode */               \
	SHLXQ CX, AX, R15               /* bits = acc << c */                  \
	MOVQ  R15, DX                                                          \
	SARQ  $63, DX                   /* negative = ^(bits >> 63), signed */ \
	NOTQ  DX                                                               \
	XORQ  DX, R15                   /* bits ^= negative */                 \
	SHRQ  $1, R15                   /* bits >>= 1 */                       \
	MOVL  R13, CX                                                          \
	SHRL  $const_entryShift, CX     /* c = e >> entryShift */              \
	SHRXQ CX, R15, R15              /* size = bits >> c */                 \
	XORQ  DX, R15                   /* value = size ^ negative */          \
	SUBQ  DX, R15                   /* value -= negative */

// FIND is find, in table R14, for a code longer than lookBits; where there is none it
// goes to bad.
#define FIND(next, found, bad) \
	MOVQ AX, DX                                                      \
	SHRQ $48, DX                         /* top = acc >> 48 */       \
	MOVL $(const_lookBits+1), R13        /* len = lookBits + 1 */    \
next:                                        /* do { */                  \
	CMPL DX, table_limit(R14)(R13*4)     /* if top < limit[len] { */ \
	JB   found                           /* goto found } */          \
	INCL R13                             /* len++ */                 \
	CMPL R13, $16                                                    \
	JLE  next                            /* } while len <= 16 */     \
	JMP  bad                             /* goto bad */              \
found:                                                                   \
	MOVL    $16, CX                      /* c = 16 - len */          \
	SUBL    R13, CX                                                  \
	SHRL    CX, DX                       /* code = top >> c */       \
	ADDL    table_offset(R14)(R13*4), DX /* code += offset[len] */   \
	MOVBLZX DX, DX                       /* code = uint8(code) */    \
	MOVL    table_long(R14)(DX*4), R13   /* e = long[code] */
