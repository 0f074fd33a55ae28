package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
)

// neon writes the arm64 assembly, for which avo has no target. Go's assembler lacks most
// instructions on vectors of floats: they are written as words, with their names beside them.
//
// Code between two labels is collected, so that vectors get their registers when it is known
// how long each lives. Registers of the general kind are named by the emitters.
type neon struct {
	out    bytes.Buffer
	args   string // the argument struct of the current function
	ops    []neonOp
	values int             // made so far
	pinned map[neonVec]int // registers that hold a value throughout a function
	lane   map[float32]neonLane
	labels int
}

// neonVec is a vector of four floats, which is written once unless it is pinned.
type neonVec int

// neonLane is where a constant lies.
type neonLane struct {
	in    neonVec
	index int
}

// neonOp is an instruction. It writes into its own register, or, if over is a vector, changes a
// copy of that one, which is no copy if this is its last use.
type neonOp struct {
	emit func(r func(neonVec) int) string
	uses []neonVec
	to   neonVec
	over neonVec
}

const noVec neonVec = -1

const argsRegister = "R0"

func (n *neon) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	n.ops = append(n.ops, neonOp{emit: func(func(neonVec) int) string { return text }, to: noVec, over: noVec})
}

// function opens TEXT name+NEON, which takes a pointer to an argument struct.
func (n *neon) function(name, args, doc string) {
	n.flush()
	n.args, n.pinned, n.lane, n.labels = args, map[neonVec]int{}, map[float32]neonLane{}, 0
	fmt.Fprintf(&n.out, "\n// func %sNEON(a *%s)\n// %s\nTEXT ·%sNEON(SB), NOSPLIT, $0-8\n", name, args, doc, name)
	n.line("MOVD a+0(FP), %s", argsRegister)
}

// label names a place, which code jumps to.
func (n *neon) label(name string) {
	n.flush()
	fmt.Fprintf(&n.out, "%s:\n", name)
}

// newLabel makes a name that the function does not have yet.
func (n *neon) newLabel(name string) string {
	n.labels++
	return fmt.Sprintf("%s%d", name, n.labels)
}

// arg is a field of the argument struct, by the names that go_asm.h gives them.
func (n *neon) arg(field string) string {
	return fmt.Sprintf("%s_%s(%s)", n.args, field, argsRegister)
}

// load reads a field into a register.
func (n *neon) load(field, register string) { n.line("MOVD %s, %s", n.arg(field), register) }

// end closes a function.
func (n *neon) end() {
	n.line("RET")
	n.flush()
}

// op adds an instruction that makes a vector of others.
func (n *neon) op(over neonVec, uses []neonVec, emit func(to int, r func(neonVec) int) string) neonVec {
	to := neonVec(n.values)
	n.values++
	n.ops = append(n.ops, neonOp{emit: func(r func(neonVec) int) string { return emit(r(to), r) }, uses: uses, to: to, over: over})
	return to
}

// word is an instruction that Go's assembler does not know.
func word(code uint32, format string, args ...any) string {
	return fmt.Sprintf("WORD $0x%08x // %s", code, fmt.Sprintf(format, args...))
}

// three makes a vector by an instruction on two.
func (n *neon) three(name string, code uint32, kind string, x, y neonVec) neonVec {
	return n.op(noVec, []neonVec{x, y}, func(to int, r func(neonVec) int) string {
		return word(code|uint32(r(y))<<16|uint32(r(x))<<5|uint32(to), "%s v%d.%s, v%d.%s, v%d.%s", name, to, kind, r(x), kind, r(y), kind)
	})
}

func (n *neon) add(x, y neonVec) neonVec { return n.three("fadd", 0x4e20d400, "4s", x, y) }
func (n *neon) sub(x, y neonVec) neonVec { return n.three("fsub", 0x4ea0d400, "4s", x, y) }

// constant is where c lies.
func (n *neon) constant(c float32) neonLane {
	k, ok := n.lane[c]
	if !ok {
		panic(fmt.Sprintf("the function does not keep %v", c))
	}
	return k
}

func (n *neon) scale(c float32, x neonVec) neonVec {
	k := n.constant(c)
	return n.op(noVec, []neonVec{x, k.in}, func(to int, r func(neonVec) int) string {
		return word(0x4f809000|laneBits(k.index)|uint32(r(k.in))<<16|uint32(r(x))<<5|uint32(to), "fmul v%d.4s, v%d.4s, v%d.s[%d]", to, r(x), r(k.in), k.index)
	})
}

func (n *neon) fma(c float32, x, y neonVec) neonVec {
	k := n.constant(c)
	return n.op(y, []neonVec{x, k.in}, func(to int, r func(neonVec) int) string { return fmlaLane(to, r(x), r(k.in), k.index) })
}

// laneBits is how an instruction names one of four floats.
func laneBits(lane int) uint32 { return uint32(lane&1)<<21 | uint32(lane>>1)<<11 }

// fmlaLane is v[to] += v[x] · v[k][lane].
func fmlaLane(to, x, k, lane int) string {
	code := 0x4f801000 | laneBits(lane) | uint32(k)<<16 | uint32(x)<<5 | uint32(to)
	return word(code, "fmla v%d.4s, v%d.4s, v%d.s[%d]", to, x, k, lane)
}

// atLeastZero is max(0, x) as AVX has it: what is not below zero stays, -0 too.
func (n *neon) atLeastZero(x neonVec) neonVec {
	below := n.op(noVec, []neonVec{x}, func(to int, r func(neonVec) int) string {
		return word(0x4ea0e800|uint32(r(x))<<5|uint32(to), "fcmlt v%d.4s, v%d.4s, #0.0", to, r(x))
	})
	return n.three("bic", 0x4e601c00, "16b", x, below)
}

