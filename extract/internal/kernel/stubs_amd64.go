//go:build !purego

package kernel

import "unsafe"

//lint:file-ignore U1000 The assembly uses fields that no Go code does.

// Arguments of the assembly routines, which read them by go_asm.h. They use those marked
// "run" or "runs" as variables, and change them. All distances are in bytes.

type gemmArgs struct {
	a                unsafe.Pointer // runs
	c                *float32       // runs
	b                unsafe.Pointer // runs
	lda, ldc         int
	aPlane, cPlane   int
	k, kBytes        int
	planes           int // runs
	panels           int
	panelBytes       int
	next             uintptr // what to fetch during the last panel
	blocks           int     // of rows
	blockRows, small int     // rows of a block; the last small blocks have one less
	fetchStep        int     // how far to fetch ahead a vector row of a panel
	accumulate       int

	panelsLeft, blocksLeft int
	cPanel                 *float32
}

type inputArgs struct {
	src, scratch     *float32
	dst              unsafe.Pointer
	pixel, row       int
	srcStep, dstStep int // from the end of a tile's channels to the next tile
	plane, gridRow   int // gridRow: from plane (i, j) to (i+1, j)
	tiles            int // runs
	channels         int
}

type outputArgs struct {
	m, out, bias, scratch *float32
	plane, gridRow        int
	pixel, row            int
	outStep               int // from the end of a tile's channels to the next tile
	tiles                 int // runs
	channels              int
	rows, lastColumns     int
}

type poolArgs struct {
	src, dst   *float32
	pixel, row int
	srcStep    int // from the end of a pixel's channels to the next but one
	pixels     int // runs
	channels   int
}

type fmaArgs struct {
	steps int
}

//go:generate go -C _gen run .

// The loops are those of generic.go: gemmPortable, inputPortable of the scheme that has
// as many points, outputPortable likewise (Add: with residual).

//go:noescape
func gemmAVX2(a *gemmArgs)

//go:noescape
func gemmAVX512(a *gemmArgs)

//go:noescape
func gemmHalfAVX2(a *gemmArgs)

//go:noescape
func gemmHalfAVX512(a *gemmArgs)

//go:noescape
func gemmBF16AVX512(a *gemmArgs)

//go:noescape
func inputF4AVX2(a *inputArgs)

//go:noescape
func inputF4AVX512(a *inputArgs)

//go:noescape
func inputF6AVX2(a *inputArgs)

//go:noescape
func inputF6AVX512(a *inputArgs)

//go:noescape
func inputF7AVX2(a *inputArgs)

//go:noescape
func inputF7AVX512(a *inputArgs)

//go:noescape
func inputF9AVX2(a *inputArgs)

//go:noescape
func inputF9AVX512(a *inputArgs)

//go:noescape
func inputF5S2AVX2(a *inputArgs)

//go:noescape
func inputF5S2AVX512(a *inputArgs)

//go:noescape
func inputF1S2AVX2(a *inputArgs)

//go:noescape
func inputF1S2AVX512(a *inputArgs)

//go:noescape
func inputF4BF16AVX512(a *inputArgs)

//go:noescape
func inputF1S2BF16AVX512(a *inputArgs)

//go:noescape
func inputF6PBF16AVX512(a *inputArgs)

//go:noescape
func inputF1BF16AVX512(a *inputArgs)

//go:noescape
func inputF5S2PBF16AVX512(a *inputArgs)

//go:noescape
func outputF6PAVX512(a *outputArgs)

//go:noescape
func outputF6PAddAVX512(a *outputArgs)

//go:noescape
func outputF5PAVX512(a *outputArgs)

//go:noescape
func outputF4AVX2(a *outputArgs)

//go:noescape
func outputF4AVX512(a *outputArgs)

//go:noescape
func outputF4AddAVX2(a *outputArgs)

//go:noescape
func outputF4AddAVX512(a *outputArgs)

//go:noescape
func outputF6AVX2(a *outputArgs)

//go:noescape
func outputF6AVX512(a *outputArgs)

//go:noescape
func outputF6AddAVX2(a *outputArgs)

//go:noescape
func outputF6AddAVX512(a *outputArgs)

//go:noescape
func outputF7AVX2(a *outputArgs)

//go:noescape
func outputF7AVX512(a *outputArgs)

//go:noescape
func outputF9AVX2(a *outputArgs)

//go:noescape
func outputF9AVX512(a *outputArgs)

//go:noescape
func outputF9AddAVX2(a *outputArgs)

//go:noescape
func outputF9AddAVX512(a *outputArgs)

//go:noescape
func outputF5AVX2(a *outputArgs)

//go:noescape
func outputF5AVX512(a *outputArgs)

//go:noescape
func outputF1AVX2(a *outputArgs)

//go:noescape
func outputF1AVX512(a *outputArgs)

//go:noescape
func maxPoolAVX2(a *poolArgs)

//go:noescape
func maxPoolAVX512(a *poolArgs)

//go:noescape
func fmaAVX2(a *fmaArgs)

//go:noescape
func fmaAVX512(a *fmaArgs)

//go:noescape
func dotAVX512(a *fmaArgs)
