//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "zmm_amd64.h"

// func adamAVX512(a *adamArgs)
TEXT ·adamAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
#include "adam_amd64.h"

// func sgdAVX512(a *sgdArgs)
TEXT ·sgdAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
#include "sgd_amd64.h"