// most is max(x, y) as AVX has it: y, unless x is greater.
func (n *neon) most(x, y neonVec) neonVec {
	greater := n.three("fcmgt", 0x6ea0e400, "4s", x, y)
	return n.op(x, []neonVec{y, greater}, func(to int, r func(neonVec) int) string {
		return word(0x6ee01c00|uint32(r(greater))<<16|uint32(r(y))<<5|uint32(to), "bif v%d.16b, v%d.16b, v%d.16b", to, r(y), r(greater))
	})
}

// read loads from a register that points, at a distance.
func (n *neon) read(base string, at int) neonVec {
	return n.op(noVec, nil, func(to int, _ func(neonVec) int) string { return fmt.Sprintf("FMOVQ %d(%s), F%d", at, base, to) })
}

// readStep loads, and moves the pointer on by a register.
func (n *neon) readStep(base, step string) neonVec {
	return n.op(noVec, nil, func(to int, _ func(neonVec) int) string {
		return fmt.Sprintf("VLD1.P (%s)(%s), [V%d.S4]", base, step, to)
	})
}

// use adds an instruction that writes no vector.
func (n *neon) use(x neonVec, emit func(x int) string) {
	n.ops = append(n.ops, neonOp{emit: func(r func(neonVec) int) string { return emit(r(x)) }, uses: []neonVec{x}, to: noVec, over: noVec})
}

func (n *neon) write(x neonVec, base string, at int) {
	n.use(x, func(x int) string { return fmt.Sprintf("FMOVQ F%d, %d(%s)", x, at, base) })
}

// writeStep stores, and moves the pointer on by a register.
func (n *neon) writeStep(x neonVec, base, step string) {
	n.use(x, func(x int) string { return fmt.Sprintf("VST1.P [V%d.S4], (%s)(%s)", x, base, step) })
}

// pin gives a value a register for the whole function.
func (n *neon) pin() neonVec {
	v := neonVec(n.values)
	n.values++
	n.pinned[v] = 31 - len(n.pinned)
	return v
}

// readPinned loads a value that has its register for the whole function.
func (n *neon) readPinned(v neonVec, base string, at int) {
	n.line("FMOVQ %d(%s), F%d", at, base, n.pinned[v])
}

// keep loads constants for the whole function, four to a register. It uses a register of the
// general kind.
func (n *neon) keep(name, register string, values []float32) {
	if len(values) == 0 {
		return
	}
	n.line("MOVD $%sConstants<>(SB), %s", name, register)
	for at := 0; at < len(values); at += 4 {
		v := n.pin()
		n.readPinned(v, register, 4*at)
		for i := at; i < min(at+4, len(values)); i++ {
			n.lane[values[i]] = neonLane{v, i - at}
		}
	}
}

// constants emits the data of keep. It stands before the function.
func (n *neon) constants(name string, values []float32) {
	n.flush()
	if len(values) == 0 {
		return
	}
	size := (len(values) + 3) / 4 * 16
	fmt.Fprintln(&n.out)
	for i := range size / 4 {
		bits := uint32(0)
		if i < len(values) {
			bits = math.Float32bits(values[i])
		}
		fmt.Fprintf(&n.out, "DATA %sConstants<>+%d(SB)/4, $0x%08x\n", name, 4*i, bits)
	}
	fmt.Fprintf(&n.out, "GLOBL %sConstants<>(SB), RODATA|NOPTR, $%d\n", name, size)
}

// flush gives the vectors of the code that was collected their registers, and writes it.
func (n *neon) flush() {
	last := map[neonVec]int{}
	for i, op := range n.ops {
		for _, v := range append(slices.Clone(op.uses), op.over) {
			last[v] = i
		}
	}
	in := map[neonVec]int{}
	var free []int
	for r := 31 - len(n.pinned); r >= 0; r-- {
		free = append(free, r)
	}
	register := func(v neonVec) int {
		if r, ok := n.pinned[v]; ok {
			return r
		}
		r, ok := in[v]
		if !ok {
			panic("a vector is used beyond a label")
		}
		return r
	}
	take := func() int {
		r := free[len(free)-1] // a panic where there are too few
		free = free[:len(free)-1]
		return r
	}
	release := func(v neonVec, i int) {
		if r, ok := in[v]; ok && last[v] == i {
			free = append(free, r)
			delete(in, v)
		}
	}
	for i, op := range n.ops {
		r := map[neonVec]int{}
		for _, v := range op.uses {
			r[v] = register(v)
		}
		if op.over != noVec {
			from := register(op.over)
			if _, kept := n.pinned[op.over]; !kept && last[op.over] == i && !slices.Contains(op.uses, op.over) {
				r[op.to] = from
				delete(in, op.over)
			} else {
				r[op.to] = take()
				fmt.Fprintf(&n.out, "\tVMOV V%d.B16, V%d.B16\n", from, r[op.to])
			}
		}
		for _, v := range append(slices.Clone(op.uses), op.over) {
			release(v, i)
		}
		if op.to != noVec {
			if op.over == noVec {
				r[op.to] = take()
			}
			in[op.to] = r[op.to]
		}
		fmt.Fprintf(&n.out, "\t%s\n", op.emit(func(v neonVec) int { return r[v] }))
		if _, used := last[op.to]; op.to != noVec && !used {
			panic("a vector is made for nothing")
		}
	}
	n.ops = n.ops[:0]
}

// save writes the file.
func (n *neon) save(path string) error {
	n.flush()
	head := "// Code generated by kernel/_gen. DO NOT EDIT.\n\n//go:build !purego\n\n#include \"go_asm.h\"\n#include \"textflag.h\"\n"
	return os.WriteFile(path, append([]byte(head), n.out.Bytes()...), 0o644)
}
