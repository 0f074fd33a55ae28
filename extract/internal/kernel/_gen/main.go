// Command gen writes the assembly of package kernel, each operation at two
// widths for amd64, and in NEON for arm64. "go generate" in that package runs it; an argument names another folder
// to write to.
package main

import (
	"bytes"
	"fmt"
	"go/types"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/buildtags"
	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

// operations are the files: NAME_ISA_amd64.s.
var operations = []struct {
	name string
	emit func(*assembler)
}{
	{"gemm", gemm},
	{"input", inputs},
	{"output", outputs},
	{"maxpool", maxPool},
	{"fma", fma},
}

func main() {
	folder := ".."
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	for name, emit := range map[string]func(*neon){"gemm": neonGEMM, "input": neonInput, "output": neonOutput, "maxpool": neonMaxPool, "fma": neonFMA} {
		n := &neon{}
		emit(n)
		if err := n.save(filepath.Join(folder, name+"_neon_arm64.s")); err != nil {
			fmt.Fprintf(os.Stderr, "%s neon: %v\n", name, err)
			os.Exit(1)
		}
	}
	for _, isa := range []isa{avx2, avx512} {
		for _, op := range operations {
			a := newAssembler(isa)
			op.emit(a)
			if err := a.write(filepath.Join(folder, fmt.Sprintf("%s_%s_amd64.s", op.name, isa.file))); err != nil {
				fmt.Fprintf(os.Stderr, "%s %s: %v\n", op.name, isa.file, err)
				os.Exit(1)
			}
		}
	}
}

// function opens TEXT name+suffix, which takes a pointer to an argument struct.
func (a *assembler) function(name, args string, doc ...string) {
	a.label, a.kept = 0, map[float32]constant{}
	a.Function(name + a.isa.suffix)
	a.Attributes(attr.NOSPLIT)
	a.Doc(doc...)
	pkg := types.NewPackage("icebox/extract/internal/kernel", "kernel")
	named := types.NewNamed(types.NewTypeName(0, pkg, args, nil), types.NewStruct(nil, nil), nil)
	param := types.NewVar(0, pkg, "a", types.NewPointer(named))
	a.Signature(gotypes.NewSignature(pkg, types.NewSignatureType(nil, nil, nil, types.NewTuple(param), nil, false)))
	a.args = args
	a.base = a.Load(a.Param("a"), a.GP64())
}

func (a *assembler) write(path string) error {
	a.Constraint(buildtags.Not("purego"))
	file, err := a.Result()
	if err != nil {
		return err
	}
	file.Includes = append(file.Includes, "go_asm.h")
	if err := pass.Concat(pass.Compile, encode).Execute(file); err != nil {
		return err
	}
	text, err := printer.NewGoAsm(printer.Config{Name: "kernel/_gen (avo)", Pkg: "kernel"}).Print(file)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(bytes.TrimSpace(text), '\n'), 0o644)
}

func newAssembler(i isa) *assembler {
	return &assembler{Context: build.NewContext(), isa: i}
}
