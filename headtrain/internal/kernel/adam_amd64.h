// The body of adamAVX2 and of adamAVX512, which is adamPortable a vector at a time;
// AX points at an adamArgs.

	MOVQ         adamArgs_w(AX), DI
	MOVQ         adamArgs_m(AX), SI
	MOVQ         adamArgs_v(AX), R8
	MOVQ         adamArgs_g(AX), R9
	MOVQ         adamArgs_bytes(AX), CX   // n
	MOVQ         adamArgs_step(AX), DX
	VBROADCASTSS AdamStep_L2(DX), V8
	VBROADCASTSS AdamStep_Decay(DX), V9
	VBROADCASTSS AdamStep_KeepM(DX), V10
	VBROADCASTSS AdamStep_Beta2(DX), V11
	VBROADCASTSS AdamStep_KeepV(DX), V12
	VBROADCASTSS AdamStep_InvRoot(DX), V13
	VBROADCASTSS AdamStep_Eps(DX), V14
	VBROADCASTSS AdamStep_Rate(DX), V15
	XORQ         BX, BX                   // i = 0, in bytes like n

loop:                                         // do {
	VMOVUPS (DI)(BX*1), V0                // w = w[i:]
	VMOVUPS (SI)(BX*1), V1                // m = m[i:]
	VMULPS  V8, V0, V2                    // grad = L2·w
	VADDPS  (R9)(BX*1), V2, V2            // grad = g[i:] + grad
	VSUBPS  V1, V2, V3                    // t = grad - m
	VMULPS  V10, V3, V3                   // t = KeepM·t
	VADDPS  V3, V1, V1                    // m = m + t
	VMOVUPS V1, (SI)(BX*1)                // m[i:] = m
	VMULPS  V12, V2, V3                   // t = KeepV·grad
	VMULPS  V2, V3, V3                    // t = t·grad
	VMULPS  (R8)(BX*1), V11, V4           // v = Beta2·v[i:]
	VADDPS  V3, V4, V4                    // v = v + t
	VMOVUPS V4, (R8)(BX*1)                // v[i:] = v
	VSQRTPS V4, V4                        // denom = √v
	VMULPS  V13, V4, V4                   // denom = denom·InvRoot
	VADDPS  V14, V4, V4                   // denom = denom + Eps
	VMULPS  V15, V1, V1                   // t = Rate·m
	VDIVPS  V4, V1, V1                    // t = t/denom
	VMULPS  V9, V0, V0                    // w = w·Decay
	VSUBPS  V1, V0, V0                    // w = w - t
	VMOVUPS V0, (DI)(BX*1)                // w[i:] = w
	ADDQ    VBYTES, BX
	CMPQ    BX, CX
	JL      loop                          // } while (i += a vector) < n
	VZEROUPPER
	RET
