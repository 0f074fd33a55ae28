// Instructions on four floats that Go's assembler does not know, by the numbers of registers.
#define FADD4(d, n, m) WORD $(0x4e20d400 | (m << 16) | (n << 5) | d)
#define FSUB4(d, n, m) WORD $(0x4ea0d400 | (m << 16) | (n << 5) | d)
#define FMUL4(d, n, m) WORD $(0x6e20dc00 | (m << 16) | (n << 5) | d)
#define FDIV4(d, n, m) WORD $(0x6e20fc00 | (m << 16) | (n << 5) | d)
#define FSQRT4(d, n) WORD $(0x6ea1f800 | (n << 5) | d)
#define FADDP2(d, n) WORD $(0x7e30d800 | (n << 5) | d) // d = n.s[0] + n.s[1]
#define FCMGT4(d, n, m) WORD $(0x6ea0e400 | (m << 16) | (n << 5) | d) // d = n > m, all bits or none
#define BIC4(d, n, m) WORD $(0x4e601c00 | (m << 16) | (n << 5) | d)   // d = n &^ m
#define SSHR4(d, n, bits) WORD $(0x4f000400 | ((64 - bits) << 16) | (n << 5) | d)
#define SCVTF4(d, n) WORD $(0x4e21d800 | (n << 5) | d)                // d = float(n)

#define ZERO(v) VEOR v.B16, v.B16, v.B16
