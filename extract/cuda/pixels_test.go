package cuda

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"icebox/extract"
)

// pixels.ptx is pixels.cu as NVRTC 13.2 compiles it (--gpu-architecture=compute_75),
// with the first lines set to PTX 6.0 and sm_50, which it keeps to: ptxas 12.9
// assembles it for sm_50 to sm_120, and 13.4 for sm_75 to sm_120. Here it is
// interpreted, so that a change of the one file alone shows.
func TestPTXIsTheKernel(t *testing.T) {
	kernels := readPTX(t)
	pixels := make([]uint8, 2*extract.PixelBytes)
	for i := range pixels {
		pixels[i] = uint8(i*2654435761>>9 ^ i)
	}
	for _, c := range []struct {
		kernel          string
		channels, bytes int
	}{{"blocks32", 12, 4}, {"blocks16", 16, 2}} {
		k := kernels[c.kernel]
		if k == nil {
			t.Fatalf("pixels.ptx has no %s", c.kernel)
		}
		const image = 1
		for _, row := range []int{0, 1, 2, 57, 112, 113, 114} {
			for i := range (115*c.channels + 255) / 256 * 256 {
				m := &ptxThread{pixels: pixels, bytes: c.bytes, reg: map[string]uint64{
					"%ntid.x": 256, "%tid.x": uint64(i % 256), "%ctaid.x": uint64(i / 256), "%ctaid.y": uint64(row), "%ctaid.z": image,
				}}
				if err := m.run(k, c.kernel); err != nil {
					t.Fatal(err)
				}
				if i >= 115*c.channels {
					if m.stored {
						t.Fatalf("%s: a thread beyond the row's end stores", c.kernel)
					}
					continue
				}
				channel := i % c.channels
				y, x, rgb := 2*row+channel/6-3, 2*(i/c.channels)+channel/3%2-3, channel%3
				want := uint64(0)
				if channel < 12 && y >= 0 && x >= 0 && y < 224 && x < 224 {
					want = tableValue(rgb*256 + int(pixels[image*extract.PixelBytes+(y*224+x)*3+rgb]))
				}
				if at := uint64(((image*115+row)*115*c.channels + i) * c.bytes); !m.stored || m.at != at || m.value != want {
					t.Fatalf("%s, row %d, value %d: stores %d at %d, want %d at %d", c.kernel, row, i, m.value, m.at, want, at)
				}
			}
		}
	}
}

// tableValue is what the table holds at an index: anything but 0.
func tableValue(i int) uint64 { return uint64(i)*37 + 1 }

// Where the arguments point to.
const (
	ptxPixels = 1 << 40
	ptxBlocks = 2 << 40
	ptxTable  = 3 << 40
)

// ptxThread interprets the few instructions that the kernels have.
type ptxThread struct {
	pixels []uint8
	bytes  int // of a value
	reg    map[string]uint64
	stored bool
	at     uint64
	value  uint64
}

// readPTX returns the lines of each entry.
func readPTX(t *testing.T) map[string][]string {
	f, err := os.Open("pixels.ptx")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kernels := map[string][]string{}
	name := ""
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := strings.TrimSuffix(strings.TrimSpace(lines.Text()), ";")
		if rest, ok := strings.CutPrefix(line, ".visible .entry "); ok {
			name = strings.TrimSuffix(rest, "(")
		} else if name != "" && line != "" && !strings.HasPrefix(line, ".") && !strings.HasPrefix(line, "//") && !strings.ContainsAny(line, "{}()") {
			kernels[name] = append(kernels[name], line)
		}
	}
	return kernels
}

