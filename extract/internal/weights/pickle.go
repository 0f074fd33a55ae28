package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"
)

// maxOpcodes bounds the memory that a hostile pickle can ask for: the costliest
// opcode takes some 300 bytes. A state dict of resnet18 has 4,300 opcodes.
const maxOpcodes = 1 << 18

// The opcodes that torch.save needs for a state dict, and no more: the set that
// torch.load(weights_only=True) accepts. The value is the number of argument bytes.
var plainOpcodes = map[byte]int{
	'\x80': 1,                                          // PROTO
	'(':    0,                                          // MARK
	')':    0, '\x85': 0, '\x86': 0, '\x87': 0, 't': 0, // EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, TUPLE
	']': 0, 'a': 0, 'e': 0, // EMPTY_LIST, APPEND, APPENDS
	'}': 0, 's': 0, 'u': 0, // EMPTY_DICT, SETITEM, SETITEMS
	'\x8f': 0,                       // EMPTY_SET
	'N':    0, '\x88': 0, '\x89': 0, // NONE, NEWTRUE, NEWFALSE
	'K': 1, 'M': 2, 'J': 4, 'G': 8, // BININT1, BININT2, BININT, BINFLOAT
	'q': 1, 'r': 4, 'h': 1, 'j': 4, // BINPUT, LONG_BINPUT, BINGET, LONG_BINGET
	'R': 0, 'b': 0, 'Q': 0, // REDUCE, BUILD, BINPERSID
}

// Opcodes whose argument has its length or its end in the stream.
const (
	opGlobal         = 'c'    // module \n name \n
	opBinUnicode     = 'X'    // uint32 length, text
	opShortBinString = 'U'    // uint8 length, text
	opLong1          = '\x8a' // uint8 length, integer
	opStop           = '.'
)

// callingOpcodes can call or import something, and torch.save never writes them:
// INST, OBJ, NEWOBJ, NEWOBJ_EX, EXT1, EXT2, EXT4, STACK_GLOBAL.
var callingOpcodes = []byte("io\x81\x92\x82\x83\x84\x93")

// inspectPickle walks through a pickle without building anything. It checks that every
// opcode is a known one, that every argument lies inside, and that every global is in
// the table. A pickle that passes cannot make the unpickler call or import anything,
// or allocate more than len(p) times a constant.
func inspectPickle(p []byte) error {
	at := 0
	for range maxOpcodes {
		if at >= len(p) {
			return malformed("data.pkl ends without STOP")
		}
		op := p[at]
		if op == opStop {
			return nil
		}
		n, err := argument(op, p[at+1:])
		if err != nil {
			return err
		}
		if n > len(p)-at-1 {
			return malformed("data.pkl is cut short at byte %d", at)
		}
		at += 1 + n
	}
	return malformed("data.pkl has more than %d opcodes", maxOpcodes)
}

// argument returns the length of the argument of op, which is in front of rest.
func argument(op byte, rest []byte) (int, error) {
	if n, ok := plainOpcodes[op]; ok {
		return n, nil
	}
	switch op {
	case opGlobal:
		return checkGlobal(rest)
	case opBinUnicode:
		if len(rest) < 4 {
			return 4, nil
		}
		return int(min(4+uint64(binary.LittleEndian.Uint32(rest)), maxHeader+1)), nil
	case opShortBinString:
		if len(rest) < 1 {
			return 1, nil
		}
		return 1 + int(rest[0]), nil
	case opLong1:
		if len(rest) < 1 {
			return 1, nil
		}
		if rest[0] == 0 {
			return 0, malformed("data.pkl holds an integer of no bytes")
		}
		return 1 + int(rest[0]), nil
	}
	if bytes.IndexByte(callingOpcodes, op) >= 0 {
		return 0, fmt.Errorf("%w: opcode 0x%02x builds objects by calling code; nothing was run. Save plain tensors again: torch.save(model.state_dict(), path)", ErrUnsafePickle, op)
	}
	return 0, malformed("data.pkl has opcode 0x%02x, which torch.save does not write; save it again with torch.save(model.state_dict(), path)", op)
}

