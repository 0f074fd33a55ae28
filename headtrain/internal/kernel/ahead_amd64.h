// AHEAD points `line` at the piece whose turn it is, of the aheadArgs at byte
// `args` of AX; the last one stays so. It uses `at`.
#define AHEAD(args, line, at) \
	MOVQ args+aheadArgs_pieces(AX), line                             \
	MOVQ args+aheadArgs_next(AX), at     /* at = next */             \
	CMPQ at, args+aheadArgs_last(AX)     /* carry = 1 if at < last */ \
	ADCQ $0, args+aheadArgs_next(AX)     /* next += carry */         \
	MOVQ (line)(at*8), line              /* line = pieces[at] */
