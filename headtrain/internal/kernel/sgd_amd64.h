// The body of sgdAVX2 and of sgdAVX512, which is sgdPortable a vector at a time;
// AX points at an sgdArgs.

	MOVQ         sgdArgs_w(AX), DI
	MOVQ         sgdArgs_m(AX), SI
	MOVQ         sgdArgs_g(AX), R9
	MOVQ         sgdArgs_bytes(AX), CX    // n
	MOVQ         sgdArgs_step(AX), DX
	VBROADCASTSS SGDStep_L2(DX), V8
	VBROADCASTSS SGDStep_Momentum(DX), V9
	VBROADCASTSS SGDStep_OfGrad(DX), V10
	VBROADCASTSS SGDStep_OfBuffer(DX), V11
	VBROADCASTSS SGDStep_Rate(DX), V12
	XORQ         BX, BX                   // i = 0, in bytes like n

loop:                                         // do {
	VMOVUPS (DI)(BX*1), V0                // w = w[i:]
	VMULPS  V8, V0, V2                    // grad = L2·w
	VADDPS  (R9)(BX*1), V2, V2            // grad = g[i:] + grad
	VMULPS  (SI)(BX*1), V9, V1            // m = Momentum·m[i:]
	VADDPS  V2, V1, V1                    // m = m + grad
	VMOVUPS V1, (SI)(BX*1)                // m[i:] = m
	VMULPS  V10, V2, V2                   // step = OfGrad·grad
	VMULPS  V11, V1, V1                   // t = OfBuffer·m
	VADDPS  V1, V2, V2                    // step = step + t
	VMULPS  V12, V2, V2                   // step = Rate·step
	VSUBPS  V2, V0, V0                    // w = w - step
	VMOVUPS V0, (DI)(BX*1)                // w[i:] = w
	ADDQ    VBYTES, BX
	CMPQ    BX, CX
	JL      loop                          // } while (i += a vector) < n
	VZEROUPPER
	RET
