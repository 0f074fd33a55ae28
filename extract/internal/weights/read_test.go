package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// dumped is a tensor in a form to compare.
type dumped struct {
	DType string
	Shape []int
	Hex   string
}

func dump(tensors []tensor) map[string]dumped {
	out := map[string]dumped{}
	for _, t := range tensors {
		out[t.name] = dumped{string(t.dtype), t.shape, hex.EncodeToString(t.bytes())}
	}
	return out
}

func TestReadsWhatPyTorchAndSafetensorsWrite(t *testing.T) {
	var golden map[string]map[string]dumped
	readJSON(t, "golden.json", &golden)
	if len(golden) < 8 {
		t.Fatalf("golden.json has %d files", len(golden))
	}
	for name, want := range golden {
		f, err := parse(readFixture(t, "good/"+name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := f.verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, dump(f.tensors)); d != "" {
			t.Errorf("%s (-golden +ours)\n%s", name, d)
		}
	}
}

func TestWritersAndReadersAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringN(1, 20, -1), 1, 6, rapid.ID).Draw(t, "names")
		var tensors []tensor
		for i, name := range names {
			d := dtypes[rapid.IntRange(0, len(dtypes)-1).Draw(t, "dtype")].name
			shape := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 3).Draw(t, "shape")
			n, _ := elements(shape)
			tensors = append(tensors, tensor{name: "x" + name, dtype: d, shape: shape, storage: bytes.Repeat([]byte{byte(i + 1)}, n*d.size())})
		}
		for format, encode := range map[string]encoder{FormatPTH: encodePTH, FormatSafetensors: encodeSafetensors} {
			var b bytes.Buffer
			if err := encode(&b, tensors); err != nil {
				t.Fatal(err)
			}
			f, err := parse(b.Bytes())
			if err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			if f.format != format {
				t.Fatalf("%s is read as %s", format, f.format)
			}
			if d := cmp.Diff(dump(tensors), dump(f.tensors)); d != "" {
				t.Fatalf("%s (-written +read)\n%s", format, d)
			}
		}
	})
}

