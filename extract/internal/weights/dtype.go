package weights

// dtype is an element type, by its safetensors name.
type dtype string

const (
	float32Type dtype = "F32"
	int64Type   dtype = "I64"
)

// dtypes lists the element types that both formats know, with the class of
// PyTorch's storages that hold them.
var dtypes = [...]struct {
	name    dtype
	size    int
	storage string
}{
	{"F64", 8, "DoubleStorage"},
	{float32Type, 4, "FloatStorage"},
	{"F16", 2, "HalfStorage"},
	{"BF16", 2, "BFloat16Storage"},
	{int64Type, 8, "LongStorage"},
	{"I32", 4, "IntStorage"},
	{"I16", 2, "ShortStorage"},
	{"I8", 1, "CharStorage"},
	{"U8", 1, "ByteStorage"},
	{"BOOL", 1, "BoolStorage"},
}

// size returns the bytes of one element; 0 for an unknown type.
func (d dtype) size() int {
	for _, t := range dtypes {
		if t.name == d {
			return t.size
		}
	}
	return 0
}

func (d dtype) storageClass() string {
	for _, t := range dtypes {
		if t.name == d {
			return t.storage
		}
	}
	return ""
}

func dtypeOfStorage(class string) (dtype, bool) {
	for _, t := range dtypes {
		if t.storage == class {
			return t.name, true
		}
	}
	return "", false
}
