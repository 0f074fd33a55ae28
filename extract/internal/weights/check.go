package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// faults collects what keeps tensors from being resnet18's.
type faults struct{ list []string }

// maxFaults bounds the faults that one error lists.
const maxFaults = 10

func (f *faults) add(format string, args ...any) {
	f.list = append(f.list, fmt.Sprintf(format, args...))
}

func (f *faults) none() bool { return len(f.list) == 0 }

func (f *faults) err() error {
	if f.none() {
		return nil
	}
	list := f.list
	more := ""
	if n := len(list); n > maxFaults {
		list = list[:maxFaults]
		more = fmt.Sprintf("; and %d more", n-maxFaults)
	}
	return fmt.Errorf("%w: %s%s", ErrMismatch, strings.Join(list, "; "), more)
}

// ignored reports whether a backbone has no use for a tensor that state dicts of
// resnet18 hold: the head, and the counters of batch norm.
func ignored(name string) bool {
	return strings.HasPrefix(name, "fc.") || strings.HasSuffix(name, ".num_batches_tracked")
}

// backbone returns the tensors of Params that are sound in name, shape and type,
// and what is wrong with the others.
func backbone(tensors []tensor) (kept []tensor, f *faults) {
	f = new(faults)
	given := make(map[string]tensor, len(tensors))
	for _, t := range tensors {
		given[t.name] = t
	}
	var missing []string
	for _, p := range Params() {
		t, ok := given[p.Name]
		delete(given, p.Name)
		switch {
		case !ok:
			missing = append(missing, p.Name)
		case !slices.Equal(t.shape, p.Shape):
			f.add("%s has shape %v, not %v", p.Name, t.shape, p.Shape)
		case t.dtype != float32Type:
			f.add("%s has dtype %s, not %s: convert the weights to float32 first", p.Name, t.dtype, float32Type)
		default:
			kept = append(kept, t)
		}
	}
	var unknown []string
	for _, t := range tensors {
		if _, left := given[t.name]; left && !ignored(t.name) {
			unknown = append(unknown, t.name)
		}
	}
	f.addMissing(missing, unknown)
	for _, name := range unknown {
		f.add("%.100s is not a tensor of resnet18", name)
	}
	return kept, f
}

// addMissing names the missing tensors, each with the unknown name that may be
// meant for it.
func (f *faults) addMissing(missing, unknown []string) {
	const near = 4 // edits that a renamed or misspelt name may be away
	for i, name := range missing {
		best, distance := "", near+1
		if i < maxFaults { // the rest is not shown
			for _, u := range unknown[:min(len(unknown), 1000)] {
				if d := len(u) - len(name); d > near || d < -near {
					continue
				}
				if d := levenshtein.ComputeDistance(name, u); d < distance {
					best, distance = u, d
				}
			}
		}
		if best == "" {
			f.add("%s is missing", name)
		} else {
			f.add("%s is missing (is it %s?)", name, best)
		}
	}
}

// epsilon is what batch norm adds to a variance, as torchvision has it.
const epsilon = 1e-5

// checkValues looks at the values of row-major float32 tensors.
func (f *faults) checkValues(tensors []tensor) {
	for _, t := range tensors {
		if !finite(t.storage) {
			f.add("%s holds NaN or infinity", t.name)
			continue
		}
		if !strings.HasSuffix(t.name, ".running_var") {
			continue
		}
		for i := 0; i < len(t.storage); i += 4 {
			v := math.Float32frombits(binary.LittleEndian.Uint32(t.storage[i:]))
			if !(v+epsilon > 0) {
				f.add("%s[%d] is %g: batch norm would divide by the root of a number that is not positive", t.name, i/4, v)
				break
			}
		}
	}
}

// finite reports whether no little-endian float32 in data is NaN or infinite.
// Adding 1 to an exponent of all ones, and to no other, carries into the (cleared)
// sign bit: two values at a time.
func finite(data []byte) bool {
	const (
		exponents = 0x7f800000_7f800000
		ones      = 0x00800000_00800000
		signs     = 0x80000000_80000000
	)
	var carry uint64
	for len(data) >= 32 {
		a := binary.LittleEndian.Uint64(data)&exponents + ones
		b := binary.LittleEndian.Uint64(data[8:])&exponents + ones
		c := binary.LittleEndian.Uint64(data[16:])&exponents + ones
		d := binary.LittleEndian.Uint64(data[24:])&exponents + ones
		carry |= a | b | c | d
		data = data[32:]
	}
	for len(data) >= 4 {
		carry |= uint64(binary.LittleEndian.Uint32(data))&(exponents>>32) + ones>>32
		data = data[4:]
	}
	return carry&signs == 0
}
