//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "ymm_amd64.h"

// func adamAVX2(a *adamArgs)
TEXT ·adamAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
#include "adam_amd64.h"

// func sgdAVX2(a *sgdArgs)
TEXT ·sgdAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), AX
#include "sgd_amd64.h"