func TestWrittenTensorsAreAligned(t *testing.T) {
	for name, encode := range map[string]encoder{FormatPTH: encodePTH, FormatSafetensors: encodeSafetensors} {
		data := encoded(t, encode, smallTensors())
		f, err := parse(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range f.tensors {
			at := bytes.Index(data, v.storage)
			if want := v.dtype.size(); at%want != 0 {
				t.Errorf("%s: %s lies at %d, not a multiple of %d", name, v.name, at, want)
			}
		}
	}
}

func TestBadPTHIsRefused(t *testing.T) {
	for name, want := range map[string]struct {
		err   error
		words string
	}{
		"evil.pth":           {ErrUnsafePickle, "system"},
		"evil-protocol4.pth": {ErrFormat, "opcode 0x95"},
		"network.pth":        {ErrUnsafePickle, "Linear"},
		"protocol4.pth":      {ErrFormat, "torch.save(model.state_dict(), path)"},
		"legacy.pth":         {ErrFormat, "before 1.6"},
		"script.pth":         {ErrFormat, "TorchScript"},
		"list.pth":           {ErrFormat, "no dict of tensors"},
		"no-tensors.pth":     {ErrFormat, "without tensors"},
		"compressed.pth":     {ErrFormat, "compressed"},
		"big-endian.pth":     {ErrFormat, "little-endian"},
		"missing-entry.pth":  {ErrFormat, `no entry "data/1"`},
		"short-entry.pth":    {ErrFormat, "has 8 bytes, 3 × 4 are wanted"},
		"no-pickle.pth":      {ErrFormat, "without data.pkl"},
	} {
		_, err := parse(readFixture(t, "bad/"+name))
		if !errors.Is(err, want.err) || !strings.Contains(err.Error(), want.words) {
			t.Errorf("%s: got %v, want %v with %q", name, err, want.err, want.words)
		}
	}
}

func TestHostilePicklesAreRefused(t *testing.T) {
	deep := strings.Repeat("(", maxOpcodes)
	length := func(n uint32) string { return string(binary.LittleEndian.AppendUint32(nil, n)) }
	for name, c := range map[string]struct {
		pickle string
		err    error
		words  string
	}{
		"empty":                {"", ErrFormat, "without STOP"},
		"no stop":              {"\x80\x02}", ErrFormat, "without STOP"},
		"too long text":        {"X" + length(1<<32-1), ErrFormat, "cut short"},
		"text cut in length":   {"X\x01", ErrFormat, "cut short"},
		"short string cut":     {"U\x09abc.", ErrFormat, "cut short"},
		"integer of no bytes":  {"\x8a\x00.", ErrFormat, "no bytes"},
		"global cut":           {"ctorch\nFloat", ErrFormat, "inside a global"},
		"stop on empty stack":  {".", ErrFormat, "stack is empty"},
		"too many opcodes":     {deep, ErrFormat, "opcodes"},
		"frame":                {"\x95\xff\xff\xff\xff\xff\xff\xff\x7f.", ErrFormat, "0x95"},
		"bytes8":               {"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", ErrFormat, "0x8e"},
		"opcode 255":           {"\xff.", ErrFormat, "0xff"},
		"odd dict items":       {"}(NNNu.", ErrFormat, ""},
		"text without mark":    {"t.", ErrFormat, ""},
		"unhashable key":       {"ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00aNu)u.", ErrFormat, ""},
		"reduce of a list":     {"])R.", ErrFormat, "REDUCE"},
		"self-holding list":    {"]q\x00h\x00a)R.", ErrFormat, "REDUCE"},
		"dict that is its own": {"}q\x00X\x05\x00\x00\x00modelh\x00s.", ErrFormat, "without tensors"},
		"stack global":         {"X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93.", ErrUnsafePickle, "0x93"},
		"bomb of one element":  {pickledTensor(4, 0, []int{1 << 14, 1 << 14}, []int{0, 0}), ErrFormat, "far more than the file"},
		"inst":                 {"(ios\nsystem\n.", ErrUnsafePickle, "0x69"},
		"os.system":            {"cos\nsystem\n(X\x01\x00\x00\x00atR.", ErrUnsafePickle, "os.system"},
		"builtins.eval":        {"c__builtin__\neval\n.", ErrUnsafePickle, "__builtin__.eval"},
		"reconstructor":        {"ccopy_reg\n_reconstructor\n.", ErrUnsafePickle, "copy_reg._reconstructor"},
		"persistent non-tuple": {"KQ.", ErrFormat, ""},
		"persistent other":     {"(X\x01\x00\x00\x00aNNNNtQ.", ErrFormat, "not a storage"},
		"storage of no type":   {"(X\x07\x00\x00\x00storageNNNNtQ.", ErrFormat, "wrong class"},
		"tensor of nothing":    {"ctorch._utils\n_rebuild_tensor_v2\n)R.", ErrFormat, "0 arguments"},
		"tensor of None":       {"ctorch._utils\n_rebuild_tensor_v2\n(NNNNtR.", ErrFormat, "wrong types"},
		"parameter of None":    {"ctorch._utils\n_rebuild_parameter\n(NtR.", ErrFormat, "not a tensor"},
		"parameter of nothing": {"ctorch._utils\n_rebuild_parameter\n)R.", ErrFormat, "without a tensor"},
		"storage too small":    {pickledTensor(4, 0, []int{5}, []int{1}), ErrFormat, "outside its storage"},
		"storage size a lie":   {pickledTensor(5, 0, []int{5}, []int{1}), ErrFormat, "5 × 4 are wanted"},
		"bomb of views":        {pickledTensor(4, 0, []int{4, 1 << 20}, []int{1, 0}), ErrFormat, "far more than the file"},
		"bomb of zero strides": {pickledTensor(4, 0, []int{4, 4, 4, 4, 4, 4}, []int{0, 0, 0, 0, 0, 0}), ErrFormat, "far more than the file"},
	} {
		_, err := parse(pthOf(t, c.pickle))
		if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: got %v, want %v with %q", name, err, c.err, c.words)
		}
	}
}

func TestHostileArchivesAreRefused(t *testing.T) {
	good := []byte(pickledTensor(4, 0, []int{4}, []int{1}))
	twice := zipOf(t, zipEntry{"x/data.pkl", good}, zipEntry{"x/data/0", make([]byte, 16)}, zipEntry{"x/data/0", make([]byte, 16)})
	var many []zipEntry
	for range maxEntries + 1 {
		many = append(many, zipEntry{name: "x"})
	}
	huge := pthOf(t, string(good))
	central := bytes.LastIndex(huge, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(huge[central+20:], 1<<31) // both sizes of the last entry
	binary.LittleEndian.PutUint32(huge[central+24:], 1<<31)
	for name, c := range map[string]struct {
		data  []byte
		words string
	}{
		"entry twice":          {twice, "twice"},
		"too many entries":     {zipOf(t, many...), "entries"},
		"size beyond the file": {huge, "more than the file has"},
		"large data.pkl":       {zipOf(t, zipEntry{"x/data.pkl", make([]byte, maxHeader+1)}), "limit"},
		"zip in name only":     {[]byte("PK\x03\x04 and no more"), "cut short"},
	} {
		_, err := parse(c.data)
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: got %v, want ErrFormat with %q", name, err, c.words)
		}
	}
}