func (m *ptxThread) run(lines []string, kernel string) error {
	labels := map[string]int{}
	for i, line := range lines {
		if strings.HasSuffix(line, ":") {
			labels[strings.TrimSuffix(line, ":")] = i
		}
	}
	for i, name := range []uint64{ptxPixels, ptxBlocks, ptxTable} {
		m.reg[fmt.Sprintf("[%s_param_%d]", kernel, i)] = name
	}
	for pc := 0; pc < len(lines); pc++ {
		line := lines[pc]
		if strings.HasSuffix(line, ":") {
			continue
		}
		if guard, rest, ok := strings.Cut(line, " "); ok && guard[0] == '@' {
			if m.reg[guard[1:]] == 0 {
				continue
			}
			line = rest
		}
		op, rest, _ := strings.Cut(line, " ")
		op = strings.TrimSpace(op)
		var args []string
		for _, a := range strings.Split(rest, ",") {
			args = append(args, strings.TrimSpace(a))
		}
		switch op {
		case "ret":
			return nil
		case "bra":
			pc = labels[args[0]]
		default:
			if err := m.step(op, args); err != nil {
				return fmt.Errorf("%s: %q: %w", kernel, line, err)
			}
		}
	}
	return fmt.Errorf("%s does not return", kernel)
}

// get reads an operand as so many bits.
func (m *ptxThread) get(arg string, bits uint) uint64 {
	v, ok := m.reg[arg]
	if !ok {
		n, err := strconv.ParseInt(arg, 10, 64)
		if err != nil {
			n = 0xbad
		}
		v = uint64(n)
	}
	return v & (1<<bits - 1)
}

func (m *ptxThread) step(op string, args []string) error {
	parts := strings.Split(op, ".")
	kind := parts[len(parts)-1]
	bits := uint(32)
	if kind != "pred" {
		n, err := strconv.Atoi(kind[1:])
		if err != nil {
			return err
		}
		bits = uint(n)
	}
	arg := func(i int) uint64 { return m.get(args[i], bits) }
	set := func(v uint64) error { m.reg[args[0]] = v & (1<<bits - 1); return nil }
	switch strings.Join(parts[:len(parts)-1], ".") {
	case "ld.param", "mov", "cvta.to.global", "cvt.u16", "cvt.u32", "cvt.u64":
		v := arg(1)
		if strings.HasPrefix(op, "cvt.u16") {
			v &= 1<<16 - 1
		}
		m.reg[args[0]] = v
		return nil
	case "mad.lo":
		return set(arg(1)*arg(2) + arg(3))
	case "mul.wide":
		m.reg[args[0]] = arg(1) * arg(2)
		return nil
	case "mul.lo":
		return set(arg(1) * arg(2))
	case "add":
		return set(arg(1) + arg(2))
	case "sub":
		return set(arg(1) - arg(2))
	case "shl":
		return set(arg(1) << arg(2))
	case "shr":
		return set(arg(1) >> arg(2))
	case "and":
		return set(arg(1) & arg(2))
	case "or":
		return set(arg(1) | arg(2))
	case "bfi": // the low bits of the first, put into the second
		mask := uint64(1<<arg(4)-1) << arg(3)
		return set(arg(1)<<arg(3)&mask | arg(2)&^mask)
	case "prmt": // bytes of a pair of registers
		pair, v := arg(1)|arg(2)<<32, uint64(0)
		for i := range 4 {
			v |= pair >> (8 * (arg(3) >> (4 * i) & 7)) & 255 << (8 * i)
		}
		return set(v)
	case "setp.gt":
		m.reg[args[0]] = 0
		if arg(1) > arg(2) {
			m.reg[args[0]] = 1
		}
		return nil
	case "ld.global":
		return m.load(args, bits)
	case "st.global":
		m.stored, m.at, m.value = true, m.get(strings.Trim(args[0], "[]"), 63)-ptxBlocks, arg(1)
		if int(bits) != 8*m.bytes {
			return fmt.Errorf("stores %d bits", bits)
		}
		return nil
	}
	return fmt.Errorf("unknown instruction %s", op)
}

func (m *ptxThread) load(args []string, bits uint) error {
	at := m.get(strings.Trim(args[1], "[]"), 63)
	switch {
	case bits == 8 && at >= ptxPixels && at < ptxPixels+uint64(len(m.pixels)):
		m.reg[args[0]] = uint64(m.pixels[at-ptxPixels])
	case int(bits) == 8*m.bytes && at >= ptxTable && at < ptxTable+3*256*uint64(m.bytes) && (at-ptxTable)%uint64(m.bytes) == 0:
		m.reg[args[0]] = tableValue(int(at-ptxTable) / m.bytes)
	default:
		return fmt.Errorf("loads %d bits at %#x", bits, at)
	}
	return nil
}