func checkGlobal(rest []byte) (int, error) {
	module, tail, ok := bytes.Cut(rest, []byte{'\n'})
	name, _, ok2 := bytes.Cut(tail, []byte{'\n'})
	if !ok || !ok2 {
		return 0, malformed("data.pkl is cut short inside a global")
	}
	if _, err := global(string(module), string(name)); err != nil {
		return 0, err
	}
	return len(module) + len(name) + 2, nil
}

// global returns what stands in for a Python global.
func global(module, name string) (any, error) {
	switch module {
	case "collections":
		if name == "OrderedDict" {
			return &types.OrderedDictClass{}, nil
		}
	case "torch._utils":
		switch name {
		case "_rebuild_tensor_v2":
			return callable(rebuildTensor), nil
		case "_rebuild_parameter":
			return callable(rebuildParameter), nil
		}
	case "torch":
		if d, ok := dtypeOfStorage(name); ok {
			return d, nil
		}
	}
	return nil, fmt.Errorf("%w: it names %.100s.%.100s, which no state dict needs; nothing was run. Save plain tensors again: torch.save(model.state_dict(), path)", ErrUnsafePickle, module, name)
}

// callable is a Go function that stands in for a Python one.
type callable func(args ...any) (any, error)

func (c callable) Call(args ...any) (any, error) { return c(args...) }

// storageRef is a persistent id: the name of an entry and what is in it.
type storageRef struct {
	key      string
	dtype    dtype
	elements int
}

// tensorRef is a tensor of a pickle: a view of a storage.
type tensorRef struct {
	storage        storageRef
	offset         int
	shape, strides []int
}

// unpickle reads an inspected pickle. The result is made of gopickle's
// containers, Go's scalars, and tensorRef.
func unpickle(p []byte) (root any, err error) {
	u := pickle.NewUnpickler(bytes.NewReader(p))
	u.FindClass = global
	u.PersistentLoad = persistentStorage
	root, err = u.Load()
	if err != nil {
		return nil, malformed("data.pkl: %.200s", err)
	}
	return root, nil
}

// persistentStorage reads ("storage", class, key, location, elements).
func persistentStorage(id any) (any, error) {
	t, ok := id.(*types.Tuple)
	if !ok || t.Len() < 5 || t.Get(0) != "storage" {
		return nil, errors.New("a persistent id is not a storage")
	}
	d, ok1 := t.Get(1).(dtype)
	key, ok2 := t.Get(2).(string)
	n, ok3 := t.Get(4).(int)
	if !ok1 || !ok2 || !ok3 || n < 0 {
		return nil, errors.New("a storage has a wrong class, key or size")
	}
	return storageRef{key, d, n}, nil
}

// rebuildTensor is torch._utils._rebuild_tensor_v2(storage, offset, size, stride,
// requires_grad, backward_hooks[, metadata]).
func rebuildTensor(args ...any) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("_rebuild_tensor_v2 with %d arguments", len(args))
	}
	storage, ok1 := args[0].(storageRef)
	offset, ok2 := args[1].(int)
	shape, ok3 := intTuple(args[2])
	strides, ok4 := intTuple(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, errors.New("_rebuild_tensor_v2 with arguments of wrong types")
	}
	return tensorRef{storage, offset, shape, strides}, nil
}

// rebuildParameter is torch._utils._rebuild_parameter(data, requires_grad,
// backward_hooks): the official files hold parameters.
func rebuildParameter(args ...any) (any, error) {
	if len(args) < 1 {
		return nil, errors.New("_rebuild_parameter without a tensor")
	}
	t, ok := args[0].(tensorRef)
	if !ok {
		return nil, errors.New("_rebuild_parameter of something that is not a tensor")
	}
	return t, nil
}

func intTuple(v any) ([]int, bool) {
	t, ok := v.(*types.Tuple)
	if !ok {
		return nil, false
	}
	out := make([]int, t.Len())
	for i := range out {
		if out[i], ok = t.Get(i).(int); !ok {
			return nil, false
		}
	}
	return out, true
}