func safetensorsOf(header string, buffer int) []byte {
	data := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(data, header...), make([]byte, buffer)...)
}

func TestMalformedSafetensorsAreRefused(t *testing.T) {
	entry := func(begin, end string) string {
		return `{"dtype":"F32","shape":[2],"data_offsets":[` + begin + `,` + end + `]}`
	}
	one := entry("0", "8")
	for name, c := range map[string]struct {
		header string
		buffer int
		words  string
	}{
		"not closed":          {`{"a":` + one, 8, "EOF"},
		"text after":          {`{"a":` + one + `} x`, 8, "after its object"},
		"second object":       {`{"a":` + one + `}{}`, 8, "after its object"},
		"not UTF-8":           {"{\"\xff\":" + one + "}", 8, "UTF-8"},
		"name twice":          {`{"a":` + one + `,"a":` + one + `}`, 8, `"a" appears twice`},
		"field twice":         {`{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8, `"dtype" appears twice`},
		"unknown field":       {`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}`, 8, `unknown field "x"`},
		"field of other case": {`{"a":{"Dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8, `unknown field "Dtype"`},
		"no dtype":            {`{"a":{"shape":[2],"data_offsets":[0,8]}}`, 8, "lacks its dtype, shape or data_offsets"},
		"no shape":            {`{"a":{"dtype":"F32","data_offsets":[0,8]}}`, 8, "lacks its dtype, shape or data_offsets"},
		"no offsets":          {`{"a":{"dtype":"F32","shape":[2]}}`, 8, "lacks its dtype, shape or data_offsets"},
		"entry no object":     {`{"a":7}`, 8, "an object should be"},
		"unknown dtype":       {`{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}`, 8, `unknown dtype "F33"`},
		"dtype a number":      {`{"a":{"dtype":1,"shape":[2],"data_offsets":[0,8]}}`, 8, "unknown dtype"},
		"shape null":          {`{"a":{"dtype":"F32","shape":null,"data_offsets":[0,8]}}`, 8, "an array should be"},
		"negative dimension":  {`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8, "natural number"},
		"fraction":            {`{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}`, 8, "natural number"},
		"quoted number":       {`{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}`, 8, "natural number"},
		"three offsets":       {`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}`, 8, "3 data_offsets"},
		"overflowing shape":   {`{"a":{"dtype":"F32","shape":[1073741824,1073741824,1073741824],"data_offsets":[0,8]}}`, 8, "does not fill"},
		"shape too small":     {`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}`, 8, "does not fill"},
		"offsets reversed":    {`{"a":` + entry("8", "0") + `}`, 8, ""},
		"buffer too short":    {`{"a":` + one + `}`, 7, "cut short"},
		"buffer too long":     {`{"a":` + one + `}`, 9, "1 bytes after the last"},
		"hole":                {`{"a":` + one + `,"b":` + entry("9", "17") + `}`, 17, "belong to no tensor"},
		"hole at the start":   {`{"a":` + entry("1", "9") + `}`, 9, "belong to no tensor"},
		"overlap":             {`{"a":` + one + `,"b":` + entry("4", "12") + `}`, 12, "overlaps"},
		"same bytes":          {`{"a":` + one + `,"b":` + one + `}`, 8, "overlaps"},
		"metadata of numbers": {`{"__metadata__":{"a":1},"a":` + one + `}`, 8, "not a string"},
		"metadata no object":  {`{"__metadata__":[],"a":` + one + `}`, 8, "an object should be"},
	} {
		_, err := parse(safetensorsOf(c.header, c.buffer))
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: got %v, want ErrFormat with %q", name, err, c.words)
		}
		if err != nil && strings.Count(err.Error(), ErrFormat.Error()) > 1 {
			t.Errorf("%s: the message repeats itself: %v", name, err)
		}
	}
	if f, err := parse(safetensorsOf(`{"a":`+one+`}  `, 8)); err != nil || len(f.tensors) != 1 {
		t.Errorf("the well-formed header of these cases is refused: %v", err)
	}
	long := binary.LittleEndian.AppendUint64(nil, 1<<62)
	if _, err := parse(append(long, '{')); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "limit") {
		t.Errorf("header of 2⁶² bytes: %v", err)
	}
	cut := safetensorsOf(`{"a":`+one+`}`, 8)[:20]
	if _, err := parse(cut); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("cut inside the header: %v", err)
	}
}

func TestOtherFilesAreNamed(t *testing.T) {
	tar := make([]byte, 512)
	copy(tar[257:], "ustar")
	for words, data := range map[string][]byte{
		"Git LFS":              []byte("version https://git-lfs.github.com/spec/v1\n"),
		"web page":             []byte("<!DOCTYPE html>"),
		"HDF5":                 []byte("\x89HDF\r\n\x1a\n"),
		"tar archive":          tar,
		"neither a .pth (zip)": []byte("\x08\x0a\x12onnx"),
	} {
		if _, err := parse(data); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), words) {
			t.Errorf("got %v, want ErrFormat with %q", err, words)
		}
	}
}

// A cut file is always refused, and a flipped byte never changes a tensor unseen
// in a .pth, which has checksums.
func TestDamageIsNoticed(t *testing.T) {
	for name, encode := range map[string]encoder{FormatPTH: encodePTH, FormatSafetensors: encodeSafetensors} {
		data := encoded(t, encode, smallTensors())
		for n := range data {
			if f, err := parse(slices.Clone(data[:n])); err == nil {
				t.Errorf("%s cut to %d of %d bytes is read: %v", name, n, len(data), dump(f.tensors))
			}
		}
	}
	data := encoded(t, encodePTH, smallTensors())
	want := dump(smallTensors())
	for i := range data {
		data[i] ^= 0x10
		f, err := parse(data)
		if err == nil {
			err = f.verify()
		}
		if err == nil && !maps.EqualFunc(want, dump(f.tensors), func(a, b dumped) bool { return cmp.Equal(a, b) }) {
			t.Errorf("byte %d flipped: other tensors without an error", i)
		}
		data[i] ^= 0x10
	}
}

func fuzzFile(f *testing.F, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := parse(data)
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrUnsafePickle) {
				t.Fatalf("an error of no class: %v", err)
			}
			return
		}
		want := dump(read.tensors)
		for _, encode := range []encoder{encodePTH, encodeSafetensors} {
			if len(want) != len(read.tensors) || want["__metadata__"].DType != "" {
				return // names that safetensors cannot hold
			}
			again, err := parse(encoded(t, encode, read.tensors))
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range again.tensors {
				if v.dtype.size() == 0 || len(v.bytes()) != len(want[v.name].Hex)/2 && want[v.name].Hex != "" {
					t.Fatalf("%s changed", v.name)
				}
			}
		}
	})
}

func FuzzPTH(f *testing.F) {
	fuzzFile(f, encoded(f, encodePTH, smallTensors()),
		readFixture(f, "good/views.pth"), readFixture(f, "good/model.pth"), readFixture(f, "good/parameter.pth"),
		readFixture(f, "bad/evil.pth"), pthOf(f, pickledTensor(4, 1, []int{2, 2}, []int{0, 1})))
}

func FuzzSafetensors(f *testing.F) {
	fuzzFile(f, encoded(f, encodeSafetensors, smallTensors()), readFixture(f, "good/plain.safetensors"),
		safetensorsOf(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8), safetensorsOf(`{}`, 0))
}

// What inspectPickle passes may be refused later, but neither crashes nor asks for
// memory out of proportion.
func FuzzPickle(f *testing.F) {
	f.Add([]byte(pickledTensor(4, 0, []int{2}, []int{1})))
	f.Add(pickleStateDict(smallTensors()))
	f.Add([]byte("]q\x00h\x00a)R."))
	f.Fuzz(func(t *testing.T, p []byte) {
		if inspectPickle(p) != nil {
			return
		}
		err := guarded(func() error {
			root, err := unpickle(p)
			if err == nil {
				_, err = stateDict(root)
			}
			return err
		})
		if err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrUnsafePickle) {
			t.Fatalf("an error of no class: %v", err)
		}
	})
}
