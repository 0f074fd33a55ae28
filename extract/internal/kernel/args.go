//go:build (amd64 || arm64) && !purego

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
