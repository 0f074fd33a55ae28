package jpeg

// ISA names one implementation of the kernels.
type ISA uint8

// The implementations, slowest first. All give the same bytes.
const (
	Portable ISA = iota
	AVX2
)

func (i ISA) String() string {
	if i == AVX2 {
		return "avx2"
	}
	return "portable"
}

// native is the fastest implementation that this machine runs.
var native = func() ISA {
	all := available()
	return all[len(all)-1]
}()
